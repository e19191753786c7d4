#!/usr/bin/env bash
# One real Apache Kafka node (broker and controller in one JVM) in a folder, on loopback, for tests and the
# demo.
#   tools/kafka.sh start DIR [PORT]   start it and print its port; already running: only print the port
#   tools/kafka.sh stop DIR           SIGTERM and wait; records stay, `start` goes on with them
#   tools/kafka.sh kill DIR           SIGKILL and wait: what a crash does; `start` recovers
#   tools/kafka.sh freeze DIR         SIGSTOP: it keeps its connections and answers nothing
#   tools/kafka.sh thaw DIR           SIGCONT
#   tools/kafka.sh status DIR         "running PORT PID" and 0, or "stopped" and 1
# DIR/port and DIR/pid say where it is, DIR/kafka.log what it said, DIR/data holds the records (remove DIR
# for a fresh one). A restart takes the old port again, so that clients find it. The bootstrap address is
# 127.0.0.1:PORT. Only a process whose command line names DIR is ever signalled.
# Environment: KAFKA_HEAP     -Xmx of the JVM                             (default 384m)
#              KAFKA_OPTIONS  more lines of server.properties, "k=v k=v"  (default none)
#              KAFKA_WAIT     seconds until a start counts as failed      (default 180)
set -euo pipefail
# shellcheck source=tools/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

usage() { sed -n '2,/^set /s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; }

# The name by which our JVM is known in /proc; the trailing mark keeps /a/b from matching /a/bc.
tag() { printf -- '-Desteira.kafka=%s;' "$DIR"; }
pid() { cat "$DIR/pid" 2>/dev/null || echo 0; }
running() { is_ours "$(pid)" "$(tag)"; }

# One replica of everything. After SIGKILL the controller lets the broker in again only when the session of
# its former life has run out: 2 s instead of the usual 9.
write_properties() {
    local port=$1 controller=$2 line
    cat >"$DIR/server.properties" <<END
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$controller
listeners=PLAINTEXT://127.0.0.1:$port,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$port
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
log.dirs=$DIR/data
num.partitions=8
auto.create.topics.enable=true
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
share.coordinator.state.topic.num.partitions=4
group.initial.rebalance.delay.ms=0
broker.heartbeat.interval.ms=500
broker.session.timeout.ms=2000
log.cleaner.dedupe.buffer.size=16777216
log.segment.bytes=67108864
END
    for line in ${KAFKA_OPTIONS:-}; do printf '%s\n' "$line" >>"$DIR/server.properties"; done
}

write_logging() {
    cat >"$DIR/log4j2.xml" <<END
<Configuration status="WARN">
  <Appenders><Console name="out"><PatternLayout pattern="%d %p %c{1}: %m%n"/></Console></Appenders>
  <Loggers>
    <Root level="WARN"><AppenderRef ref="out"/></Root>
    <Logger name="kafka.server.KafkaRaftServer" level="INFO"/>
  </Loggers>
</Configuration>
END
}

# kafka_java JVM-OPTION… CLASS ARGUMENT…
kafka_java() { java "-Dlog4j2.configurationFile=$DIR/log4j2.xml" -cp "$LIB/*" "$@"; }

format() {
    [[ -e $DIR/data/meta.properties ]] && return 0
    local id
    id=$(head -c 16 /dev/urandom | base64 | tr '+/' 'ab' | tr -d '=\n')
    kafka_java -Xmx128m -XX:TieredStopAtLevel=1 -XX:+UseSerialGC kafka.tools.StorageTool format \
        --ignore-formatted -t "$id" -c "$DIR/server.properties" >"$DIR/format.log" 2>&1 ||
        { tail -n 10 "$DIR/format.log" >&2 && die "Kafka could not lay out its folder $DIR/data"; }
}

# The broker opens its port only when it can serve; the log line says that the controller is ready too.
serving() {
    ! is_ours "$1" "$(tag)" || { grep -q 'Kafka Server started' "$DIR/kafka.log" && port_open "$2"; }
}

launch() {
    local port=$1 pid
    write_properties "$port" $((port + 1))
    format
    [[ ! -e $DIR/kafka.log ]] || mv "$DIR/kafka.log" "$DIR/kafka.log.1"
    setsid java -Xms64m "-Xmx${KAFKA_HEAP:-384m}" -XX:+UseG1GC -XX:+ExitOnOutOfMemoryError "$(tag)" \
        "-Dlog4j2.configurationFile=$DIR/log4j2.xml" -cp "$LIB/*" kafka.Kafka "$DIR/server.properties" \
        >"$DIR/kafka.log" 2>&1 </dev/null 9>&- &
    pid=$!
    printf '%s\n' "$pid" >"$DIR/pid"
    until_true 5 is_ours "$pid" "$(tag)" || return 1
    until_true "${KAFKA_WAIT:-180}" serving "$pid" "$port" || end_process "$pid" "$(tag)" KILL 10
    is_ours "$pid" "$(tag)" || return 1
    printf '%s\n' "$port" >"$DIR/port"
}

# With no port asked for and none kept from before, a port lost to somebody else is no reason to give up.
start() {
    local wanted=${1:-} port tries=5
    [[ -n $wanted || ! -e $DIR/port ]] || wanted=$(<"$DIR/port")
    [[ -z $wanted ]] || tries=1
    running && { cat "$DIR/port" && return 0; }
    have java || die "Java is missing: run ./run deps first"
    LIB=$("$ROOT/tools/kafka-jars.sh")
    write_logging
    while ((tries-- > 0)); do
        port=${wanted:-$(free_port)}
        if launch "$port"; then
            printf '%s\n' "$port"
            return 0
        fi
        grep -q 'already in use' "$DIR/kafka.log" || break
    done
    tail -n 10 "$DIR/kafka.log" >&2
    die "Kafka did not start on 127.0.0.1:$port; its last words are above and in $DIR/kafka.log"
}

finish() {
    local pid
    pid=$(pid)
    ! running || kill -CONT "$pid" # a frozen process would keep SIGTERM waiting
    end_process "$pid" "$(tag)" "$1" 30 || end_process "$pid" "$(tag)" KILL 10
    rm -f "$DIR/pid"
}

send() {
    running || die "Kafka is not running in $DIR"
    kill "-$1" "$(pid)"
}

status() {
    running || { echo stopped && return 1; }
    echo "running $(<"$DIR/port") $(pid)"
}

main() {
    [[ $# -ge 2 ]] || { usage && exit 64; }
    local verb=$1
    mkdir -p "$2"
    DIR=$(cd "$2" && pwd)
    exec 9>"$DIR/lock"
    flock 9
    case $verb in
        start) start "${3:-}" ;;
        stop) finish TERM ;;
        kill) finish KILL ;;
        freeze) send STOP ;;
        thaw) send CONT ;;
        status) status ;;
        *) usage && exit 64 ;;
    esac
}

main "$@"
