#!/bin/sh
# Compiles the sources into dist/: those that run on Node, then the page of the inspector, which runs in a browser,
# with the files of the page that need no compiling beside it.
set -eu

root=$(CDPATH='' cd -P -- "$(dirname -- "$0")/.." && pwd)
cd "$root"
with_node=scripts/with-node.sh
page=src/io/inspector/page

rm -rf dist
sh "$with_node" tsc -p tsconfig.build.json
sh "$with_node" tsc -p tsconfig.page.json --noEmit false --rootDir . --outDir dist
(cd "$page" && find . -type f ! -name '*.ts') | while IFS= read -r file; do
  mkdir -p "dist/$page/$(dirname -- "$file")"
  cp "$page/$file" "dist/$page/$file"
done
