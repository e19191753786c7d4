/* The JSON-lines log of the programs: one object per line on standard error. Libraries never log.
 *
 *   EST_LOG(EST_INFO, "listening", EST_S("addr", addr), EST_I("port", port));
 *
 * writes {"at":"…","level":"info","program":"…","event":"listening","addr":"…","port":3002}.
 * Values never carry a secret or personal datum: ids, topics, counts and codes only. */
#pragma once

#include "view.h"

#include <stdint.h>

enum est_level { EST_DEBUG, EST_INFO, EST_WARN, EST_ERROR };

struct est_kv {
    const char *key;
    enum { EST_KV_TEXT, EST_KV_INT } kind;
    struct est_view text;
    int64_t number;
};

#define EST_S(k, s) ((struct est_kv){.key = (k), .kind = EST_KV_TEXT, .text = est_view_str(s)})
#define EST_V(k, v) ((struct est_kv){.key = (k), .kind = EST_KV_TEXT, .text = (v)})
#define EST_I(k, n) ((struct est_kv){.key = (k), .kind = EST_KV_INT, .number = (int64_t)(n)})

#define EST_LOG(level, ...) EST_LOG_(level, __VA_ARGS__, {0})
#define EST_LOG_(level, event, ...) est_log(level, event, (const struct est_kv[]){__VA_ARGS__})

/* Called once at start; until then the program is "esteira" and the level is info. */
void est_log_init(const char *program, enum est_level least);
bool est_log_level_parse(const char *name, enum est_level *ret);
/* kvs ends with an element whose key is NULL. A line longer than 8 KiB is cut short, still JSON. */
void est_log(enum est_level level, const char *event, const struct est_kv *kvs);
/* Lines of this level written since start: what a test or a metric asks. */
uint64_t est_log_count(enum est_level level);
