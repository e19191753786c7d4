#include "store.h"

#include "base/clock.h"
#include "base/id.h"
#include "base/mem.h"
#include "codec/json.h"
#include "zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* One order and one message, told in fourteen ways. Which of two totals came later is in the times.
 */
static const char *const story[] = {
    "{\"id\":\"1\",\"event\":\"order_created\",\"occurred_at\":1000,\"payload\":{\"order_id\":\"o\",\"total\":10,\"from\":\"a\"}}",
    "{\"id\":\"2\",\"event\":\"order_update\",\"occurred_at\":3000,\"payload\":{\"order_id\":\"o\",\"total\":30}}",
    "{\"id\":\"3\",\"event\":\"order_update\",\"occurred_at\":2000,\"payload\":{\"order_id\":\"o\",\"total\":20}}",
    "{\"id\":\"4\",\"event\":\"order_paid\",\"occurred_at\":90000000,\"payload\":{\"order_id\":\"o\"}}",
    "{\"id\":\"5\",\"event\":\"payment_received\",\"occurred_at\":190000000,\"payload\":{\"order_id\":\"o\",\"amount\":99}}",
    "{\"id\":\"6\",\"event\":\"payment_received\",\"occurred_at\":5000,\"payload\":{\"order_id\":\"p\",\"amount\":7}}",
    "{\"id\":\"7\",\"event\":\"order_update\",\"occurred_at\":3000,\"payload\":{\"order_id\":\"o\",\"total\":29}}",
    "{\"id\":\"8\",\"event\":\"order_paid\",\"occurred_at\":8000,\"payload\":{\"order_id\":\"q\",\"total\":5}}",
    "{\"id\":\"9\",\"event\":\"order_cancelled\",\"occurred_at\":9000,\"payload\":{\"order_id\":\"q\"}}",
    "{\"id\":\"a\",\"event\":\"message_sent\",\"occurred_at\":1000,\"payload\":{\"message_id\":\"m\",\"to\":\"a\"}}",
    "{\"id\":\"b\",\"event\":\"message_read\",\"occurred_at\":3000,\"payload\":{\"message_id\":\"m\"}}",
    "{\"id\":\"c\",\"event\":\"message_delivered\",\"occurred_at\":2000,\"payload\":{\"message_id\":\"m\"}}",
    "{\"id\":\"d\",\"event\":\"message_status\",\"occurred_at\":2500,\"payload\":{\"message_id\":\"m\",\"status\":\"failed\"}}",
    "{\"id\":\"e\",\"event\":\"message_read\",\"occurred_at\":900,\"payload\":{\"message_id\":\"in\"}}",
    "{\"id\":\"f\",\"event\":\"new_message\",\"occurred_at\":800,\"payload\":{\"message_id\":\"in\",\"from\":\"b\"}}",
};
enum { STORY = sizeof(story) / sizeof(story[0]) };

static const int64_t told[COUNT__FIXED] = {
    [COUNT_EVENTS] = STORY, [COUNT_USERS] = 2,    [COUNT_ORDERS] = 3, [COUNT_PAID] = 2,
    [COUNT_REVENUE] = 3700, [COUNT_RECEIVED] = 1, [COUNT_SENT] = 1,   [COUNT_DELIVERED] = 1,
    [COUNT_READ] = 1,       [COUNT_FAILED] = 0,   [COUNT_ERRORS] = 0,
};

struct fixture {
    struct est_json *js;
    struct est_buf texts;
    char path[64];
};

static int set_up(void **state)
{
    struct fixture *f = est_calloc(1, sizeof(*f));

    assert_non_null(f);
    assert_int_equal(zone_init("America/Sao_Paulo", NULL), EST_OK);
    assert_int_equal(est_json_new(NULL, &f->js), EST_OK);
    est_buf_init(&f->texts, 65536);
    (void)snprintf(f->path, sizeof(f->path), "/tmp/esteira-store-%ld.db", (long)getpid());
    *state = f;
    return 0;
}

static void remove_files(const struct fixture *f)
{
    char log[80];

    (void)unlink(f->path);
    (void)snprintf(log, sizeof(log), "%s-wal", f->path);
    (void)unlink(log);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    remove_files(f);
    est_json_free(f->js);
    est_buf_fini(&f->texts);
    est_free(f);
    return 0;
}

static struct store *open_store(const struct fixture *f)
{
    struct store *st = NULL;
    struct est_why why;

    if (store_open(f->path, &st, &why) != EST_OK)
        fail_msg("%s", why.text);
    return st;
}

static int64_t put(struct fixture *f, struct store *st, const char *text)
{
    struct entry_options options = {.currency = "BRL",
                                    .now_ms = est_clock_wall() / EST_MS,
                                    .fallback_id = EST_VIEW_LIT("fallback")};
    const struct est_value *event;
    struct entry e;
    int64_t seq = -1;

    est_json_clear(f->js);
    assert_int_equal(est_json_parse(f->js, est_view_str(text), &event, NULL), EST_OK);
    assert_int_equal(entry_read(event, &options, &f->texts, &e, NULL), EST_OK);
    assert_int_equal(store_put(st, &e, &seq), EST_OK);
    return seq;
}

static void begin(struct store *st)
{
    assert_int_equal(store_begin(st, est_clock_wall() / EST_MS), EST_OK);
}

static void assert_told(struct store *st)
{
    const struct summary *su = store_summary(st, est_clock_wall() / EST_MS);
    bool holds = false;

    for (size_t i = 0; i < COUNT__FIXED; i++)
        if (su->all.n[i] != told[i])
            fail_msg("count %zu is %lld", i, (long long)su->all.n[i]);
    assert_int_equal(store_audit(st, &holds), EST_OK);
    assert_true(holds);
}

/* Whatever the order, the repeats, the cuts into transactions and those rolled back in between. */
static void order_and_repeats_change_nothing(void **state)
{
    struct fixture *f = *state;

    for (int round = 0; round < 60; round++) {
        bool stored[STORY] = {false};
        size_t left = STORY;
        struct store *st;
        remove_files(f);
        st = open_store(f);
        while (left > 0) {
            bool fresh[STORY] = {false}, keep = est_random_below(4) > 0;
            begin(st);
            for (uint64_t n = est_random_below(9); n > 0; n--) {
                size_t i = est_random_below(STORY);
                int64_t seq = put(f, st, story[i]);
                assert_true((seq == 0) == (stored[i] || fresh[i]));
                fresh[i] = true;
            }
            if (keep)
                assert_int_equal(store_commit(st), EST_OK);
            else
                store_rollback(st);
            for (size_t i = 0; i < STORY && keep; i++) {
                left -= fresh[i] && !stored[i];
                stored[i] = stored[i] || fresh[i];
            }
        }
        assert_told(st);
        store_close(st);
        st = open_store(f);
        assert_told(st);
        assert_int_equal(store_newest(st), STORY);
        store_close(st);
    }
}

static void rollback_leaves_no_trace(void **state)
{
    struct fixture *f = *state;
    struct store *st = open_store(f);
    struct summary before = *store_summary(st, est_clock_wall() / EST_MS);

    begin(st);
    for (size_t i = 0; i < STORY; i++)
        (void)put(f, st, story[i]);
    store_rollback(st);
    assert_memory_equal(&before.all, &store_summary(st, est_clock_wall() / EST_MS)->all,
                        sizeof(before.all));
    assert_int_equal(store_newest(st), 0);
    store_close(st);
}

/* More days than the tally has places for: it is written in between. */
static void many_days_in_one_transaction(void **state)
{
    struct fixture *f = *state;
    struct store *st = open_store(f);
    char text[160];
    bool holds = false;

    begin(st);
    for (int day = 0; day < 100; day++) {
        (void)snprintf(
            text, sizeof(text),
            "{\"id\":\"%d\",\"event\":\"bot_error\",\"occurred_at\":%lld,\"payload\":{}}", day,
            (long long)day * 86400000);
        (void)put(f, st, text);
    }
    assert_int_equal(store_commit(st), EST_OK);
    store_close(st);
    st = open_store(f);
    assert_int_equal(store_summary(st, est_clock_wall() / EST_MS)->all.n[COUNT_ERRORS], 100);
    assert_int_equal(store_audit(st, &holds), EST_OK);
    assert_true(holds);
    store_close(st);
}

static void recent_rows_are_newest_first(void **state)
{
    struct fixture *f = *state;
    struct store *st = open_store(f);
    struct est_buf out;
    const struct est_value *rows;

    begin(st);
    for (size_t i = 0; i < STORY; i++)
        (void)put(f, st, story[i]);
    assert_int_equal(store_commit(st), EST_OK);
    est_buf_init(&out, 65536);
    assert_int_equal(store_recent(st, 12, 2, &out), EST_OK);
    est_json_clear(f->js);
    assert_int_equal(est_json_parse(f->js, est_buf_view(&out), &rows, NULL), EST_OK);
    assert_int_equal(est_json_size(rows), 2);
    est_buf_clear(&out);
    assert_int_equal(store_recent(st, STORY, 2, &out), EST_OK);
    assert_true(est_view_is(est_buf_view(&out), "[]"));
    est_buf_fini(&out);
    store_close(st);
}

/* A file of a later program, and one that is no database at all, are left as they are. */
static void strange_files_are_refused(void **state)
{
    struct fixture *f = *state;
    struct store *st = open_store(f);
    struct est_why why;
    const unsigned char later[4] = {0, 0, 0, 99};
    FILE *file;

    store_close(st);
    file = fopen(f->path, "r+");
    assert_non_null(file);
    assert_int_equal(fseek(file, 60, SEEK_SET), 0); /* user_version: file format §1.3 */
    assert_int_equal(fwrite(later, 1, 4, file), 4);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(store_open(f->path, &st, &why), EST_ERR_UNSUPPORTED);
    file = fopen(f->path, "w");
    assert_non_null(file);
    assert_true(fputs("this is no database, and it is longer than the header of one would be: "
                      "one hundred bytes at the least, so that it is looked at",
                      file) > 0);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(store_open(f->path, &st, &why), EST_ERR_IO);
    assert_int_equal(store_open("/nonexistent/x.db", &st, &why), EST_ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(order_and_repeats_change_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(rollback_leaves_no_trace, set_up, tear_down),
        cmocka_unit_test_setup_teardown(many_days_in_one_transaction, set_up, tear_down),
        cmocka_unit_test_setup_teardown(recent_rows_are_newest_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(strange_files_are_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("dashboard store", tests, NULL, NULL);
}
