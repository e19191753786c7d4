#!/usr/bin/env bash
# Debian 12 packages neither yyjson nor llhttp. This fetches Debian 13's packages of both and unpacks them
# into .deps/ of the project; the system's sources, lists and dpkg never hear of them.
#   tools/deps/debian13.sh               make .deps complete; instant when it is
#   tools/deps/debian13.sh lock [ARCH…]  write debian13.lock anew from what the archive has now
# The archive is the one that this machine's apt already uses, its mirror and proxy included; apt checks the
# signature of Debian 13's release, and debian13.lock names each file's version and SHA-256.
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib.sh"

LOCK=$ROOT/tools/deps/debian13.lock
PREFIX=$ROOT/.deps
STAMP=$PREFIX/.checked
STATE=$ROOT/.cache/apt-debian13
NAMES=(libyyjson0 libyyjson-dev libllhttp9.2 libllhttp-dev)

# The address from which this machine's apt takes Debian itself, as apt resolved it.
mirror() {
    # shellcheck disable=SC2016 # apt's own "$(…)"
    apt-get indextargets --format '$(ORIGIN)|$(RELEASE)|$(COMPONENT)|$(REPO_URI)' 'Created-By: Packages' |
        awk -F'|' '($1 == "Debian" || $1 == "") && $2 ~ /^(bookworm|oldstable|stable)$/ && $3 == "main" {
            print $4; exit }'
}

# debian13 PROGRAM ARGUMENT…   apt-get or apt-cache with a state of its own and Debian 13 as its only source.
debian13() {
    "$1" -o Dir::Etc::sourcelist="$STATE/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferencesparts=/dev/null -o Dir::Etc::preferences=/dev/null \
        -o Dir::State="$STATE" -o Dir::State::lists="$STATE/lists" -o Dir::State::status="$STATE/status" \
        -o Dir::Cache="$STATE/cache" -o Acquire::Languages=none -o Acquire::Retries=3 \
        -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false -o APT::Sandbox::User=root \
        -o APT::Update::Post-Invoke-Success= -o APT::Update::Post-Invoke= \
        ${ARCH:+-o APT::Architecture=$ARCH -o APT::Architectures::=$ARCH} "${@:2}"
}

open_archive() {
    local uri
    uri=$(mirror)
    [[ -n $uri ]] || die "cannot tell from apt's configuration where this machine takes Debian from"
    rm -rf "$STATE"
    mkdir -p "$STATE"/{lists/partial,cache/archives/partial}
    : >"$STATE/status"
    printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] %s trixie main\n' "$uri" \
        >"$STATE/sources.list"
    retry 3 debian13 apt-get update >"$STATE/log" 2>&1 ||
        { tail -n 5 "$STATE/log" >&2 && die "cannot read Debian 13's package list (is the network there?)"; }
}

# Lines "arch name version sha256" of what the archive has now.
describe() {
    local name
    for name in "${NAMES[@]}"; do
        debian13 apt-cache show "$name" | awk -v arch="$ARCH" -v name="$name" '
            /^Version:/ { version = $2 }
            /^SHA256:/ { print arch, name, version, $2; exit }'
    done
}

write_lock() {
    local arch
    for arch in "${@:-amd64}"; do
        ARCH=$arch
        open_archive
        describe
    done >"$LOCK.new"
    mv "$LOCK.new" "$LOCK"
}

# A version that the archive no longer has was replaced by Debian (a security update, say): then the current
# one is taken, on the strength of the archive's signature alone, and that is said.
download() {
    local name version
    while read -r _ name version _; do
        (cd "$1" && debian13 apt-get -q download "$name=$version") >>"$STATE/log" 2>&1 && continue
        say "  $name $version is gone from the archive; taking the current one"
        (cd "$1" && retry 3 debian13 apt-get -q download "$name") >>"$STATE/log" 2>&1 ||
            { tail -n 5 "$STATE/log" >&2 && die "cannot fetch $name from Debian 13"; }
    done < <(mine)
}

mine() { awk -v arch="$MACHINE" '$1 == arch' "$LOCK"; }

check() {
    local name version sum file
    while read -r _ name version sum; do
        file=$1/${name}_${version//:/%3a}_$MACHINE.deb
        [[ -e $file ]] || continue
        [[ $(sha256sum <"$file") == "$sum"* ]] || die "$(basename "$file") is not what debian13.lock names"
    done < <(mine)
}

# The packages' .pc files speak of /usr.
rewrite_pc() {
    local pc
    for pc in "$1"/usr/lib/*/pkgconfig/*.pc; do
        sed -i -E "s#^(prefix|exec_prefix|libdir|includedir)=/usr#\1=$PREFIX/usr#" "$pc"
    done
}

unpack() {
    local new=$PREFIX.new deb
    rm -rf "$new"
    mkdir -p "$new/usr"
    for deb in "$1"/*.deb; do dpkg-deb -x "$deb" "$new"; done
    rewrite_pc "$new"
    stamp >"$new/.checked"
    rm -rf "$PREFIX"
    mv "$new" "$PREFIX"
}

# The folder's own path is in the .pc files, so a moved project unpacks again.
stamp() { printf '%s\n' "$PREFIX" && mine; }

mine_unknown() {
    die "debian13.lock has no line for $MACHINE: run tools/deps/debian13.sh lock amd64 arm64 $MACHINE first"
}

main() {
    if [[ ${1:-} == lock ]]; then
        write_lock "${@:2}"
        return
    fi
    MACHINE=$(dpkg --print-architecture)
    [[ -n $(mine) ]] || mine_unknown
    ! cmp -s <(stamp) "$STAMP" || return 0
    say "Fetching yyjson and llhttp from Debian 13 into .deps/"
    local debs=$STATE/debs
    open_archive
    mkdir -p "$debs"
    download "$debs"
    check "$debs"
    unpack "$debs"
    rm -rf "$STATE"
}

ARCH=
main "$@"
