/* One walk over every value of a configuration: the root keys, then those of each destination, then
 * those of each type. What reads the environment, what compares values, and what shows them go this
 * one way. */
#pragma once

#include "config/config.h"
#include "config/keys.h"

#include <stdbool.h>

enum { EST_SLOT_PATH = 192, EST_SLOT_ENV = EST_SLOT_PATH + 16 };

struct est_slot {
    const struct est_key *key;
    void *base; /* the struct that holds the field */
    struct est_origin *origin;
    char path[EST_SLOT_PATH]; /* "destinations.dashboard.url" */
    char env[EST_SLOT_ENV];   /* "ESTEIRA_DESTINATIONS_DASHBOARD_URL" */
    const char *old_env;      /* "DASHBOARD_URL", or "" */
};

struct est_slot_iter {
    size_t group, key; /* group 0 = root, then destinations, then types */
};

/* `it` starts zeroed; false at the end. */
bool est_slot_next(struct est_config *cfg, struct est_slot_iter *it, struct est_slot *ret);
/* By path; false when there is none. */
bool est_slot_find(struct est_config *cfg, const char *path, struct est_slot *ret);
/* "kafka.brokers" to "ESTEIRA_KAFKA_BROKERS". */
void est_slot_env(const char *path, char out[EST_SLOT_ENV]);
