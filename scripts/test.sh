#!/bin/sh
# Checks everything, the quick checks first: format and lint, types, tests.
# With arguments, only those test files are run: npm test -- test/cli.test.ts
set -eu

root=$(CDPATH='' cd -P -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
with_node=scripts/with-node.sh

echo 'test: format and lint (biome)'
sh "$with_node" biome check --error-on-warnings .
echo 'test: types (tsc)'
sh "$with_node" tsc -p .
sh "$with_node" tsc -p tsconfig.page.json

# Some hundred processes load the same files: each file's types are stripped, and the
# file compiled, by the first of them only. The others take it from here.
NODE_COMPILE_CACHE=$(mktemp -d)
export NODE_COMPILE_CACHE
trap 'rm -rf "$NODE_COMPILE_CACHE"' EXIT

echo 'test: tests (node --test)'
if [ "$#" -eq 0 ]; then set -- 'test/**/*.test.ts'; fi
# Many tests wait most of their time, so there is a file for each core; Node's own choice is one less.
# A test that hangs fails after two minutes, a whole file (see test-guard.ts) after three.
sh "$with_node" node --test --test-concurrency="$(getconf _NPROCESSORS_ONLN)" --test-timeout=120000 \
  --import ./scripts/test-guard.ts "$@" &
# In the background, since a shell that waits for a command hears no signal.
runner=$!
trap 'kill "$runner"' HUP INT TERM
status=0
wait "$runner" || status=$?
# A signal ends the wait, too, and not yet the runner.
wait "$runner" 2>/dev/null || :
exit "$status"
