/* Private to lib/io/kafka_sub*.c: the librdkafka properties of a group member. */
#pragma once

#include "io/kafka_sub.h"

#include <librdkafka/rdkafka.h>

enum { EST_KAFKA_SUB_QUEUE = 10000 }; /* records that may lie fetched; bytes are bounded besides */

/* EST_ERR_INVALID: a property that librdkafka refuses, named in reterr. */
est_err est_kafka_sub_conf_fill(rd_kafka_conf_t *conf, const struct est_kafka_sub_options *opt,
                                struct est_why *reterr);
