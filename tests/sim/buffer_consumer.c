#include "buffer_judge.h"

#include "base/buf.h"
#include "core/account.h"

#include <stdio.h>
#include <string.h>

/* One partition read by a consumer that is killed at random points and begins again at its last
 * commit with what it saved there. */
struct reader {
    const struct buf_judge *judge;
    struct est_account *account;
    struct est_rng *rng;
    uint32_t part, at, committed, delivered_to;
    struct est_buf saved;
    bool delivered[BUF_EVENTS];
    uint32_t life, read[BUF_EVENTS]; /* in which life the event was read last, not as a repeat */
};

static size_t header_of(const struct buf_stamp *st, char out[EST_CHAIN_TEXT_MAX + 1])
{
    struct est_chain chain = {
        .epoch = st->epoch, .type = est_view_str("order"), .partition = st->part, .n = st->n};

    snprintf(chain.boot, sizeof(chain.boot), "%032x", st->boot);
    return est_chain_format(&chain, out);
}

static void read_one(struct reader *r)
{
    const struct buf_stamp *st = &r->judge->stamps[r->judge->log[r->part][r->at]];
    char header[EST_CHAIN_TEXT_MAX + 1];
    struct est_account_answer answer;
    size_t len = header_of(st, header);

    SIM_CHECK(est_account_read(r->account, r->at, est_view(header, len), EST_ACCOUNT_EVENT,
                               &answer) == EST_OK,
              "the account cannot read");
    SIM_CHECK(answer.end == EST_END_OPEN || r->delivered[st->event] ||
                  r->read[st->event] == r->life,
              "event %u is settled as a repeat and was not delivered", st->event);
    SIM_CHECK(answer.class != EST_ACCOUNT_UNCHAINED, "event %u has no chain", st->event);
    if (answer.class == EST_ACCOUNT_NEW)
        r->read[st->event] = r->life;
    r->at++;
}

/* Everything read up to now is delivered, and perhaps committed. */
static void deliver(struct reader *r)
{
    for (; r->delivered_to < r->at; r->delivered_to++) {
        (void)est_account_settle(r->account, r->delivered_to, EST_END_DELIVERED);
        r->delivered[r->judge->stamps[r->judge->log[r->part][r->delivered_to]].event] = true;
    }
    if (!est_rng_chance(r->rng, 50))
        return;
    r->committed = r->delivered_to;
    est_buf_clear(&r->saved);
    SIM_CHECK(est_account_commit_point(r->account) == r->committed,
              "the commit point is elsewhere");
    SIM_CHECK(est_account_note(r->account, EST_NOTE_MAX, &r->saved) == EST_OK,
              "the account is not saved");
}

static void kill_and_start(struct reader *r)
{
    SIM_CHECK(est_account_start(r->account, r->committed, est_buf_view(&r->saved)) == EST_OK,
              "the account does not start");
    r->at = r->delivered_to = r->committed;
    r->life++;
}

void buf_consume(const struct buf_judge *j, struct est_rng *rng)
{
    static struct reader r;

    for (uint32_t p = 0; p < BUF_PARTITIONS; p++) {
        r = (struct reader){.judge = j, .rng = rng, .part = p};
        est_buf_init(&r.saved, 4096);
        SIM_CHECK(est_account_new(est_view_str("order"), p, 1 << 16, &r.account) == EST_OK,
                  "no memory");
        kill_and_start(&r);
        while (r.at < j->n_log[p]) {
            uint64_t dice = est_rng_below(rng, 100);
            read_one(&r);
            if (dice < 10)
                deliver(&r);
            else if (dice == 99)
                kill_and_start(&r);
        }
        est_account_free(r.account);
        est_buf_fini(&r.saved);
    }
}
