/* One HTTP exchange after the other, waited for: what a command needs. Ctrl-C ends the wait. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "io/http_out.h"
#include "io/loop.h"

#include <stdbool.h>

struct fetch {
    struct est_loop *lp;
    struct est_http_client *http;
    bool interrupted; /* Ctrl-C or SIGTERM came; every further wait ends at once */
    bool waiting;
    struct fetch_answer *answer; /* of the exchange under way */
};

struct fetch_answer {
    est_err err; /* EST_OK = an HTTP answer came; EST_ERR_CLOSED = interrupted */
    int status;
    struct est_buf body;
    est_us retry_after; /* -1 = the answer does not say */
    char detail[160];
};

enum { FETCH_BODY_MAX = 4 * 1024 * 1024 };

est_err fetch_open(struct fetch *f, const char *ca_file, struct est_why *reterr);
void fetch_close(struct fetch *f);

void fetch_answer_init(struct fetch_answer *a);
void fetch_answer_fini(struct fetch_answer *a);
/* Sends and waits. */
void fetch_do(struct fetch *f, const struct est_http_request *rq, struct fetch_answer *ret);
/* GET; token "" = no Authorization. */
void fetch_get(struct fetch *f, const char *url, const char *token, est_us timeout,
               struct fetch_answer *ret);
/* Waits so long, or until interrupted. */
void fetch_wait(struct fetch *f, est_us time);
/* `base`, without slashes at its end, and `path`. False = longer than max. */
bool fetch_url(const char *base, const char *path, char *out, size_t max);
