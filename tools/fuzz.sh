#!/usr/bin/env bash
# usage: ./run fuzz [--seconds N] [NOUN…]   Each parser of outside bytes, or only these, for N seconds (FUZZ_SECONDS,
# or 600), as many at a time as there are processors. One line each: noun, "passed" or "failed", and what is to be
# said of it.
# What a run finds is taken up by the next one, in build/fuzz/found/NOUN; an input that broke something lies there as
# NOUN-crash-…, with its log.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

FOUND=build/fuzz/found

one() {
    local noun=$1 log=$FOUND/$1.log
    mkdir -p "$FOUND/$noun"
    if "build/fuzz/bin/${noun}_fuzz" -max_total_time="$FUZZ_SECONDS" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$FOUND/$noun-" "$FOUND/$noun" "tests/fuzz/corpus/$noun" >"$log" 2>&1; then
        printf '%s\tpassed\t%s inputs\n' "$noun" "$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    else
        tail -n 20 "$log" >&2
        printf '%s\tfailed\tsee %s; the input lies beside it\n' "$noun" "$log"
    fi
}

main() {
    local nouns
    if [[ ${1:-} == --seconds ]]; then
        [[ ${2:-} =~ ^[1-9][0-9]*$ ]] || EXIT=64 die "--seconds takes a whole number of seconds"
        FUZZ_SECONDS=$2
        shift 2
    fi
    tools/build.sh fuzz
    nouns=$(for program in build/fuzz/bin/*_fuzz; do basename "$program" _fuzz; done)
    for noun in "$@"; do
        grep -qxF -- "$noun" <<<"$nouns" || EXIT=64 die "no parser \"$noun\": ${nouns//$'\n'/ }"
    done
    (($# == 0)) || nouns=$(printf '%s\n' "$@")
    mkdir -p "$FOUND"
    xargs -r -P "$(nproc)" -I{} bash -c 'one {}' <<<"$nouns" | tee "$FOUND/lines"
    ! grep -q $'\tfailed\t' "$FOUND/lines"
}

export -f one
export ESTEIRA_DEPS=test FOUND FUZZ_SECONDS=${FUZZ_SECONDS:-600}
main "$@"
