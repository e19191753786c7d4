/* The configuration in force: pipeline.yaml, overlaid by the environment, over the defaults.
 *
 * The keys themselves stand in keys.def, one row each; a key's field is its path with _ for every
 * dot: kafka.brokers is cfg->kafka_brokers. The config owns all its texts. A text is never NULL;
 * one that is not set is "". Durations are est_us, sizes are bytes. Nothing changes after loading.
 * */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "config/report.h"

#include <stdbool.h>
#include <stddef.h>

struct est_strings {
    char **items;
    size_t n;
};

struct est_pair {
    char *name, *value;
};

struct est_pairs {
    struct est_pair *items;
    size_t n;
};

/* Where a value came from. */
struct est_origin {
    enum { EST_FROM_DEFAULT, EST_FROM_FILE, EST_FROM_ENV } from;
    unsigned line, column; /* in the file, from 1 */
    char *env;             /* the variable's name, or NULL */
};

/* The C type of each KIND of keys.def. */
#define EST_FIELD_TEXT char *
#define EST_FIELD_NAME char *
#define EST_FIELD_PREFIX char *
#define EST_FIELD_SECRET char *
#define EST_FIELD_BROKERS char *
#define EST_FIELD_URL char *
#define EST_FIELD_FILE char * /* as it can be opened: relative ones of the file are resolved */
#define EST_FIELD_SCHEMA char *
#define EST_FIELD_LISTEN char *
#define EST_FIELD_LISTENS struct est_strings
#define EST_FIELD_NAMES struct est_strings
#define EST_FIELD_POINTERS struct est_strings
#define EST_FIELD_OPTIONS struct est_pairs
#define EST_FIELD_HEADERS struct est_pairs
#define EST_FIELD_DURATION est_us
#define EST_FIELD_SIZE size_t
#define EST_FIELD_COUNT unsigned
#define EST_FIELD_CHOICE unsigned /* place in the list of choices: an enum of the same order */

enum est_on_exhausted {
    EST_EXHAUSTED_INHERIT,
    EST_EXHAUSTED_DLQ,
    EST_EXHAUSTED_HOLD
}; /* types.*.on_exhausted;
    the destinations' key has no INHERIT, so its values are one less */
enum est_compression {
    EST_COMPRESSION_NONE,
    EST_COMPRESSION_GZIP
}; /* destinations.*.compression */
enum est_order { EST_ORDER_KEY, EST_ORDER_PARTITION, EST_ORDER_NONE }; /* types.*.order */
enum est_unknown_events { EST_UNKNOWN_CUSTOM, EST_UNKNOWN_REJECT };    /* producer.unknown_events */
enum est_attempts { EST_ATTEMPTS_ALL, EST_ATTEMPTS_FAILURES, EST_ATTEMPTS_OFF };
/* log.level is an enum est_level of base/log.h. */

/* How many rows each table of keys.def has. */
enum {
#define EST_KEY(field, ...) EST_KEY_##field,
#include "config/keys.def"
    EST_KEYS
};
enum {
#define EST_DESTINATION_KEY(field, ...) EST_DESTINATION_KEY_##field,
#include "config/keys.def"
    EST_DESTINATION_KEYS
};
enum {
#define EST_TYPE_KEY(field, ...) EST_TYPE_KEY_##field,
#include "config/keys.def"
    EST_TYPE_KEYS
};

/* One receiver of events: url, token, token_file, timeout, retries, … */
struct est_destination_config {
    char *name;
    char *group; /* its consumer group: kafka.topic_prefix and the name */
#define EST_DESTINATION_KEY(field, path, kind, ...) EST_FIELD_##kind field;
#include "config/keys.def"
    struct est_origin origin[EST_DESTINATION_KEYS];
};

/* One type: events, key, partitions, retention, priority, schema_path. */
struct est_type_config {
    char *name;
    char *topic; /* kafka.topic_prefix and the name */
#define EST_TYPE_KEY(field, path, kind, ...) EST_FIELD_##kind field;
#include "config/keys.def"
    struct est_origin origin[EST_TYPE_KEYS];
};

struct est_config {
    char *path; /* the file as it was opened; "" = there is none, only defaults and environment */
#define EST_KEY(field, path, kind, ...) EST_FIELD_##kind field;
#include "config/keys.def"
    struct est_origin origin[EST_KEYS];
    struct est_destination_config *destinations; /* at least one */
    size_t n_destinations;
    struct est_type_config *types; /* the built-in ones first, then those that the file adds */
    size_t n_types;
};

enum { EST_CONFIG_DESTINATIONS_MAX = 16, EST_CONFIG_TYPES_MAX = 64 };

/* path NULL = $ESTEIRA_CONFIG, else ./pipeline.yaml, else /etc/esteira/pipeline.yaml, else no file
 * at all. Everything that is wrong is put into the report, not only the first of it; the code of
 * the first is returned. EST_ERR_NOTFOUND: the named file does not exist. */
est_err est_config_load(const char *path, struct est_config **ret,
                        struct est_config_report *report);
void est_config_free(struct est_config *cfg);

/* NULL when there is none of that name. */
const struct est_type_config *est_config_type(const struct est_config *cfg, const char *name);
const struct est_destination_config *est_config_destination(const struct est_config *cfg,
                                                            const char *name);
