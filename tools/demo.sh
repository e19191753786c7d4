#!/usr/bin/env bash
# Checks this machine, installs and compiles what is missing, and hands over to deploy/demo/demo.mjs.
#   tools/demo.sh [--yes] [--once [N]]
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

MEMORY_MB=1200
DISK_MB=2000
PROGRAMS=(esteira-producer esteira-consumer esteira-dashboard esteira)

# The same rule as in deploy/demo/texts.mjs, for what is said before there is a Node.
is_portuguese() {
    local locale=${LC_ALL:-${LC_MESSAGES:-${LANG:-}}}
    [[ ! $locale =~ ^(C|POSIX)(\.|$) ]] || locale=
    locale=${ESTEIRA_LANG:-$locale}
    if [[ -n $locale ]]; then
        [[ ${locale,,} == pt* ]]
    else
        grep -qE '(^|/)America/(Sao_Paulo|Bahia|Fortaleza|Recife|Manaus|Belem|Cuiaba|Campo_Grande)$' \
            <<<"${TZ:-$(readlink -f /etc/localtime) $(cat /etc/timezone 2>/dev/null)}"
    fi
}

# text PORTUGUESE ENGLISH
text() { if [[ $LANGUAGE == pt ]]; then printf '%s' "$1"; else printf '%s' "$2"; fi; }
talk() { say "$(text "$1" "$2")"; }

# --- before anything is installed: each check prints what is wrong, all of them run ----------------------

check_memory() {
    local free
    free=$(awk '/^(MemAvailable|SwapFree):/ { sum += $2 } END { print int(sum / 1024) }' /proc/meminfo)
    DONE+=("$(text "memória" "memory") $((free / 1024)).$((free % 1024 * 10 / 1024)) GB ✓")
    ((free < MEMORY_MB)) || return 0
    talk "Faltam $((MEMORY_MB - free)) MB de memória livre para o Kafka. Crie um swap de 1 GB ou use uma máquina de 2 GB:" \
        "$((MEMORY_MB - free)) MB of free memory are missing for Kafka. Make a swap of 1 GB or use a machine of 2 GB:"
    say "  fallocate -l 1G /swapfile && chmod 600 /swapfile"
    say "  mkswap /swapfile"
    say "  swapon /swapfile"
    return 1
}

check_disk() {
    local free
    free=$(df -Pm "$ROOT" | awk 'NR == 2 { print $4 }')
    DONE+=("$(text disco disk) $((free / 1024)) GB ✓")
    ((free < DISK_MB)) || return 0
    talk "O disco tem só $free MB livres; a demonstração precisa de $DISK_MB." \
        "The disk has only $free MB free; the demo needs $DISK_MB."
    return 1
}

# A clock behind the newest file here is wrong: certificates and times of events would be, too.
check_clock() {
    local newest
    newest=$(stat -c %Y "$ROOT/CMakeLists.txt")
    DONE+=("$(text "relógio" clock) ✓")
    (($(date +%s) < newest - 30)) || return 0
    talk "O relógio desta máquina está atrasado ($(date)). Acerte: timedatectl set-ntp true" \
        "This machine's clock is behind ($(date)). Set it: timedatectl set-ntp true"
    return 1
}

check_system() {
    local name
    name=$(sed -n 's/^PRETTY_NAME="\{0,1\}\([^"]*\)"\{0,1\}$/\1/p' /etc/os-release 2>/dev/null)
    DONE+=("${name:-?} ✓")
    grep -qE '^(ID|ID_LIKE)=.*(debian|ubuntu)' /etc/os-release 2>/dev/null && return 0
    talk "Não conheço este sistema; a demonstração é feita para Debian 12 e 13." \
        "I do not know this system; the demo is made for Debian 12 and 13."
    return 1
}

check_machine() {
    local check bad=0
    DONE=()
    for check in check_memory check_disk check_clock check_system; do "$check" || bad=1; done
    ((bad == 0)) || die "$(text "Nada foi instalado." "Nothing was installed.")"
    say "$(text "Conferindo  " "Checking    ")  ${DONE[*]}"
}

# step TITLE COMMAND…   One line, the time it took at its end; on failure the last lines of what it said.
step() {
    local title=$1 log=$ROOT/.cache/demo-step.log start=$SECONDS
    shift
    mkdir -p "$ROOT/.cache"
    if [[ -t 2 ]]; then printf '%s …' "$title" >&2; fi
    if ! "$@" >"$log" 2>&1; then
        say ''
        tail -n 10 "$log" >&2
        die "$(text "não consegui: $*  (registro: $log)" "this failed: $*  (log: $log)")"
    fi
    if [[ -t 2 ]]; then printf '\r\033[K' >&2; fi
    say "$title ✓ $((SECONDS - start)) s"
}

install() {
    local missing
    missing=$("$ROOT/tools/deps.sh" demo --list)
    if [[ -n $missing && $(id -u) != 0 ]]; then
        "$ROOT/tools/deps.sh" demo "${YES[@]}" # it asks, so it keeps the terminal
    else
        step "$(text "Instalando   " "Installing   ") ${missing:-$(text "nada falta" "nothing is missing")}" \
            "$ROOT/tools/deps.sh" demo
    fi
}

main() {
    local arguments=() argument
    YES=()
    for argument in "$@"; do
        if [[ $argument == --yes ]]; then YES=(--yes); else arguments+=("$argument"); fi
    done
    LANGUAGE=en
    ! is_portuguese || LANGUAGE=pt
    say "Esteira demo — em português: ESTEIRA_LANG=pt ./run demo · in English: ESTEIRA_LANG=en ./run demo"
    check_machine
    install
    step "$(text "Compilando   " "Building     ") ${PROGRAMS[*]}" \
        "$ROOT/tools/build.sh" release "${PROGRAMS[@]}"
    exec env ESTEIRA_LANG="$LANGUAGE" node "$ROOT/deploy/demo/demo.mjs" "${arguments[@]}"
}

main "$@"
