#!/bin/sh
# Compiles what the package holds into dist/: the program, and the inspector's page with
# the files beside it that are served as they are.
set -eu

root=$(CDPATH='' cd -P -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
with_node=scripts/with-node.sh
page=src/io/inspector/page

rm -rf dist
sh "$with_node" tsc -p tsconfig.build.json
sh "$with_node" tsc -p tsconfig.page.json --noEmit false --rootDir . --outDir dist
find "$page" -type f \( -name '*.html' -o -name '*.css' -o -name '*.svg' \) | while read -r file; do
  mkdir -p "dist/$(dirname "$file")"
  cp "$file" "dist/$file"
done
