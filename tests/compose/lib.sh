# shellcheck shell=bash
# Sourced by the scripts of this folder. STATE is the folder of one private Docker engine; what is downloaded
# lies in .cache/compose of the project and is used again by the next one.
# shellcheck disable=SC2034 # used by those who source this
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../tools/lib.sh"

COMPOSE=$ROOT/tests/compose
CACHE=$ROOT/.cache/compose
SUITE=trixie
KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# use STATE   From here on `docker` is the client of the engine in that folder.
use() {
    STATE=$1
    export DOCKER_HOST=unix://$STATE/d.sock DOCKER_CONFIG=$CACHE/engine/config DOCKER_BUILDKIT=1
    export PATH=$CACHE/engine/usr/bin:$CACHE/engine/usr/sbin:$PATH
    unset DOCKER_CONTEXT DOCKER_TLS_VERIFY DOCKER_CERT_PATH
}

# mirror Debian|Debian-Security   Where this machine's apt takes it from, as apt itself resolved it.
mirror() {
    # shellcheck disable=SC2016 # apt's own "$(…)"
    apt-get indextargets --format '$(ORIGIN)|$(LABEL)|$(REPO_URI)' 'Created-By: Packages' |
        awk -F'|' -v label="$1" '$1 == "Debian" && $2 == label { sub("/$", "", $3); print $3; exit }'
}

# sources   Lines of a sources.list for Debian 13 on the same mirrors.
sources() {
    local main security
    main=$(mirror Debian)
    security=$(mirror Debian-Security)
    [[ -n $main ]] || die "cannot tell from apt's configuration where this machine takes Debian from"
    printf 'deb [signed-by=%s] %s %s main\n' "$KEYRING" "$main" "$SUITE"
    [[ -z $security ]] || printf 'deb [signed-by=%s] %s %s-security main\n' "$KEYRING" "$security" "$SUITE"
}

# debian13 APT-GET-ARGUMENT…   apt-get with a state of its own, which knows Debian 13 only.
debian13() {
    local state=$CACHE/apt
    apt-get -q -o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
        -o Dir::State="$state" -o Dir::State::lists="$state/lists" -o Dir::State::status="$state/status" \
        -o Dir::Cache="$state/cache" -o APT::Sandbox::User=root -o Acquire::Languages=none \
        -o Acquire::Retries=3 -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false \
        -o APT::Update::Post-Invoke-Success= -o APT::Update::Post-Invoke= "$@"
}

# timed TITLE COMMAND…   What it took, for the one who reads the log.
timed() {
    local title=$1 start
    shift
    start=$(date +%s%N)
    "$@"
    say "$(printf '%-28s %6.1f s' "$title" "$((($(date +%s%N) - start) / 100000000))e-1")"
}
