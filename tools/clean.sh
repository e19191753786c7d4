#!/usr/bin/env bash
# Removes what was built and the demo's state. --all: also what was downloaded (.deps, .kafka, .cache).
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

case ${1:-} in
    '') extra=() ;;
    --all) extra=(.deps .kafka .cache tests/browser/node_modules) ;;
    *) EXIT=64 die "usage: ./run clean [--all]" ;;
esac
if [[ -e .demo/demo.pid ]] && is_ours "$(<.demo/demo.pid)" deploy/demo; then
    die "the demo is running: press q there first"
fi
rm -rf build .demo "${extra[@]}"
