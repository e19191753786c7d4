/* The shim's HTTP interface: who may send what, and what each refusal says.
 *
 *   POST /v1/events                one event, an array, NDJSON, CloudEvents in three modes
 *   GET  /v1/dashboard/status      passed through to the dashboard
 *   GET  /v1/dashboard/metrics */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

struct admit;
struct enroll;
struct est_config;
struct est_loop;
struct est_metrics;
struct ingest;
struct proxy;
struct publish;
struct tokens;

struct ingest_options {
    struct est_loop *loop;
    const struct est_config *config;
    struct est_metrics *metrics;
    struct tokens *tokens;
    struct admit *admit;
    const struct enroll *enroll;
    struct publish *publish; /* may be given later: each of the two needs the other */
    struct proxy *proxy;
};

est_err ingest_new(const struct ingest_options *opt, struct ingest **ret, struct est_why *reterr);
void ingest_set_publish(struct ingest *in, struct publish *publish);
/* Open the configured listeners. */
est_err ingest_listen(struct ingest *in, struct est_why *reterr);
/* What publish calls for each item of a request (its ticket is ours). */
void ingest_settled(void *ingest, void *ticket, size_t index, est_err err, bool buffered);
/* Accept no more; requests under way go on. */
void ingest_drain(struct ingest *in);
bool ingest_idle(const struct ingest *in);
void ingest_metrics(const struct ingest *in);
void ingest_free(struct ingest *in);
