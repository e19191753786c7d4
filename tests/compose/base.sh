#!/usr/bin/env bash
# debian:trixie-slim for the engine in DIR, made with debootstrap from the machine's own mirror. The package
# manager inside reaches the archive the way this machine does. usage: tests/compose/base.sh DIR
set -euo pipefail
# shellcheck source=tests/compose/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

TAG=debian:$SUITE-slim
FILE=$CACHE/base.tar

# As the official image does it: no manuals, no translations, nothing that was not asked for.
slim() {
    local root=$1
    sources >"$root/etc/apt/sources.list"
    apt-config dump --format '%F "%v";%n' | grep -E '^Acquire::(http|https)::(Proxy|CaInfo)' \
        >"$root/etc/apt/apt.conf.d/99host" || rm -f "$root/etc/apt/apt.conf.d/99host"
    printf 'path-exclude /usr/share/%s/*\n' doc man locale >"$root/etc/dpkg/dpkg.cfg.d/slim"
    printf '%s "%s";\n' Acquire::Languages none Dir::Cache::pkgcache '' Dir::Cache::srcpkgcache '' \
        APT::Keep-Downloaded-Packages false >"$root/etc/apt/apt.conf.d/90slim"
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/{doc,man,locale}/*
}

build() {
    local root=$STATE/rootfs
    rm -rf "$root"
    debootstrap --variant=minbase --keyring="$KEYRING" "$SUITE" "$root" "$(mirror Debian)" >"$STATE/base.log" 2>&1 ||
        { tail -n 5 "$STATE/base.log" >&2 && die "debootstrap failed"; }
    slim "$root"
    tar -C "$root" --numeric-owner -cf "$FILE.new" .
    mv "$FILE.new" "$FILE"
    rm -rf "$root"
}

main() {
    use "$1"
    [[ -e $FILE && -n $(find "$FILE" -mtime -1) ]] || timed "debootstrap" build
    timed "import $TAG" docker import --change 'CMD ["bash"]' \
        --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' "$FILE" "$TAG" >/dev/null
}

main "$@"
