/* Redis on the loop: one pipelined connection that keeps itself up. It connects in the background,
 * authenticates, selects the database, takes only a master, asks the Sentinels where that is when
 * the URL names some, and comes back by itself after every loss.
 *
 * Forms of the URL (user and password percent-decoded; the password belongs into the environment):
 *   redis://[[user]:password@]host[:port][/db]          rediss://…  the same over TLS
 *   unix:///path/to.sock[?db=N&user=…&password=…]
 *   redis+sentinel://[[user]:password@]host[:26379][,host…]/master[/db][?sentinel_password=…]
 * Redis Cluster is not supported.
 *
 * hiredis looks names up with getaddrinfo, on the loop: give addresses, or names that a local
 * resolver answers at once. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/view.h"
#include "io/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct est_redis;

enum {
    EST_REDIS_PENDING_MAX = 8192,           /* commands without an answer */
    EST_REDIS_SEND_MAX = 256 * 1024 * 1024, /* bytes of them */
    EST_REDIS_REPLY_MAX = 96 * 1024 * 1024  /* bytes of one answer; more drops the connection */
};

struct est_redis_options {
    const char *url;
    const char *ca_file;           /* NULL or "" = the system's store */
    const char *password_file;     /* NULL or "" = none; read at every connect; beats the URL's */
    const char *sentinel_password; /* NULL or "" = the URL's */
    est_us timeout; /* a command, or a connect, unanswered for so long drops the connection */
    /* Told at each change, and while down also whenever the reason changes. up: err is EST_OK.
     * `detail` is for people and holds no secret. May be NULL. */
    void (*state)(void *arg, bool up, est_err err, const char *detail);
    void *arg;
};

/* Starts to connect; never blocks but for the look-up of names. EST_ERR_INVALID,
 * EST_ERR_UNSUPPORTED (a Cluster, TLS in a build without it): the URL; EST_ERR_IO, EST_ERR_TLS: a
 * file. EST_ERR_NOMEM. */
est_err est_redis_new(struct est_loop *lp, const struct est_redis_options *opt,
                      struct est_redis **ret, struct est_why *reterr);
/* Callbacks that are due are not called. Not from inside a callback. NULL is a no-op. */
void est_redis_free(struct est_redis *r);
bool est_redis_is_up(const struct est_redis *r);
/* What is wrong with a URL, without connecting: EST_OK, EST_ERR_INVALID, EST_ERR_UNSUPPORTED. */
est_err est_redis_url_check(const char *url, struct est_why *reterr);

/* --- answers --- */

enum est_redis_kind {
    EST_REDIS_NIL,
    EST_REDIS_INTEGER,
    EST_REDIS_TEXT, /* a status or a string */
    EST_REDIS_ARRAY,
    EST_REDIS_FAULT /* an error; its text */
};

/* Valid during the callback. Of another kind than asked for: 0, an absent view, NULL. */
struct est_redis_reply;
enum est_redis_kind est_redis_kind(const struct est_redis_reply *r);
int64_t est_redis_integer(const struct est_redis_reply *r);
struct est_view est_redis_text(const struct est_redis_reply *r); /* of a text or a fault */
size_t est_redis_n(const struct est_redis_reply *r);             /* items of an array */
const struct est_redis_reply *est_redis_item(const struct est_redis_reply *r, size_t i);

/* err EST_OK: r is the answer. Else r is the error that Redis answered, or NULL when none came:
 *   EST_ERR_REDIS_DOWN      never sent
 *   EST_ERR_REDIS_LOST      sent, outcome unknown
 *   EST_ERR_REDIS_FULL      OOM, MISCONF: not done
 *   EST_ERR_REDIS_READONLY  a replica: not done; the connection is given up behind this answer
 *   EST_ERR_REDIS_DENIED    NOAUTH, WRONGPASS, NOPERM: not done
 *   EST_ERR_REDIS_LOADING   LOADING, MASTERDOWN, BUSY, TRYAGAIN, UNKILLABLE: not done
 *   EST_ERR_REDIS_REPLICAS  NOREPLICAS: not done
 *   EST_ERR_FENCED          the script said FENCED: not done
 *   EST_ERR_REDIS           any other */
typedef void est_redis_fn(void *arg, est_err err, const struct est_redis_reply *r);

/* EST_OK: fn is called exactly once, later, never from inside this call. On a loss the callbacks
 * come in order, each with LOST, before state(up = false); the connection counts as down for them.
 * Otherwise fn is never called: EST_ERR_FULL (see the maxima above), EST_ERR_NOMEM. args are
 * copied; fn may be NULL. */
est_err est_redis_command(struct est_redis *r, size_t n, const struct est_view *args,
                          est_redis_fn *fn, void *arg);

/* MULTI, these commands, EXEC: they run in one step, and nothing of ours between them. r is EXEC's
 * answer: an array, one answer for each command (which may be a fault). err: the first error that
 * one of them, or EXEC, met; then r is NULL. n_commands: 1 to EST_REDIS_MULTI_MAX. */
struct est_redis_words {
    size_t n;
    const struct est_view *args;
};
enum { EST_REDIS_MULTI_MAX = 8 };
est_err est_redis_multi(struct est_redis *r, size_t n_commands,
                        const struct est_redis_words *commands, est_redis_fn *fn, void *arg);

/* A Lua script, one static object each; the sha is the server's and is filled in by est_redis. */
struct est_redis_script {
    const char *text;
    char sha[41];
};
enum { EST_REDIS_SCRIPTS_MAX = 32 };

/* EVALSHA; where the server has lost the script, EVAL, once. Then (after SCRIPT FLUSH only, for
 * scripts are loaded right after connecting) it runs behind commands that were sent after it. The
 * first n_keys of args are keys. Errors and callback as of est_redis_command. */
est_err est_redis_script(struct est_redis *r, struct est_redis_script *s, size_t n_keys, size_t n,
                         const struct est_view *args, est_redis_fn *fn, void *arg);
