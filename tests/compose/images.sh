#!/usr/bin/env bash
# The images that docker-compose.yml names, for the engine in DIR: stand-ins under the real tags, made of
# Debian 13's packages and of Kafka's jars by Maven, and our own by the project's Dockerfile.
# usage: tests/compose/images.sh DIR
set -euo pipefail
# shellcheck source=tests/compose/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

# What BuildKit said is only of interest when it failed.
build() {
    local log=$STATE/build-${1//[^a-z0-9]/-}.log
    nice -n 10 docker build --network host --tag "$1" "${@:2}" >"$log" 2>&1 ||
        { tail -n 30 "$log" >&2 && die "the image $1 could not be built"; }
}

# The jars are the ones that the tests' own Kafka runs on.
kafka_context() {
    local context=$STATE/kafka lib
    lib=$("$ROOT/tools/kafka-jars.sh")
    cp -r "$COMPOSE/images/kafka" "$context"
    mkdir "$context/lib"
    cp "$lib"/*.jar "$context/lib/"
}

# One after the other: two cores gain nothing from more, and the tests beside us lose.
main() {
    use "$1"
    timed "image valkey" build valkey/valkey:8.1 "$COMPOSE/images/valkey"
    timed "image haproxy" build haproxy:3.0 "$COMPOSE/images/haproxy"
    kafka_context
    timed "image kafka" build apache/kafka:4.3.1 "$STATE/kafka"
    rm -rf "$STATE/kafka"
    timed "image esteira" build esteira:local "$ROOT"
}

main "$@"
