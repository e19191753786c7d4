#include "core/account.h"

#include "base/mem.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

enum { MAX = 1000 };

static struct est_account *begin(int64_t offset, struct est_view metadata)
{
    struct est_account *acc;

    assert_int_equal(est_account_new(EST_VIEW_LIT("order"), 3, MAX, &acc), EST_OK);
    assert_int_equal(est_account_start(acc, offset, metadata), EST_OK);
    return acc;
}

static struct est_account_answer read_kind(struct est_account *acc, int64_t offset,
                                           const char *header, enum est_account_kind kind)
{
    struct est_account_answer answer;

    assert_int_equal(est_account_read(acc, offset, est_view_str(header), kind, &answer), EST_OK);
    return answer;
}

static struct est_account_answer read_n(struct est_account *acc, int64_t offset, unsigned n)
{
    char header[64];

    snprintf(header, sizeof(header), A "/0/order/3/%u", n);
    return read_kind(acc, offset, header, EST_ACCOUNT_EVENT);
}

static void settle(struct est_account *acc, int64_t offset)
{
    assert_int_equal(est_account_settle(acc, offset, EST_END_DELIVERED), EST_OK);
}

/* As a crash leaves it: only the note goes on. */
static struct est_account *take_over(struct est_account *acc)
{
    int64_t point = est_account_commit_point(acc);
    struct est_account *next;
    struct est_buf note;

    est_buf_init(&note, EST_NOTE_MAX);
    assert_int_equal(est_account_note(acc, EST_NOTE_MAX, &note), EST_OK);
    est_account_free(acc);
    next = begin(point, est_buf_view(&note));
    est_buf_fini(&note);
    return next;
}

static void only_what_was_seen_here_is_a_repeat(void **state)
{
    static const struct {
        const char *header;
        enum est_account_class want;
    } cases[] = {
        {A "/0/order/3/0", EST_ACCOUNT_NEW},
        {A "/0/order/3/0", EST_ACCOUNT_REPEAT},
        {A "/0/order/3/4", EST_ACCOUNT_NEW},
        {A "/0/order/3/2", EST_ACCOUNT_NEW}, /* fills a hole */
        {A "/0/order/3/2", EST_ACCOUNT_REPEAT},
        {A "/0/order/3/3", EST_ACCOUNT_NEW},
        {A "/1/order/3/0", EST_ACCOUNT_NEW},       /* another epoch */
        {B "/0/order/3/0", EST_ACCOUNT_NEW},       /* another boot */
        {A "/0/order/2/0", EST_ACCOUNT_UNCHAINED}, /* another partition's */
        {A "/0/user/3/0", EST_ACCOUNT_UNCHAINED},  /* another type's */
        {A "/0/order/3/0x", EST_ACCOUNT_UNCHAINED},
        {A "/0/order/3/00", EST_ACCOUNT_UNCHAINED},
        {A "/0/order/3/", EST_ACCOUNT_UNCHAINED},
        {A "/0/order/3/281474976710657", EST_ACCOUNT_UNCHAINED}, /* above EST_CHAIN_N_MAX */
        {A "/0/order/3/0", EST_ACCOUNT_REPEAT},
        {A, EST_ACCOUNT_UNCHAINED},
        {"", EST_ACCOUNT_UNCHAINED},
        {NULL, EST_ACCOUNT_UNCHAINED},
    };
    enum { N = sizeof(cases) / sizeof(cases[0]) };
    struct est_account *acc = begin(0, EST_VIEW_NONE);
    const struct est_note *now;

    (void)state;
    for (int i = 0; i < N; i++) {
        struct est_account_answer answer = read_kind(acc, i, cases[i].header, EST_ACCOUNT_EVENT);
        assert_int_equal(answer.class, cases[i].want);
        assert_int_equal(answer.end,
                         answer.class == EST_ACCOUNT_REPEAT ? EST_END_PASSED : EST_END_OPEN);
    }
    assert_int_equal(est_account_now(acc)->tally.fresh, 0);
    assert_int_equal(est_account_pending(acc), 15);
    assert_int_equal(est_account_beyond(acc), 3);
    for (int i = 0; i < N; i++)
        assert_int_equal(est_account_settle(acc, i, i == 5 ? EST_END_DEAD : EST_END_DELIVERED),
                         cases[i].want == EST_ACCOUNT_REPEAT ? EST_ERR_NOTFOUND : EST_OK);
    assert_int_equal(est_account_commit_point(acc), N);
    now = est_account_now(acc);
    assert_int_equal(now->tally.fresh, 6);
    assert_int_equal(now->tally.repeats, 3);
    assert_int_equal(now->tally.unchained, 9);
    assert_int_equal(now->tally.delivered, 14);
    assert_int_equal(now->tally.dead, 1);
    assert_int_equal(est_ledger_missing(&now->ledger), 1);
    assert_int_equal(now->ledger.n, 3);
    est_account_free(acc);
}

/* A claim is believed while it lets the record be delivered, and the header is asked before it
 * settles one: a value that was copied without its header is delivered. */
static void a_claim_alone_settles_nothing(void **state)
{
    static const struct {
        unsigned claim;
        const char *header; /* NULL: it is not asked; "" = there is none */
        enum est_account_class class;
        enum est_end end;
    } cases[] = {
        {0, NULL, EST_ACCOUNT_NEW, EST_END_OPEN},
        {1, NULL, EST_ACCOUNT_NEW, EST_END_OPEN},
        {1, A "/0/order/3/1", EST_ACCOUNT_REPEAT, EST_END_PASSED},
        {1, "", EST_ACCOUNT_UNCHAINED, EST_END_OPEN},
        {0, A "/0/order/3/2", EST_ACCOUNT_NEW, EST_END_OPEN},
        {2, A "/0/order/3/2", EST_ACCOUNT_REPEAT, EST_END_PASSED},
        {3, NULL, EST_ACCOUNT_NEW, EST_END_OPEN},
    };
    struct est_account *acc = begin(0, EST_VIEW_NONE);
    const struct est_note *now;
    char claim[64];

    (void)state;
    for (int i = 0; i < 7; i++) {
        struct est_account_answer answer = {0};
        est_err err;
        snprintf(claim, sizeof(claim), A "/0/order/3/%u", cases[i].claim);
        err = est_account_read(acc, i, est_view_str(claim), EST_ACCOUNT_CLAIMED, &answer);
        assert_int_equal(err, cases[i].header == NULL ? EST_OK : EST_ERR_AGAIN);
        if (err == EST_ERR_AGAIN)
            est_account_confirm(acc, i,
                                cases[i].header[0] ? est_view_str(cases[i].header) : EST_VIEW_NONE,
                                &answer);
        assert_int_equal(answer.class, cases[i].class);
        assert_int_equal(answer.end, cases[i].end);
        if (answer.end == EST_END_OPEN)
            settle(acc, i);
    }
    assert_int_equal(est_account_commit_point(acc), 7);
    now = est_account_now(acc);
    assert_int_equal(now->tally.fresh, 4);
    assert_int_equal(now->tally.repeats, 2);
    assert_int_equal(now->tally.unchained, 1);
    assert_int_equal(est_note_sum(now).missing, 0);
    est_account_free(acc);
}

/* What the owner before had settled beyond its commit is settled again by a header only. */
static void a_claim_alone_is_not_what_was_noted(void **state)
{
    struct est_account *acc = begin(0, EST_VIEW_NONE);
    struct est_account_answer answer;

    (void)state;
    for (unsigned n = 0; n < 3; n++)
        (void)read_n(acc, n, n);
    settle(acc, 2);
    acc = take_over(acc);
    (void)read_n(acc, 0, 0);
    (void)read_n(acc, 1, 1);
    assert_int_equal(
        est_account_read(acc, 2, EST_VIEW_LIT(A "/0/order/3/2"), EST_ACCOUNT_CLAIMED, &answer),
        EST_ERR_AGAIN);
    est_account_confirm(acc, 2, EST_VIEW_LIT(A "/0/order/3/2"), &answer);
    assert_int_equal(answer.end, EST_END_DELIVERED);
    acc = take_over(acc);
    (void)read_n(acc, 0, 0);
    (void)read_n(acc, 1, 1);
    assert_int_equal(
        est_account_read(acc, 2, EST_VIEW_LIT(A "/0/order/3/2"), EST_ACCOUNT_CLAIMED, &answer),
        EST_ERR_AGAIN);
    est_account_confirm(acc, 2, EST_VIEW_NONE, &answer);
    assert_int_equal(answer.end, EST_END_OPEN);
    est_account_free(acc);
}

/* Marks and replays of others end at once; a replay of ours is delivered, once. */
static void kinds_are_counted_apart(void **state)
{
    static const struct {
        enum est_account_kind kind;
        unsigned n;
        enum est_account_class class;
        enum est_end end;
    } cases[] = {
        {EST_ACCOUNT_EVENT, 0, EST_ACCOUNT_NEW, EST_END_OPEN},
        {EST_ACCOUNT_MARK, 1, EST_ACCOUNT_MARKED, EST_END_PASSED},
        {EST_ACCOUNT_PUT_BACK, 2, EST_ACCOUNT_REPLAY, EST_END_OPEN},
        {EST_ACCOUNT_PUT_BACK, 2, EST_ACCOUNT_REPEAT, EST_END_PASSED},
        {EST_ACCOUNT_FOREIGN, 3, EST_ACCOUNT_SKIPPED, EST_END_PASSED},
        {EST_ACCOUNT_FOREIGN, 3, EST_ACCOUNT_SKIPPED, EST_END_PASSED},
        {EST_ACCOUNT_MARK, 1, EST_ACCOUNT_MARKED, EST_END_PASSED},
        {EST_ACCOUNT_EVENT, 4, EST_ACCOUNT_NEW, EST_END_OPEN},
    };
    struct est_account *acc = begin(0, EST_VIEW_NONE);
    const struct est_note *now;
    char header[64];

    (void)state;
    for (int i = 0; i < 8; i++) {
        struct est_account_answer answer;
        snprintf(header, sizeof(header), A "/0/order/3/%u", cases[i].n);
        answer = read_kind(acc, i, header, cases[i].kind);
        assert_int_equal(answer.class, cases[i].class);
        assert_int_equal(answer.end, cases[i].end);
    }
    assert_int_equal(est_account_settle(acc, 0, EST_END_DEAD), EST_OK);
    settle(acc, 2);
    settle(acc, 7);
    acc = take_over(acc);
    now = est_account_now(acc);
    assert_int_equal(now->tally.fresh, 2);
    assert_int_equal(now->tally.marks, 2);
    assert_int_equal(now->tally.replays, 1);
    assert_int_equal(now->tally.repeats, 1);
    assert_int_equal(now->tally.skipped, 2);
    assert_int_equal(now->tally.fresh + now->tally.unchained + now->tally.replays,
                     now->tally.delivered + now->tally.dead);
    assert_int_equal(est_note_sum(now).accepted, 2);
    assert_int_equal(est_note_sum(now).delivered, 2);
    assert_int_equal(est_note_sum(now).dead, 0);
    est_account_free(acc);
}

/* The committed state follows the commit point exactly, also into the middle of a run. */
static void only_the_committed_survives(void **state)
{
    struct est_account *acc = begin(100, EST_VIEW_NONE);

    (void)state;
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(read_n(acc, 100 + i, i).class, EST_ACCOUNT_NEW);
    for (int i = 0; i < 4; i++)
        settle(acc, 100 + i);
    assert_int_equal(est_account_now(acc)->tally.fresh, 4);
    acc = take_over(acc);
    assert_int_equal(read_n(acc, 104, 3).class, EST_ACCOUNT_REPEAT);
    assert_int_equal(read_n(acc, 105, 4).class, EST_ACCOUNT_NEW);
    acc = take_over(acc);
    assert_int_equal(read_n(acc, 105, 4).end, EST_END_OPEN);
    est_account_free(acc);
}

/* What was settled beyond the commit point is not delivered again, over any number of owners, and
 * is counted when the commit point has passed it. */
static void what_is_settled_ahead_is_not_delivered_again(void **state)
{
    struct est_account *acc = begin(0, EST_VIEW_NONE);
    const struct est_note *now;

    (void)state;
    for (unsigned i = 0; i < 100; i++)
        read_n(acc, i, i);
    for (int i = 10; i < 100; i++)
        assert_int_equal(est_account_settle(acc, i, i % 10 == 0 ? EST_END_DEAD : EST_END_DELIVERED),
                         EST_OK);
    acc = take_over(acc);
    for (unsigned i = 0; i < 30; i++) /* this owner does not come far */
        assert_int_equal(read_n(acc, i, i).end, i < 10        ? EST_END_OPEN
                                                : i % 10 == 0 ? EST_END_DEAD
                                                              : EST_END_DELIVERED);
    settle(acc, 0);
    acc = take_over(acc);
    for (unsigned i = 1; i < 101; i++)
        assert_int_equal(read_n(acc, i, i).end, i < 10 || i == 100 ? EST_END_OPEN
                                                : i % 10 == 0      ? EST_END_DEAD
                                                                   : EST_END_DELIVERED);
    for (int i = 1; i < 10; i++)
        settle(acc, i);
    assert_int_equal(est_account_commit_point(acc), 100);
    now = est_account_now(acc);
    assert_int_equal(now->tally.fresh, 100);
    assert_int_equal(now->tally.delivered, 91);
    assert_int_equal(now->tally.dead, 9);
    est_account_free(acc);
}

/* The log was cut and written anew: other records at the same offsets are delivered. */
static void what_is_ahead_means_records_and_not_offsets(void **state)
{
    struct est_account *acc = begin(0, EST_VIEW_NONE);
    char header[64];

    (void)state;
    for (unsigned i = 0; i < 10; i++)
        read_n(acc, i, i);
    for (int i = 5; i < 10; i++)
        settle(acc, i);
    acc = take_over(acc);
    for (unsigned i = 0; i < 5; i++)
        read_n(acc, i, i);
    for (int i = 5; i < 10; i++) {
        snprintf(header, sizeof(header), B "/0/order/3/%d", i);
        assert_int_equal(read_kind(acc, i, header, EST_ACCOUNT_EVENT).end, EST_END_OPEN);
    }
    assert_int_equal(read_n(acc, 10, 5).end, EST_END_OPEN); /* beyond what the note was about */
    est_account_free(acc);
}

static void records_without_a_chain_are_in_doubt(void **state)
{
    struct est_account *acc = begin(0, EST_VIEW_NONE);

    (void)state;
    for (int i = 0; i < 10; i++)
        read_kind(acc, i, NULL, EST_ACCOUNT_EVENT);
    for (int i = 5; i < 10; i++)
        settle(acc, i);
    acc = take_over(acc);
    for (int i = 0; i < 10; i++)
        assert_int_equal(read_kind(acc, i, NULL, EST_ACCOUNT_EVENT).end, EST_END_OPEN);
    est_account_free(acc);
}

static void a_start_in_the_middle_believes_the_first_number(void **state)
{
    struct est_account *acc = begin(5, EST_VIEW_NONE);

    (void)state;
    assert_int_equal(read_n(acc, 5, 7).class, EST_ACCOUNT_NEW);
    settle(acc, 5);
    assert_int_equal(est_note_sum(est_account_now(acc)).missing, 0);
    assert_int_equal(read_n(acc, 6, 6).class, EST_ACCOUNT_NEW);
    assert_int_equal(read_n(acc, 7, 6).class, EST_ACCOUNT_NEW);
    settle(acc, 6);
    settle(acc, 7);
    assert_int_equal(est_account_now(acc)->ledger.below, 2);
    assert_int_equal(est_account_start(acc, 0, EST_VIEW_NONE), EST_OK);
    assert_int_equal(read_n(acc, 0, 7).class, EST_ACCOUNT_NEW);
    settle(acc, 0);
    assert_int_equal(est_note_sum(est_account_now(acc)).missing, 7);
    est_account_free(acc);
}

static void foreign_metadata_is_taken_as_nothing(void **state)
{
    struct est_account *acc = begin(0, EST_VIEW_NONE);

    (void)state;
    assert_int_equal(est_account_start(acc, 9, EST_VIEW_LIT("somebody else's")), EST_ERR_INVALID);
    assert_int_equal(read_n(acc, 9, 7).class, EST_ACCOUNT_NEW);
    settle(acc, 9);
    assert_int_equal(est_note_sum(est_account_now(acc)).missing, 0);
    est_account_free(acc);
}

static void what_retention_took_is_expired(void **state)
{
    struct est_account *acc = begin(0, EST_VIEW_NONE);
    struct est_note_sum sum;

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        read_n(acc, i, i);
        settle(acc, i);
    }
    acc = take_over(acc);
    est_account_jump(acc);
    assert_int_equal(read_n(acc, 20, 18).class, EST_ACCOUNT_NEW);
    assert_int_equal(read_n(acc, 21, 20).class, EST_ACCOUNT_NEW);
    settle(acc, 20);
    settle(acc, 21);
    sum = est_note_sum(est_account_now(acc));
    assert_int_equal(sum.expired, 13);
    assert_int_equal(sum.missing, 1);
    assert_int_equal(sum.accepted, 21);
    est_account_free(acc);
}

static void a_log_that_was_cut_is_read_anew_by_its_chains(void **state)
{
    struct est_account *acc = begin(0, EST_VIEW_NONE);

    (void)state;
    for (unsigned i = 0; i < 10; i++)
        read_n(acc, i, i);
    for (int64_t i = 0; i < 8; i++)
        settle(acc, i);
    assert_true(est_account_has_read(acc, EST_VIEW_LIT(A "/0/order/3/9")));
    assert_true(est_account_has_read(acc, EST_VIEW_NONE));
    assert_false(est_account_has_read(acc, EST_VIEW_LIT(A "/0/order/3/10")));
    assert_false(est_account_has_read(acc, EST_VIEW_LIT(B "/0/order/3/0")));
    est_account_rewind(acc, 5);
    assert_int_equal(est_account_commit_point(acc), 5);
    acc = take_over(acc);
    assert_int_equal(est_account_commit_point(acc), 5);
    assert_int_equal(read_n(acc, 5, 5).class, EST_ACCOUNT_REPEAT);
    assert_int_equal(read_n(acc, 6, 10).class, EST_ACCOUNT_NEW);
    assert_int_equal(read_n(acc, 7, 11).end, EST_END_OPEN);
    settle(acc, 6);
    settle(acc, 7);
    assert_int_equal(est_account_commit_point(acc), 8);
    assert_int_equal(est_note_sum(est_account_now(acc)).delivered, 10);
    est_account_free(acc);
}

static void it_is_bounded(void **state)
{
    struct est_account *acc = begin(0, EST_VIEW_NONE);
    struct est_account_answer answer;

    (void)state;
    for (int i = 0; i < MAX; i++) {
        assert_true(est_account_room(acc) > 0);
        read_n(acc, i, (unsigned)i);
    }
    assert_int_equal(est_account_room(acc), 0);
    assert_int_equal(
        est_account_read(acc, MAX, EST_VIEW_LIT(A "/0/order/3/9999"), EST_ACCOUNT_EVENT, &answer),
        EST_ERR_FULL);
    settle(acc, 1); /* not the one that holds it up */
    assert_int_equal(est_account_room(acc), 0);
    settle(acc, 0);
    assert_int_equal(read_n(acc, MAX, 9999).class, EST_ACCOUNT_NEW);
    est_account_free(acc);
    assert_int_equal(est_account_new(EST_VIEW_LIT("a/b"), 0, MAX, &acc), EST_ERR_INVALID);
}

/* Chains by turns take more memory a record than one chain does: full earlier, and free again. */
static void chains_by_turns_are_bounded(void **state)
{
    struct est_account *acc = begin(0, EST_VIEW_NONE);
    char header[64];
    int n = 0;

    (void)state;
    for (; est_account_room(acc) > 0; n++) {
        snprintf(header, sizeof(header), "%032d/0/order/3/%d", n % 2, n / 2);
        read_kind(acc, n, header, EST_ACCOUNT_EVENT);
    }
    assert_int_equal(n, MAX / 4);
    for (int i = n; i-- > 0;)
        settle(acc, i);
    assert_true(est_account_room(acc) > 0);
    assert_int_equal(est_account_now(acc)->tally.delivered, MAX / 4);
    est_account_free(acc);
}

/* Every allocation of a read fails in turn: the read either says so, and succeeds when repeated, or
 * has classified without a false repeat. */
static void memory_runs_out(void **state)
{
    struct est_account *acc = NULL;
    struct est_account_answer answer;
    char header[64];

    (void)state;
    for (long n = 0; n < 2; n++) {
        est_mem_fail_after(n);
        assert_int_equal(est_account_new(EST_VIEW_LIT("order"), 3, MAX, &acc), EST_ERR_NOMEM);
    }
    est_mem_fail_after(-1);
    acc = begin(0, EST_VIEW_NONE);
    for (int i = 0; i < 100; i++) {
        snprintf(header, sizeof(header), "%032d/0/order/3/%d", i % 70, i);
        est_mem_fail_after(i % 2);
        while (est_account_read(acc, i, est_view_str(header), EST_ACCOUNT_EVENT, &answer) != EST_OK)
            continue;
        est_mem_fail_after(-1);
        assert_int_equal(answer.class, EST_ACCOUNT_NEW);
    }
    for (int i = 0; i < 100; i++)
        settle(acc, i);
    est_mem_fail_after(0);
    assert_int_equal(est_account_now(acc)->tally.fresh, 100);
    est_mem_fail_after(-1);
    est_account_free(acc);
    est_account_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_was_seen_here_is_a_repeat),
        cmocka_unit_test(a_claim_alone_settles_nothing),
        cmocka_unit_test(a_claim_alone_is_not_what_was_noted),
        cmocka_unit_test(kinds_are_counted_apart),
        cmocka_unit_test(only_the_committed_survives),
        cmocka_unit_test(what_is_settled_ahead_is_not_delivered_again),
        cmocka_unit_test(what_is_ahead_means_records_and_not_offsets),
        cmocka_unit_test(records_without_a_chain_are_in_doubt),
        cmocka_unit_test(a_start_in_the_middle_believes_the_first_number),
        cmocka_unit_test(foreign_metadata_is_taken_as_nothing),
        cmocka_unit_test(what_retention_took_is_expired),
        cmocka_unit_test(a_log_that_was_cut_is_read_anew_by_its_chains),
        cmocka_unit_test(it_is_bounded),
        cmocka_unit_test(chains_by_turns_are_bounded),
        cmocka_unit_test(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
