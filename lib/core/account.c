#include "account.h"

#include "base/assert.h"
#include "base/mem.h"
#include "offsets.h"

#include <string.h>

enum { PREFIXES = 4, RUNS_MIN = 64 };

/* Records that were read and are not committed: `count` of them with consecutive offsets and of one
 * class, and with consecutive numbers of one chain or with none. Mostly one run covers them all. */
struct run {
    int64_t offset;
    uint64_t n;
    struct est_ledger_key key;
    uint32_t count;
    bool chained;
    uint8_t class;
};

/* The part of a header that stays the same from record to record: all before the number. */
struct prefix {
    char text[EST_CHAIN_TEXT_MAX];
    size_t len;
    struct est_ledger_key key;
};

struct est_account {
    char type[EST_CHAIN_TYPE_MAX];
    size_t type_len;
    uint32_t partition;
    struct est_offsets *offsets;
    struct est_ledger memory;
    struct est_note note;   /* the committed state; ahead: what was noted last */
    struct est_tally start; /* as it was at the beginning of the assignment */
    struct est_ahead done;  /* what an owner before has settled beyond the commit point */
    struct prefix prefixes[PREFIXES];
    struct run *runs; /* ring; cap is a power of two */
    size_t head, n, cap, runs_max;
};

est_err est_account_new(struct est_view type, uint32_t partition, size_t max,
                        struct est_account **ret)
{
    struct est_account *acc;

    EST_ASSERT(max > 0);
    if (!est_chain_is_type(type))
        return EST_ERR_INVALID;
    acc = est_calloc(1, sizeof(*acc));
    if (acc == NULL)
        return EST_ERR_NOMEM;
    if (est_offsets_new(max, &acc->offsets) != EST_OK) {
        est_free(acc);
        return EST_ERR_NOMEM;
    }
    memcpy(acc->type, type.data, type.len);
    acc->type_len = type.len;
    acc->partition = partition;
    acc->runs_max = max / 4 > RUNS_MIN ? max / 4 : RUNS_MIN;
    est_note_init(&acc->note);
    est_ledger_init(&acc->memory, true);
    est_ahead_init(&acc->done);
    *ret = acc;
    return EST_OK;
}

void est_account_free(struct est_account *acc)
{
    if (acc == NULL)
        return;
    est_ledger_clear(&acc->memory);
    est_note_fini(&acc->note);
    est_ahead_fini(&acc->done);
    est_offsets_free(acc->offsets);
    est_free(acc->runs);
    est_free(acc);
}

static struct est_note_place place_at(const struct est_account *acc, int64_t offset)
{
    return (struct est_note_place){est_view(acc->type, acc->type_len), acc->partition, offset};
}

/* In memory what is committed, and nothing beyond it. */
static est_err begin_at(struct est_account *acc, int64_t offset)
{
    acc->start = acc->note.tally;
    acc->head = acc->n = 0;
    est_offsets_start(acc->offsets, offset);
    return est_ledger_copy(&acc->memory, &acc->note.ledger);
}

/* A group that begins at offset 0 with nothing saved has forgotten nothing. */
est_err est_account_start(struct est_account *acc, int64_t offset, struct est_view metadata)
{
    est_err err = est_note_read(&acc->note, place_at(acc, offset), metadata);
    struct est_ahead ahead = acc->note.ahead;

    if (err != EST_OK)
        acc->note.ledger.partial = offset > 0;
    acc->note.ahead = acc->done;
    acc->done = ahead;
    if (begin_at(acc, offset) != EST_OK)
        return EST_ERR_NOMEM;
    return metadata.len == 0 ? EST_OK : err;
}

void est_account_jump(struct est_account *acc)
{
    est_ledger_jump(&acc->memory);
    est_ledger_jump(&acc->note.ledger);
}

/* --- reading --- */

static struct run *run_at(const struct est_account *acc, size_t i)
{
    return &acc->runs[(acc->head + i) & (acc->cap - 1)];
}

static bool continues(const struct run *last, const struct run *next)
{
    if (next->offset != last->offset + last->count || next->chained != last->chained ||
        next->class != last->class || last->count == UINT32_MAX)
        return false;
    return !next->chained ||
           (next->n == last->n + last->count && est_ledger_same_key(&next->key, &last->key));
}

static est_err grow(struct est_account *acc)
{
    size_t cap = acc->cap ? acc->cap * 2 : 8;
    struct run *runs = est_alloc(cap * sizeof(*runs));

    if (runs == NULL)
        return EST_ERR_NOMEM;
    for (size_t i = 0; i < acc->n; i++)
        runs[i] = *run_at(acc, i);
    est_free(acc->runs);
    acc->runs = runs;
    acc->cap = cap;
    acc->head = 0;
    return EST_OK;
}

static void commit(struct est_account *acc);

/* Runs are joined to the committed state when they are asked for, or in the way. */
static bool has_run(struct est_account *acc)
{
    if (acc->n == acc->runs_max)
        commit(acc);
    return acc->n < acc->runs_max;
}

size_t est_account_room(struct est_account *acc)
{
    size_t records = est_offsets_room(acc->offsets);
    size_t runs = has_run(acc) ? acc->runs_max - acc->n : 0;

    return records < runs ? records : runs;
}

/* Room for one more record, so that all that follows cannot fail. */
static est_err make_room(struct est_account *acc, int64_t offset)
{
    if (!has_run(acc))
        return EST_ERR_FULL;
    if (acc->n == acc->cap && grow(acc) != EST_OK)
        return EST_ERR_NOMEM;
    return est_offsets_track(acc->offsets, offset);
}

static void remember(struct est_account *acc, const struct run *record)
{
    if (acc->n > 0 && continues(run_at(acc, acc->n - 1), record))
        run_at(acc, acc->n - 1)->count++;
    else
        *run_at(acc, acc->n++) = *record;
}

static unsigned hex_value(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Chains come in runs, and each header of a chain differs from the one before in its number
 * only. */
static struct prefix *prefix_for(struct est_account *acc, struct est_view header)
{
    return header.len > EST_BOOT_LEN
               ? &acc->prefixes[(unsigned char)header.data[EST_BOOT_LEN - 1] % PREFIXES]
               : NULL;
}

static bool read_known(const struct prefix *p, struct est_view header, struct run *record)
{
    unsigned long long n;
    struct est_view number;

    if (p == NULL || p->len == 0 || header.len <= p->len ||
        memcmp(header.data, p->text, p->len) != 0)
        return false;
    number = est_view(header.data + p->len, header.len - p->len);
    if ((number.len > 1 && number.data[0] == '0') || !est_view_u64(number, EST_CHAIN_N_MAX, &n))
        return false;
    record->key = p->key;
    record->n = n;
    return true;
}

static void keep_prefix(struct prefix *p, struct est_view header, const struct run *record)
{
    size_t len = header.len;

    while (header.data[len - 1] != '/')
        len--;
    memcpy(p->text, header.data, len);
    p->len = len;
    p->key = record->key;
}

/* False when the header is none, or does not belong to this type and partition. */
static bool read_header(struct est_account *acc, struct est_view header, struct run *record)
{
    struct prefix *p = prefix_for(acc, header);
    struct est_chain chain;

    if (read_known(p, header, record))
        return true;
    if (est_chain_parse(header, &chain) != EST_OK || chain.partition != acc->partition ||
        !est_view_eq(chain.type, est_view(acc->type, acc->type_len)))
        return false;
    for (size_t i = 0; i < EST_LEDGER_BOOT; i++)
        record->key.boot[i] =
            (unsigned char)(hex_value(chain.boot[i * 2]) << 4 | hex_value(chain.boot[i * 2 + 1]));
    record->key.epoch = chain.epoch;
    record->n = chain.n;
    keep_prefix(p, header, record);
    return true;
}

static enum est_account_class class_of(enum est_account_kind kind, bool chained, bool repeat)
{
    if (kind == EST_ACCOUNT_MARK)
        return EST_ACCOUNT_MARKED;
    if (kind == EST_ACCOUNT_FOREIGN)
        return EST_ACCOUNT_SKIPPED;
    if (repeat)
        return EST_ACCOUNT_REPEAT;
    if (kind == EST_ACCOUNT_PUT_BACK)
        return EST_ACCOUNT_REPLAY;
    return chained ? EST_ACCOUNT_NEW : EST_ACCOUNT_UNCHAINED;
}

/* How a record that has just been read ends at once, if it does. */
static enum est_end end_of(struct est_account *acc, const struct run *record)
{
    if (record->class == EST_ACCOUNT_MARKED || record->class == EST_ACCOUNT_SKIPPED ||
        record->class == EST_ACCOUNT_REPEAT)
        return EST_END_PASSED;
    if (acc->done.n == 0 || !record->chained)
        return EST_END_OPEN;
    return est_ahead_find(&acc->done, &record->key, record->n);
}

static void take(struct est_account *acc, struct run *record, enum est_account_kind kind,
                 bool repeat, struct est_account_answer *ret)
{
    record->class = (uint8_t)class_of(kind, record->chained, repeat);
    remember(acc, record);
    *ret = (struct est_account_answer){record->class, end_of(acc, record)};
    if (ret->end != EST_END_OPEN)
        (void)est_offsets_settle(acc->offsets, record->offset, ret->end);
}

/* It counts as seen from here on; one that was seen before is not changed by it. */
static bool was_seen(struct est_account *acc, const struct run *record)
{
    return record->chained && est_ledger_add(&acc->memory, &record->key, record->n);
}

/* An owner before has settled what has this number. */
static bool is_done(const struct est_account *acc, const struct run *record)
{
    return record->chained && acc->done.n > 0 &&
           est_ahead_find(&acc->done, &record->key, record->n) != EST_END_OPEN;
}

est_err est_account_read(struct est_account *acc, int64_t offset, struct est_view header,
                         enum est_account_kind kind, struct est_account_answer *ret)
{
    struct run record = {.offset = offset, .count = 1};
    bool repeat;
    est_err err = make_room(acc, offset);

    if (err != EST_OK)
        return err;
    if (acc->done.n > 0 && offset >= acc->done.until)
        est_ahead_fini(&acc->done);
    record.chained = read_header(acc, header, &record);
    if (kind == EST_ACCOUNT_CLAIMED && is_done(acc, &record))
        return EST_ERR_AGAIN;
    repeat = was_seen(acc, &record);
    if (kind == EST_ACCOUNT_CLAIMED && repeat)
        return EST_ERR_AGAIN;
    take(acc, &record, kind, repeat, ret);
    return EST_OK;
}

void est_account_confirm(struct est_account *acc, int64_t offset, struct est_view header,
                         struct est_account_answer *ret)
{
    struct run record = {.offset = offset, .count = 1};

    record.chained = read_header(acc, header, &record);
    take(acc, &record, EST_ACCOUNT_EVENT, was_seen(acc, &record), ret);
}

bool est_account_has_read(struct est_account *acc, struct est_view header)
{
    struct run record = {0};

    return !read_header(acc, header, &record) ||
           est_ledger_has(&acc->memory, &record.key, record.n);
}

est_err est_account_settle(struct est_account *acc, int64_t offset, enum est_end end)
{
    return est_offsets_settle(acc->offsets, offset, end);
}

int64_t est_account_commit_point(const struct est_account *acc)
{
    return est_offsets_commit_point(acc->offsets);
}

size_t est_account_pending(const struct est_account *acc)
{
    return est_offsets_pending(acc->offsets);
}

size_t est_account_beyond(const struct est_account *acc)
{
    return est_offsets_beyond(acc->offsets);
}

uint64_t est_account_settled(const struct est_account *acc)
{
    return est_offsets_ended(acc->offsets, EST_END_DELIVERED) +
           est_offsets_ended(acc->offsets, EST_END_DEAD) +
           est_offsets_ended(acc->offsets, EST_END_PASSED) + est_offsets_beyond(acc->offsets);
}

/* --- committing --- */

/* The first `count` records of a run. */
static void commit_run(struct est_account *acc, struct run *run, uint32_t count)
{
    struct est_tally *t = &acc->note.tally;
    uint64_t *const counts[EST_ACCOUNT__CLASSES] = {
        [EST_ACCOUNT_NEW] = &t->fresh,           [EST_ACCOUNT_REPEAT] = &t->repeats,
        [EST_ACCOUNT_UNCHAINED] = &t->unchained, [EST_ACCOUNT_MARKED] = &t->marks,
        [EST_ACCOUNT_REPLAY] = &t->replays,      [EST_ACCOUNT_SKIPPED] = &t->skipped,
    };

    *counts[run->class] += count;
    if (run->chained)
        est_ledger_add_run(&acc->note.ledger, &run->key, run->n, count);
    run->offset += count;
    run->n += count;
    run->count -= count;
}

/* The records below the commit point join the committed state. */
static void commit(struct est_account *acc)
{
    int64_t point = est_offsets_commit_point(acc->offsets);

    while (acc->n > 0 && run_at(acc, 0)->offset < point) {
        struct run *run = run_at(acc, 0);
        uint64_t below = (uint64_t)(point - run->offset);
        commit_run(acc, run, below < run->count ? (uint32_t)below : run->count);
        if (run->count > 0)
            break;
        acc->head = (acc->head + 1) & (acc->cap - 1);
        acc->n--;
    }
    acc->note.tally.delivered =
        acc->start.delivered + est_offsets_ended(acc->offsets, EST_END_DELIVERED);
    acc->note.tally.dead = acc->start.dead + est_offsets_ended(acc->offsets, EST_END_DEAD);
}

/* Without memory for the copy the ledger is empty and partial, which is safe. */
void est_account_rewind(struct est_account *acc, int64_t offset)
{
    commit(acc);
    (void)begin_at(acc, offset);
}

const struct est_note *est_account_now(struct est_account *acc)
{
    commit(acc);
    return &acc->note;
}

/* Of the records of one run, of which the first is the `at`-th beyond the commit point. */
static bool note_run(struct est_account *acc, const struct run *run, size_t at)
{
    for (uint32_t i = 0; i < run->count;) {
        enum est_end end;
        size_t n = est_offsets_stretch(acc->offsets, at + i, run->count - i, &end);
        if ((end == EST_END_DELIVERED || end == EST_END_DEAD) &&
            !est_ahead_add(&acc->note.ahead, &run->key, run->n + i, n, end))
            return false;
        i += (uint32_t)n;
    }
    return true;
}

/* What an owner before has noted and is not read again yet has to stay noted. */
static void note_done(struct est_account *acc)
{
    for (size_t i = 0; i < acc->done.n; i++) {
        const struct est_ahead_range *r = &acc->done.ranges[i];
        if (!est_ahead_add(&acc->note.ahead, &acc->done.chains[r->chain], r->first,
                           r->last - r->first + 1, (enum est_end)r->end))
            return;
    }
    if (acc->done.n > 0 && acc->done.until > acc->note.ahead.until)
        acc->note.ahead.until = acc->done.until;
}

/* Runs and tracked offsets are the same records in the same order. */
static void note_ahead(struct est_account *acc)
{
    size_t at = 0;

    est_ahead_clear(&acc->note.ahead);
    acc->note.ahead.until = est_offsets_next(acc->offsets);
    for (size_t i = 0; i < acc->n && at < est_offsets_span(acc->offsets); i++) {
        const struct run *run = run_at(acc, i);
        if (run->chained && !note_run(acc, run, at))
            break;
        at += run->count;
    }
    note_done(acc);
}

est_err est_account_note(struct est_account *acc, size_t max, struct est_buf *out)
{
    commit(acc);
    if (est_offsets_beyond(acc->offsets) > 0 || acc->done.n > 0)
        note_ahead(acc);
    else
        est_ahead_clear(&acc->note.ahead);
    return est_note_write(&acc->note, place_at(acc, est_offsets_commit_point(acc->offsets)), max,
                          out);
}
