#!/usr/bin/env bash
# usage: ./run chaos buffer|delivery [--short] [--only NAME] [--seed N] [--list]   See tests/chaos/README.md.
#        ./run chaos compose [--short] [--only NAME,…] [--list]     See tests/compose/README.md.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

case ${1:-} in
    buffer | delivery | compose) ;;
    *) EXIT=64 die "which one? ./run chaos buffer, delivery or compose" ;;
esac
export ESTEIRA_DEPS=test
[[ $1 != compose ]] || exec tools/compose-test.sh "${@:2}"
tools/build.sh release
exec node "tests/chaos/$1.mjs" "${@:2}"
