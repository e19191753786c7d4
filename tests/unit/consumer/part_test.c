/* What is committed of a partition, when, and with which note. */
#include "consumer_fixture.h"

#include "core/account.h"

static struct est_view chain_text(const struct part *p, int64_t n, char text[EST_CHAIN_TEXT_MAX])
{
    int len =
        snprintf(text, EST_CHAIN_TEXT_MAX, "%032x/0/order/%d/%lld", 1U, p->partition, (long long)n);

    return est_view(text, (size_t)len);
}

static void read_n(struct part *p, int64_t from, int64_t to)
{
    struct est_account_answer answer;
    char text[EST_CHAIN_TEXT_MAX];

    for (int64_t i = from; i < to; i++) {
        assert_int_equal(part_read(p, i, chain_text(p, i, text), EST_ACCOUNT_EVENT, &answer),
                         EST_OK);
        assert_int_equal(answer.end, EST_END_OPEN);
    }
}

static void settle(struct part *p, int64_t offset)
{
    assert_int_equal(est_account_settle(p->account, offset, EST_END_DELIVERED), EST_OK);
}

/* A note of its own place, with so much ahead. */
static void assert_note(const struct est_kafka_position *pos, uint64_t delivered, uint64_t ahead)
{
    struct est_note note;

    est_note_init(&note);
    assert_int_equal(est_note_read(&note,
                                   (struct est_note_place){EST_VIEW_LIT("order"),
                                                           (uint32_t)pos->partition, pos->offset},
                                   pos->metadata),
                     EST_OK);
    assert_int_equal(est_note_sum(&note).delivered, delivered);
    assert_int_equal(est_note_sum(&note).ahead, ahead);
    est_note_fini(&note);
}

/* News is a commit point that has risen, or something settled beyond it; never anything else. */
static void only_news_is_committed(void **state)
{
    struct worker *w = fixture_worker(2);
    struct part *p = &w->parts.items[1];
    struct est_kafka_position pos[2];

    (void)state;
    assert_int_equal(parts_to_commit(&w->parts, pos), 0);
    read_n(p, 0, 10);
    assert_int_equal(parts_to_commit(&w->parts, pos), 0);
    settle(p, 0);
    assert_int_equal(parts_to_commit(&w->parts, pos), 1);
    assert_int_equal(pos[0].partition, 1);
    assert_int_equal(pos[0].offset, 1);
    assert_note(&pos[0], 1, 0);
    parts_committed(&w->parts, true);
    assert_int_equal(parts_to_commit(&w->parts, pos), 0);
    settle(p, 5); /* the point stays, the note does not */
    assert_int_equal(parts_to_commit(&w->parts, pos), 1);
    assert_int_equal(pos[0].offset, 1);
    assert_note(&pos[0], 1, 1);
    parts_committed(&w->parts, true);
    assert_int_equal(p->committed, 1);
    assert_int_equal(parts_to_commit(&w->parts, pos), 0);
    fixture_worker_free(w);
}

static void what_failed_is_committed_again(void **state)
{
    struct worker *w = fixture_worker(1);
    struct part *p = &w->parts.items[0];
    struct est_kafka_position pos[1];

    (void)state;
    read_n(p, 0, 10);
    settle(p, 0);
    settle(p, 2);
    assert_int_equal(parts_to_commit(&w->parts, pos), 1);
    parts_committed(&w->parts, false);
    assert_int_equal(p->committed, 0);
    settle(p, 1);
    assert_int_equal(parts_to_commit(&w->parts, pos), 1);
    assert_int_equal(pos[0].offset, 3);
    assert_note(&pos[0], 3, 0);
    fixture_worker_free(w);
}

/* A broker that takes only little metadata: what is ahead is left out, the commit goes on. */
static void notes_are_shortened(void **state)
{
    struct worker *w = fixture_worker(1);
    struct part *p = &w->parts.items[0];
    struct est_kafka_position pos[1];
    size_t times = 0, before;

    (void)state;
    read_n(p, 0, 4000);
    settle(p, 0);
    for (int64_t i = 2; i < 4000; i += 2)
        settle(p, i);
    assert_int_equal(parts_to_commit(&w->parts, pos), 1);
    before = pos[0].metadata.len;
    assert_true(before > EST_NOTE_MAX / 2);
    while (parts_shorten_notes(&w->parts))
        times++;
    assert_int_equal(times, 3);
    parts_committed(&w->parts, false);
    assert_int_equal(parts_to_commit(&w->parts, pos), 1);
    assert_true(pos[0].metadata.len <= EST_NOTE_MIN);
    fixture_worker_free(w);
}

/* The group begins where its first record stands; where one is missing before the first, the log
 * has lost it. */
static void the_first_record_tells_where_it_begins(void **state)
{
    struct worker *w = fixture_worker(1);
    struct est_kafka_position unknown = {
        .topic = est_config_type(w->cfg, "order")->topic, .partition = 0, .offset = -1};
    struct part *p;

    (void)state;
    assert_int_equal(parts_assign(&w->parts, w->cfg, &unknown, 1, NULL), EST_OK);
    p = &w->parts.items[0];
    read_n(p, 70, 71);
    assert_int_equal(est_account_commit_point(p->account), 70);
    settle(p, 70);
    assert_int_equal(est_note_sum(est_account_now(p->account)).expired, 0);
    unknown.offset = 0;
    assert_int_equal(parts_assign(&w->parts, w->cfg, &unknown, 1, NULL), EST_OK);
    p = &w->parts.items[0];
    read_n(p, 70, 71);
    settle(p, 70);
    assert_int_equal(est_note_sum(est_account_now(p->account)).expired, 70);
    assert_int_equal(est_note_sum(est_account_now(p->account)).missing, 0);
    fixture_worker_free(w);
}

/* A broker that lost its tail became leader, and what was written since stands where records stood
 * that were committed. */
static void a_log_that_was_cut_is_read_from_there(void **state)
{
    struct worker *w = fixture_worker(1);
    struct est_kafka_position at = {
        .topic = est_config_type(w->cfg, "order")->topic, .partition = 0, .offset = 100};
    struct est_kafka_position pos[1];
    struct part *p;

    (void)state;
    assert_int_equal(parts_assign(&w->parts, w->cfg, &at, 1, NULL), EST_OK);
    p = &w->parts.items[0];
    read_n(p, 90, 92);
    assert_int_equal(parts_to_commit(&w->parts, pos), 1);
    assert_int_equal(pos[0].offset, 90);
    parts_committed(&w->parts, true);
    settle(p, 90);
    settle(p, 91);
    assert_int_equal(parts_to_commit(&w->parts, pos), 1);
    assert_int_equal(pos[0].offset, 92);
    fixture_worker_free(w);
}

static void a_log_that_is_cut_while_it_is_read_is_committed_from_there(void **state)
{
    struct worker *w = fixture_worker(1);
    struct part *p = &w->parts.items[0];
    struct est_kafka_position pos[1];
    char text[EST_CHAIN_TEXT_MAX];

    (void)state;
    read_n(p, 0, 10);
    for (int64_t i = 0; i < 8; i++)
        settle(p, i);
    assert_int_equal(parts_to_commit(&w->parts, pos), 1);
    assert_int_equal(pos[0].offset, 8);
    parts_committed(&w->parts, true);
    assert_false(part_is_cut(p, 4, chain_text(p, 4, text)));
    assert_false(part_is_cut(p, 9, chain_text(p, 9, text)));
    assert_false(part_is_cut(p, 5, EST_VIEW_NONE));
    parts_rewind(&w->parts);
    assert_int_equal(parts_to_commit(&w->parts, pos), 0);
    assert_true(part_is_cut(p, 6, chain_text(p, 10, text)));
    assert_true(part_is_cut(p, 7, chain_text(p, 11, text)));
    parts_rewind(&w->parts);
    assert_int_equal(parts_to_commit(&w->parts, pos), 1);
    assert_int_equal(pos[0].offset, 6);
    assert_note(&pos[0], 8, 0);
    fixture_worker_free(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_news_is_committed),
        cmocka_unit_test(what_failed_is_committed_again),
        cmocka_unit_test(notes_are_shortened),
        cmocka_unit_test(the_first_record_tells_where_it_begins),
        cmocka_unit_test(a_log_that_was_cut_is_read_from_there),
        cmocka_unit_test(a_log_that_is_cut_while_it_is_read_is_committed_from_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
