#include "fetch.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static void on_signal(void *arg, int signo)
{
    struct fetch *f = arg;

    if (signo != SIGHUP)
        f->interrupted = true;
}

est_err fetch_open(struct fetch *f, const char *ca_file, struct est_why *reterr)
{
    const struct est_http_client_options opt = {
        .conns_max = 1,
        .connect_timeout = 5 * EST_SECOND,
        .ca_file = ca_file,
        .user_agent = "esteira/" ESTEIRA_VERSION,
    };
    est_err err;

    *f = (struct fetch){.lp = NULL};
    if ((err = est_loop_new(&f->lp, reterr)) || (err = est_loop_on_signal(f->lp, on_signal, f)) ||
        (err = est_http_client_new(f->lp, &opt, &f->http, reterr)))
        fetch_close(f);
    return err;
}

void fetch_close(struct fetch *f)
{
    if (f->http != NULL)
        est_http_client_free(f->http);
    if (f->lp != NULL)
        est_loop_free(f->lp);
    *f = (struct fetch){.lp = NULL};
}

void fetch_answer_init(struct fetch_answer *a)
{
    *a = (struct fetch_answer){.err = EST_OK, .retry_after = -1};
    est_buf_init(&a->body, FETCH_BODY_MAX);
}

void fetch_answer_fini(struct fetch_answer *a)
{
    est_buf_fini(&a->body);
}

/* RFC 9110 §10.2.3 also knows a date; the shim sends seconds. */
static est_us parse_retry_after(struct est_view v)
{
    unsigned long long seconds;

    return v.data != NULL && est_view_u64(v, 86400, &seconds) ? (est_us)seconds * EST_SECOND : -1;
}

static void on_done(void *arg, const struct est_http_result *res)
{
    struct fetch *f = arg;
    struct fetch_answer *a = f->answer;

    a->err = res->err;
    a->status = res->status;
    a->retry_after = parse_retry_after(res->retry_after);
    est_buf_put_view(&a->body, res->body);
    (void)snprintf(a->detail, sizeof(a->detail), "%s", res->detail);
    f->waiting = false;
}

void fetch_do(struct fetch *f, const struct est_http_request *rq, struct fetch_answer *ret)
{
    struct est_http_call *call = NULL;
    struct est_why why = {.code = EST_OK};

    est_buf_clear(&ret->body);
    ret->status = 0;
    ret->retry_after = -1;
    ret->detail[0] = '\0';
    f->answer = ret;
    f->waiting = true;
    ret->err = est_http_client_send(f->http, rq, on_done, f, &call, &why);
    if (ret->err) {
        (void)snprintf(ret->detail, sizeof(ret->detail), "%.159s", why.text);
        return;
    }
    while (f->waiting && !f->interrupted)
        est_loop_turn(f->lp, EST_SECOND);
    if (f->waiting) {
        est_http_client_cancel(f->http, call);
        ret->err = EST_ERR_CLOSED;
    }
}

void fetch_get(struct fetch *f, const char *url, const char *token, est_us timeout,
               struct fetch_answer *ret)
{
    char bearer[8300];
    struct est_http_field field = {"Authorization", bearer};
    const struct est_http_request rq = {
        .method = "GET",
        .url = url,
        .fields = &field,
        .n_fields = token[0] != '\0',
        .timeout = timeout,
        .response_max = FETCH_BODY_MAX,
    };

    (void)snprintf(bearer, sizeof(bearer), "Bearer %s", token);
    fetch_do(f, &rq, ret);
}

void fetch_wait(struct fetch *f, est_us time)
{
    est_us until = est_clock_mono() + time, now;

    while (!f->interrupted && (now = est_clock_mono()) < until)
        est_loop_turn(f->lp, until - now);
}

bool fetch_url(const char *base, const char *path, char *out, size_t max)
{
    size_t n = strlen(base);

    while (n > 0 && base[n - 1] == '/')
        n--;
    return snprintf(out, max, "%.*s%s", (int)n, base, path) < (int)max;
}
