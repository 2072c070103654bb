#!/bin/sh
# Runs a command with a suitable Node, and the project's own tools, first in PATH:
#   sh scripts/with-node.sh node --test
# It replaces itself by the command, so pid and signals are the command's.
set -eu

root=$(CDPATH='' cd -P -- "$(dirname -- "$0")/.." && pwd)
. "$root/scripts/find-node.sh"
find_node || no_node with-node

case $node in
  "$root"/toolchain/*) PATH=$(dirname -- "$node"):$PATH ;;
esac
PATH=$root/node_modules/.bin:$PATH
export PATH
exec "$@"
