#!/usr/bin/env bash
# usage: ./run bench ingest|deliver|idle …   See bench/README.md.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

case ${1:-} in
    ingest | deliver | idle) ;;
    *) EXIT=64 die "which one? ./run bench ingest|deliver|idle" ;;
esac
tools/deps.sh bench
tools/build.sh release
exec node "bench/$1.mjs"
