/* Kafka, as the shim sees it: the client, its revival after a fatal error, the partition counts,
 * and the question whether anybody is there. Which record goes where is decided elsewhere
 * (way.h). */
#pragma once

#include "base/err.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct broker;
struct catalog;
struct catalog_type;
struct est_config;
struct est_entry;
struct est_loop;
struct record;

struct broker_options {
    struct est_loop *loop;
    const struct est_config *config;
    struct catalog *catalog;
    /* Each record's outcome, once. With an error the record holds its bytes again (or, without
     * memory for them, none). */
    void (*delivered)(void *arg, struct record *rec, est_err err);
    /* No broker can be reached, or the client has failed for good. */
    void (*lost)(void *arg);
    /* A broker has answered a question; partition counts are up to date. */
    void (*answered)(void *arg);
    /* The partition count of a type is known, or has changed; t->partitions has the new one. */
    void (*partitions)(void *arg, struct catalog_type *t);
    void *arg;
};

est_err broker_new(const struct broker_options *opt, struct broker **ret, struct est_why *reterr);
/* Reports that have not come never will: broker_purge first. */
void broker_free(struct broker *b);

/* While `wanted`, ask once a second whether a broker is there; else once a minute whether a topic
 * has grown. */
void broker_ask(struct broker *b, bool wanted);
/* Every type's partitions have been told in this life. */
bool broker_is_known(const struct broker *b);

/* EST_OK: the outcome comes through `delivered`. Otherwise see est_kafka_pub_send. The bytes of `e`
 * are copied. */
est_err broker_send(struct broker *b, const struct catalog_type *t, struct record *rec,
                    const struct est_entry *e, struct est_view chain, struct est_why *why);
/* Take everything back: each record is reported before this returns. A client that does not give
 * all back in time is given up, and what it held will not be reported: false. */
bool broker_purge(struct broker *b);
size_t broker_pending(const struct broker *b);
