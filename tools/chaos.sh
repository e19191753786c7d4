#!/usr/bin/env bash
# usage: ./run chaos buffer|delivery [--short] [--only NAME] [--seed N] [--list]   See tests/chaos/README.md.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

case ${1:-} in
    buffer | delivery) ;;
    *) EXIT=64 die "which one? ./run chaos buffer, or ./run chaos delivery" ;;
esac
export ESTEIRA_DEPS=test
tools/build.sh release
exec node "tests/chaos/$1.mjs" "${@:2}"
