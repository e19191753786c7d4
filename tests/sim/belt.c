#include "belt.h"

#include "base/mem.h"
#include "core/murmur2.h"
#include "core/note.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *p)
{
    SIM_CHECK(p != NULL, "out of memory");
    return p;
}

static void new_boot(struct belt *b)
{
    char boot[EST_BOOT_LEN + 1];
    size_t type;

    est_stamp_free(b->stamp);
    snprintf(boot, sizeof(boot), "%032x", ++b->boots);
    SIM_CHECK(est_stamp_new(boot, &b->stamp) == EST_OK, "out of memory");
    SIM_CHECK(est_stamp_add(b->stamp, "order", SIM_PARTITIONS, &type) == EST_OK, "out of memory");
}

void belt_init(struct belt *b, size_t max, uint64_t seed)
{
    *b = (struct belt){.max = max};
    est_rng_seed(&b->rng, seed);
    b->events = must(est_calloc(max, sizeof(*b->events)));
    new_boot(b);
}

void belt_fini(struct belt *b)
{
    for (size_t p = 0; p < SIM_PARTITIONS; p++)
        est_free(b->parts[p].records);
    for (size_t k = 0; k < SIM_KEYS; k++)
        est_free(b->keys[k].events);
    est_free(b->events);
    est_stamp_free(b->stamp);
}

size_t belt_key_text(uint32_t key, char out[16])
{
    return (size_t)snprintf(out, 16, "key-%" PRIu32, key);
}

static bool one_in(struct belt *b, uint64_t n)
{
    return est_rng_below(&b->rng, n) == 0;
}

static void take_order(struct belt *b, uint32_t event)
{
    struct belt_event *ev = &b->events[event];
    struct belt_key *key = &b->keys[ev->key];

    if (ev->logged)
        return;
    if (key->n == key->cap) {
        key->cap = key->cap ? key->cap * 2 : 64;
        key->events = must(est_realloc(key->events, key->cap * sizeof(*key->events)));
    }
    ev->logged = true;
    ev->order = key->n;
    key->events[key->n++] = event;
}

static void append(struct belt *b, const struct belt_record *record)
{
    struct belt_partition *p = &b->parts[record->part];

    if (p->n == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 256;
        p->records = must(est_realloc(p->records, p->cap * sizeof(*p->records)));
    }
    if (est_rng_chance(&b->rng, 3))
        p->end += (int64_t)est_rng_below(&b->rng, 5);
    p->records[p->n] = *record;
    p->records[p->n++].offset = p->end++;
    take_order(b, record->event);
}

static void stamp(struct belt *b, uint32_t part, char out[BELT_HEADER])
{
    char text[EST_CHAIN_TEXT_MAX + 1];
    struct est_chain chain;

    SIM_CHECK(est_stamp_next(b->stamp, 0, part, &chain) == EST_OK, "no such partition");
    SIM_CHECK(est_chain_format(&chain, text) < BELT_HEADER, "header too long: %s", text);
    memcpy(out, text, BELT_HEADER);
}

/* Behind other records, also of its own key: its place in the key's order is the one in the log. */
static void append_late(struct belt *b)
{
    if (b->n_late > 0)
        append(b, &b->late[--b->n_late]);
}

static void shim_faults(struct belt *b, uint32_t part)
{
    char lost[BELT_HEADER];

    if (one_in(b, 4000))
        new_boot(b);
    if (one_in(b, 1000))
        est_stamp_break(b->stamp, 0, part);
    if (one_in(b, 1000))
        stamp(b, part, lost);
    if (one_in(b, 20))
        append_late(b);
}

static void append_new(struct belt *b, const struct belt_record *record)
{
    if (b->n_late < BELT_LATE && one_in(b, 300)) {
        b->late[b->n_late++] = *record;
        return;
    }
    append(b, record);
    if (record->header[0] != '\0' && one_in(b, 30))
        append(b, record);
}

bool belt_produce(struct belt *b)
{
    struct belt_record record = {0};
    struct belt_event *ev;
    char key[16];
    size_t len;

    if (b->n == b->max) {
        append_late(b);
        return b->n_late > 0;
    }
    record.event = (uint32_t)b->n++;
    ev = &b->events[record.event];
    ev->key = (uint32_t)est_rng_below(&b->rng, SIM_KEYS);
    ev->poison = one_in(b, 100);
    len = belt_key_text(ev->key, key);
    record.part = est_murmur2_partition(est_view(key, len), SIM_PARTITIONS);
    shim_faults(b, record.part);
    if (!one_in(b, 100))
        stamp(b, one_in(b, 500) ? (record.part + 1) % SIM_PARTITIONS : record.part, record.header);
    append_new(b, &record);
    return true;
}

void belt_commit(struct belt *b, uint32_t part, int64_t offset, struct est_view meta)
{
    struct belt_partition *p = &b->parts[part];

    SIM_CHECK(offset >= p->committed, "partition %" PRIu32 ": commit %" PRId64 " below %" PRId64,
              part, offset, p->committed);
    SIM_CHECK(meta.len <= sizeof(p->meta), "metadata of %zu bytes", meta.len);
    for (; p->audited < p->n && p->records[p->audited].offset < offset; p->audited++) {
        const struct belt_record *r = &p->records[p->audited];
        SIM_CHECK(b->events[r->event].applied || b->events[r->event].dead,
                  "partition %" PRIu32 ": commit %" PRId64 " passes event %" PRIu32 " at %" PRId64
                  " (%s), which was never settled",
                  part, offset, r->event, r->offset, r->header);
    }
    p->committed = offset;
    p->meta_len = b->lose_meta && one_in(b, 10) ? 0 : meta.len;
    memcpy(p->meta, meta.data, p->meta_len);
}

void belt_apply(struct belt *b, uint32_t event)
{
    struct belt_event *ev = &b->events[event];
    struct belt_key *key = &b->keys[ev->key];

    SIM_CHECK(!ev->poison, "the dashboard took the poison %" PRIu32, event);
    if (ev->applied) {
        b->duplicates++;
        return;
    }
    while (key->next < key->n && b->events[key->events[key->next]].poison)
        key->next++;
    SIM_CHECK(ev->order == key->next,
              "key %" PRIu32 ": its event %" PRIu32 " came before its event %" PRIu32, ev->key,
              ev->order, key->next);
    ev->applied = true;
    key->next++;
}

void belt_bury(struct belt *b, uint32_t event)
{
    SIM_CHECK(b->events[event].poison, "event %" PRIu32 " was dead-lettered without fault", event);
    b->events[event].dead = true;
    b->buried++;
}

bool belt_is_at_rest(const struct belt *b)
{
    for (size_t p = 0; p < SIM_PARTITIONS; p++)
        if (b->parts[p].audited < b->parts[p].n)
            return false;
    return b->n == b->max && b->n_late == 0;
}

static int by_chain(const void *a, const void *b)
{
    const struct est_chain *x = a, *y = b;
    int boots = strcmp(x->boot, y->boot);

    if (boots != 0)
        return boots;
    if (x->epoch != y->epoch)
        return x->epoch < y->epoch ? -1 : 1;
    return x->n < y->n ? -1 : x->n > y->n;
}

/* What the account of a partition must say, counted over the sorted chains of its log. */
struct count {
    uint64_t fresh, repeats, unchained, missing, chains;
};

static struct count count(const struct est_chain *chains, size_t n)
{
    struct count c = {0};

    for (size_t i = 0; i < n; i++) {
        bool first = i == 0 || strcmp(chains[i].boot, chains[i - 1].boot) != 0 ||
                     chains[i].epoch != chains[i - 1].epoch;
        bool again = !first && chains[i].n == chains[i - 1].n;
        c.chains += first;
        c.fresh += !again;
        c.repeats += again;
        if (!again)
            c.missing += first ? chains[i].n : chains[i].n - chains[i - 1].n - 1;
    }
    return c;
}

static struct count count_log(const struct belt_partition *p, uint32_t part)
{
    struct est_chain *chains = must(est_calloc(p->n + 1, sizeof(*chains)));
    struct count c;
    size_t n = 0;

    for (size_t i = 0; i < p->n; i++)
        if (est_chain_parse(est_view_str(p->records[i].header), &chains[n]) == EST_OK)
            n += chains[n].partition == part;
    qsort(chains, n, sizeof(*chains), by_chain);
    c = count(chains, n);
    c.unchained = p->n - n;
    est_free(chains);
    return c;
}

static void check_note(const struct belt_partition *p, uint32_t part, const struct est_note *note)
{
    struct count want = count_log(p, part);
    const struct est_tally *t = &note->tally;
    uint64_t missing = est_ledger_missing(&note->ledger);

    SIM_CHECK(t->fresh + t->repeats + t->unchained == p->n,
              "partition %" PRIu32 ": %" PRIu64 " + %" PRIu64 " + %" PRIu64 " of %zu records", part,
              t->fresh, t->repeats, t->unchained, p->n);
    SIM_CHECK(t->fresh + t->unchained == t->delivered + t->dead,
              "partition %" PRIu32 ": %" PRIu64 " events, %" PRIu64 " delivered, %" PRIu64 " dead",
              part, t->fresh + t->unchained, t->delivered, t->dead);
    if (want.chains > EST_LEDGER_CHAINS / 2 || note->ledger.below > 0)
        return; /* chains or holes were given up: the rest is exact only for what was kept */
    SIM_CHECK(t->fresh == want.fresh && t->repeats == want.repeats && missing == want.missing &&
                  note->ledger.n == want.chains,
              "partition %" PRIu32 ": fresh %" PRIu64 "/%" PRIu64 ", repeats %" PRIu64 "/%" PRIu64
              ", missing %" PRIu64 "/%" PRIu64,
              part, t->fresh, want.fresh, t->repeats, want.repeats, missing, want.missing);
}

static void check_account(const struct belt_partition *p, uint32_t part)
{
    struct est_note note;

    est_note_init(&note);
    SIM_CHECK(est_note_read(&note,
                            (struct est_note_place){est_view_str("order"), part, p->committed},
                            est_view(p->meta, p->meta_len)) == EST_OK,
              "partition %" PRIu32 ": its metadata cannot be read", part);
    check_note(p, part, &note);
    est_note_fini(&note);
}

void belt_check_rest(const struct belt *b)
{
    for (size_t i = 0; i < b->n; i++)
        SIM_CHECK(b->events[i].poison ? b->events[i].dead : b->events[i].applied,
                  "event %zu is lost", i);
    for (uint32_t p = 0; p < SIM_PARTITIONS && !b->lose_meta; p++)
        check_account(&b->parts[p], p);
}
