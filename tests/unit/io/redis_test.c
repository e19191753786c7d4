/* The Redis client against real servers: answers and errors, and every way to lose a connection. */
#include "io/redis.h"

#include "base/mem.h"
#include "io/redis_tls.h"
#include "io/redis_url.h"
#include "redis_fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct est_loop *lp;
static struct redis_server server, other, sentinel;
static struct est_redis *redis;
static est_us patience; /* for an answer; long, because the machine may be busy */

/* --- what a client is told --- */

static struct {
    bool up;
    unsigned ups, downs;
    est_err err;
    char detail[256];
    unsigned lost_before; /* answers LOST when it was last told down */
} state;

static struct {
    bool done; /* `n` have come */
    unsigned n, want;
    est_err err; /* of the last */
    unsigned by_err[EST_ERR__COUNT];
    int64_t integer;
    char text[256];
    enum est_redis_kind kind;
    bool in_order;
    uintptr_t last;
} got;

/* Down may be told twice in a row, for another reason; up not. */
static void on_state(void *arg, bool up, est_err err, const char *detail)
{
    (void)arg;
    assert_false(up && state.up);
    state.up = up;
    state.err = err;
    if (up)
        state.ups++;
    else
        state.downs++;
    state.lost_before = got.by_err[EST_ERR_REDIS_LOST];
    (void)snprintf(state.detail, sizeof(state.detail), "%s", detail);
}

static void on_reply(void *arg, est_err err, const struct est_redis_reply *r)
{
    got.n++;
    got.err = err;
    got.by_err[err]++;
    got.kind = est_redis_kind(r);
    got.integer = est_redis_integer(r);
    (void)snprintf(got.text, sizeof(got.text), "%.*s", (int)est_redis_text(r).len,
                   est_redis_text(r).data != NULL ? est_redis_text(r).data : "");
    got.in_order = got.in_order && (uintptr_t)arg > got.last;
    got.last = (uintptr_t)arg;
    got.done = got.n >= got.want;
}

static void expect(unsigned n)
{
    memset(&got, 0, sizeof(got));
    got.want = n;
    got.in_order = true;
}

/* The words of a command; the callback's arg counts up from 1. */
static est_err send(const char *command)
{
    struct est_view args[16];
    size_t n = 0;
    static uintptr_t count;

    for (const char *s = command; *s != '\0'; s += strspn(s, " ")) {
        args[n++] = est_view(s, strcspn(s, " "));
        s += args[n - 1].len;
    }
    return est_redis_command(redis, n, args, on_reply, (void *)++count);
}

static void ask(const char *command)
{
    expect(1);
    assert_int_equal(send(command), EST_OK);
    assert_false(got.done); /* never from inside the call */
    redis_turn_until(lp, &got.done, 20);
}

static void open_with(const struct est_redis_options *opt)
{
    struct est_why why = {0};

    memset(&state, 0, sizeof(state));
    if (est_redis_new(lp, opt, &redis, &why) != EST_OK)
        fail_msg("%s", why.text);
}

static void open_url(const char *url)
{
    const struct est_redis_options opt = {.url = url, .timeout = patience, .state = on_state};

    open_with(&opt);
}

static void open_up(const char *url)
{
    open_url(url);
    redis_turn_until(lp, &state.up, 20);
    state.downs = 0;
}

static void await_down(void)
{
    est_us until = est_clock_mono() + 20 * EST_SECOND;

    while ((state.up || state.downs == 0) && est_clock_mono() < until)
        est_loop_turn(lp, 10 * EST_MS);
    assert_false(state.up);
}

static int set_up(void **s)
{
    (void)s;
    memset(&server, 0, sizeof(server));
    memset(&other, 0, sizeof(other));
    memset(&sentinel, 0, sizeof(sentinel));
    redis = NULL;
    patience = 5 * EST_SECOND;
    return est_loop_new(&lp, NULL) == EST_OK ? 0 : -1;
}

static int tear_down(void **s)
{
    (void)s;
    est_redis_free(redis);
    est_loop_free(lp);
    redis_server_stop(&sentinel);
    redis_server_stop(&other);
    redis_server_stop(&server);
    return 0;
}

/* --- URLs --- */

static void url_forms(void **unused)
{
    static const struct {
        const char *url;
        est_err err;
        const char *place, *user, *password, *master;
        unsigned n, db;
    } cases[] = {
        {"redis://h", EST_OK, "h:6379", "", "", "", 1, 0},
        {"redis://10.0.0.1:6380/3", EST_OK, "10.0.0.1:6380", "", "", "", 1, 3},
        {"redis://[::1]:6380/", EST_OK, "::1:6380", "", "", "", 1, 0},
        {"redis://[::1]", EST_OK, "::1:6379", "", "", "", 1, 0},
        {"redis://:pw@h", EST_OK, "h:6379", "", "pw", "", 1, 0},
        {"redis://u:p%40%2F%3a@h/1", EST_OK, "h:6379", "u", "p@/:", "", 1, 1},
        {"redis://u:a@b@h", EST_OK, "h:6379", "u", "a@b", "", 1, 0},
        {"unix:///run/redis.sock", EST_OK, "/run/redis.sock", "", "", "", 0, 0},
        {"unix:///s?db=2&user=u&password=p%26w", EST_OK, "/s", "u", "p&w", "", 0, 2},
        {"redis+sentinel://a/m", EST_OK, "a:26379", "", "", "m", 1, 0},
        {"redis+sentinel://u:p@a:1,b,[::1]:3/m/4?sentinel_password=x", EST_OK, "a:1", "u", "p", "m",
         3, 4},
        {"", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"localhost:6379", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"http://h", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"redis://", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"redis://:6379", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"redis://h:0", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"redis://h:65536", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"redis://h:6379x", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"redis://[::1", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"redis://h h", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"redis://h/x", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"redis://h/1/2", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"redis://h?db=1", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"redis://hush:@h", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"redis://u:hush%4@h", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"redis://u:hush%00@h", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"redis://u:hush%0a@h", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"unix://relative", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"unix:///", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"unix:///s?db=x", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"unix:///s?hush=1", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"redis+sentinel://a,b", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"redis+sentinel://a,,b/m", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"redis+sentinel://a,/m", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"redis+sentinel://a/m?db=1", EST_ERR_INVALID, 0, 0, 0, 0, 0, 0},
        {"redis://u:hush@a,b", EST_ERR_UNSUPPORTED, 0, 0, 0, 0, 0, 0},
        {"redis+cluster://u:hush@a", EST_ERR_UNSUPPORTED, 0, 0, 0, 0, 0, 0},
        {"redis-cluster://a,b", EST_ERR_UNSUPPORTED, 0, 0, 0, 0, 0, 0},
    };

    (void)unused;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_redis_url u;
        struct est_why why = {0};
        char place[512];
        est_err err = est_redis_url_parse(cases[i].url, &u, &why);
        if (err != cases[i].err)
            fail_msg("%s: %s %s", cases[i].url, est_err_code(err), why.text);
        assert_null(strstr(why.text, "hush"));
        if (err != EST_OK)
            continue;
        if (u.path[0] != '\0')
            (void)snprintf(place, sizeof(place), "%s", u.path);
        else
            (void)snprintf(place, sizeof(place), "%s:%u", u.hosts[0].name, u.hosts[0].port);
        assert_string_equal(place, cases[i].place);
        assert_string_equal(u.user, cases[i].user);
        assert_string_equal(u.password, cases[i].password);
        assert_string_equal(u.master, cases[i].master);
        assert_int_equal(u.n_hosts, cases[i].n);
        assert_int_equal(u.db, cases[i].db);
        assert_int_equal(u.sentinel, cases[i].master[0] != '\0');
        assert_string_equal(u.sentinel_password, cases[i].n == 3 ? "x" : "");
    }
}

static void cluster_is_named(void **unused)
{
    struct est_why why = {0};

    (void)unused;
    assert_int_equal(est_redis_url_check("redis://a:1,b:2", &why), EST_ERR_UNSUPPORTED);
    assert_non_null(strstr(why.text, "Redis Cluster is not supported; use replication with Sent"));
}

/* --- answers --- */

static void answers(void **unused)
{
    (void)unused;
    redis_server_start(&server, false, NULL);
    open_up(server.url);
    ask("SET k v");
    assert_string_equal(got.text, "OK");
    ask("GET k");
    assert_int_equal(got.kind, EST_REDIS_TEXT);
    assert_string_equal(got.text, "v");
    ask("GET none");
    assert_int_equal(got.err, EST_OK);
    assert_int_equal(got.kind, EST_REDIS_NIL);
    ask("INCR n");
    assert_int_equal(got.kind, EST_REDIS_INTEGER);
    assert_int_equal(got.integer, 1);
    ask("INCR k");
    assert_int_equal(got.err, EST_ERR_REDIS);
    assert_int_equal(got.kind, EST_REDIS_FAULT);
    ask("KEYS *");
    assert_int_equal(got.kind, EST_REDIS_ARRAY);
    ask("NOSUCH");
    assert_int_equal(got.err, EST_ERR_REDIS);
}

static void pipelined_in_order(void **unused)
{
    (void)unused;
    redis_server_start(&server, true, NULL);
    open_up(server.url);
    expect(1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(send("INCR n"), EST_OK);
    redis_turn_until(lp, &got.done, 20);
    assert_int_equal(got.by_err[EST_OK], 1000);
    assert_true(got.in_order);
    assert_int_equal(got.integer, 1000);
}

static void database_is_selected(void **unused)
{
    char url[160];

    (void)unused;
    redis_server_start(&server, false, NULL);
    (void)snprintf(url, sizeof(url), "%s?db=5", server.url);
    open_up(url);
    ask("SET k v");
    assert_string_equal(redis_server_do(&server, "INFO keyspace"),
                        "# Keyspace\r\ndb5:keys=1,expires=0,avg_ttl=0\r\n");
}

static void fall_open(const char *suffix, est_err want)
{
    char url[160];

    (void)snprintf(url, sizeof(url), "%s%s", server.url, suffix);
    open_url(url);
    await_down();
    assert_int_equal(state.err, want);
    assert_null(strstr(state.detail, "hush"));
    est_redis_free(redis);
    redis = NULL;
}

static void database_that_is_not_there(void **unused)
{
    (void)unused;
    redis_server_start(&server, false, NULL);
    fall_open("?db=99", EST_ERR_REDIS);
}

/* --- passwords --- */

static void password(void **unused)
{
    static const char *const args[] = {"--requirepass", "hush", NULL};
    char url[160];

    (void)unused;
    redis_server_start(&server, false, args);
    fall_open("", EST_ERR_REDIS_DENIED);
    fall_open("?password=hush-hush", EST_ERR_REDIS_DENIED);
    (void)snprintf(url, sizeof(url), "%s?password=hush", server.url);
    open_up(url);
    ask("SET k v");
    assert_int_equal(got.err, EST_OK);
}

static void password_where_none_is_asked(void **unused)
{
    (void)unused;
    redis_server_start(&server, false, NULL);
    fall_open("?password=hush", EST_ERR_REDIS_DENIED);
}

static void user_without_permission(void **unused)
{
    char url[160];

    (void)unused;
    redis_server_start(&server, false, NULL);
    assert_string_equal(redis_server_do(&server, "ACL SETUSER bot on >hush ~esteira:* +@read +set "
                                                 "+role +ping +auth"),
                        "OK");
    (void)snprintf(url, sizeof(url), "%s?user=bot&password=hush", server.url);
    open_up(url);
    ask("SET esteira:k v");
    assert_int_equal(got.err, EST_OK);
    ask("SET elsewhere v");
    assert_int_equal(got.err, EST_ERR_REDIS_DENIED);
    ask("DEL esteira:k");
    assert_int_equal(got.err, EST_ERR_REDIS_DENIED);
    assert_true(est_redis_is_up(redis));
}

/* Written anew, it is taken at the next connect: no restart. */
static void password_file(void **unused)
{
    static const char *const args[] = {"--requirepass", "new", NULL};
    struct est_redis_options opt = {.timeout = EST_SECOND, .state = on_state};
    char path[96];
    FILE *f;

    (void)unused;
    redis_server_start(&server, false, args);
    (void)snprintf(path, sizeof(path), "%s/password", server.dir);
    f = fopen(path, "w");
    (void)fputs("hush\n", f);
    (void)fclose(f);
    opt.url = server.url;
    opt.password_file = path;
    open_with(&opt);
    await_down();
    assert_int_equal(state.err, EST_ERR_REDIS_DENIED);
    f = fopen(path, "w");
    (void)fputs("new\n", f);
    (void)fclose(f);
    redis_turn_until(lp, &state.up, 20);
}

/* --- what Redis cannot do now --- */

static const char *const debug[] = {"--enable-debug-command", "yes", NULL};

static void loading(void **unused)
{
    static const char *const slow[] = {"--key-load-delay", "4000",
                                       "--loading-process-events-interval-bytes", "1024", NULL};

    (void)unused;
    redis_server_start(&server, false, debug);
    assert_string_equal(redis_server_do(&server, "DEBUG POPULATE 500"), "OK");
    assert_string_equal(redis_server_do(&server, "SAVE"), "OK");
    redis_server_kill(&server);
    redis_server_again(&server, slow, true);
    open_url(server.url);
    await_down();
    assert_int_equal(state.err, EST_ERR_REDIS_LOADING);
    redis_turn_until(lp, &state.up, 20);
    ask("DBSIZE");
    assert_int_equal(got.integer, 500);
}

static void full(void **unused)
{
    static const char *const args[] = {"--maxmemory", "100kb", "--maxmemory-policy", "noeviction",
                                       NULL};

    (void)unused;
    redis_server_start(&server, false, args);
    open_up(server.url);
    ask("SET k v");
    assert_int_equal(got.err, EST_ERR_REDIS_FULL);
    assert_true(est_redis_is_up(redis));
}

static void replica(void **unused)
{
    char port[16];
    const char *args[] = {"--replicaof", "127.0.0.1", port, NULL};

    (void)unused;
    redis_server_start(&other, true, NULL);
    (void)snprintf(port, sizeof(port), "%d", other.port);
    redis_server_start(&server, true, args);
    fall_open("", EST_ERR_REDIS_READONLY);
}

static void master_becomes_replica(void **unused)
{
    char command[64];

    (void)unused;
    redis_server_start(&other, true, NULL);
    redis_server_start(&server, true, NULL);
    open_up(server.url);
    (void)snprintf(command, sizeof(command), "REPLICAOF 127.0.0.1 %d", other.port);
    assert_string_equal(redis_server_do(&server, command), "OK");
    ask("SET k v");
    assert_int_equal(got.err, EST_ERR_REDIS_READONLY);
    await_down();
    assert_int_equal(state.err, EST_ERR_REDIS_READONLY);
    assert_string_equal(redis_server_do(&server, "REPLICAOF NO ONE"), "OK");
    redis_turn_until(lp, &state.up, 20);
}

static void min_replicas(void **unused)
{
    static const char *const args[] = {"--min-replicas-to-write", "1", NULL};

    (void)unused;
    redis_server_start(&server, true, args);
    open_up(server.url);
    ask("SET k v");
    assert_int_equal(got.err, EST_ERR_REDIS_REPLICAS);
}

/* --- losses --- */

static void never_sent(void **unused)
{
    (void)unused;
    open_url("unix:///nowhere/at/all.sock");
    ask("SET k v");
    assert_int_equal(got.err, EST_ERR_REDIS_DOWN);
    await_down();
    assert_int_equal(state.err, EST_ERR_REDIS_DOWN);
    assert_int_equal(state.downs, 1);
    redis_turn_for(lp, 500 * EST_MS); /* the same reason again is not told again */
    assert_int_equal(state.downs, 1);
}

/* Each command in flight is LOST exactly once, in order, before the state is told; a command from
 * inside is not sent. Then it comes back by itself. */
static void killed_in_flight(void **unused)
{
    (void)unused;
    redis_server_start(&server, true, NULL);
    open_up(server.url);
    redis_server_signal(&server, SIGSTOP);
    expect(500);
    for (int i = 0; i < 500; i++)
        assert_int_equal(send("INCR n"), EST_OK);
    est_loop_turn(lp, 0);
    assert_int_equal(got.n, 0);
    redis_server_kill(&server);
    redis_turn_until(lp, &got.done, 20);
    await_down();
    assert_int_equal(got.by_err[EST_ERR_REDIS_LOST], 500);
    assert_true(got.in_order);
    assert_int_equal(state.lost_before, 500);
    redis_turn_for(lp, 300 * EST_MS);
    assert_int_equal(got.n, 500);
    redis_server_again(&server, NULL, true);
    redis_turn_until(lp, &state.up, 20);
    ask("INCR n");
    assert_int_equal(got.integer, 1);
}

static void frozen(void **unused)
{
    est_us start;

    (void)unused;
    patience = EST_SECOND;
    redis_server_start(&server, false, NULL);
    open_up(server.url);
    redis_server_signal(&server, SIGSTOP);
    start = est_clock_mono();
    ask("INCR n");
    assert_int_equal(got.err, EST_ERR_REDIS_LOST);
    assert_in_range(est_clock_mono() - start, 900 * EST_MS, 10 * EST_SECOND);
    await_down();
    redis_server_signal(&server, SIGCONT);
    redis_turn_until(lp, &state.up, 20);
    ask("GET n");
    assert_int_equal(got.err, EST_OK);
}

/* The second command waits longer than the timeout, but the first one's answer says meanwhile that
 * the server lives. */
static void slow_but_alive(void **unused)
{
    (void)unused;
    patience = EST_SECOND;
    redis_server_start(&server, false, debug);
    open_up(server.url);
    expect(2);
    assert_int_equal(send("DEBUG SLEEP 0.7"), EST_OK);
    redis_turn_for(lp, 100 * EST_MS);
    assert_int_equal(send("DEBUG SLEEP 0.7"), EST_OK);
    redis_turn_until(lp, &got.done, 20);
    assert_int_equal(got.by_err[EST_OK], 2);
}

static void bounded(void **unused)
{
    est_err err = EST_OK;

    (void)unused;
    redis_server_start(&server, false, NULL);
    open_up(server.url);
    redis_server_signal(&server, SIGSTOP);
    expect(EST_REDIS_PENDING_MAX);
    for (int i = 0; i < EST_REDIS_PENDING_MAX; i++)
        assert_int_equal(send("PING"), EST_OK);
    err = send("PING");
    assert_int_equal(err, EST_ERR_FULL);
    redis_server_signal(&server, SIGCONT);
    redis_turn_until(lp, &got.done, 20);
    assert_int_equal(got.by_err[EST_OK], EST_REDIS_PENDING_MAX);
}

static void answer_too_long(void **unused)
{
    (void)unused;
    redis_server_start(&server, false, NULL);
    open_up(server.url);
    ask("SETRANGE k 104857600 x");
    assert_int_equal(got.err, EST_OK);
    ask("GET k");
    assert_int_equal(got.err, EST_ERR_REDIS_LOST);
    await_down();
    assert_non_null(strstr(state.detail, "more than 96 MiB"));
    redis_turn_until(lp, &state.up, 20);
}

/* Dead peers are found, and for at most one command a second. */
static void idle_ping(void **unused)
{
    (void)unused;
    redis_server_start(&server, false, NULL);
    open_up(server.url);
    assert_string_equal(redis_server_do(&server, "CONFIG RESETSTAT"), "OK");
    redis_turn_for(lp, 5500 * EST_MS);
    assert_non_null(strstr(redis_server_do(&server, "INFO commandstats"), "cmdstat_ping:calls=1,"));
    redis_server_signal(&server, SIGSTOP);
    await_down();
    assert_int_equal(state.err, EST_ERR_REDIS_DOWN);
}

/* --- scripts --- */

static void run(struct est_redis_script *s, const char *value)
{
    const struct est_view args[] = {EST_VIEW_LIT("k"), est_view_str(value)};

    expect(1);
    assert_int_equal(est_redis_script(redis, s, 1, 2, args, on_reply, NULL), EST_OK);
    assert_false(got.done);
    redis_turn_until(lp, &got.done, 20);
}

static void scripts(void **unused)
{
    static struct est_redis_script s = {
        .text = "if ARGV[1] == 'no' then return redis.error_reply('FENCED other') end "
                "redis.call('APPEND', KEYS[1], ARGV[1]) return redis.call('GET', KEYS[1])"};

    (void)unused;
    redis_server_start(&server, false, NULL);
    open_up(server.url);
    run(&s, "a");
    assert_string_equal(got.text, "a");
    run(&s, "b");
    assert_string_equal(got.text, "ab");
    assert_int_equal(strlen(s.sha), 40);
    run(&s, "no");
    assert_int_equal(got.err, EST_ERR_FENCED);
    assert_string_equal(got.text, "FENCED other");
    assert_string_equal(redis_server_do(&server, "SCRIPT FLUSH"), "OK");
    run(&s, "c"); /* once, though it was sent twice */
    assert_string_equal(got.text, "abc");
    assert_string_equal(redis_server_do(&server, "SCRIPT FLUSH"), "OK");
    redis_server_kill(&server);
    redis_server_again(&server, NULL, true);
    await_down();
    redis_turn_until(lp, &state.up, 20);
    assert_string_equal(redis_server_do(&server, "CONFIG RESETSTAT"), "OK");
    run(&s, "d"); /* loaded at the connect */
    assert_string_equal(got.text, "d");
    assert_null(strstr(redis_server_do(&server, "INFO commandstats"), "cmdstat_eval:"));
}

/* --- Sentinel --- */

static void sentinel_failover(void **unused)
{
    char port[16], url[128];
    const char *args[] = {"--replicaof", "127.0.0.1", port, NULL};

    (void)unused;
    redis_server_start(&server, true, NULL);
    (void)snprintf(port, sizeof(port), "%d", server.port);
    redis_server_start(&other, true, args);
    assert_true(redis_server_wait(&other, "INFO replication", "master_link_status:up"));
    redis_server_start_sentinel(&sentinel, server.port);
    assert_true(
        redis_server_wait(&sentinel, "SENTINEL replicas m", port)); /* it knows the replica */
    (void)snprintf(url, sizeof(url), "redis+sentinel://127.0.0.1:%d,127.0.0.1:%d/m",
                   redis_free_port(), sentinel.port);
    open_up(url); /* the first of the two is not there */
    ask("SET k before");
    assert_int_equal(got.err, EST_OK);
    ask("WAIT 1 5000");
    redis_server_kill(&server);
    await_down();
    redis_turn_until(lp, &state.up, 60);
    ask("GET k");
    assert_string_equal(got.text, "before");
    ask("SET k after");
    assert_int_equal(got.err, EST_OK);
    assert_string_equal(redis_server_do(&other, "GET k"), "after");
}

static void sentinel_of_another_name(void **unused)
{
    char url[128];

    (void)unused;
    redis_server_start(&server, true, NULL);
    redis_server_start_sentinel(&sentinel, server.port);
    (void)snprintf(url, sizeof(url), "redis+sentinel://127.0.0.1:%d/nobody", sentinel.port);
    open_url(url);
    await_down();
    assert_int_equal(state.err, EST_ERR_REDIS_DOWN);
    assert_non_null(strstr(state.detail, "knows no master of that name"));
}

/* --- TLS --- */

static void run_openssl(const char *dir, const char *alt_name)
{
    char key[96], crt[96], san[96];
    char *argv[] = {"openssl", "req", "-x509",   "-newkey", "rsa:2048", "-nodes",
                    "-days",   "2",   "-subj",   "/CN=t",   "-keyout",  key,
                    "-out",    crt,   "-addext", san,       NULL};
    posix_spawn_file_actions_t fa;
    int status = -1;
    pid_t pid;

    (void)snprintf(key, sizeof(key), "%s/key", dir);
    (void)snprintf(crt, sizeof(crt), "%s/crt", dir);
    (void)snprintf(san, sizeof(san), "subjectAltName=%s", alt_name);
    (void)posix_spawn_file_actions_init(&fa);
    (void)posix_spawn_file_actions_addopen(&fa, 2, "/dev/null", O_WRONLY, 0);
    assert_int_equal(posix_spawnp(&pid, argv[0], &fa, NULL, argv, environ), 0);
    (void)posix_spawn_file_actions_destroy(&fa);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

/* A server whose certificate is for `alt_name`; the client asks for 127.0.0.1. */
static void tls_server(const char *alt_name, char *dir, char *ca, char *url)
{
    char port[16], crt[96], key[96];
    const char *args[] = {"--tls-port",
                          port,
                          "--tls-cert-file",
                          crt,
                          "--tls-key-file",
                          key,
                          "--tls-ca-cert-file",
                          crt,
                          "--tls-auth-clients",
                          "no",
                          NULL};
    int tls_port = redis_free_port();

    assert_non_null(mkdtemp(dir));
    run_openssl(dir, alt_name);
    (void)snprintf(crt, sizeof(crt), "%s/crt", dir);
    (void)snprintf(key, sizeof(key), "%s/key", dir);
    (void)snprintf(ca, 96, "%s", crt);
    (void)snprintf(port, sizeof(port), "%d", tls_port);
    (void)snprintf(url, 64, "rediss://127.0.0.1:%d", tls_port);
    redis_server_start(&server, false, args);
}

static void remove_certificate(const char *dir, const char *ca)
{
    char key[96];

    (void)snprintf(key, sizeof(key), "%s/key", dir);
    (void)unlink(key);
    (void)unlink(ca);
    (void)rmdir(dir);
}

static void skip_tls(void)
{
    print_message("skipped: %s\n", "this hiredis has no TLS (1.0 and newer have)");
    skip();
}

static void tls(void **unused)
{
    char dir[] = "/tmp/esteira-tls-XXXXXX", ca[96], url[64];
    struct est_redis_options opt = {.timeout = EST_SECOND, .state = on_state, .url = url};
    struct est_why why = {0};

    (void)unused;
    if (!est_redis_tls_is_built()) {
        assert_int_equal(est_redis_url_check("rediss://h", &why), EST_ERR_UNSUPPORTED);
        assert_non_null(strstr(why.text, est_redis_tls_library()));
        skip_tls();
    }
    tls_server("IP:127.0.0.1", dir, ca, url);
    opt.ca_file = ca;
    open_with(&opt);
    redis_turn_until(lp, &state.up, 20);
    expect(200);
    for (int i = 0; i < 200; i++)
        assert_int_equal(send("INCR n"), EST_OK);
    redis_turn_until(lp, &got.done, 20);
    assert_int_equal(got.integer, 200);
    est_redis_free(redis);
    opt.ca_file = NULL; /* the system knows nothing of this certificate */
    open_with(&opt);
    await_down();
    assert_int_equal(state.err, EST_ERR_REDIS_DOWN);
    remove_certificate(dir, ca);
}

static void tls_of_another_host(void **unused)
{
    char dir[] = "/tmp/esteira-tls-XXXXXX", ca[96], url[64];
    struct est_redis_options opt = {.timeout = EST_SECOND, .state = on_state, .url = url};

    (void)unused;
    if (!est_redis_tls_is_built())
        skip_tls();
    tls_server("DNS:elsewhere.test", dir, ca, url);
    opt.ca_file = ca;
    open_with(&opt);
    await_down();
    assert_int_equal(state.err, EST_ERR_REDIS_DOWN);
    assert_int_equal(state.ups, 0);
    remove_certificate(dir, ca);
}

/* Freed in every state, with commands under way. */
static void freed_any_time(void **unused)
{
    (void)unused;
    redis_server_start(&server, true, NULL);
    for (int turns = 0; turns < 12; turns++) {
        open_url(server.url);
        for (int i = 0; i < turns; i++)
            est_loop_turn(lp, i % 2 ? EST_MS : 0);
        expect(2);
        (void)send("PING");
        (void)send("PING");
        est_redis_free(redis);
        redis = NULL;
        est_loop_turn(lp, EST_MS);
        assert_int_equal(got.n, 0);
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(url_forms),
        TEST(cluster_is_named),
        TEST(answers),
        TEST(pipelined_in_order),
        TEST(database_is_selected),
        TEST(database_that_is_not_there),
        TEST(password),
        TEST(password_where_none_is_asked),
        TEST(user_without_permission),
        TEST(password_file),
        TEST(loading),
        TEST(full),
        TEST(replica),
        TEST(master_becomes_replica),
        TEST(min_replicas),
        TEST(never_sent),
        TEST(killed_in_flight),
        TEST(frozen),
        TEST(slow_but_alive),
        TEST(bounded),
        TEST(answer_too_long),
        TEST(idle_ping),
        TEST(scripts),
        TEST(sentinel_failover),
        TEST(sentinel_of_another_name),
        TEST(tls),
        TEST(tls_of_another_host),
        TEST(freed_any_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
