/* Undeliverable records to the topic dlq.<destination>.<topic>: key, value, timestamp and headers
 * as they came, and besides who refused them and why (names of KIP-1191, and esteira-*). A parcel
 * is settled only when the DLQ has acknowledged it; a write that fails is repeated, and meanwhile
 * the offset is not committed. */
#pragma once

#include "base/err.h"
#include "core/verdict.h"

#include <stdbool.h>
#include <stddef.h>

struct deadletter;
struct parcel;
struct worker;

est_err deadletter_new(struct worker *w, struct deadletter **ret, struct est_why *reterr);
void deadletter_free(struct deadletter *dl);
/* The parcel has left the lanes, and is ours until it is settled. status 0 = no request was made.
 * `reason` is one sentence without personal data. */
void deadletter_put(struct deadletter *dl, struct parcel *pc, enum est_verdict_class class,
                    int status, const char *reason);
size_t deadletter_pending(const struct deadletter *dl);
/* True when so many writes wait that no further record may be condemned now. */
bool deadletter_is_full(const struct deadletter *dl);
/* Forget what is not acknowledged yet: the partitions go, and their next owner condemns it again.
 */
void deadletter_abandon(struct deadletter *dl);
