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
echo 'test: tests (node --test)'
if [ "$#" -eq 0 ]; then set -- 'test/**/*.test.ts'; fi
# A test that hangs fails after two minutes, a whole file (see test-guard.ts) after three.
exec sh "$with_node" node --test --test-timeout=120000 --import ./scripts/test-guard.ts "$@"
