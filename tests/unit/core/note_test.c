#include "core/note.h"

#include "base/base64.h"
#include "base/mem.h"
#include "core/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

static const struct est_note_place here = {{"order", 5}, 3, 1000};

static struct est_ledger_key key_of(unsigned boot)
{
    struct est_ledger_key key = {.epoch = 0};

    memcpy(key.boot, &boot, sizeof(boot));
    return key;
}

static void add(struct est_note *note, unsigned boot, uint64_t n)
{
    struct est_ledger_key key = key_of(boot);

    est_ledger_add(&note->ledger, &key, n);
}

static void add_ahead(struct est_note *note, unsigned boot, uint64_t n)
{
    struct est_ledger_key key = key_of(boot);

    assert_true(est_ahead_add(&note->ahead, &key, n, 1, EST_END_DELIVERED));
}

static void fill(struct est_note *note)
{
    est_note_init(note);
    est_ledger_init(&note->ledger, false);
    note->tally = (struct est_tally){.fresh = 5,
                                     .repeats = 1,
                                     .marks = 2,
                                     .replays = 3,
                                     .skipped = 4,
                                     .unchained = 6,
                                     .delivered = 9,
                                     .dead = 5};
    note->ledger.expired = 8;
    for (uint64_t n = 0; n < 5; n++)
        add(note, 1, n * 2);
    note->ahead.until = 1100;
    for (uint64_t n = 0; n < 50; n++)
        add_ahead(note, 1, 20 + n * 2);
}

static void what_was_written_is_read(void **state)
{
    struct est_note note, got;
    struct est_note_sum sum;
    struct est_buf out;

    (void)state;
    fill(&note);
    est_note_init(&got);
    est_buf_init(&out, EST_NOTE_MAX);
    assert_int_equal(est_note_write(&note, here, EST_NOTE_MAX, &out), EST_OK);
    assert_int_equal(est_note_read(&got, here, est_buf_view(&out)), EST_OK);
    assert_memory_equal(&got.tally, &note.tally, sizeof(note.tally));
    sum = est_note_sum(&got);
    assert_int_equal(sum.accepted, 5 + 6 + 4 + 8);
    assert_int_equal(sum.delivered, 9);
    assert_int_equal(sum.dead, 2);
    assert_int_equal(sum.missing, 4);
    assert_int_equal(sum.expired, 8);
    assert_int_equal(sum.ahead, 50);
    assert_false(sum.partial);
    assert_int_equal(sum.accepted, sum.delivered + sum.dead + sum.missing + sum.expired);
    est_note_fini(&note);
    est_note_fini(&got);
    est_buf_fini(&out);
}

static void it_is_read_in_its_own_place_only(void **state)
{
    static const struct est_note_place elsewhere[] = {
        {{"order", 5}, 3, 1001}, {{"order", 5}, 3, 0},    {{"order", 5}, 2, 1000},
        {{"user", 4}, 3, 1000},  {{"order/3", 7}, 3, 10}, {{"", 0}, 3, 1000},
    };
    struct est_note note, got;
    struct est_buf out;

    (void)state;
    fill(&note);
    est_note_init(&got);
    est_buf_init(&out, EST_NOTE_MAX);
    assert_int_equal(est_note_write(&note, here, EST_NOTE_MAX, &out), EST_OK);
    for (size_t i = 0; i < sizeof(elsewhere) / sizeof(elsewhere[0]); i++) {
        assert_int_equal(est_note_read(&got, elsewhere[i], est_buf_view(&out)), EST_ERR_INVALID);
        assert_true(got.ledger.partial && got.ledger.n == 0 && got.ahead.n == 0);
        assert_int_equal(got.tally.fresh, 0);
    }
    est_note_fini(&note);
    est_note_fini(&got);
    est_buf_fini(&out);
}

static void foreign_texts(void **state)
{
    static const char *const texts[] = {
        "",         "x",        "somebody else's", "AAAA",
        "AQAAAAA=", "AgAAAAA=", "{\"offset\":1}",  "================================",
    };
    static char large[EST_NOTE_MAX * 4];
    struct est_note got;

    (void)state;
    est_note_init(&got);
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
        assert_int_equal(est_note_read(&got, here, est_view_str(texts[i])), EST_ERR_INVALID);
    assert_int_equal(est_note_read(&got, here, EST_VIEW_NONE), EST_ERR_INVALID);
    memset(large, 'A', sizeof(large));
    assert_int_equal(est_note_read(&got, here, est_view(large, sizeof(large))), EST_ERR_INVALID);
    est_note_fini(&got);
}

/* Any one byte changed, any end cut off. */
static void damaged_texts(void **state)
{
    struct est_note note, got;
    struct est_buf out;
    char *text;

    (void)state;
    fill(&note);
    est_note_init(&got);
    est_buf_init(&out, EST_NOTE_MAX);
    assert_int_equal(est_note_write(&note, here, EST_NOTE_MAX, &out), EST_OK);
    text = out.data;
    for (size_t i = 0; i < out.len; i++) {
        char was = text[i];
        for (unsigned k = 0; k < 64; k++) {
            text[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"[k];
            if (text[i] != was)
                assert_int_equal(est_note_read(&got, here, est_buf_view(&out)), EST_ERR_INVALID);
        }
        text[i] = was;
        assert_int_equal(est_note_read(&got, here, est_view(text, i)), EST_ERR_INVALID);
    }
    assert_int_equal(est_note_read(&got, here, est_buf_view(&out)), EST_OK);
    est_note_fini(&note);
    est_note_fini(&got);
    est_buf_fini(&out);
}

/* What is ahead goes first, then chains, then holes; the counts never do. */
static void a_full_note_gives_up_in_order(void **state)
{
    static const struct {
        unsigned chains, ahead;
        bool ahead_is_cut, chains_are_cut;
    } cases[] = {
        {3, 10, false, false},
        {64, 10, false, false},
        {64, 900, true, false},
        {64, 0, false, false},
    };
    struct est_buf out;

    (void)state;
    est_buf_init(&out, EST_NOTE_MAX);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (size_t max = EST_NOTE_MIN; max <= EST_NOTE_MAX; max += EST_NOTE_MAX - EST_NOTE_MIN) {
            struct est_note note, got;
            fill(&note);
            est_ahead_clear(&note.ahead);
            note.ahead.until = 9000;
            for (unsigned boot = 0; boot < cases[i].chains; boot++)
                add(&note, boot, 3);
            for (unsigned n = 0; n < cases[i].ahead; n++)
                add_ahead(&note, 100, n * 2);
            uint64_t missing = est_ledger_missing(&note.ledger);
            est_note_init(&got);
            est_buf_clear(&out);
            assert_int_equal(est_note_write(&note, here, max, &out), EST_OK);
            assert_in_range(out.len, 0, max);
            assert_int_equal(est_note_read(&got, here, est_buf_view(&out)), EST_OK);
            assert_memory_equal(&got.tally, &note.tally, sizeof(note.tally));
            assert_int_equal(est_ledger_missing(&got.ledger), missing);
            if (max == EST_NOTE_MAX) {
                assert_int_equal(got.ledger.n, cases[i].chains);
                assert_int_equal(est_ahead_count(&got.ahead) < cases[i].ahead,
                                 cases[i].ahead_is_cut);
            }
            est_note_fini(&note);
            est_note_fini(&got);
        }
    est_buf_fini(&out);
}

static void memory_runs_out(void **state)
{
    struct est_note note, got;
    struct est_buf out;
    est_err err = EST_ERR_NOMEM;

    (void)state;
    fill(&note);
    est_note_init(&got);
    est_buf_init(&out, EST_NOTE_MAX);
    for (long n = 0; err != EST_OK; n++) {
        est_buf_fini(&out);
        est_buf_init(&out, EST_NOTE_MAX);
        est_mem_fail_after(n);
        err = est_note_write(&note, here, EST_NOTE_MAX, &out);
        est_mem_fail_after(-1);
        assert_true(err == EST_OK || err == EST_ERR_NOMEM);
    }
    err = EST_ERR_NOMEM;
    for (long n = 0; err != EST_OK; n++) {
        est_mem_fail_after(n);
        err = est_note_read(&got, here, est_buf_view(&out));
        est_mem_fail_after(-1);
        assert_true(err == EST_OK || err == EST_ERR_NOMEM);
        if (err != EST_OK)
            assert_true(got.ledger.partial && got.ledger.n == 0 && got.ahead.n == 0);
    }
    est_note_fini(&note);
    est_note_fini(&got);
    est_buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(it_is_read_in_its_own_place_only),
        cmocka_unit_test(foreign_texts),
        cmocka_unit_test(damaged_texts),
        cmocka_unit_test(a_full_note_gives_up_in_order),
        cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
