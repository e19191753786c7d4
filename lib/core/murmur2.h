/* MurmurHash2 as Kafka's Java clients compute it over the record key, so that every client puts a
 * key into the same partition (Kafka: org.apache.kafka.common.utils.Utils.murmur2; librdkafka: the
 * partitioner "murmur2"). */
#pragma once

#include "base/view.h"

#include <stdint.h>

uint32_t est_murmur2(struct est_view key);
/* In [0, partitions); partitions > 0. */
uint32_t est_murmur2_partition(struct est_view key, uint32_t partitions);
