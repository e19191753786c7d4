#!/usr/bin/env bash
# A private Docker engine, for tests: Debian 13's packages of it, unpacked into .cache/compose and not
# installed; its state, images and volumes in one folder.
#   tests/compose/engine.sh possible       exit 0, or 1 and one line that says why it cannot run here
#   tests/compose/engine.sh start DIR      a new engine in DIR; prints nothing
#   tests/compose/engine.sh stop DIR       ends it, with all of its containers, and removes DIR
#   tests/compose/engine.sh run DIR COMMAND…   COMMAND with the environment of that engine
# Only processes whose pid files lie in DIR are ever signalled. DIR's path has to be short: it holds a socket.
set -euo pipefail
# shellcheck source=tests/compose/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

PACKAGES=(docker.io docker-cli containerd docker-compose docker-buildx)
MEMORY_MB=3000
DISK_MB=7000

usage() { sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; }

# --- may it run here? ------------------------------------------------------------------------------------

memory_mb() { awk '/^MemAvailable:/ { print int($2 / 1024) }' /proc/meminfo; }
disk_mb() { df -Pm "${TMPDIR:-/tmp}" | awk 'NR == 2 { print $4 }'; }

possible() {
    local why=
    if [[ $(id -u) != 0 ]]; then
        why="a Docker engine of its own needs root"
    elif ! have apt-get; then
        why="it is made of Debian packages, and there is no apt here"
    elif ! unshare --mount --net --pid --fork true 2>/dev/null; then
        why="this machine does not let us make namespaces"
    elif ! grep -qw overlay /proc/filesystems && ! modprobe overlay 2>/dev/null; then
        why="the kernel has no overlayfs"
    elif (($(memory_mb) < MEMORY_MB)); then
        why="$(memory_mb) MB of memory are free, it needs $MEMORY_MB"
    elif (($(disk_mb) < DISK_MB)); then
        why="$(disk_mb) MB of disk are free, it needs $DISK_MB"
    fi
    [[ -z $why ]] || { printf '%s\n' "$why" && return 1; }
}

# --- what it is made of ----------------------------------------------------------------------------------

download() {
    local state=$CACHE/apt
    rm -rf "$state"
    mkdir -p "$state"/{lists/partial,cache/archives/partial} "$1"
    : >"$state/status"
    sources >"$state/sources.list"
    retry 3 debian13 update >"$CACHE/apt.log" 2>&1 || { tail -n 5 "$CACHE/apt.log" >&2 && return 1; }
    (cd "$1" && retry 3 debian13 download "${PACKAGES[@]}" >>"$CACHE/apt.log" 2>&1) ||
        { tail -n 5 "$CACHE/apt.log" >&2 && return 1; }
}

unpack() {
    local new=$CACHE/engine.new deb
    rm -rf "$new"
    download "$new/debs" || die "cannot fetch Debian 13's engine (is the network there?)"
    for deb in "$new"/debs/*.deb; do dpkg-deb -x "$deb" "$new"; done
    mkdir -p "$new/config/cli-plugins"
    cp "$new"/usr/libexec/docker/cli-plugins/docker-{compose,buildx} "$new/config/cli-plugins/"
    rm -rf "$new/debs" "$CACHE/engine" "$CACHE/apt"
    mv "$new" "$CACHE/engine"
}

# --- life ------------------------------------------------------------------------------------------------

# The containers' packets have to fit the way out of this machine.
mtu() {
    local interface
    interface=$(ip -o route get 192.0.2.1 2>/dev/null | sed -n 's/.* dev \([^ ]*\).*/\1/p')
    awk '{ print $1 < 1500 ? $1 : 1500 }' "/sys/class/net/${interface:-lo}/mtu"
}

# No container may be promised more open files than this process may have.
nofile() {
    local hard
    hard=$(ulimit -Hn)
    if [[ $hard == unlimited ]] || ((hard > 65536)); then hard=65536; fi
    echo "$hard"
}

# The machine's packet filter as it was, unless another engine has its rules in it as well.
keep_filter() {
    iptables-save >"$STATE/filter"
    cp /proc/sys/net/ipv4/ip_forward "$STATE/ip_forward"
}
give_filter_back() {
    [[ -e $STATE/filter ]] && ! grep -q DOCKER "$STATE/filter" && ! pgrep -r D,R,S -x dockerd >/dev/null || return 0
    iptables-restore <"$STATE/filter"
    cat "$STATE/ip_forward" >/proc/sys/net/ipv4/ip_forward
}

answers() { timeout 10 docker version >/dev/null 2>&1; }

start() {
    [[ ! -e $STATE/pid ]] || die "there is an engine in $STATE already"
    mkdir -p "$STATE"
    exec 9>"$CACHE/lock"
    flock 9
    [[ -e $CACHE/engine ]] || timed "engine, from Debian 13" unpack
    flock -u 9
    keep_filter
    # No default bridge: every project has networks of its own, and that one would outlive the engine.
    setsid dockerd --bridge none --data-root "$STATE/data" --exec-root "$STATE/exec" --pidfile "$STATE/pid" \
        --host "unix://$STATE/d.sock" --mtu "$(mtu)" --ip 127.0.0.1 \
        --default-ulimit "nofile=$(nofile):$(nofile)" --log-opt max-size=10m --log-opt max-file=2 \
        --userland-proxy-path "$CACHE/engine/usr/sbin/docker-proxy" --init-path /usr/bin/tini-static \
        >"$STATE/dockerd.log" 2>&1 </dev/null 9>&- &
    until_true 60 answers || { tail -n 20 "$STATE/dockerd.log" >&2 && die "the engine did not start"; }
}

# Every process of the engine names its folder: dockerd, containerd and its shims. A mount that an engine
# killed by force has left behind goes before the folder does.
stop() {
    local pid mount
    if answers; then
        timeout 10 docker ps -aq | xargs -r timeout 60 docker rm -f -v >/dev/null 2>&1 || true
        timeout 10 docker network prune -f >/dev/null 2>&1 || true
    fi
    pid=$(cat "$STATE/pid" 2>/dev/null || echo 0)
    end_process "$pid" "$STATE" TERM 60 || end_process "$pid" "$STATE" KILL 10
    pid=$(cat "$STATE/exec/containerd/containerd.pid" 2>/dev/null || echo 0)
    end_process "$pid" "$STATE" KILL 10
    awk -v dir="$STATE/" 'index($2, dir) == 1 { print $2 }' /proc/mounts | sort -r |
        while read -r mount; do umount -l "$mount" 2>/dev/null || true; done
    give_filter_back
    rm -rf "$STATE"
}

main() {
    local verb=${1:-}
    if [[ $verb == possible ]]; then
        possible
        return
    fi
    [[ $# -ge 2 ]] || { usage && exit 64; }
    mkdir -p "$CACHE"
    use "$(realpath -m "$2")"
    case $verb in
        start) start ;;
        stop) stop ;;
        run) exec "${@:3}" ;;
        *) usage && exit 64 ;;
    esac
}

main "$@"
