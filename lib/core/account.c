#include "account.h"

#include "base/assert.h"
#include "base/mem.h"

#include <string.h>

/* Records that were read and are not committed: `count` of them with consecutive offsets, and with
 * consecutive numbers of one chain or with none. In the usual case one run covers all of them. */
struct run {
    int64_t offset;
    uint64_t n, count;
    struct est_ledger_key key;
    bool chained;
};

struct est_account {
    char type[EST_CHAIN_TYPE_MAX];
    size_t type_len;
    uint32_t partition;
    struct est_ledger memory, committed;
    struct run *runs; /* ring; cap is a power of two */
    size_t head, n, cap;
    uint64_t records, max; /* in the runs */
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
    memcpy(acc->type, type.data, type.len);
    acc->type_len = type.len;
    acc->partition = partition;
    acc->max = max;
    *ret = acc;
    return EST_OK;
}

void est_account_free(struct est_account *acc)
{
    if (acc == NULL)
        return;
    est_ledger_clear(&acc->memory);
    est_ledger_clear(&acc->committed);
    est_free(acc->runs);
    est_free(acc);
}

/* A group that begins at offset 0 with nothing saved has forgotten nothing. */
est_err est_account_start(struct est_account *acc, int64_t offset, struct est_view saved)
{
    est_err err = EST_OK;

    acc->head = acc->n = 0;
    acc->records = 0;
    if (saved.len > 0)
        err = est_ledger_load(&acc->committed, saved);
    else
        est_ledger_clear(&acc->committed);
    if (saved.len == 0 || err != EST_OK)
        acc->committed.partial = offset > 0;
    if (est_ledger_copy(&acc->memory, &acc->committed) != EST_OK)
        return EST_ERR_NOMEM;
    return err;
}

static struct run *run_at(const struct est_account *acc, size_t i)
{
    return &acc->runs[(acc->head + i) & (acc->cap - 1)];
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

static bool continues(const struct run *last, const struct run *next)
{
    if (next->offset != last->offset + (int64_t)last->count || next->chained != last->chained)
        return false;
    return !next->chained ||
           (next->n == last->n + last->count && next->key.epoch == last->key.epoch &&
            memcmp(next->key.boot, last->key.boot, EST_LEDGER_BOOT) == 0);
}

static est_err remember(struct est_account *acc, const struct run *record)
{
    if (acc->records == acc->max)
        return EST_ERR_FULL;
    if (acc->n > 0 && continues(run_at(acc, acc->n - 1), record)) {
        run_at(acc, acc->n - 1)->count++;
    } else {
        if (acc->n == acc->cap && grow(acc) != EST_OK)
            return EST_ERR_NOMEM;
        *run_at(acc, acc->n++) = *record;
    }
    acc->records++;
    return EST_OK;
}

static unsigned hex_value(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* False when the header is none, or does not belong to this type and partition. */
static bool read_header(const struct est_account *acc, struct est_view header, struct run *record)
{
    struct est_chain chain;

    if (est_chain_parse(header, &chain) != EST_OK || chain.partition != acc->partition ||
        !est_view_eq(chain.type, est_view(acc->type, acc->type_len)))
        return false;
    for (size_t i = 0; i < EST_LEDGER_BOOT; i++)
        record->key.boot[i] =
            (unsigned char)(hex_value(chain.boot[i * 2]) << 4 | hex_value(chain.boot[i * 2 + 1]));
    record->key.epoch = chain.epoch;
    record->n = chain.n;
    return true;
}

est_err est_account_read(struct est_account *acc, int64_t offset, struct est_view header,
                         enum est_account_class *ret)
{
    struct run record = {.offset = offset, .count = 1};
    est_err err;

    record.chained = read_header(acc, header, &record);
    err = remember(acc, &record);
    if (err != EST_OK)
        return err;
    if (!record.chained)
        *ret = EST_ACCOUNT_UNCHAINED;
    else if (est_ledger_add(&acc->memory, &record.key, record.n))
        *ret = EST_ACCOUNT_REPEAT;
    else
        *ret = EST_ACCOUNT_NEW;
    return EST_OK;
}

/* The first `count` records of a run. */
static void commit_run(struct est_account *acc, struct run *run, uint64_t count)
{
    if (!run->chained)
        acc->committed.unchained += count;
    for (uint64_t i = 0; run->chained && i < count; i++)
        est_ledger_add(&acc->committed, &run->key, run->n + i);
    run->offset += (int64_t)count;
    run->n += count;
    run->count -= count;
    acc->records -= count;
}

void est_account_commit(struct est_account *acc, int64_t commit_point)
{
    while (acc->n > 0 && run_at(acc, 0)->offset < commit_point) {
        struct run *run = run_at(acc, 0);
        uint64_t below = (uint64_t)(commit_point - run->offset);
        commit_run(acc, run, below < run->count ? below : run->count);
        if (run->count > 0)
            return;
        acc->head = (acc->head + 1) & (acc->cap - 1);
        acc->n--;
    }
}

struct est_account_totals est_account_totals(const struct est_account *acc)
{
    const struct est_ledger *led = &acc->committed;

    return (struct est_account_totals){
        .fresh = led->fresh,
        .repeats = led->repeats,
        .unchained = led->unchained,
        .missing = est_ledger_missing(led),
        .below = led->below,
        .chains = led->n,
    };
}

est_err est_account_save(struct est_account *acc, size_t max, struct est_buf *out)
{
    return est_ledger_save(&acc->committed, max, out);
}
