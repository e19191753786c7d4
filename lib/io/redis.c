#include "io/redis.h"

#include "base/assert.h"
#include "base/mem.h"
#include "io/redis_link.h"
#include "io/redis_wire.h"

#include <stdio.h>
#include <string.h>

/* A larger command's memory is not kept. */
enum { OUT_KEPT = 4 * 1024 * 1024 };

bool est_redis_is_up(const struct est_redis *r)
{
    return r->state == EST_REDIS_UP;
}

static struct est_redis_ask *ask_of(struct est_node *node)
{
    return EST_CONTAINER(node, struct est_redis_ask, node);
}

/* --- sending --- */

/* r->out holds the command. False: nothing was sent. */
static bool send_out(struct est_redis *r, struct est_redis_ask *a)
{
    if (!est_redis_conn_send(r->conn, &r->out))
        return false;
    a->sent_at = r->last_sent = est_loop_now(r->loop);
    a->bytes = r->out.len;
    r->n_pending++;
    r->n_bytes += a->bytes;
    est_list_append(&r->pending, &a->node);
    est_redis_link_watch(r, a->sent_at + r->timeout);
    return true;
}

/* A large command's memory is not kept. */
static void forget_out(struct est_redis *r)
{
    if (r->out.cap > OUT_KEPT) {
        est_buf_fini(&r->out);
        est_buf_init(&r->out, EST_REDIS_SEND_MAX);
    }
    est_buf_clear(&r->out);
}

static struct est_redis_ask *new_ask(est_redis_fn *fn, void *arg, size_t tail)
{
    struct est_redis_ask *a = est_calloc(1, sizeof(*a) + tail);

    if (a != NULL) {
        a->fn = fn;
        a->arg = arg;
        est_list_init(&a->node);
    }
    return a;
}

bool est_redis_send_ours(struct est_redis *r, est_redis_fn *fn, struct est_redis_script *script,
                         size_t n, const struct est_view *args)
{
    struct est_redis_ask *a = new_ask(fn, r, 0);

    if (a == NULL)
        return false;
    a->ours = true;
    a->script = script;
    a->whole = true;
    est_buf_clear(&r->out);
    est_redis_wire_put(&r->out, n, args);
    if (send_out(r, a))
        return true;
    est_free(a);
    return false;
}

bool est_redis_send_load(struct est_redis *r, struct est_redis_script *script)
{
    const struct est_view args[] = {EST_VIEW_LIT("SCRIPT"), EST_VIEW_LIT("LOAD"),
                                    est_view_str(script->text)};

    return est_redis_send_ours(r, est_redis_link_loaded, script, 3, args);
}

static void call_later(struct est_redis *r, struct est_redis_ask *a)
{
    est_list_append(&r->unsent, &a->node);
    est_loop_timer_at(r->loop, &r->later, est_loop_now(r->loop));
}

/* Calls back and frees all of a list, whatever the callbacks add to it meanwhile. */
static void end_all(struct est_node *list, est_err err)
{
    struct est_node due;

    est_list_init(&due);
    EST_LIST_EACH(it, list) {
        est_list_remove(it);
        est_list_append(&due, it);
    }
    for (struct est_node *it; (it = est_list_first(&due)) != NULL;) {
        struct est_redis_ask *a = ask_of(it);
        est_list_remove(it);
        if (a->fn != NULL && !a->ours)
            a->fn(a->arg, err, NULL);
        est_free(a);
    }
}

static void on_later(void *arg)
{
    struct est_redis *r = arg;

    end_all(&r->unsent, EST_ERR_REDIS_DOWN);
}

void est_redis_lose_pending(struct est_redis *r)
{
    r->n_pending = r->n_bytes = 0;
    end_all(&r->pending, EST_ERR_REDIS_LOST);
}

/* Down: called back later. Full: refused. */
static est_err admit(struct est_redis *r, struct est_redis_ask *a, size_t bytes, bool *ret_sendable)
{
    *ret_sendable = r->state == EST_REDIS_UP;
    if (a == NULL)
        return EST_ERR_NOMEM;
    if (!*ret_sendable) {
        call_later(r, a);
        return EST_OK;
    }
    if (r->n_pending >= EST_REDIS_PENDING_MAX || r->n_bytes + bytes > EST_REDIS_SEND_MAX) {
        est_free(a);
        return EST_ERR_FULL;
    }
    return EST_OK;
}

static est_err dispatch(struct est_redis *r, struct est_redis_ask *a)
{
    bool sent = send_out(r, a);

    forget_out(r);
    if (sent)
        return EST_OK;
    est_free(a);
    return EST_ERR_NOMEM;
}

static size_t sum(size_t n, const struct est_view *args)
{
    size_t bytes = 64;

    for (size_t i = 0; i < n; i++)
        bytes += args[i].len + 16;
    return bytes;
}

est_err est_redis_command(struct est_redis *r, size_t n, const struct est_view *args,
                          est_redis_fn *fn, void *arg)
{
    struct est_redis_ask *a = new_ask(fn, arg, 0);
    bool sendable;
    est_err err = admit(r, a, sum(n, args), &sendable);

    if (err != EST_OK || !sendable)
        return err;
    est_buf_clear(&r->out);
    est_redis_wire_put(&r->out, n, args);
    return dispatch(r, a);
}

/* --- scripts --- */

/* Known ones are loaded at each connect; a new one now. */
static void know(struct est_redis *r, struct est_redis_script *s)
{
    for (size_t i = 0; i < r->n_scripts; i++)
        if (r->scripts[i] == s)
            return;
    EST_ASSERT(r->n_scripts < EST_REDIS_SCRIPTS_MAX);
    r->scripts[r->n_scripts++] = s;
    if (r->state == EST_REDIS_UP)
        (void)est_redis_send_load(r, s);
}

static void put_script(struct est_redis *r, const struct est_redis_ask *a, struct est_view tail)
{
    est_buf_clear(&r->out);
    est_redis_wire_array(&r->out, a->n + 2);
    est_redis_wire_bulk(&r->out, a->whole ? EST_VIEW_LIT("EVAL") : EST_VIEW_LIT("EVALSHA"));
    est_redis_wire_bulk(&r->out, est_view_str(a->whole ? a->script->text : a->script->sha));
    est_buf_put_view(&r->out, tail);
}

est_err est_redis_script(struct est_redis *r, struct est_redis_script *s, size_t n_keys, size_t n,
                         const struct est_view *args, est_redis_fn *fn, void *arg)
{
    struct est_buf tail;
    struct est_redis_ask *a;
    char keys[16];
    bool sendable;
    est_err err;

    know(r, s);
    (void)snprintf(keys, sizeof(keys), "%zu", n_keys);
    est_buf_init(&tail, EST_REDIS_SEND_MAX);
    (void)est_buf_reserve(&tail, sum(n, args));
    est_redis_wire_bulk(&tail, est_view_str(keys));
    for (size_t i = 0; i < n; i++)
        est_redis_wire_bulk(&tail, args[i]);
    a = est_buf_err(&tail) == EST_OK ? new_ask(fn, arg, tail.len) : NULL;
    err = admit(r, a, tail.len, &sendable);
    if (err == EST_OK && sendable) {
        a->script = s;
        a->n = n + 1;
        a->tail_len = tail.len;
        memcpy(a->tail, tail.data, tail.len);
        a->whole = s->sha[0] == '\0';
        put_script(r, a, est_buf_view(&tail));
        err = dispatch(r, a);
    }
    est_buf_fini(&tail);
    return err;
}

/* --- answers --- */

/* The server has lost the script: once more, with its text. */
static bool send_again(struct est_redis *r, struct est_redis_ask *a)
{
    bool sent;

    a->whole = true;
    put_script(r, a, est_view(a->tail, a->tail_len));
    sent = send_out(r, a);
    forget_out(r);
    return sent;
}

static bool is_noscript(const struct est_redis_ask *a, const struct est_redis_reply *reply)
{
    return a->script != NULL && !a->whole && est_redis_kind(reply) == EST_REDIS_FAULT &&
           est_view_starts(est_redis_text(reply), EST_VIEW_LIT("NOSCRIPT"));
}

void est_redis_answer(struct est_redis *r, const struct est_redis_reply *reply)
{
    struct est_node *first = est_list_first(&r->pending);
    struct est_redis_ask *a;
    est_err err = EST_OK;

    EST_ASSERT(first != NULL);
    a = ask_of(first);
    est_list_remove(first);
    r->n_pending--;
    r->n_bytes -= a->bytes;
    if (is_noscript(a, reply) && send_again(r, a))
        return;
    if (est_redis_kind(reply) == EST_REDIS_FAULT)
        err = est_redis_wire_err(est_redis_text(reply));
    r->answering = a;
    if (a->fn != NULL)
        a->fn(a->arg, err, reply);
    est_free(a);
    if (err == EST_ERR_REDIS_READONLY && r->state == EST_REDIS_UP)
        est_redis_link_fall(r, err, "it has become a replica");
}

/* --- life --- */

static est_err take_secrets(struct est_redis *r, const struct est_redis_options *opt,
                            struct est_why *reterr)
{
    const char *sp = opt->sentinel_password;

    if (sp == NULL || sp[0] == '\0')
        sp = r->url.sentinel_password;
    if (strlen(sp) >= sizeof(r->sentinel_password))
        return est_why_set(reterr, EST_ERR_INVALID, "the Sentinels' password is too long");
    memcpy(r->sentinel_password, sp, strlen(sp) + 1);
    if (opt->password_file == NULL || opt->password_file[0] == '\0')
        return EST_OK;
    return est_secret_new(opt->password_file, "", &r->password, reterr);
}

static est_err set_up(struct est_redis *r, const struct est_redis_options *opt,
                      struct est_why *reterr)
{
    est_err err = est_redis_url_parse(opt->url, &r->url, reterr);

    if (err == EST_OK)
        err = take_secrets(r, opt, reterr);
    if (err == EST_OK && r->url.tls)
        err = est_redis_tls_new(opt->ca_file, &r->tls, reterr);
    return err;
}

est_err est_redis_new(struct est_loop *lp, const struct est_redis_options *opt,
                      struct est_redis **ret, struct est_why *reterr)
{
    struct est_redis *r = est_calloc(1, sizeof(*r));
    est_err err;

    if (r == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the Redis client");
    r->loop = lp;
    r->on_state = opt->state;
    r->state_arg = opt->arg;
    r->timeout = opt->timeout;
    est_list_init(&r->pending);
    est_list_init(&r->unsent);
    est_list_init(&r->multis);
    est_buf_init(&r->out, EST_REDIS_SEND_MAX);
    r->later = (struct est_timer){.fn = on_later, .arg = r};
    err = set_up(r, opt, reterr);
    if (err != EST_OK) {
        est_redis_free(r);
        return err;
    }
    est_redis_link_start(r);
    *ret = r;
    return EST_OK;
}

static void free_asks(struct est_node *list)
{
    EST_LIST_EACH(it, list) {
        est_list_remove(it);
        est_free(ask_of(it));
    }
}

void est_redis_free(struct est_redis *r)
{
    if (r == NULL)
        return;
    est_loop_timer_off(r->loop, &r->later);
    est_redis_link_stop(r);
    free_asks(&r->pending);
    free_asks(&r->unsent);
    est_redis_multi_free(r);
    est_buf_fini(&r->out);
    est_secret_free(r->password);
    est_redis_tls_free(r->tls);
    explicit_bzero(r, sizeof(*r));
    est_free(r);
}
