/* Client of a Confluent-compatible schema registry, over the HTTP client. It moves bytes: what they
 * mean is codec/registry_json.h. Answers are bounded, and `done` is called exactly once, from the
 * loop, unless the call is cancelled or the client freed. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/view.h"

#include <stdint.h>

struct est_http_client;
struct est_registry;
struct est_registry_call;

struct est_registry_options {
    const char *url;   /* "http://localhost:8081", with or without a path behind it */
    const char *token; /* Bearer; NULL = none */
    est_us timeout;    /* one exchange */
};

struct est_registry_answer {
    est_err err;          /* EST_OK: 2xx. EST_ERR_NOTFOUND: 404. EST_ERR_INVALID: another 4xx, the
                             registry's refusal. EST_ERR_REGISTRY: 5xx, 401, 403, or no answer */
    int status;           /* 0 when no answer came */
    struct est_view body; /* valid during the callback */
    char detail[160];     /* why there is no answer */
};
typedef void est_registry_done(void *arg, const struct est_registry_answer *answer);

/* EST_ERR_INVALID for a URL that is not http(s). The HTTP client is borrowed and outlives it. */
est_err est_registry_new(struct est_http_client *http, const struct est_registry_options *opt,
                         struct est_registry **ret, struct est_why *reterr);
void est_registry_free(
    struct est_registry *rg); /* calls under way are cancelled, done not called */

/* `body` is copied. ret_call may be NULL. */
/* POST /subjects/<subject>/versions */
est_err est_registry_register(struct est_registry *rg, const char *subject, struct est_view body,
                              est_registry_done *done, void *arg,
                              struct est_registry_call **ret_call, struct est_why *reterr);
/* POST /compatibility/subjects/<subject>/versions/latest?verbose=true */
est_err est_registry_check(struct est_registry *rg, const char *subject, struct est_view body,
                           est_registry_done *done, void *arg, struct est_registry_call **ret_call,
                           struct est_why *reterr);
/* GET /schemas/ids/<id> */
est_err est_registry_get_id(struct est_registry *rg, uint32_t id, est_registry_done *done,
                            void *arg, struct est_registry_call **ret_call, struct est_why *reterr);
/* GET /schemas/guids/<guid> */
est_err est_registry_get_guid(struct est_registry *rg, const unsigned char guid[16],
                              est_registry_done *done, void *arg,
                              struct est_registry_call **ret_call, struct est_why *reterr);
void est_registry_cancel(struct est_registry *rg, struct est_registry_call *call);
