#include "accord.h"

#include "base/log.h"
#include "codec/digest.h"
#include "config/config.h"
#include "core/ratelimit.h"
#include "io/loop.h"
#include "io/redis.h"
#include "io/turnstile.h"
#include "part.h"
#include "worker.h"

#include <stdint.h>
#include <stdio.h>

/* How often others are asked whether what is down has come back. */
static const est_us LOOK_EVERY = EST_SECOND;

static est_us now_of(const struct accord *a)
{
    return est_loop_now(a->w->loop);
}

/* --- talking --- */

/* Others have news of the endpoint. What they knew before our own last news is none. */
static void take_news(struct accord *a, const struct est_turnstile_answer *t)
{
    est_us now = now_of(a);

    if (a->asked_as < a->told_as)
        return;
    if (t->probe)
        a->probe_until = now + EST_BUDGET_FRESH;
    else if (t->down >= 0)
        est_breaker_told_down(a->breaker, now + t->down, now);
    else
        est_breaker_told_up(a->breaker);
}

static void on_answer(void *arg, est_err err, const struct est_turnstile_answer *t)
{
    struct accord *a = arg;
    struct est_budget_answer answer;

    if (err != EST_OK) {
        est_budget_unheard(&a->budget, now_of(a));
        if (err != EST_ERR_REDIS_DOWN && err != EST_ERR_REDIS_LOST)
            EST_LOG(EST_WARN, "budget_not_shared", EST_S("code", est_err_code(err)));
        return;
    }
    answer = (struct est_budget_answer){t->gate, t->slot, t->again, t->epoch};
    est_budget_hear(&a->budget, &answer, now_of(a));
    take_news(a, t);
}

static bool is_alone(const struct accord *a)
{
    return est_budget_is_alone(&a->budget, now_of(a));
}

/* in_any_case: also while what was heard last still holds. */
static void ask(struct accord *a, bool in_any_case)
{
    est_us now = now_of(a);
    struct est_budget_question b;
    struct est_turnstile_question q;

    if (!est_budget_ask(&a->budget, now, in_any_case, &b))
        return;
    q = (struct est_turnstile_question){
        .every = b.pace.every, .slack = b.pace.slack, .wants_slot = b.wants_slot};
    if (est_breaker_is_due(a->breaker, now))
        q.probe_for = est_breaker_next_open(a->breaker);
    a->asked_as = ++a->said;
    a->looked_at = now;
    if (est_turnstile_ask(a->turnstile, &q) != EST_OK)
        est_budget_unheard(&a->budget, now);
}

static void tell(struct accord *a, const struct est_turnstile_question *q)
{
    if (!a->up)
        return;
    a->told_as = ++a->said;
    (void)est_turnstile_tell(a->turnstile, q); /* unheard, they find it out by themselves */
}

/* --- may a request start --- */

static void set_share(struct accord *a)
{
    const struct est_config *cfg = a->w->cfg;
    unsigned total = 0;

    for (size_t i = 0; i < cfg->n_types; i++)
        total += cfg->types[i].partitions;
    est_budget_set_share(&a->budget, (unsigned)a->w->parts.n, total);
}

/* The one probe of all: by their leave where they can be asked, else by our own. */
static bool may_probe(struct accord *a)
{
    est_us now = now_of(a);

    if (is_alone(a) || now < a->probe_until)
        return true;
    ask(a, true);
    return false;
}

bool accord_allow(struct accord *a)
{
    est_us now = now_of(a);

    set_share(a);
    if (est_breaker_retry_at(a->breaker, now) > now) {
        if (now - a->looked_at >= LOOK_EVERY)
            ask(a, true);
        return false;
    }
    if (est_breaker_is_due(a->breaker, now) && !may_probe(a))
        return false;
    if (est_budget_allow(&a->budget, now)) {
        if (est_budget_every(&a->budget, now) == 0)
            ask(a, false); /* the next answer, before the last is too old */
        return true;
    }
    ask(a, false);
    return false;
}

void accord_return(struct accord *a)
{
    est_budget_return(&a->budget, now_of(a));
}

est_us accord_ready_at(const struct accord *a)
{
    est_us now = now_of(a);
    est_us budget = est_budget_ready_at(&a->budget, now);
    est_us breaker = est_breaker_retry_at(a->breaker, now), look = a->looked_at + LOOK_EVERY;

    if (breaker > now && !is_alone(a) && look < breaker)
        breaker = look;
    return breaker > budget ? breaker : budget;
}

/* --- news of our own --- */

void accord_close(struct accord *a, est_us wait)
{
    const struct est_turnstile_question q = {.close_for = wait};

    if (wait <= 0)
        return;
    est_budget_close(&a->budget, wait, now_of(a));
    tell(a, &q);
}

void accord_observe(struct accord *a, const struct est_ratelimit *said)
{
    accord_close(a, est_budget_observe(&a->budget, said, now_of(a)));
}

void accord_tell(struct accord *a, enum est_breaker_state before)
{
    enum est_breaker_state after = a->breaker->state;
    struct est_turnstile_question q = {0};

    if (after == before)
        return;
    a->probe_until = 0;
    if (after == EST_BREAKER_OPEN)
        q.down_for = a->breaker->open_until - now_of(a);
    else if (after == EST_BREAKER_CLOSED)
        q.down_for = -1;
    if (q.down_for != 0)
        tell(a, &q);
}

/* --- life --- */

static void on_state(void *arg, bool up, est_err err, const char *detail)
{
    struct accord *a = arg;

    if (up == a->up)
        return;
    a->up = up;
    a->probe_until = 0;
    est_budget_set_shared(&a->budget, up);
    EST_LOG(up ? EST_INFO : EST_WARN, up ? "budget_shared" : "budget_alone",
            EST_S("destination", a->w->dest->name), EST_S("code", est_err_code(err)),
            EST_S("detail", detail));
}

void accord_set_token(struct accord *a, const char *token)
{
    const struct est_turnstile_question doubt = {.down_for = 1};
    const struct est_view parts[] = {est_view_str(a->w->dest->url), est_view_str(token)};
    char name[EST_DIGEST_LEN + 1];

    if (a->turnstile == NULL)
        return;
    if (est_digest_text(parts, 2, name) != EST_OK)
        (void)snprintf(name, sizeof(name), "%s", "without a name");
    est_turnstile_set(a->turnstile, a->w->cfg->redis_prefix, name);
    est_budget_set_shared(&a->budget, a->up);
    if (a->breaker->state != EST_BREAKER_CLOSED)
        tell(a, &doubt); /* nobody has used it yet: one of us shall probe */
}

static est_err open_redis(struct accord *a, struct est_why *reterr)
{
    const struct est_config *cfg = a->w->cfg;
    const struct est_redis_options ro = {.url = cfg->redis_url,
                                         .ca_file = cfg->redis_ca_file,
                                         .password_file = cfg->redis_password_file,
                                         .sentinel_password = cfg->redis_sentinel_password,
                                         .timeout = cfg->redis_timeout,
                                         .state = on_state,
                                         .arg = a};
    est_err err = est_redis_new(a->w->loop, &ro, &a->redis, reterr);

    if (err == EST_OK && est_turnstile_new(a->redis, on_answer, a, &a->turnstile) != EST_OK)
        err = est_why_set(reterr, EST_ERR_NOMEM, "no memory for the shared budget");
    return err;
}

est_err accord_init(struct accord *a, struct worker *w, struct est_breaker *breaker,
                    struct est_why *reterr)
{
    *a = (struct accord){.w = w, .breaker = breaker, .looked_at = -LOOK_EVERY};
    est_budget_init(&a->budget, w->dest->rate_limit, w->dest->rate_window);
    return w->cfg->redis_url[0] != '\0' ? open_redis(a, reterr) : EST_OK;
}

void accord_fini(struct accord *a)
{
    est_redis_free(a->redis);
    est_turnstile_free(a->turnstile);
}
