#include "io/redis_link.h"

#include "base/id.h"
#include "io/redis_wire.h"

#include <stdio.h>
#include <string.h>

enum { DETAIL_MAX = 256 };

#define BACKOFF_FIRST (50 * EST_MS)
#define BACKOFF_MAX (1 * EST_SECOND)
#define IDLE_PING (5 * EST_SECOND)

static void on_retry(void *arg);
static void on_check(void *arg);

/* --- down --- */

static void where(const struct est_redis *r, char *out, size_t size)
{
    if (r->url.path[0] != '\0')
        (void)snprintf(out, size, "%.110s", r->url.path);
    else if (strchr(r->host.name, ':') != NULL)
        (void)snprintf(out, size, "[%.80s]:%u", r->host.name, r->host.port);
    else
        (void)snprintf(out, size, "%.80s:%u", r->host.name, r->host.port);
}

static void tell(struct est_redis *r, bool up, est_err err, const char *what)
{
    char place[128], detail[DETAIL_MAX];

    if (r->on_state == NULL)
        return;
    where(r, place, sizeof(place));
    if (r->url.path[0] == '\0' && r->host.name[0] == '\0') /* no Sentinel has told one yet */
        (void)snprintf(detail, sizeof(detail), "%.150s", what);
    else
        (void)snprintf(detail, sizeof(detail), "%s: %.120s", place, what);
    r->on_state(r->state_arg, up, err, detail);
}

void est_redis_link_fall(struct est_redis *r, est_err err, const char *what)
{
    bool was_up = r->state == EST_REDIS_UP;
    char why[160]; /* `what` may belong to what is freed here */
    est_us wait = r->backoff / 2 + (est_us)est_random_below((uint64_t)r->backoff);

    (void)snprintf(why, sizeof(why), "%s", what);
    r->state = EST_REDIS_RESTING;
    est_redis_sentinel_free(r->sentinel);
    r->sentinel = NULL;
    est_redis_conn_free(r->conn);
    r->conn = NULL;
    est_loop_timer_off(r->loop, &r->check);
    est_loop_timer_at(r->loop, &r->retry, est_loop_now(r->loop) + wait);
    r->backoff = r->backoff * 2 < BACKOFF_MAX ? r->backoff * 2 : BACKOFF_MAX;
    est_redis_lose_pending(r);
    if (was_up || r->told != err) {
        r->told = err;
        tell(r, false, err, why);
    }
}

void est_redis_link_watch(struct est_redis *r, est_us at)
{
    if (!est_loop_timer_armed(&r->check) || r->check.node.at > at)
        est_loop_timer_at(r->loop, &r->check, at);
}

static void on_answer(void *arg, const struct est_redis_reply *reply)
{
    est_redis_answer(arg, reply);
}

static void on_gone(void *arg, const char *detail)
{
    est_redis_link_fall(arg, EST_ERR_REDIS_DOWN, detail);
}

/* --- the greeting: all of it in one go, each answer judged as it comes --- */

static void greeted(struct est_redis *r)
{
    if (--r->greetings > 0)
        return;
    r->state = EST_REDIS_UP;
    r->backoff = BACKOFF_FIRST;
    r->told = EST_OK;
    est_redis_link_watch(r, est_loop_now(r->loop) + IDLE_PING);
    tell(r, true, EST_OK, "connected");
}

static void on_auth(void *arg, est_err err, const struct est_redis_reply *reply)
{
    if (err == EST_ERR_REDIS_LOADING)
        est_redis_link_fall(arg, err, "it is loading its data");
    else if (err != EST_OK)
        est_redis_link_fall(arg, EST_ERR_REDIS_DENIED, "the user or password was refused");
    else
        greeted(arg);
    (void)reply;
}

static void fall_by(struct est_redis *r, est_err err, const char *command,
                    const struct est_redis_reply *reply)
{
    char word[32], text[64];

    est_redis_wire_word(est_redis_text(reply), word, sizeof(word));
    (void)snprintf(text, sizeof(text), "%s answered %s", command, word);
    est_redis_link_fall(r, err, text);
}

static void on_select(void *arg, est_err err, const struct est_redis_reply *reply)
{
    if (err != EST_OK)
        fall_by(arg, err, "SELECT", reply);
    else
        greeted(arg);
}

static void on_role(void *arg, est_err err, const struct est_redis_reply *reply)
{
    if (err != EST_OK)
        fall_by(arg, err, "ROLE", reply);
    else if (!est_view_is(est_redis_text(est_redis_item(reply, 0)), "master"))
        est_redis_link_fall(arg, EST_ERR_REDIS_READONLY, "it is a replica");
    else
        greeted(arg);
}

static void on_ping(void *arg, est_err err, const struct est_redis_reply *reply)
{
    if (err != EST_OK)
        fall_by(arg, err, "PING", reply);
    else
        greeted(arg);
}

void est_redis_link_loaded(void *arg, est_err err, const struct est_redis_reply *reply)
{
    struct est_redis *r = arg;
    struct est_view sha = est_redis_text(reply);
    struct est_redis_script *s = r->answering->script;

    if (err == EST_OK && sha.len == sizeof(s->sha) - 1) {
        memcpy(s->sha, sha.data, sha.len);
        s->sha[sha.len] = '\0';
    }
    if (r->state == EST_REDIS_GREETING && err != EST_OK)
        fall_by(r, err, "SCRIPT LOAD", reply);
    else if (r->state == EST_REDIS_GREETING)
        greeted(r);
}

static bool greet_auth(struct est_redis *r)
{
    const char *password = r->password != NULL ? est_secret_get(r->password) : r->url.password;
    const struct est_view all[] = {EST_VIEW_LIT("AUTH"), est_view_str(r->url.user),
                                   est_view_str(password)};
    const struct est_view alone[] = {all[0], all[2]};

    if (password[0] == '\0')
        return true;
    r->greetings++;
    return r->url.user[0] != '\0' ? est_redis_send_ours(r, on_auth, NULL, 3, all)
                                  : est_redis_send_ours(r, on_auth, NULL, 2, alone);
}

static bool greet_select(struct est_redis *r)
{
    char db[16];
    const struct est_view args[] = {EST_VIEW_LIT("SELECT"), {db, 0}};
    struct est_view both[] = {args[0], args[1]};

    if (r->url.db == 0)
        return true;
    both[1].len = (size_t)snprintf(db, sizeof(db), "%u", r->url.db);
    r->greetings++;
    return est_redis_send_ours(r, on_select, NULL, 2, both);
}

/* ROLE is answered while the data are being loaded, PING is not. */
static bool greet(struct est_redis *r)
{
    const struct est_view role = EST_VIEW_LIT("ROLE"), ping = EST_VIEW_LIT("PING");
    bool good;

    r->greetings = 0;
    good = greet_auth(r);
    if (r->out.data != NULL)
        explicit_bzero(r->out.data, r->out.len);
    good = good && greet_select(r);
    r->greetings += 2;
    good = good && est_redis_send_ours(r, on_role, NULL, 1, &role);
    good = good && est_redis_send_ours(r, on_ping, NULL, 1, &ping);
    for (size_t i = 0; good && i < r->n_scripts; i++) {
        r->greetings++;
        good = est_redis_send_load(r, r->scripts[i]);
    }
    return good;
}

/* --- up --- */

static void connect_to(struct est_redis *r, const struct est_redis_host *host)
{
    const struct est_redis_conn_handlers h = {on_answer, on_gone, r};
    struct est_redis_target to = {.path = r->url.path, .host = r->host.name, .tls = r->tls};
    struct est_why why = {0};
    bool changed;

    r->host = *host;
    to.port = host->port;
    r->state = EST_REDIS_GREETING;
    if (r->password != NULL && est_secret_refresh(r->password, false, &changed, &why) != EST_OK)
        est_redis_link_fall(r, EST_ERR_REDIS_DENIED, why.text);
    else if (est_redis_conn_new(r->loop, &to, &h, &r->conn, &why) != EST_OK)
        est_redis_link_fall(r, EST_ERR_REDIS_DOWN, why.text);
    else if (!greet(r))
        est_redis_link_fall(r, EST_ERR_REDIS_DOWN, "out of memory");
}

static void on_sentinel(void *arg, const struct est_redis_host *host, const char *detail)
{
    struct est_redis *r = arg;
    struct est_redis_host found;

    if (host == NULL) {
        est_redis_link_fall(r, EST_ERR_REDIS_DOWN, detail);
        return;
    }
    found = *host;
    est_redis_sentinel_free(r->sentinel);
    r->sentinel = NULL;
    connect_to(r, &found);
}

static void on_retry(void *arg)
{
    struct est_redis *r = arg;

    if (!r->url.sentinel) {
        connect_to(r, &r->url.hosts[0]);
        return;
    }
    r->state = EST_REDIS_SEEKING;
    if (est_redis_sentinel_ask(r->loop, &r->url, r->sentinel_password, r->timeout, on_sentinel, r,
                               &r->sentinel) != EST_OK)
        est_redis_link_fall(r, EST_ERR_REDIS_DOWN, "out of memory");
}

/* Nothing heard for `timeout` although an answer is due: the connection is dead. Nothing sent for
 * IDLE_PING: a ping asks. */
static void on_check(void *arg)
{
    struct est_redis *r = arg;
    const struct est_view ping = EST_VIEW_LIT("PING");
    struct est_node *first = est_list_first(&r->pending);
    est_us now = est_loop_now(r->loop), due;

    if (first == NULL) {
        due = r->last_sent + IDLE_PING;
        if (now >= due && r->state == EST_REDIS_UP && est_redis_send_ours(r, NULL, NULL, 1, &ping))
            return;
        est_redis_link_watch(r, due > now ? due : now + IDLE_PING);
        return;
    }
    due = EST_CONTAINER(first, struct est_redis_ask, node)->sent_at;
    if (est_redis_conn_heard(r->conn) > due)
        due = est_redis_conn_heard(r->conn);
    due += r->timeout;
    if (now < due)
        est_redis_link_watch(r, due);
    else
        est_redis_link_fall(r, EST_ERR_REDIS_DOWN,
                            est_redis_conn_is_open(r->conn) ? "no answer in time"
                                                            : "no connection in time");
}

/* --- life --- */

void est_redis_link_start(struct est_redis *r)
{
    r->backoff = BACKOFF_FIRST;
    r->retry = (struct est_timer){.fn = on_retry, .arg = r};
    r->check = (struct est_timer){.fn = on_check, .arg = r};
    est_loop_timer_at(r->loop, &r->retry, est_loop_now(r->loop));
}

void est_redis_link_stop(struct est_redis *r)
{
    est_loop_timer_off(r->loop, &r->retry);
    est_loop_timer_off(r->loop, &r->check);
    est_redis_sentinel_free(r->sentinel);
    est_redis_conn_free(r->conn);
}
