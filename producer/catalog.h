/* The types that this shim serves: which event name belongs to which, and for each its topic,
 * schema, key rule and partitions. Built once from the configuration. */
#pragma once

#include "base/err.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct est_config;
struct est_pointer;
struct est_schema;

struct catalog_type {
    const char *name, *topic;
    const struct est_schema *schema;
    struct est_pointer **keys; /* tried in order */
    size_t n_keys;
    size_t stamp;             /* index in the stamp */
    int32_t partitions;       /* what events are spread over; 0 = not known yet */
    int32_t kafka_partitions; /* as Kafka has told in this life; 0 = it has not */
    uint32_t schema_id;       /* what a schema registry gave, if has_schema_id */
    bool has_schema_id;
};

struct catalog;

/* `cfg` is borrowed and must outlive the catalog. */
est_err catalog_new(const struct est_config *cfg, struct catalog **ret, struct est_why *reterr);
void catalog_free(struct catalog *cat);

size_t catalog_count(const struct catalog *cat);
struct catalog_type *catalog_at(struct catalog *cat, size_t i);
/* The type of an event name; the type `custom` for an undeclared one, or NULL when those are
 * refused. */
struct catalog_type *catalog_of(const struct catalog *cat, struct est_view event);
