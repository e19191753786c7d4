#include "history.h"

#include "core/chain.h"

#include <stdio.h>
#include <string.h>

void history_log_init(struct history_log *log)
{
    log->n = log->start = log->n_events = 0;
    log->next = 0;
    log->has_late = log->was_cut = false;
    memset(log->boots, 0, sizeof(log->boots));
}

static bool one_in(struct est_rng *rng, uint64_t n)
{
    return est_rng_below(rng, n) == 0;
}

static void put(struct history_log *log, const struct history_record *r, struct est_rng *rng)
{
    if (log->n == HISTORY_LOG)
        return;
    if (log->n > 0 && one_in(rng, 40))
        log->next += (int64_t)est_rng_below(rng, 4); /* a transaction's own records */
    log->records[log->n] = *r;
    log->records[log->n++].offset = log->next++;
    if (r->event >= 0)
        log->events[r->event].in_log = true;
}

static void stamp(struct history_log *log, struct history_record *r, size_t boot, uint32_t part)
{
    snprintf(r->header, sizeof(r->header), "%031zx%zx/%u/order/%u/%llu", boot * 7 + 1, boot,
             log->boots[boot].epoch, part, (unsigned long long)log->boots[boot].next);
}

static int new_event(struct history_log *log, size_t boot, bool chained)
{
    struct history_event *ev = &log->events[log->n_events];

    *ev = (struct history_event){.promised = chained,
                                 .boot = (uint8_t)boot,
                                 .epoch = log->boots[boot].epoch,
                                 .n = log->boots[boot].next};
    return (int)log->n_events++;
}

static enum est_account_kind any_kind(struct est_rng *rng)
{
    static const enum est_account_kind kinds[] = {EST_ACCOUNT_EVENT, EST_ACCOUNT_MARK,
                                                  EST_ACCOUNT_PUT_BACK, EST_ACCOUNT_FOREIGN};

    return kinds[est_rng_below(rng, 4)];
}

/* A record that takes the next number of its chain. */
static void stamped(struct history_log *log, struct history_record *r, size_t boot,
                    struct est_rng *rng)
{
    if (!one_in(rng, 12))
        r->kind = EST_ACCOUNT_EVENT;
    else
        r->kind = any_kind(rng);
    r->event = -1;
    stamp(log, r, boot, HISTORY_PARTITION);
    r->claim[0] = '\0';
    if (r->kind == EST_ACCOUNT_EVENT && !one_in(rng, 4))
        memcpy(r->claim, r->header, sizeof(r->claim));
    if (r->kind == EST_ACCOUNT_EVENT || r->kind == EST_ACCOUNT_PUT_BACK)
        r->event = new_event(log, boot, true);
    log->boots[boot].next++;
}

/* No number is taken: no header, damage, or one that belongs to another partition. */
static void unstamped(struct history_log *log, struct history_record *r, size_t boot,
                      struct est_rng *rng)
{
    r->kind = EST_ACCOUNT_EVENT;
    r->event = new_event(log, boot, false);
    r->header[0] = r->claim[0] = '\0';
    if (one_in(rng, 2)) /* a number that the chain has in our partition, too */
        stamp(log, r, boot, HISTORY_PARTITION + 1 + (uint32_t)est_rng_below(rng, 2) * 27);
}

/* Another event, with the value's claim of one that was written before and without a header: what
 * becomes of a value that somebody changes and writes once more. Retention takes nothing beside it
 * (history.c): where the original is gone unread and a repeat of it is written later, the copy
 * would stand in its place. */
static void copied(struct history_log *log, struct history_record *r, size_t boot,
                   struct est_rng *rng)
{
    const struct history_record *of = &log->records[est_rng_below(rng, log->n)];

    r->kind = EST_ACCOUNT_EVENT;
    r->event = new_event(log, boot, false);
    r->header[0] = '\0';
    memcpy(r->claim, of->claim, sizeof(r->claim));
}

static void break_chain(struct history_log *log, size_t boot)
{
    if (log->boots[boot].next == 0)
        return;
    log->boots[boot].epoch++;
    log->boots[boot].next = 0;
}

static void lose(struct history_log *log, size_t boot, struct est_rng *rng)
{
    struct history_record lost;

    for (uint64_t n = 1 + est_rng_below(rng, log->holey ? 1 : 3);
         n > 0 && log->n_events < HISTORY_EVENTS; n--)
        stamped(log, &lost, boot, rng);
}

bool history_append(struct history_log *log, struct est_rng *rng)
{
    struct history_record r;
    size_t boot = est_rng_below(rng, one_in(rng, 3) ? HISTORY_BOOTS : 1);

    if (log->n == HISTORY_LOG || log->n_events + 4 >= HISTORY_EVENTS)
        return false;
    if (log->has_late && one_in(rng, log->holey ? 60 : 6)) {
        put(log, &log->late, rng);
        log->has_late = false;
        return true;
    }
    if (log->n > 0 && one_in(rng, 15)) { /* once more, from anywhere */
        put(log, &log->records[est_rng_below(rng, log->n)], rng);
        return true;
    }
    if (one_in(rng, log->restless ? 4 : 60))
        break_chain(log, boot);
    if (one_in(rng, log->holey ? 2 : 50))
        lose(log, boot, rng);
    if (!log->is_plain && log->n > 0 && one_in(rng, 25)) {
        copied(log, &r, boot, rng);
    } else if (one_in(rng, 25)) {
        unstamped(log, &r, boot, rng);
    } else {
        stamped(log, &r, boot, rng);
        if (!log->has_late && one_in(rng, 30)) {
            log->late = r;
            log->has_late = true;
            return true;
        }
    }
    put(log, &r, rng);
    return true;
}

void history_cut(struct history_log *log, size_t from)
{
    if (from >= log->n)
        return;
    log->next = log->records[from].offset;
    log->n = from;
    log->was_cut = true;
    for (size_t i = 0; i < log->n_events; i++)
        log->events[i].in_log = false;
    for (size_t i = 0; i < log->n; i++)
        if (log->records[i].event >= 0)
            log->events[log->records[i].event].in_log = true;
}
