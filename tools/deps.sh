#!/usr/bin/env bash
# Installs what is missing, from the distribution's packages only, and nothing when all is there.
#   tools/deps.sh [build|demo|test|bench|lint|compose|all] [--yes|--list]
# --yes asks nothing before sudo; --list only prints the packages that are missing.
# build: compiler and libraries; demo: also Java, Maven and Node, and Kafka's jars by Maven; test: also
# clang, Chromium and npm; lint: build and the checkers; compose: demo and what a Docker engine needs. On Debian 12 yyjson and llhttp are Debian 13's
# packages, unpacked into .deps/ (tools/deps/debian13.sh); the system is not told of them.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

LOG=$ROOT/.cache/deps.log

# groups GROUP   The groups that it stands for, in the table's words.
groups() {
    case $1 in
        build) echo build ;;
        demo) echo build demo ;;
        test) echo build demo test ;;
        bench) echo build demo bench ;;
        lint) echo build lint ;;
        compose) echo build demo compose ;;
        all) echo build demo test bench lint compose ;;
        *) die "unknown group \"$1\": build, demo, test, bench, lint, compose or all" ;;
    esac
}

os_release() { sed -n "s/^$1=\"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" /etc/os-release; }
is_debian() { [[ $OS_ID == debian && $OS_VERSION == "$1" ]]; }

# On Debian 12 these two come from tools/deps/debian13.sh.
is_private() { is_debian 12 && [[ $1 == libyyjson-dev || $1 == libllhttp-dev ]]; }

in_dpkg() { [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

is_there() {
    local package=$1 probe=$2
    case $probe in
        cmd:*) have "${probe#cmd:}" ;;
        pc:*) have pkg-config && pkg-config --exists "${probe#pc:}" ;;
        pkg) in_dpkg "$package" ;;
    esac
}

# The compiler runtime (sanitizers, libFuzzer) that fits the distribution's clang.
runtime_package() {
    local major=
    if have clang; then major=$(clang -dumpversion); fi
    case $OS_ID$OS_VERSION in
        debian12) : "${major:=14}" ;;
        debian13) : "${major:=19}" ;;
        *) : "${major:=$(apt-cache depends clang 2>/dev/null | sed -n 's/.*Depends: clang-//p')}" ;;
    esac
    printf 'libclang-rt-%s-dev' "${major%%.*}"
}

# missing GROUP…   Prints the packages to install, each once.
missing() {
    local group package probe
    while read -r group package probe; do
        [[ $group != '#'* && " $* " == *" $group "* ]] || continue
        ! is_private "$package" || continue
        [[ $package != clang-rt ]] || package=$(runtime_package)
        is_there "$package" "$probe" || printf '%s\n' "$package"
    done <"$ROOT/tools/deps/packages" | sort -u
}

as_root() {
    if [[ $(id -u) == 0 ]]; then "$@"; else sudo ${SUDO_ASK:+-n} "$@"; fi
}

apt() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 "$@" \
        >>"$LOG" 2>&1
}

# A list of packages that knows a candidate for each needs no update.
update_lists() {
    local package
    for package in "$@"; do
        [[ -n $(apt-cache madison "$package" 2>/dev/null) ]] || { retry 3 apt update; return; }
    done
}

# Without root, say what will be installed and ask; where nobody can answer, say what to run by hand.
ask_leave() {
    [[ $(id -u) != 0 ]] || return 0
    have sudo || die "these packages are missing and there is no sudo here; as root run:
    apt-get install --no-install-recommends $*"
    SUDO_ASK=
    if [[ $YES == 1 ]]; then return 0; fi
    if [[ -t 0 && -t 2 ]]; then
        local answer
        read -r -p "I need sudo to install: $*. Go on? [Y/n] " answer
        [[ $answer != [nN]* ]] || die "nothing was installed"
        return 0
    fi
    SUDO_ASK=1
}

install() {
    ask_leave "$@"
    say "Installing $# distribution packages: $*"
    update_lists "$@" || fail_install "$@"
    check_rdkafka
    if ! apt install -y --no-install-recommends "$@"; then
        say "  (again with fresh package lists)"
        retry 2 apt update || true
        apt install -y --no-install-recommends "$@" || fail_install "$@"
    fi
}

fail_install() {
    tail -n 10 "$LOG" >&2
    die "apt could not install: $*
    Is the network there?  Try by hand:  apt-get update && apt-get install --no-install-recommends $*"
}

# librdkafka 2.1 to 2.4 loses or stalls records: say it before a long build does.
check_rdkafka() {
    local version
    version=$(apt-cache policy librdkafka-dev 2>/dev/null | sed -n 's/^ *Candidate: //p')
    [[ $version =~ ^(1\.|2\.[1-4]\.) || $version == 2.0.[01]* ]] || return 0
    die "this system packages librdkafka $version; Esteira needs 2.0.2, or 2.5 and later: use Debian 12 or 13"
}

main() {
    local group=all argument wanted packages
    YES=0 LIST=0
    for argument in "$@"; do
        case $argument in
            --yes) YES=1 ;;
            --list) LIST=1 ;;
            *) group=$argument ;;
        esac
    done
    wanted=$(groups "$group")
    OS_ID=$(os_release ID) OS_VERSION=$(os_release VERSION_ID)
    have apt-get || die "./run deps knows Debian's apt only; the libraries are listed in tools/deps/packages"
    mkdir -p "$ROOT/.cache"
    # shellcheck disable=SC2086 # words on purpose
    mapfile -t packages < <(missing $wanted)
    if [[ $LIST == 1 ]]; then echo "${packages[*]}" && return; fi
    ((${#packages[@]} == 0)) || install "${packages[@]}"
    ! is_debian 12 || "$ROOT/tools/deps/debian13.sh"
    [[ " $wanted " != *" demo "* ]] || "$ROOT/tools/kafka-jars.sh" >/dev/null
    [[ " $wanted " != *" test "* ]] || browser_modules
}

# What the browser test drives Chromium with; locked by tests/browser/package-lock.json.
browser_modules() {
    local stamp=$ROOT/tests/browser/node_modules/.package-lock.json
    [[ ! $stamp -nt $ROOT/tests/browser/package-lock.json ]] || return 0
    (cd "$ROOT/tests/browser" && retry 3 npm ci --no-audit --no-fund >"$ROOT/.cache/npm.log" 2>&1) ||
        die "npm could not install the browser test's modules: see .cache/npm.log"
}

main "$@"
