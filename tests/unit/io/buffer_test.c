/* The buffer's operations against a real Redis: what is kept, in which order, and who may touch
 * it. */
#include "io/buffer.h"

#include "base/mem.h"
#include "redis_fixture.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#define OWN "0123456789abcdef0123456789abcdef"
#define ELSE "ffffffffffffffffffffffffffffffff"
#define KEY(boot, what) "{esteira:buf:" boot "}:" what

static struct est_loop *lp;
static struct redis_server server, other;
static struct est_redis *redis;
static struct est_buffer *buf;
static bool up;

static const struct est_buffer_stream own = {.boot = OWN, .type = "order"};
static const struct est_buffer_stream foreign = {.boot = ELSE, .type = "order"};

/* --- what came back --- */

enum { KEPT_MAX = EST_BUFFER_ENTRIES_MAX };

static struct {
    bool done;
    unsigned calls;
    est_err err;
    enum est_buffer_fence fence;
    size_t n;
    bool end, flag; /* flag: got, gone, found */
    char holder[EST_BOOT_LEN + 1];
    char stream_ids[KEPT_MAX][EST_BUFFER_ID_MAX + 1];
    char ids[KEPT_MAX][16];
    size_t record_len[KEPT_MAX];
    uint64_t bytes;
} got;

static void note(est_err err)
{
    got.calls++;
    got.done = true;
    got.err = err;
    got.fence = est_buffer_fence(buf);
}

static void on_n(void *arg, est_err err, size_t n)
{
    (void)arg;
    note(err);
    got.n = n;
}

static void on_done(void *arg, est_err err)
{
    (void)arg;
    note(err);
}

static void on_claim(void *arg, est_err err, bool have, const char *holder)
{
    (void)arg;
    note(err);
    got.flag = have;
    (void)snprintf(got.holder, sizeof(got.holder), "%s", holder);
}

static void on_flag(void *arg, est_err err, bool flag)
{
    (void)arg;
    note(err);
    got.flag = flag;
}

static void on_read(void *arg, est_err err, const struct est_buffer_entry *e, size_t n, bool end)
{
    (void)arg;
    note(err);
    got.n = n;
    got.end = end;
    got.bytes = 0;
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(got.stream_ids[i], sizeof(got.stream_ids[i]), "%s", e[i].stream_id);
        (void)snprintf(got.ids[i], sizeof(got.ids[i]), "%.*s",
                       e[i].id.data != NULL ? (int)e[i].id.len : 6,
                       e[i].id.data != NULL ? e[i].id.data : "(none)");
        got.record_len[i] = e[i].record.len;
        got.bytes += e[i].bytes;
    }
}

/* The outcome of a call that has been made. */
static est_err await(est_err err)
{
    if (err != EST_OK)
        return err;
    assert_false(got.done);
    redis_turn_until(lp, &got.done, 20);
    assert_int_equal(got.calls, 1);
    return got.err;
}

static void clear(void)
{
    memset(&got, 0, sizeof(got));
}

/* --- the calls, waited for --- */

static est_err append_sized(const struct est_buffer_stream *s, unsigned from, size_t n, size_t size)
{
    static struct est_buffer_entry entries[EST_BUFFER_ENTRIES_MAX];
    static char ids[EST_BUFFER_ENTRIES_MAX][16];
    static char record[2 * 1024 * 1024];

    memset(record, 'r', sizeof(record));
    for (size_t i = 0; i < n; i++) {
        int len = snprintf(ids[i], sizeof(ids[i]), "%u", from + (unsigned)i);
        entries[i] = (struct est_buffer_entry){.id = est_view(ids[i], (size_t)len),
                                               .chain = EST_VIEW_LIT("b/0/order/1/2"),
                                               .record = est_view(record, size)};
    }
    clear();
    return await(est_buffer_append(buf, s, entries, n, on_n, NULL));
}

static est_err append(const struct est_buffer_stream *s, unsigned from, size_t n)
{
    return append_sized(s, from, n, 5);
}

static est_err read_after(const struct est_buffer_stream *s, const char *after, size_t count)
{
    char copy[EST_BUFFER_ID_MAX + 1];

    (void)snprintf(copy, sizeof(copy), "%s", after != NULL ? after : "");
    clear();
    return await(est_buffer_read(buf, s, after != NULL ? copy : NULL, count, on_read, NULL));
}

static est_err claim(const char *boot)
{
    clear();
    return await(est_buffer_claim(buf, boot, on_claim, NULL));
}

static est_err release(const char *boot)
{
    clear();
    return await(est_buffer_release(buf, boot, on_flag, NULL));
}

/* The entries of the last read, the first `n` of them. */
static est_err remove_read(const struct est_buffer_stream *s, size_t n, uint64_t bytes)
{
    static char copies[KEPT_MAX][EST_BUFFER_ID_MAX + 1];
    const char *ids[KEPT_MAX];

    memcpy(copies, got.stream_ids, sizeof(copies));
    for (size_t i = 0; i < n; i++)
        ids[i] = copies[i];
    clear();
    return await(est_buffer_remove(buf, s, ids, n, bytes, on_done, NULL));
}

static est_err refuse(const struct est_buffer_stream *s, const char *stream_id, uint64_t bytes)
{
    struct est_buffer_entry e = {.bytes = bytes};

    (void)snprintf(e.stream_id, sizeof(e.stream_id), "%s", stream_id);
    clear();
    return await(est_buffer_refuse(buf, s, &e, "E-TOO-LARGE", on_done, NULL));
}

/* --- set up --- */

static void on_state(void *arg, bool is_up, est_err err, const char *detail)
{
    (void)arg;
    (void)err;
    (void)detail;
    up = is_up;
}

static void open_buffer(unsigned replicas)
{
    const struct est_redis_options ropt = {
        .url = server.url, .timeout = 10 * EST_SECOND, .state = on_state};
    struct est_buffer_options opt = {.prefix = "esteira:",
                                     .token = OWN,
                                     .instance = "shop",
                                     .lease = 10 * EST_SECOND,
                                     .replicas = replicas,
                                     .wait_timeout = 2 * EST_SECOND};

    up = false;
    assert_int_equal(est_redis_new(lp, &ropt, &redis, NULL), EST_OK);
    redis_turn_until(lp, &up, 20);
    opt.redis = redis;
    assert_int_equal(est_buffer_new(&opt, &buf, NULL), EST_OK);
}

static int set_up(void **s)
{
    (void)s;
    memset(&other, 0, sizeof(other));
    assert_int_equal(est_loop_new(&lp, NULL), EST_OK);
    redis_server_start(&server, false, NULL);
    open_buffer(0);
    assert_int_equal(claim(OWN), EST_OK);
    return 0;
}

static int tear_down(void **s)
{
    (void)s;
    est_redis_free(redis);
    est_buffer_free(buf);
    est_loop_free(lp);
    redis_server_stop(&other);
    redis_server_stop(&server);
    return 0;
}

/* --- keeping and reading --- */

static void kept_in_order(void **unused)
{
    (void)unused;
    assert_int_equal(append(&own, 1, 3), EST_OK);
    assert_int_equal(got.n, 3);
    assert_int_equal(append(&own, 4, 2), EST_OK);
    assert_int_equal(read_after(&own, NULL, 4), EST_OK);
    assert_int_equal(got.n, 4);
    assert_false(got.end);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(got.ids[i][0], '1' + (int)i);
    assert_int_equal(got.record_len[0], 5);
    assert_int_equal(got.bytes, 4 * (1 + 13 + 5));
    assert_int_equal(read_after(&own, got.stream_ids[3], 4), EST_OK);
    assert_int_equal(got.n, 1);
    assert_true(got.end);
    assert_string_equal(got.ids[0], "5");
    assert_int_equal(read_after(&own, got.stream_ids[0], 4), EST_OK);
    assert_int_equal(got.n, 0);
    assert_true(got.end);
    assert_string_equal(redis_server_do(&server, "SMEMBERS " KEY(OWN, "types")), "order");
    assert_string_equal(redis_server_do(&server, "HGET " KEY(OWN, "bytes") " order"), "95");
}

static void nothing_there(void **unused)
{
    (void)unused;
    assert_int_equal(read_after(&own, NULL, 512), EST_OK);
    assert_int_equal(got.n, 0);
    assert_true(got.end);
}

static void many_at_once(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(append_sized(&own, i * 512, 512, 500), EST_OK);
    assert_int_equal(redis_server_number(&server, "XLEN " KEY(OWN, "order")), 20 * 512);
    assert_int_equal(read_after(&own, NULL, 512), EST_OK);
    for (unsigned i = 0; i < 20; i++) {
        char last[EST_BUFFER_ID_MAX + 1];
        assert_int_equal(got.n, 512);
        memcpy(last, got.stream_ids[511], sizeof(last));
        assert_int_equal(remove_read(&own, 512, got.bytes), EST_OK);
        assert_int_equal(read_after(&own, last, 512), EST_OK);
    }
    assert_true(got.end);
    assert_int_equal(redis_server_number(&server, "XLEN " KEY(OWN, "order")), 0);
    assert_int_equal(redis_server_number(&server, "EXISTS " KEY(OWN, "bytes")), 0);
}

/* 40 of 1 MiB: a read ends behind the entry that passes EST_BUFFER_READ_BYTES, and says that there
 * is more. */
static void large_entries(void **unused)
{
    (void)unused;
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(append_sized(&own, 10 + 4 * i, 4, 1024 * 1024), EST_OK);
    assert_int_equal(read_after(&own, NULL, 512), EST_OK);
    assert_int_equal(got.n, 8);
    assert_false(got.end);
    assert_int_equal(read_after(&own, got.stream_ids[7], 512), EST_OK);
    assert_string_equal(got.ids[0], "18");
}

static void foreign_entries(void **unused)
{
    (void)unused;
    assert_int_equal(append(&own, 1, 1), EST_OK);
    (void)redis_server_do(&server, "XADD " KEY(OWN, "order") " * a b");
    assert_int_equal(append(&own, 2, 1), EST_OK);
    assert_int_equal(read_after(&own, NULL, 10), EST_OK);
    assert_int_equal(got.n, 3);
    assert_string_equal(got.ids[1], "(none)");
    assert_string_equal(got.ids[2], "2");
}

static bool read_plainly(void)
{
    bool yes = strstr(redis_server_do(&server, "INFO commandstats"), "cmdstat_multi") != NULL;

    (void)redis_server_do(&server, "CONFIG RESETSTAT");
    return yes;
}

/* Once Redis has told how large entries are, no script reads them; unless they could be too many
 * bytes. */
static void plain_once_sizes_are_known(void **unused)
{
    (void)unused;
    assert_int_equal(append(&own, 1, 1), EST_OK);
    assert_int_equal(read_after(&own, NULL, 10), EST_OK);
    assert_false(read_plainly());
    (void)redis_server_do(&server, "XADD " KEY(OWN, "order") " * a b");
    assert_int_equal(append(&own, 2, 2), EST_OK);
    assert_int_equal(read_after(&own, NULL, 3), EST_OK);
    assert_true(read_plainly());
    assert_int_equal(got.n, 3);
    assert_false(got.end);
    assert_string_equal(got.ids[0], "1");
    assert_string_equal(got.ids[1], "(none)");
    assert_string_equal(got.ids[2], "2");
    assert_int_equal(got.bytes, 2 * (1 + 13 + 5));
    assert_int_equal(read_after(&own, got.stream_ids[2], 3), EST_OK);
    assert_true(read_plainly());
    assert_int_equal(got.n, 1);
    assert_true(got.end);
    assert_int_equal(append_sized(&own, 4, 1, EST_BUFFER_READ_BYTES / 8), EST_OK);
    assert_int_equal(read_after(&own, NULL, 8), EST_OK);
    assert_false(read_plainly());
    assert_int_equal(read_after(&own, NULL, 7), EST_OK);
    assert_true(read_plainly());
    assert_int_equal(got.n, 5);
}

/* What another boot has appended is known when Redis has told, and a stream of before this field
 * stays with the script. */
static void sizes_of_other_boots(void **unused)
{
    const struct est_buffer_stream s = {.boot = ELSE, .type = "order"};

    (void)unused;
    (void)redis_server_do(&server, "XADD " KEY(ELSE, "order") " * id 1 chain c record r");
    assert_int_equal(claim(ELSE), EST_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(read_after(&s, NULL, 10), EST_OK);
        assert_int_equal(got.n, 1);
        assert_false(read_plainly());
    }
    (void)redis_server_do(&server, "HSET " KEY(ELSE, "bytes") " :order 3");
    assert_int_equal(read_after(&s, NULL, 10), EST_OK);
    assert_int_equal(read_after(&s, NULL, 10), EST_OK);
    assert_true(read_plainly());
}

/* Every stream is remembered for as long as it is ours. */
static void sizes_of_many_streams(void **unused)
{
    static char types[3 * EST_BUFFER_TYPES_MAX][16];

    (void)unused;
    assert_int_equal(append(&own, 1, 1), EST_OK);
    assert_int_equal(read_after(&own, NULL, 1), EST_OK);
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        struct est_buffer_stream s = {.boot = ELSE, .type = types[i]};
        (void)snprintf(types[i], sizeof(types[i]), "t%zu", i);
        assert_int_equal(append(&s, 1, 1), EST_ERR_FENCED);
    }
    (void)read_plainly();
    assert_int_equal(read_after(&own, NULL, 1), EST_OK);
    assert_true(read_plainly());
}

static void sizes_of_removed(void **unused)
{
    (void)unused;
    assert_int_equal(append(&own, 1, 4), EST_OK);
    assert_int_equal(read_after(&own, NULL, 10), EST_OK);
    assert_int_equal(remove_read(&own, 1, 19), EST_OK);
    assert_string_equal(redis_server_do(&server, "HGET " KEY(OWN, "bytes") " order"), "57");
    assert_int_equal(read_after(&own, NULL, 10), EST_OK);
    (void)redis_server_do(&server, "XTRIM " KEY(OWN, "order") " MAXLEN 2");
    assert_int_equal(remove_read(&own, 2, 38), EST_OK); /* one of the two was gone */
    assert_string_equal(redis_server_do(&server, "HGET " KEY(OWN, "bytes") " order"), "38");
    assert_int_equal(read_after(&own, NULL, 10), EST_OK);
    assert_int_equal(remove_read(&own, 1, 19), EST_OK); /* the last: nothing is left of the drift */
    assert_string_equal(redis_server_do(&server, "HGET " KEY(OWN, "bytes") " order"), "");
}

static void refused_moves(void **unused)
{
    char id[EST_BUFFER_ID_MAX + 1];

    (void)unused;
    assert_int_equal(append(&own, 1, 2), EST_OK);
    assert_int_equal(read_after(&own, NULL, 10), EST_OK);
    memcpy(id, got.stream_ids[0], sizeof(id));
    assert_int_equal(refuse(&own, id, 19), EST_OK);
    assert_int_equal(refuse(&own, id, 19), EST_OK); /* gone already: no second copy */
    assert_int_equal(redis_server_number(&server, "XLEN " KEY(OWN, "order")), 1);
    assert_string_equal(redis_server_do(&server, "HGET " KEY(OWN, "bytes") " order"), "19");
    assert_non_null(strstr(redis_server_do(&server, "XRANGE " KEY(OWN, "order:refused") " - +"),
                           "id 1 chain b/0/order/1/2 record rrrrr reason E-TOO-LARGE"));
    assert_string_equal(redis_server_do(&server, "SMEMBERS esteira:refused"), OWN "/order");
    clear();
    assert_int_equal(await(est_buffer_peek(buf, &own, true, NULL, 10, on_read, NULL)), EST_OK);
    assert_int_equal(got.n, 1);
    assert_string_equal(got.ids[0], "1");
}

static void arguments(void **unused)
{
    const struct est_buffer_stream bad_boot = {.boot = "x", .type = "order"};
    const struct est_buffer_stream bad_type = {.boot = OWN, .type = "a:b"};

    (void)unused;
    assert_int_equal(append(&own, 1, 0), EST_ERR_INVALID);
    assert_int_equal(append(&bad_boot, 1, 1), EST_ERR_INVALID);
    assert_int_equal(append(&bad_type, 1, 1), EST_ERR_INVALID);
    assert_int_equal(read_after(&own, NULL, EST_BUFFER_ENTRIES_MAX + 1), EST_ERR_INVALID);
    assert_int_equal(claim("x"), EST_ERR_INVALID);
}

/* --- fences: each script, without a lease and with another's --- */

static est_err do_append(void)
{
    return append(&own, 9, 1);
}

static est_err do_read(void)
{
    return read_after(&own, NULL, 10);
}

static est_err do_remove(void)
{
    clear();
    (void)snprintf(got.stream_ids[0], sizeof(got.stream_ids[0]), "1-1");
    return remove_read(&own, 1, 19);
}

static est_err do_refuse(void)
{
    return refuse(&own, "1-1", 19);
}

static est_err do_renew(void)
{
    clear();
    return await(est_buffer_renew(buf, OWN, on_done, NULL));
}

static est_err do_release(void)
{
    return release(OWN);
}

static void fenced(void **unused)
{
    static est_err (*const acts[])(void) = {do_append, do_read,  do_remove,
                                            do_refuse, do_renew, do_release};

    (void)unused;
    (void)redis_server_do(&server, "XADD " KEY(OWN, "order") " 1-1 id 1 chain c record r");
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
        (void)redis_server_do(&server, "DEL " KEY(OWN, "lease"));
        assert_int_equal(acts[i](), EST_ERR_FENCED);
        assert_int_equal(got.fence, EST_FENCE_ABSENT);
        (void)redis_server_do(&server, "SET " KEY(OWN, "lease") " " ELSE);
        assert_int_equal(acts[i](), EST_ERR_FENCED);
        assert_int_equal(got.fence, EST_FENCE_OTHER);
    }
    assert_int_equal(redis_server_number(&server, "XLEN " KEY(OWN, "order")), 1);
    assert_string_equal(redis_server_do(&server, "GET " KEY(OWN, "lease")), ELSE);
    assert_false(read_plainly());
    assert_string_equal(redis_server_do(&server, "LRANGE esteira:boots 0 -1"), "shop/" OWN);
    (void)redis_server_do(&server, "SET " KEY(OWN, "lease") " " OWN);
    for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
        assert_int_equal(acts[i](), EST_OK);
}

static void plain_reads_are_fenced(void **unused)
{
    (void)unused;
    assert_int_equal(append(&own, 1, 1), EST_OK);
    assert_int_equal(do_read(), EST_OK);
    (void)read_plainly();
    (void)redis_server_do(&server, "DEL " KEY(OWN, "lease"));
    assert_int_equal(do_read(), EST_ERR_FENCED);
    assert_int_equal(got.fence, EST_FENCE_ABSENT);
    (void)redis_server_do(&server, "SET " KEY(OWN, "lease") " " ELSE);
    assert_int_equal(do_read(), EST_ERR_FENCED);
    assert_int_equal(got.fence, EST_FENCE_OTHER);
    assert_int_equal(got.n, 0);
    assert_true(read_plainly());
}

/* --- leases --- */

static void own_lease(void **unused)
{
    (void)unused;
    assert_int_equal(claim(OWN), EST_OK); /* again: it is ours already */
    assert_true(got.flag);
    assert_string_equal(redis_server_do(&server, "LRANGE esteira:boots 0 -1"), "shop/" OWN);
    assert_string_equal(redis_server_do(&server, "GET " KEY(OWN, "lease")), OWN);
    (void)redis_server_do(&server, "PEXPIRE " KEY(OWN, "lease") " 1000");
    assert_int_equal(do_renew(), EST_OK);
    assert_in_range(redis_server_number(&server, "PTTL " KEY(OWN, "lease")), 5000, 10000);
    (void)redis_server_do(&server, "SET " KEY(OWN, "lease") " " ELSE);
    assert_int_equal(claim(OWN), EST_OK);
    assert_false(got.flag);
    assert_string_equal(got.holder, ELSE);
}

static void anothers_lease(void **unused)
{
    (void)unused;
    (void)redis_server_do(&server, "RPUSH esteira:boots bar/" ELSE);
    (void)redis_server_do(&server, "SET " KEY(ELSE, "lease") " " ELSE " PX 60000");
    (void)redis_server_do(&server, "SET " KEY(ELSE, "adopt") " 1");
    assert_int_equal(claim(ELSE), EST_OK);
    assert_false(got.flag);
    assert_string_equal(got.holder, ELSE);
    (void)redis_server_do(&server, "DEL " KEY(ELSE, "lease"));
    assert_int_equal(claim(ELSE), EST_OK);
    assert_true(got.flag);
    assert_string_equal(redis_server_do(&server, "GET " KEY(ELSE, "lease")), OWN);
    assert_string_equal(redis_server_do(&server, "LRANGE esteira:boots 0 -1"),
                        "shop/" OWN " bar/" ELSE);
    assert_int_equal(redis_server_number(&server, "EXISTS " KEY(ELSE, "adopt")), 0);
    assert_int_equal(read_after(&foreign, NULL, 10), EST_OK);
}

static void released_when_empty(void **unused)
{
    (void)unused;
    assert_int_equal(append(&own, 1, 2), EST_OK);
    assert_int_equal(release(OWN), EST_OK);
    assert_false(got.flag); /* two wait */
    assert_string_equal(redis_server_do(&server, "LRANGE esteira:boots 0 -1"), "shop/" OWN);
    assert_int_equal(redis_server_number(&server, "EXISTS " KEY(OWN, "lease")), 0);
    assert_int_equal(claim(OWN), EST_OK);
    assert_int_equal(read_after(&own, NULL, 10), EST_OK);
    assert_int_equal(remove_read(&own, 2, 38), EST_OK);
    assert_int_equal(release(OWN), EST_OK);
    assert_true(got.flag);
    assert_string_equal(redis_server_do(&server, "KEYS *"), "");
}

static void drained_by_another_stays_taken(void **unused)
{
    (void)unused;
    (void)redis_server_do(&server, "RPUSH esteira:boots bar/" ELSE);
    assert_int_equal(claim(ELSE), EST_OK);
    assert_int_equal(release(ELSE), EST_OK);
    assert_true(got.flag);
    assert_string_equal(redis_server_do(&server, "LRANGE esteira:boots 0 -1"), "shop/" OWN);
    assert_true(redis_server_number(&server, "TTL " KEY(ELSE, "lease")) > 3600);
    assert_int_equal(est_buffer_reboot(buf, ELSE), EST_OK); /* its owner wakes */
    assert_int_equal(claim(ELSE), EST_OK);
    assert_false(got.flag);
}

static void released_but_for_refused(void **unused)
{
    (void)unused;
    assert_int_equal(append(&own, 1, 1), EST_OK);
    assert_int_equal(read_after(&own, NULL, 10), EST_OK);
    assert_int_equal(refuse(&own, got.stream_ids[0], 19), EST_OK);
    assert_int_equal(release(OWN), EST_OK);
    assert_true(got.flag);
    assert_int_equal(redis_server_number(&server, "XLEN " KEY(OWN, "order:refused")), 1);
    assert_int_equal(redis_server_number(&server, "LLEN esteira:boots"), 0);
}

static void adoption_is_asked_for(void **unused)
{
    (void)unused;
    clear();
    assert_int_equal(await(est_buffer_adopt(buf, ELSE, on_flag, NULL)), EST_OK);
    assert_false(got.flag); /* no such boot */
    assert_int_equal(redis_server_number(&server, "EXISTS " KEY(ELSE, "adopt")), 0);
    (void)redis_server_do(&server, "RPUSH esteira:boots bar/" ELSE);
    clear();
    assert_int_equal(await(est_buffer_adopt(buf, ELSE, on_flag, NULL)), EST_OK);
    assert_true(got.flag);
    assert_int_equal(redis_server_number(&server, "EXISTS " KEY(ELSE, "adopt")), 1);
}

/* --- what there is --- */

static struct {
    size_t n;
    char text[4096];
} seen;

static void on_boots(void *arg, est_err err, const struct est_buffer_boot *boots, size_t n)
{
    size_t at = 0;

    (void)arg;
    note(err);
    seen.n = n;
    seen.text[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        assert_in_range(boots[i].lease_left, 0, 10 * EST_SECOND);
        at += (size_t)snprintf(seen.text + at, sizeof(seen.text) - at, "%s/%.4s %.4s%s",
                               boots[i].instance, boots[i].boot, boots[i].holder,
                               boots[i].adopt ? " adopt" : "");
        for (size_t t = 0; t < boots[i].n_types; t++) {
            const struct est_buffer_type *y = &boots[i].types[t];
            assert_int_equal(y->oldest_age > 0, y->entries > 0);
            assert_true(y->oldest_age < 60 * EST_SECOND);
            at += (size_t)snprintf(seen.text + at, sizeof(seen.text) - at, " %s=%llu,%llu", y->type,
                                   (unsigned long long)y->entries, (unsigned long long)y->bytes);
        }
        at += (size_t)snprintf(seen.text + at, sizeof(seen.text) - at, "\n");
    }
}

static const char *census(void)
{
    clear();
    assert_int_equal(await(est_buffer_boots(buf, on_boots, NULL)), EST_OK);
    return seen.text;
}

static void boots_and_types(void **unused)
{
    const struct est_buffer_stream sale = {.boot = OWN, .type = "sale"};

    (void)unused;
    (void)redis_server_do(&server, "DEL esteira:boots");
    assert_string_equal(census(), "");
    (void)redis_server_do(&server, "RPUSH esteira:boots bar/" ELSE " nonsense /x");
    assert_int_equal(claim(OWN), EST_OK);
    assert_int_equal(append(&sale, 1, 1), EST_OK);
    assert_int_equal(append(&own, 1, 3), EST_OK);
    (void)redis_server_do(&server, "SET " KEY(ELSE, "adopt") " 1");
    assert_string_equal(census(), "bar/ffff  adopt\nshop/0123 0123 order=3,57 sale=1,19\n");
}

static void at_most_so_many_boots(void **unused)
{
    (void)unused;
    for (int i = 0; i < 300; i++) {
        char command[96];
        (void)snprintf(command, sizeof(command), "RPUSH esteira:boots a/%032x", i);
        (void)redis_server_do(&server, command);
    }
    (void)census();
    assert_int_equal(seen.n, EST_BUFFER_BOOTS_MAX);
}

static char counts[256];

static void on_count(void *arg, const char *type, uint32_t count)
{
    size_t at = strlen(counts);

    (void)arg;
    (void)snprintf(counts + at, sizeof(counts) - at, "%s=%u ", type, count);
}

static void partitions(void **unused)
{
    (void)unused;
    clear();
    assert_int_equal(await(est_buffer_partitions_put(buf, "order", 12, on_done, NULL)), EST_OK);
    (void)redis_server_do(&server, "HSET esteira:partitions sale none zero 0");
    counts[0] = '\0';
    clear();
    assert_int_equal(await(est_buffer_partitions_get(buf, on_count, on_done, NULL)), EST_OK);
    assert_string_equal(counts, "order=12 ");
}

/* --- replicas --- */

static void reopen(unsigned replicas)
{
    est_redis_free(redis);
    est_buffer_free(buf);
    open_buffer(replicas);
    assert_int_equal(claim(OWN), EST_OK);
}

/* A replica that has just got everything writes it down first, and confirms nothing meanwhile. */
static est_err append_confirmed(unsigned from)
{
    est_err err = append(&own, from, 2);

    for (int left = 20; err == EST_ERR_REDIS_REPLICAS && left > 0; left--)
        err = append(&own, from, 2);
    return err;
}

static void waits_for_replicas(void **unused)
{
    char port[16];
    const char *args[] = {"--replicaof", "127.0.0.1", port, NULL};

    (void)unused;
    redis_server_stop(&server);
    redis_server_start(&server, true, NULL);
    reopen(1);
    assert_int_equal(append(&own, 1, 2), EST_ERR_REDIS_REPLICAS);
    assert_int_equal(redis_server_number(&server, "XLEN " KEY(OWN, "order")), 2);
    (void)snprintf(port, sizeof(port), "%d", server.port);
    redis_server_start(&other, true, args);
    assert_true(redis_server_wait(&server, "INFO replication", "state=online"));
    assert_int_equal(append_confirmed(3), EST_OK);
    assert_int_equal(redis_server_number(&other, "XLEN " KEY(OWN, "order")),
                     redis_server_number(&server, "XLEN " KEY(OWN, "order")));
    redis_server_signal(&other, SIGSTOP);
    assert_int_equal(append(&own, 5, 2), EST_ERR_REDIS_REPLICAS);
}

static void on_read_behind(void *arg, est_err err, const struct est_buffer_entry *e, size_t n,
                           bool end)
{
    (void)e;
    (void)end;
    *(bool *)arg = got.done; /* the append was answered before */
    assert_int_equal(err, EST_OK);
    assert_int_equal(n, 1);
    assert_true(got.done);
}

/* Who reads an entry before its append is answered does not know it for its own. */
static void no_read_comes_before_the_replicas(void **unused)
{
    const struct est_buffer_entry e = {.id = EST_VIEW_LIT("1"),
                                       .chain = EST_VIEW_LIT("b/0/order/1/2"),
                                       .record = EST_VIEW_LIT("r")};
    bool behind = false;

    (void)unused;
    reopen(1);
    clear();
    assert_int_equal(est_buffer_append(buf, &own, &e, 1, on_n, NULL), EST_OK);
    assert_int_equal(est_buffer_read(buf, &own, NULL, 10, on_read_behind, &behind), EST_OK);
    redis_turn_until(lp, &behind, 20);
    assert_int_equal(got.err, EST_ERR_REDIS_REPLICAS);
}

static void replicas_after_a_flush_of_scripts(void **unused)
{
    (void)unused;
    reopen(1);
    assert_int_equal(append(&own, 1, 1), EST_ERR_REDIS_REPLICAS);
    assert_string_equal(redis_server_do(&server, "SCRIPT FLUSH"), "OK");
    assert_int_equal(append(&own, 2, 1), EST_ERR_REDIS_REPLICAS);
    assert_int_equal(redis_server_number(&server, "XLEN " KEY(OWN, "order")), 2);
}

/* --- what Redis does meanwhile --- */

static void full_is_not_kept(void **unused)
{
    (void)unused;
    assert_int_equal(append(&own, 1, 2), EST_OK);
    assert_string_equal(redis_server_do(&server, "CONFIG SET maxmemory 100kb"), "OK");
    assert_int_equal(append(&own, 3, 2), EST_ERR_REDIS_FULL);
    assert_int_equal(redis_server_number(&server, "XLEN " KEY(OWN, "order")), 2);
    assert_string_equal(redis_server_do(&server, "HGET " KEY(OWN, "bytes") " order"), "38");
    assert_int_equal(read_after(&own, NULL, 10), EST_OK); /* reading and deleting go on */
    assert_int_equal(remove_read(&own, 2, 38), EST_OK);
    assert_int_equal(do_renew(), EST_OK);
}

static void scripts_flushed(void **unused)
{
    (void)unused;
    assert_int_equal(append(&own, 1, 1), EST_OK);
    assert_string_equal(redis_server_do(&server, "SCRIPT FLUSH"), "OK");
    assert_int_equal(append(&own, 2, 1), EST_OK);
    assert_int_equal(redis_server_number(&server, "XLEN " KEY(OWN, "order")), 2);
}

static void lost_and_down(void **unused)
{
    (void)unused;
    redis_server_signal(&server, SIGSTOP);
    clear();
    assert_int_equal(est_buffer_boots(buf, on_boots, NULL), EST_OK);
    redis_server_kill(&server);
    redis_turn_until(lp, &got.done, 20);
    assert_int_equal(got.err, EST_ERR_REDIS_LOST);
    assert_int_equal(append(&own, 1, 1), EST_ERR_REDIS_DOWN);
    clear();
    assert_int_equal(await(est_buffer_boots(buf, on_boots, NULL)), EST_ERR_REDIS_DOWN);
}

/* Freed with everything under way: nothing is called, nothing leaks. */
static void freed_under_way(void **unused)
{
    (void)unused;
    clear();
    (void)est_buffer_boots(buf, on_boots, NULL);
    (void)est_buffer_claim(buf, ELSE, on_claim, NULL);
    (void)est_buffer_release(buf, OWN, on_flag, NULL);
    (void)est_buffer_read(buf, &own, NULL, 10, on_read, NULL);
    est_redis_free(redis);
    est_buffer_free(buf);
    redis = NULL;
    buf = NULL;
    est_loop_turn(lp, 10 * EST_MS);
    assert_int_equal(got.calls, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(kept_in_order),
        TEST(nothing_there),
        TEST(many_at_once),
        TEST(large_entries),
        TEST(foreign_entries),
        TEST(plain_once_sizes_are_known),
        TEST(sizes_of_other_boots),
        TEST(sizes_of_many_streams),
        TEST(sizes_of_removed),
        TEST(refused_moves),
        TEST(arguments),
        TEST(fenced),
        TEST(plain_reads_are_fenced),
        TEST(own_lease),
        TEST(anothers_lease),
        TEST(released_when_empty),
        TEST(drained_by_another_stays_taken),
        TEST(released_but_for_refused),
        TEST(adoption_is_asked_for),
        TEST(boots_and_types),
        TEST(at_most_so_many_boots),
        TEST(partitions),
        TEST(waits_for_replicas),
        TEST(no_read_comes_before_the_replicas),
        TEST(replicas_after_a_flush_of_scripts),
        TEST(full_is_not_kept),
        TEST(scripts_flushed),
        TEST(lost_and_down),
        TEST(freed_under_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
