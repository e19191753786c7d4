#!/usr/bin/env bash
# Every test. Ends with one line "N passed, N failed, N skipped"; exits 0 only when none failed.
#   tools/test.sh [STAGE…]   all stages, or only these
#   tools/test.sh --list     their names
# release    unit tests, simulator, clients, contract, browser, and the scenarios on real Kafka, on the
#            programs as people run them
# sanitize   the same with AddressSanitizer and UndefinedBehaviorSanitizer, but for what is a matter of pace
# fuzz       each parser of outside bytes for FUZZ_SECONDS (default 20)
# demo       ./run demo --once on a belt of its own
# compose    docker compose, with containers killed and changed, where a Docker engine can be started
# Environment: FUZZ_SECONDS; ESTEIRA_TEST_SLOW=N multiplies every patience, for slow machines; ESTEIRA_TEST_KEEP=1
# keeps the folders of scenarios that passed.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

STAGES=(release sanitize fuzz demo compose)
# Seconds after which a stage is stopped and has failed: twice what it takes on two cores, or somewhat more;
# ESTEIRA_TEST_SLOW, which multiplies the tests' own patience, multiplies these as well.
SLOW=$(LC_ALL=C awk -v slow="${ESTEIRA_TEST_SLOW:-1}" 'BEGIN { n = int(slow); print n < slow || n < 1 ? n + 1 : n }')
declare -A LIMITS=([release]=$((1800 * SLOW)) [sanitize]=$((1800 * SLOW)) [demo]=$((300 * SLOW)) [compose]=$((1000 * SLOW))
    [fuzz]=$(((250 + 8 * ${FUZZ_SECONDS:-20}) * SLOW)))
CLEAN_UP=240 # seconds for ending what it has started
RESULTS=$ROOT/build/results
export ESTEIRA_DEPS=test

# add STAGE STATUS NAME [REASON]   A result that no test runner wrote.
add() { printf '%s\t%s\t%s\n' "$2" "$3" "${4:-}" >>"$RESULTS/$1.tsv"; }

build() {
    local stage=$1 preset=$2
    if tools/build.sh "$preset" >"$RESULTS/$stage-build.log" 2>&1; then return 0; fi
    grep -E 'error|FAILED' "$RESULTS/$stage-build.log" | head -n 20 || tail -n 20 "$RESULTS/$stage-build.log"
    add "$stage" failed "build of preset $preset"
    return 1
}

# ctest STAGE PRESET ARGUMENT…
with_ctest() {
    local stage=$1 preset=$2
    shift 2
    build "$stage" "$preset" || return 0
    ctest --test-dir "build/$preset" --parallel "$(nproc)" --output-on-failure --no-tests=error --timeout 300 \
        --output-junit "$RESULTS/$stage.xml" --test-output-size-passed 4194304 \
        --test-output-size-failed 4194304 "$@" >"$RESULTS/$stage.log" 2>&1 || true
    sed -nE '/\*\*\*(Failed|Timeout|Exception)/p' "$RESULTS/$stage.log"
}

stage_release() { with_ctest release release; }

stage_sanitize() {
    export ASAN_OPTIONS=detect_stack_use_after_return=1:strict_string_checks=1
    export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
    with_ctest sanitize asan-ubsan -LE '^slow$' -E '^scenario_(million|chaos_delivery)$'
}

stage_fuzz() {
    local noun status text
    build fuzz fuzz || return 0
    while IFS=$'\t' read -r noun status text; do
        add fuzz "$status" "$noun: $text"
    done < <(tools/fuzz.sh --seconds "${FUZZ_SECONDS:-20}")
    [[ -s $RESULTS/fuzz.tsv ]] || add fuzz failed "no parser was run"
}

stage_demo() {
    local line
    if line=$(tools/demo.sh --once 500 2>"$RESULTS/demo.log"); then
        add demo passed "demo --once: $line"
    else
        tail -n 20 "$RESULTS/demo.log"
        add demo failed "demo --once: ${line:-no answer}"
    fi
}

# One line of JSON for each experiment.
stage_compose() {
    local code=0 line status
    build compose release || return 0
    tools/compose-test.sh --short >"$RESULTS/compose.out" 2>"$RESULTS/compose.log" || code=$?
    if ((code == 77)); then
        add compose skipped "docker compose" "$(sed -n 's/^skipped: //p' "$RESULTS/compose.log")"
        return
    fi
    while read -r line; do
        case $line in
            *'"pass":true'*) status=passed ;;
            *'"pass":false'*) status=failed ;;
            *) continue ;;
        esac
        add compose "$status" "docker compose: $(sed -E 's/.*"experiment":"([a-z]+)".*/\1/' <<<"$line")"
    done <"$RESULTS/compose.out"
    if ((code != 0)); then
        tail -n 30 "$RESULTS/compose.out" "$RESULTS/compose.log"
        add compose failed "docker compose: exit $code, see build/results/compose.out and compose.log"
    fi
}

# The scenarios' broker is in no group that could be told to end.
end_brokers() {
    local preset
    case $1 in
        release) preset=release ;;
        sanitize) preset=asan-ubsan ;;
        *) return 0 ;;
    esac
    tools/kafka.sh stop "build/$preset/tests/kafka" >/dev/null 2>&1 || true
}

# end_stage STAGE PID   What is still there of its group, and its broker.
end_stage() {
    kill -KILL -- "-$2" 2>/dev/null || true
    end_brokers "$1"
}

# interrupted STAGE PID CODE   It cleans up for itself first.
interrupted() {
    if kill "$2" 2>/dev/null; then wait "$2" || true; fi
    end_stage "$1" "$2"
    exit "$3"
}

# In a group of processes of its own, so that all of it can be told to end: by the limit, or by whoever ends us.
bounded() {
    local stage=$1 limit=${LIMITS[$1]} code=0 start=$SECONDS pid log
    timeout --kill-after="$CLEAN_UP" "$limit" tools/test.sh --inside "$stage" &
    pid=$!
    # shellcheck disable=SC2064 # the stage and the process of now
    {
        trap "interrupted $stage $pid 130" INT
        trap "interrupted $stage $pid 143" TERM HUP
    }
    wait "$pid" || code=$?
    trap - INT TERM HUP
    ((code != 0)) || return 0
    end_stage "$stage" "$pid"
    for log in "$RESULTS/$stage".{out,log}; do [[ ! -e $log ]] || tail -n 30 "$log"; done
    if ((SECONDS - start >= limit)); then
        add "$stage" failed "stage $stage: not done within $limit s"
    else
        add "$stage" failed "stage $stage: exit $code"
    fi
}

main() {
    local stage start
    case ${1:-} in
        --list) printf '%s\n' "${STAGES[@]}" && return ;;
        --inside)
            trap 'exit 143' TERM # once what runs in the foreground has cleaned up
            "stage_$2"
            return
            ;;
    esac
    (($# > 0)) || set -- "${STAGES[@]}"
    tools/deps.sh test
    rm -rf "$RESULTS"
    mkdir -p "$RESULTS"
    for stage in "$@"; do
        [[ " ${STAGES[*]} " == *" $stage "* ]] || EXIT=64 die "no stage \"$stage\": ${STAGES[*]}"
        say "== $stage"
        start=$SECONDS
        bounded "$stage"
        say "   $((SECONDS - start)) s"
    done
    node tools/results.mjs "$RESULTS"
}

main "$@"
