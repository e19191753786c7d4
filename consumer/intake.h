/* From a Kafka record to a parcel in its lane: framing and the writer's schema. What has neither
 * goes to the DLQ with its class. A record framed with a registry's schema id or
 * GUID that we have not met waits, with its partition paused, until the registry has told us the
 * schema; what lies behind it in the partition waits too, so that order is kept. */
#pragma once

#include "base/err.h"

struct est_kafka_msg;
struct intake;
struct part;
struct worker;

est_err intake_new(struct worker *w, struct intake **ret, struct est_why *reterr);
void intake_free(struct intake *in);
/* A record of a partition that we hold; takes msg. */
void intake_take(struct intake *in, struct part *p, struct est_kafka_msg *msg);
/* Resume partitions that have room again. */
void intake_resume(struct intake *in);
/* Forget what waits for a schema in this partition: it is revoked. */
void intake_drop(struct intake *in, struct part *p);
