/* Private to lib/io/redis*.c: the client's state, shared by redis.c (commands and their answers)
 * and redis_link.c (the connection's life).
 *
 *   resting ──timer──► seeking (Sentinels) ──► greeting (AUTH, SELECT, ROLE, scripts) ──► up
 *
 * and from each of them back to resting: est_redis_link_fall. */
#pragma once

#include "base/buf.h"
#include "base/list.h"
#include "io/redis.h"
#include "io/redis_conn.h"
#include "io/redis_sentinel.h"
#include "io/redis_url.h"
#include "io/secret.h"

enum est_redis_state { EST_REDIS_RESTING, EST_REDIS_SEEKING, EST_REDIS_GREETING, EST_REDIS_UP };

/* A command from the call until its callback. */
struct est_redis_ask {
    struct est_node node;
    est_redis_fn *fn;
    void *arg;
    est_us sent_at;
    size_t bytes;                    /* on the wire */
    bool ours;                       /* of the greeting, or a ping: not a caller's */
    struct est_redis_script *script; /* NULL = a plain command */
    bool whole;                      /* sent with the script's text */
    size_t n;                        /* arguments in `tail` */
    size_t tail_len;
    char tail[]; /* of a script: all behind the sha, to send it with its text */
};

struct est_redis {
    struct est_loop *loop;
    void (*on_state)(void *arg, bool up, est_err err, const char *detail);
    void *state_arg;
    est_us timeout;
    struct est_redis_url url;
    struct est_secret *password; /* NULL = the URL's */
    char sentinel_password[EST_REDIS_PASSWORD_MAX + 1];
    struct est_redis_tls *tls;

    enum est_redis_state state;
    struct est_redis_host host; /* of the present or last connection; name "" = none yet */
    struct est_redis_sentinel *sentinel;
    struct est_redis_conn *conn;
    est_us backoff, last_sent;
    est_err told;       /* why it is down, as last told; EST_OK = nothing was */
    unsigned greetings; /* answers of the greeting that are still to come */
    struct est_timer retry, check;

    struct est_node pending; /* sent, in order */
    struct est_node unsent;  /* to be called back with DOWN */
    struct est_node multis;  /* transactions under way */
    struct est_redis_ask *answering;
    size_t n_pending, n_bytes;
    struct est_buf out; /* the command that is being made */
    struct est_timer later;
    struct est_redis_script *scripts[EST_REDIS_SCRIPTS_MAX];
    size_t n_scripts;
};

/* redis_link.c */
void est_redis_link_start(struct est_redis *r);
void est_redis_link_stop(struct est_redis *r);
/* Ends whatever is under way and rests. Callers are told in the order that redis.h promises. */
void est_redis_link_fall(struct est_redis *r, est_err err, const char *what);
/* Something was sent: an answer is due. */
void est_redis_link_watch(struct est_redis *r, est_us at);
/* The answer to SCRIPT LOAD, of the greeting or later; arg is the est_redis. */
void est_redis_link_loaded(void *arg, est_err err, const struct est_redis_reply *reply);

/* redis_multi.c: the client ends, nobody is called back. */
void est_redis_multi_free(struct est_redis *r);

/* redis.c */
/* A command of our own; `script` NULL but for SCRIPT LOAD. fn gets the est_redis as its arg, and is
 * not called when the connection is lost. False: not sent. */
bool est_redis_send_ours(struct est_redis *r, est_redis_fn *fn, struct est_redis_script *script,
                         size_t n, const struct est_view *args);
bool est_redis_send_load(struct est_redis *r, struct est_redis_script *script);
void est_redis_lose_pending(struct est_redis *r);
void est_redis_answer(struct est_redis *r, const struct est_redis_reply *reply);
