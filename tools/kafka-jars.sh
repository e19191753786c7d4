#!/usr/bin/env bash
# Fetches the jars of the Kafka named in tools/kafka/pom.xml and checks them against tools/kafka/jars.lock.
#   tools/kafka-jars.sh          make .kafka/lib complete and print its path; instant when it already is
#   tools/kafka-jars.sh lock     write jars.lock anew from what Maven resolves (when the version changes)
# Environment: ESTEIRA_KAFKA_LIB  another folder for the jars
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

POM=$ROOT/tools/kafka/pom.xml
LOCK=$ROOT/tools/kafka/jars.lock
LIB=${ESTEIRA_KAFKA_LIB:-$ROOT/.kafka/lib}
STAMP=$LIB/.checked
PLUGIN=org.apache.maven.plugins:maven-dependency-plugin:3.8.1

# Lines "name size sha256", sorted: what is in a folder, in the form of the lock file.
describe() {
    (
        cd "$1"
        for jar in *.jar; do
            printf '%s %s %s\n' "$jar" "$(stat -c %s "$jar")" "$(sha256sum <"$jar" | cut -d' ' -f1)"
        done
    ) | LC_ALL=C sort
}

copy_jars() {
    rm -rf "$1"
    mkdir -p "$1"
    mvn -q -B -C -f "$POM" "$PLUGIN:copy-dependencies" -DincludeScope=runtime -DoutputDirectory="$1" \
        >"$1/mvn.log" 2>&1
}

fetch() {
    have mvn || die "Maven is missing: run ./run deps first"
    if ! retry 3 copy_jars "$1"; then
        grep '^\[ERROR\]' "$1/mvn.log" | head -n 3 >&2
        die "could not fetch Kafka's jars by Maven (is the network there?); run it again to go on"
    fi
}

check() {
    local difference
    difference=$(diff <(LC_ALL=C sort "$LOCK") <(describe "$1")) && return 0
    printf '%s\n' "$difference" >&2
    die "the jars differ from tools/kafka/jars.lock (see above); nothing was installed"
}

main() {
    local new=$LIB.new
    mkdir -p "$(dirname "$LIB")"
    exec 9>"$LIB.lock"
    flock 9
    if [[ ${1:-} == lock ]]; then
        fetch "$new"
        describe "$new" >"$LOCK"
        rm -rf "$new"
        return
    fi
    if ! cmp -s "$LOCK" "$STAMP"; then
        fetch "$new"
        check "$new"
        cp "$LOCK" "$new/.checked"
        rm -rf "$LIB"
        mv "$new" "$LIB"
    fi
    printf '%s\n' "$LIB"
}

main "$@"
