#include "store.h"

#include "exits.h"

#include <stdio.h>

static void on_state(void *arg, bool up, est_err err, const char *detail)
{
    struct store *s = arg;

    s->up = up;
    s->err = err;
    (void)snprintf(s->detail, sizeof(s->detail), "%s", detail);
}

est_err store_open(struct store *s, struct fetch *f, const struct est_config *cfg, const char *url,
                   est_us timeout, struct est_why *why)
{
    const struct est_redis_options opt = {
        .url = url != NULL ? url : cfg->redis_url,
        .ca_file = cfg->redis_ca_file,
        .password_file = url != NULL ? NULL : cfg->redis_password_file,
        .sentinel_password = cfg->redis_sentinel_password,
        .timeout = cfg->redis_timeout,
        .state = on_state,
        .arg = s,
    };
    est_err err;

    *s = (struct store){.f = f, .err = EST_ERR_REDIS_DOWN};
    err = est_redis_new(f->lp, &opt, &s->redis, why);
    if (err == EST_OK)
        err = store_wait_up(s, timeout, why);
    if (err != EST_OK)
        store_close(s);
    return err;
}

void store_close(struct store *s)
{
    est_redis_free(s->redis);
    s->redis = NULL;
}

/* A refused password does not get right by waiting; all else may. */
est_err store_wait_up(struct store *s, est_us timeout, struct est_why *why)
{
    est_us until = est_clock_mono() + timeout, now;

    while (!s->up && s->err != EST_ERR_REDIS_DENIED && !s->f->interrupted &&
           (now = est_clock_mono()) < until)
        est_loop_turn(s->f->lp, until - now);
    if (s->up)
        return EST_OK;
    if (s->f->interrupted)
        return est_why_set(why, EST_ERR_CLOSED, "interrupted");
    return est_why_set(why, s->err, "%s", s->detail[0] != '\0' ? s->detail : "no answer in time");
}

void store_await(struct store *s, const bool *done)
{
    while (!*done)
        est_loop_turn(s->f->lp, EST_SECOND);
}

int store_exit(est_err err)
{
    switch (err) {
    case EST_ERR_CLOSED: return EXIT_INTERRUPTED;
    case EST_ERR_REDIS_DENIED: return EXIT_REFUSED;
    case EST_ERR_REDIS: return EXIT_PROTOCOL;
    case EST_ERR_INVALID:
    case EST_ERR_UNSUPPORTED: return EXIT_CONFIG;
    case EST_ERR_NOMEM:
    case EST_ERR_IO: return EXIT_IO;
    default: return EXIT_UNAVAILABLE;
    }
}
