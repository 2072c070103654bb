# Finds a Node that can run Reprise. Sourced, with $root set to the folder of
# package.json, by the launcher (so it is part of the published package) and by
# the scripts of a source checkout: they must all agree on which Node it is.

node_needed=24

# Prints the version of the Node named in $1, as in "v26.10.0"; nothing if it does not run.
node_version() {
  "$1" --version 2>/dev/null || :
}

# True if the version in $1 is new enough. `node --version` costs about 4 ms,
# `node -p process.versions` ten times that, so the text is taken apart here.
node_suits() {
  major=${1#v}
  major=${major%%.*}
  case $major in
    '' | *[!0-9]*) return 1 ;;
  esac
  [ "$major" -ge "$node_needed" ]
}

# Sets $node to the Node on PATH if it is new enough, otherwise to the one pinned
# in toolchain/. False if there is neither; $node_found then tells what there was.
find_node() {
  node=$(command -v node 2>/dev/null) || node=
  node_found='none on PATH'
  if [ -n "$node" ]; then
    version=$(node_version "$node")
    node_suits "$version" && return 0
    node_found="${version:-one that does not run}, at $node"
  fi
  # npm installs the one platform package that fits, so there is one at most.
  for node in "$root"/toolchain/node_modules/node-*/bin/node; do
    [ -x "$node" ] && return 0
  done
  node=
  return 1
}

# Says that no Node suits and what to do about it, in the name of $1; ends with
# 69, EX_UNAVAILABLE of sysexits(3).
no_node() {
  echo "$1: needs Node $node_needed or newer, found $node_found." >&2
  if [ -f "$root/scripts/setup.sh" ]; then
    echo "$1: run 'npm run setup' in $root to fetch one, or put a newer Node first in PATH." >&2
  else
    echo "$1: install a newer Node (https://nodejs.org) and put it first in PATH." >&2
  fi
  exit 69
}
