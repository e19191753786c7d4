/* What a look at the services found: a line each, and together how to exit. */
#pragma once

#include "cli.h"

#include <stddef.h>

struct look {
    const char *part; /* "kafka", "redis", "schema", "registry", "destination", "secret" */
    enum mark mark;
    const char *code; /* of err.def, or NULL */
    char text[400];   /* in the language of the output */
};

enum { LOOKS_MAX = 512 };

struct looks {
    struct look *items;
    size_t n;
    int exit; /* the gravest so far */
};

void looks_init(struct looks *ls);
void looks_fini(struct looks *ls);
void looks_add(struct looks *ls, struct out *o, const char *part, enum mark m, int exit_code,
               est_err code, enum text id, const char *const *args);
/* Lines "✓ …", or members `"looks":[…]` of the JSON object that is being written. */
void looks_print(const struct looks *ls, struct out *o);
void looks_put_json(const struct looks *ls, struct est_buf *b);

/* Is each schema readable, well-formed and an event schema? */
void looks_at_schemas(struct looks *ls, struct out *o, const struct est_config *cfg);
/* Are the files with secrets there? */
void looks_at_secrets(struct looks *ls, struct out *o, const struct est_config *cfg);
/* Do the brokers answer, are the topics there, with the right partitions? */
void looks_at_kafka(struct looks *ls, struct out *o, const struct est_config *cfg, est_us timeout);
/* Is redis.url one that this build can use, and does Redis answer there? Nothing stops without it,
 * so its being away is a warning. offline: only the first. */
void looks_at_redis(struct looks *ls, struct out *o, const struct est_config *cfg, est_us timeout,
                    bool offline);
/* Do the registry and the destinations answer, and take our token? */
void looks_at_http(struct looks *ls, struct out *o, const struct est_config *cfg, est_us timeout);
