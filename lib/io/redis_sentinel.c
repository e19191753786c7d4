#include "io/redis_sentinel.h"

#include "base/buf.h"
#include "base/mem.h"
#include "io/redis_conn.h"
#include "io/redis_wire.h"

#include <stdio.h>
#include <string.h>

enum { COMMAND_MAX = 4096, DETAIL_MAX = 160 };

struct est_redis_sentinel {
    struct est_loop *loop;
    const struct est_redis_url *url;
    const char *password;
    est_us timeout;
    est_redis_sentinel_fn *fn;
    void *arg;
    struct est_redis_conn *conn;
    struct est_timer timer; /* the present one's deadline, or the turn to the next */
    size_t at;              /* of url->hosts */
    bool asked, auth_due;   /* auth_due: the next answer is AUTH's */
    char detail[DETAIL_MAX];
};

static void finish(struct est_redis_sentinel *s, const struct est_redis_host *host)
{
    est_loop_timer_off(s->loop, &s->timer);
    est_redis_conn_free(s->conn);
    s->conn = NULL;
    s->fn(s->arg, host, s->detail);
}

/* The present one is of no use; the next is asked in the next turn. */
static void pass_on(struct est_redis_sentinel *s, const char *what)
{
    const struct est_redis_host *h = &s->url->hosts[s->at];

    (void)snprintf(s->detail, sizeof(s->detail), "sentinel %.60s:%u: %.80s", h->name, h->port,
                   what);
    est_redis_conn_free(s->conn);
    s->conn = NULL;
    s->asked = false;
    s->at++;
    est_loop_timer_at(s->loop, &s->timer, est_loop_now(s->loop));
}

static bool take_address(const struct est_redis_reply *r, struct est_redis_host *ret)
{
    struct est_view host = est_redis_text(est_redis_item(r, 0));
    struct est_view port = est_redis_text(est_redis_item(r, 1));
    unsigned long long n;

    if (host.len == 0 || host.len > EST_REDIS_HOST_MAX || !est_view_u64(port, 65535, &n))
        return false;
    memcpy(ret->name, host.data, host.len);
    ret->name[host.len] = '\0';
    ret->port = (uint16_t)n;
    return true;
}

static void on_answer(void *arg, const struct est_redis_reply *r)
{
    struct est_redis_sentinel *s = arg;
    struct est_redis_host host;

    if (est_redis_kind(r) == EST_REDIS_FAULT) {
        char word[32];
        est_redis_wire_word(est_redis_text(r), word, sizeof(word));
        pass_on(s, word);
    } else if (s->auth_due) {
        s->auth_due = false;
    } else if (take_address(r, &host)) {
        finish(s, &host);
    } else {
        pass_on(s, "knows no master of that name");
    }
}

static void on_gone(void *arg, const char *detail)
{
    pass_on(arg, detail);
}

static bool send_question(struct est_redis_sentinel *s)
{
    const struct est_view auth[] = {EST_VIEW_LIT("AUTH"), est_view_str(s->password)};
    const struct est_view ask[] = {EST_VIEW_LIT("SENTINEL"),
                                   EST_VIEW_LIT("get-master-addr-by-name"),
                                   est_view_str(s->url->master)};
    struct est_buf b;
    bool good = true;

    est_buf_init(&b, COMMAND_MAX);
    s->auth_due = s->password[0] != '\0';
    if (s->auth_due) {
        est_redis_wire_put(&b, 2, auth);
        good = est_redis_conn_send(s->conn, &b);
        explicit_bzero(b.data, b.len);
        est_buf_clear(&b);
    }
    est_redis_wire_put(&b, 3, ask);
    good = good && est_redis_conn_send(s->conn, &b);
    est_buf_fini(&b);
    return good;
}

static void ask_next(struct est_redis_sentinel *s)
{
    const struct est_redis_host *h = &s->url->hosts[s->at];
    const struct est_redis_target to = {.path = "", .host = h->name, .port = h->port};
    const struct est_redis_conn_handlers handlers = {on_answer, on_gone, s};
    struct est_why why = {0};

    s->asked = true;
    if (est_redis_conn_new(s->loop, &to, &handlers, &s->conn, &why) != EST_OK)
        pass_on(s, why.text);
    else if (!send_question(s))
        pass_on(s, "out of memory");
    else
        est_loop_timer_at(s->loop, &s->timer, est_loop_now(s->loop) + s->timeout);
}

static void on_timer(void *arg)
{
    struct est_redis_sentinel *s = arg;

    if (s->asked)
        pass_on(s, "no answer in time");
    else if (s->at < s->url->n_hosts)
        ask_next(s);
    else
        finish(s, NULL);
}

est_err est_redis_sentinel_ask(struct est_loop *lp, const struct est_redis_url *url,
                               const char *password, est_us timeout, est_redis_sentinel_fn *fn,
                               void *arg, struct est_redis_sentinel **ret)
{
    struct est_redis_sentinel *s = est_calloc(1, sizeof(*s));

    if (s == NULL)
        return EST_ERR_NOMEM;
    s->loop = lp;
    s->url = url;
    s->password = password;
    s->timeout = timeout;
    s->fn = fn;
    s->arg = arg;
    s->timer = (struct est_timer){.fn = on_timer, .arg = s};
    est_loop_timer_at(lp, &s->timer, est_loop_now(lp));
    *ret = s;
    return EST_OK;
}

void est_redis_sentinel_free(struct est_redis_sentinel *s)
{
    if (s == NULL)
        return;
    est_loop_timer_off(s->loop, &s->timer);
    est_redis_conn_free(s->conn);
    est_free(s);
}
