/* The attempt log: one small record for each request, written to the topic attempts.<destination>
 * for `esteira trace`. Nobody waits for it: what does not fit its queue, or what Kafka does not
 * take, is dropped and counted, and delivery goes on. */
#pragma once

#include "base/err.h"
#include "core/verdict.h"

#include <stddef.h>

struct attempts;
struct est_http_result;
struct shipment;
struct worker;

/* With destinations.<name>.attempts: off it does nothing. EST_ERR_NOMEM, or what est_kafka_pub_new
 * says. */
est_err attempts_new(struct worker *w, struct attempts **ret, struct est_why *reterr);
void attempts_free(struct attempts *at);

/* A request has ended: note what it carried, before any of it goes its way. */
void attempts_begin(struct attempts *at, const struct shipment *s);
/* The answer has a status of its own for the parcel at i of the batch. */
void attempts_item(struct attempts *at, size_t i, int status);
/* What came of it. res NULL: it was broken off, and nobody knows. */
void attempts_end(struct attempts *at, const struct shipment *s, struct est_verdict v,
                  const struct est_http_result *res);
