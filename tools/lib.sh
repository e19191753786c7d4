# shellcheck shell=bash
# Small helpers of ./run and tools/*.sh. Source it; it only defines functions and ROOT.
# shellcheck disable=SC2034 # used by those who source this
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

say() { printf '%s\n' "$*" >&2; }
die() {
    say "error: $*"
    exit "${EXIT:-1}"
}
have() { command -v "$1" >/dev/null 2>&1; }

# retry TRIES COMMAND…   Networks fail for a moment; the second and third try wait 2 and 4 seconds.
retry() {
    local tries=$1 n
    shift
    for ((n = 1; ; n++)); do
        "$@" && return 0
        ((n < tries)) || return 1
        say "  (try $n of $tries failed, again in $((2 * n)) s)"
        sleep $((2 * n))
    done
}

# until_true SECONDS COMMAND…   Polls a condition ten times a second; fails at the deadline.
until_true() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# free_port   A loopback TCP port that nobody listens on now. Below 32768, so that the kernel does
# not hand it to an outgoing connection in between. Whoever binds it must still be ready to lose the race.
free_port() {
    local port n
    for ((n = 0; n < 200; n++)); do
        port=$((20000 + RANDOM % 8000))
        port_open "$port" || { printf '%s\n' "$port" && return 0; }
    done
    return 1
}

# is_ours PID TEXT   True when that process lives and its command line contains TEXT: a pid read from a
# file may by now belong to somebody else, and must then not be signalled.
is_ours() {
    [[ $1 =~ ^[1-9][0-9]*$ && -r /proc/$1/cmdline ]] || return 1
    tr '\0' ' ' 2>/dev/null <"/proc/$1/cmdline" | grep -qF -- "$2"
}

gone() { ! is_ours "$1" "$2"; }

# end_process PID TEXT SIGNAL SECONDS   Signals a process of ours and waits until it is gone.
end_process() {
    is_ours "$1" "$2" || return 0
    kill "-$3" "$1" 2>/dev/null || true
    until_true "$4" gone "$1" "$2"
}
