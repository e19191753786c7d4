#!/usr/bin/env bash
# usage: ./run bench ingest|deliver|idle …   See bench/README.md.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

[[ -x bench/run ]] || die "bench/run is missing"
tools/deps.sh bench
tools/build.sh release
exec bench/run "$@"
