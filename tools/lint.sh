#!/usr/bin/env bash
# Everything that can be judged without running the programs.
#   tools/lint.sh [CHECK…]   all checks, or only these
#   tools/lint.sh --list     their names
#   tools/lint.sh --fix      let clang-format rewrite what it would complain about
# clang-tidy looks only at files whose content, headers or rules have changed since it last found nothing.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
cd "$ROOT"

CHECKS=(format layers style shell gcc clang documents tidy)
KEPT=build/lint
# Formats differ from one clang-format to the next; this one judges.
FORMAT_MAJOR=14

# What git knows and what is new; not what is gone from the work tree.
c_files() { comm -23 <(git ls-files -co --exclude-standard -- '*.c' '*.h' | sort) <(git ls-files -d | sort); }

check_format() {
    local major
    major=$(clang-format --version | sed -E 's/.*version ([0-9]+).*/\1/')
    if [[ $major != "$FORMAT_MAJOR" ]]; then
        say "  skipped: the format is judged by clang-format $FORMAT_MAJOR (Debian 12), this is $major"
        return 0
    fi
    c_files | xargs -r clang-format --dry-run -Werror
}

check_layers() { tools/layers; }

check_style() { tools/style; }

check_shell() {
    local files
    mapfile -t files < <(git ls-files -co --exclude-standard -- '*.sh' run .ci/run tools/layers tools/style deploy/setup deploy/rolling-update)
    shellcheck -x -P . "${files[@]}"
}

check_gcc() { ESTEIRA_DEPS=lint tools/build.sh dev; }

check_clang() { ESTEIRA_DEPS=lint tools/build.sh clang; }

check_documents() {
    [[ -x build/dev/bin/gendocs ]] || check_gcc
    build/dev/bin/gendocs --check docs
}

# What a verdict of clang-tidy on one file depends on. Headers are taken all together: they are small.
rules_hash() {
    cat .clang-tidy build/clang/compile_commands.json
    git ls-files -co --exclude-standard -- '*.h' '*.def' | sort | xargs cat
    clang-tidy --version
}

tidy_one() {
    local file=$1 mark
    mark=$KEPT/$(cat <(printf '%s' "$RULES") "$file" | sha256sum | cut -d' ' -f1)
    [[ ! -e $mark ]] || return 0
    if clang-tidy --quiet -p build/clang "$file" >"$mark.log" 2>&1; then
        mv "$mark.log" "$mark"
    else
        grep -E '(error|warning): ' "$mark.log"
        return 1
    fi
}
export -f tidy_one

# The programs and libraries; tests and benchmarks are left to compilers and sanitizers.
check_tidy() {
    [[ -e build/clang/compile_commands.json ]] || check_clang
    mkdir -p "$KEPT"
    RULES=$(rules_hash | sha256sum)
    export RULES KEPT
    c_files | grep -E '^(lib|producer|consumer|cli|dashboard)/.*\.c$' |
        xargs -r -P "$(nproc)" -I{} bash -c 'tidy_one {}'
}

run_check() {
    local name=$1 start=$SECONDS log=build/lint.$1.log
    mkdir -p build
    if "check_$name" >"$log" 2>&1; then
        sed -n 's/^  skipped/  skipped/p' "$log"
        printf 'ok    %-10s %4d s\n' "$name" $((SECONDS - start))
    else
        head -n 200 "$log"
        printf 'FAIL  %-10s %4d s   (build/lint.%s.log)\n' "$name" $((SECONDS - start)) "$name"
        return 1
    fi
}

main() {
    local name failed=0
    case ${1:-} in
        --list) printf '%s\n' "${CHECKS[@]}" && return ;;
        --fix) c_files | xargs -r clang-format -i && return ;;
    esac
    tools/deps.sh lint
    (($# > 0)) || set -- "${CHECKS[@]}"
    for name in "$@"; do
        [[ " ${CHECKS[*]} " == *" $name "* ]] || EXIT=64 die "no check \"$name\": ${CHECKS[*]}"
        run_check "$name" || failed=$((failed + 1))
    done
    printf 'lint: %d of %d checks failed\n' "$failed" $#
    ((failed == 0))
}

main "$@"
