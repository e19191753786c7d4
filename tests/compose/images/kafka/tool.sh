#!/bin/bash
# All kafka-*.sh in one: the name it is called by says which class; without one, the first argument does.
# KAFKA_HEAP_OPTS, KAFKA_JVM_PERFORMANCE_OPTS and KAFKA_OPTS as in the distribution.
tools=org.apache.kafka.tools
heap=${KAFKA_TOOL_HEAP--Xmx128m} performance='-XX:+UseSerialGC -XX:TieredStopAtLevel=1' log=tools-log4j2.yaml
case $(basename "$0" .sh) in
    kafka-topics) class=$tools.TopicCommand ;;
    kafka-configs) class=kafka.admin.ConfigCommand ;;
    kafka-console-consumer) class=$tools.consumer.ConsoleConsumer ;;
    kafka-console-producer) class=$tools.ConsoleProducer ;;
    kafka-consumer-groups) class=$tools.consumer.group.ConsumerGroupCommand ;;
    kafka-get-offsets) class=$tools.GetOffsetShell ;;
    kafka-metadata-quorum) class=$tools.MetadataQuorumCommand ;;
    kafka-reassign-partitions) class=$tools.reassign.ReassignPartitionsCommand ;;
    kafka-server-start)
        class=kafka.Kafka log=log4j2.yaml heap=${KAFKA_HEAP_OPTS--Xmx1G -Xms1G} options=$KAFKA_OPTS
        performance=${KAFKA_JVM_PERFORMANCE_OPTS--XX:+UseG1GC -XX:MaxGCPauseMillis=20}
        ;;
    *) class=$1 && shift ;;
esac
file=/opt/kafka/config/$log
[ -e "$file" ] || file=/etc/kafka/docker/$log
# shellcheck disable=SC2086 # words on purpose
exec java $heap $performance -Djava.awt.headless=true -Dkafka.logs.dir=/opt/kafka/logs \
    "-Dlog4j2.configurationFile=$file" -cp '/opt/kafka/libs/*' $options "$class" "$@"
