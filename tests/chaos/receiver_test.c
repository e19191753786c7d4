/* The scripted receiver's parts: what it is told, what it reads, what it writes down. */
#include "journal.h"
#include "receiver_events.h"
#include "receiver_script.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static const char body[] =
    "{\"events\":[{\"id\":\"c-3-17\",\"event\":\"order_paid\",\"received_at\":"
    "\"2026-11-25T12:00:00.250Z\",\"payload\":{\"stream\":\"c-3-k1\",\"mark\":true}},"
    "{\"id\":\"w-0-4\",\"event\":\"new_message\",\"payload\":{\"stream\":\"w-0-k0\"}}]}";

static struct script *read_script(struct script *s, const char *json, est_us now)
{
    struct est_why why;

    assert_int_equal(script_read(s, est_view_str(json), now, &why), EST_OK);
    return s;
}

static struct script_rule *ask(struct script *s, est_us now)
{
    return script_for_request(s, EST_VIEW_LIT("/api/v1/events"), est_view_str(body), now);
}

static void test_rules_match_in_their_order(void **state)
{
    static struct script s;

    (void)state;
    read_script(&s,
                "{\"rules\":[{\"text\":\"not there\",\"status\":500},{\"path\":\"/api/v2\","
                "\"status\":501},{\"text\":\"\\\"mark\\\":true\",\"status\":422,\"delay_ms\":7},"
                "{\"status\":503}]}",
                0);
    assert_int_equal(ask(&s, 0)->status, 422);
    assert_int_equal(ask(&s, 0)->delay, 7 * EST_MS);
    assert_int_equal(script_for_request(&s, EST_VIEW_LIT("/api/v1"), EST_VIEW_NONE, 0)->status,
                     503);
}

static void test_rules_end(void **state)
{
    static struct script s;

    (void)state;
    read_script(&s, "{\"rules\":[{\"status\":503,\"for_ms\":10},{\"status\":429,\"times\":2}]}",
                100);
    assert_int_equal(ask(&s, 100 + 10 * EST_MS - 1)->status, 503);
    assert_int_equal(ask(&s, 100 + 10 * EST_MS)->status, 429);
    assert_int_equal(ask(&s, 100 + 10 * EST_MS)->status, 429);
    assert_null(ask(&s, 100 + 10 * EST_MS));
}

static void test_rules_of_items_leave_the_request_alone(void **state)
{
    static struct script s;

    (void)state;
    assert_false(script_has_item_rules(&s, 0));
    read_script(&s, "{\"rules\":[{\"item\":true,\"text\":\"mark\",\"status\":422}]}", 0);
    assert_true(script_has_item_rules(&s, 0));
    assert_null(ask(&s, 0));
    assert_int_equal(script_for_event(&s, est_view_str(body), 0)->status, 422);
    assert_null(script_for_event(&s, EST_VIEW_LIT("{}"), 0));
}

static void test_a_bad_script_changes_nothing(void **state)
{
    static struct script s;
    struct est_why why;
    static const char *const bad[] = {"{", "{\"rules\":[{\"statu\":1}]}",
                                      "{\"rules\":[{\"status\":600}]}", "{\"rules\":[4]}",
                                      "{\"limit\":{\"requests\":-1,\"window_ms\":1}}"};

    (void)state;
    read_script(&s, "{\"tokens\":[\"a\"],\"rules\":[{\"status\":503}]}", 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_int_not_equal(script_read(&s, est_view_str(bad[i]), 0, &why), EST_OK);
    assert_int_equal(ask(&s, 0)->status, 503);
    assert_true(script_lets_in(&s, EST_VIEW_LIT("a")));
    assert_false(script_lets_in(&s, EST_VIEW_LIT("b")));
}

static void test_the_limit_counts_each_token_in_windows(void **state)
{
    static struct script s;
    struct script_budget b;

    (void)state;
    read_script(&s, "{\"limit\":{\"requests\":2,\"window_ms\":1000}}", 0);
    assert_true(script_spend(&s, 1, 500).allowed);
    b = script_spend(&s, 1, 501);
    assert_true(b.allowed);
    assert_int_equal(b.left, 0);
    assert_int_equal(b.reset, EST_SECOND - 1);
    assert_false(script_spend(&s, 1, 502).allowed);
    assert_true(script_spend(&s, 2, 502).allowed);
    assert_true(script_spend(&s, 1, 500 + EST_SECOND).allowed);
}

static void test_events_are_found(void **state)
{
    struct received_event ev;
    est_us received;
    size_t at = 0;

    (void)state;
    assert_true(est_rfc3339_parse(EST_VIEW_LIT("2026-11-25T12:00:00.250Z"), &received));
    assert_true(received_next(est_view_str(body), &at, received + 40 * EST_MS, &ev));
    assert_true(ev.ours && est_view_is(ev.tag, "c") && est_view_is(ev.name, "order_paid"));
    assert_int_equal(ev.lane, 3);
    assert_int_equal(ev.n, 17);
    assert_int_equal(ev.delay_ms, 40);
    assert_true(est_view_is(received_member(ev.text, "stream"), "c-3-k1"));
    assert_true(received_next(est_view_str(body), &at, received, &ev));
    assert_true(est_view_is(ev.tag, "w") && ev.n == 4);
    assert_true(est_view_is(received_member(ev.text, "stream"), "w-0-k0"));
    assert_false(received_next(est_view_str(body), &at, received, &ev));
}

static void test_foreign_ids_are_not_ours(void **state)
{
    static const char *const ids[] = {"", "c", "c-1", "c-1-", "c-x-1", "c-70000-1", "c-1-2x"};

    (void)state;
    for (size_t i = 0; i < sizeof(ids) / sizeof(*ids); i++) {
        struct received_event ev = {.id = est_view_str(ids[i])};
        assert_false(received_split_id(&ev));
    }
}

static void test_what_came_before_is_known(void **state)
{
    static struct received_set set;
    bool known;

    (void)state;
    for (uint64_t n = 0; n < 10000; n += 7) {
        assert_int_equal(received_take(&set, 3, 9, n, &known), EST_OK);
        assert_false(known);
    }
    assert_int_equal(received_take(&set, 3, 9, 7, &known), EST_OK);
    assert_true(known);
    assert_int_equal(received_take(&set, 3, 8, 7, &known), EST_OK);
    assert_false(known);
    assert_int_equal(set.repeats, 1);
    assert_int_equal(received_take(&set, EVENTS_TAGS, 0, 0, &known), EST_ERR_INVALID);
    received_forget(&set);
}

static void test_a_journal_is_read_as_it_was_written(void **state)
{
    static struct journal j;
    char path[] = "/tmp/esteira-journal-XXXXXX";
    struct journal_event e = {.lane = 5, .n = 1ULL << 40, .status = 201};
    struct journal_record r;
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0 && close(fd) == 0 && journal_create(&j, path));
    e.tag = journal_number(&j, EST_VIEW_LIT("c"));
    e.name = journal_number(&j, EST_VIEW_LIT("a name that is longer than a text may be"));
    assert_int_equal(journal_number(&j, EST_VIEW_LIT("c")), e.tag);
    journal_put(&j, JOURNAL_EVENT, &e, sizeof(e));
    assert_true(journal_flush(&j) && fclose(j.file) == 0 && journal_open(&j, path));
    assert_true(journal_next(&j, &r));
    assert_int_equal(r.kind, JOURNAL_EVENT);
    assert_memory_equal(&r.u.event, &e, sizeof(e));
    assert_int_equal(j.n_texts, 2);
    assert_int_equal(j.texts[e.name].len, JOURNAL_TEXT_MAX);
    assert_false(journal_next(&j, &r));
    assert_int_equal(fclose(j.file), 0);
    (void)unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rules_match_in_their_order),
        cmocka_unit_test(test_rules_end),
        cmocka_unit_test(test_rules_of_items_leave_the_request_alone),
        cmocka_unit_test(test_a_bad_script_changes_nothing),
        cmocka_unit_test(test_the_limit_counts_each_token_in_windows),
        cmocka_unit_test(test_events_are_found),
        cmocka_unit_test(test_foreign_ids_are_not_ours),
        cmocka_unit_test(test_what_came_before_is_known),
        cmocka_unit_test(test_a_journal_is_read_as_it_was_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
