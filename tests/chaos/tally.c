#include "tally.h"

#include "base/mem.h"

#include <string.h>

struct lane {
    uint64_t accepted, sent;
    unsigned char *seen; /* one bit an event */
};

/* Last first arrival of each key, plus one; 0 = none. One table for all, and one a boot. */
struct tally_load {
    struct tally_load *next;
    char tag[TALLY_TAG_MAX + 1];
    size_t tag_len;
    uint32_t lanes, keys;
    struct lane *lane;
    uint64_t *last;
    uint64_t *last_of_boot[TALLY_BOOTS_MAX];
};

struct tally_chain {
    unsigned char *seen;
    size_t bytes;           /* of seen */
    uint64_t end, distinct; /* one behind the highest number; numbers met */
    bool ours;              /* an event of a load was taken from it */
};

void tally_init(struct tally *t)
{
    memset(t, 0, sizeof(*t));
    est_map_init(&t->chains, 0, 1, 2);
}

static void free_load(struct tally_load *l)
{
    for (uint32_t i = 0; l->lane != NULL && i < l->lanes; i++)
        est_free(l->lane[i].seen);
    for (size_t i = 0; i < TALLY_BOOTS_MAX; i++)
        est_free(l->last_of_boot[i]);
    est_free(l->last);
    est_free(l->lane);
    est_free(l);
}

void tally_fini(struct tally *t)
{
    struct tally_chain *c;
    size_t it = 0;

    while (t->loads != NULL) {
        struct tally_load *l = t->loads;
        t->loads = l->next;
        free_load(l);
    }
    while ((c = est_map_next(&t->chains, &it, NULL)) != NULL) {
        est_free(c->seen);
        est_free(c);
    }
    est_map_fini(&t->chains);
}

est_err tally_add(struct tally *t, const char *tag, uint32_t lanes, uint32_t keys)
{
    struct tally_load *l;
    size_t len = strlen(tag);

    if (len == 0 || len > TALLY_TAG_MAX || lanes == 0 || keys == 0)
        return EST_ERR_INVALID;
    l = est_calloc(1, sizeof(*l));
    if (l == NULL)
        return EST_ERR_NOMEM;
    memcpy(l->tag, tag, len);
    l->tag_len = len;
    l->lanes = lanes;
    l->keys = keys;
    l->lane = est_calloc(lanes, sizeof(*l->lane));
    l->last = est_calloc((size_t)lanes * keys, sizeof(*l->last));
    if (l->lane == NULL || l->last == NULL) {
        free_load(l);
        return EST_ERR_NOMEM;
    }
    l->next = t->loads;
    t->loads = l;
    return EST_OK;
}

est_err tally_lane(struct tally *t, uint32_t lane, uint64_t accepted, uint64_t sent)
{
    struct tally_load *l = t->loads;
    struct lane *e;

    if (l == NULL || lane >= l->lanes || accepted > sent)
        return EST_ERR_INVALID;
    e = &l->lane[lane];
    e->accepted = accepted;
    e->sent = sent;
    e->seen = est_calloc(sent / 8 + 1, 1);
    t->sum.sent += sent;
    t->sum.accepted += accepted;
    return e->seen == NULL ? EST_ERR_NOMEM : EST_OK;
}

static bool has_bit(const unsigned char *bits, uint64_t i)
{
    return (bits[i / 8] >> (i % 8) & 1) != 0;
}

static void set_bit(unsigned char *bits, uint64_t i)
{
    bits[i / 8] = (unsigned char)(bits[i / 8] | 1U << (i % 8));
}

/* TAG-LANE-N taken apart; false for any other text. */
static bool parse_id(struct est_view id, struct tally_load *l, uint32_t *lane, uint64_t *n)
{
    struct est_view rest = est_view(id.data + l->tag_len + 1, id.len - l->tag_len - 1);
    const char *dash;
    unsigned long long a, b;

    if (id.len <= l->tag_len + 1 || id.data[l->tag_len] != '-' ||
        memcmp(id.data, l->tag, l->tag_len) != 0)
        return false;
    dash = memchr(rest.data, '-', rest.len);
    if (dash == NULL ||
        !est_view_u64(est_view(rest.data, (size_t)(dash - rest.data)), UINT32_MAX, &a) ||
        !est_view_u64(est_view(dash + 1, (size_t)(rest.data + rest.len - dash - 1)), UINT64_MAX,
                      &b) ||
        a >= l->lanes || b >= l->lane[a].sent)
        return false;
    *lane = (uint32_t)a;
    *n = b;
    return true;
}

static struct tally_load *load_of(struct tally *t, struct est_view id, uint32_t *lane, uint64_t *n)
{
    for (struct tally_load *l = t->loads; l != NULL; l = l->next)
        if (parse_id(id, l, lane, n))
            return l;
    return NULL;
}

static est_err boot_of(struct tally *t, const char *boot, size_t *ret)
{
    for (size_t i = 0; i < t->sum.boots; i++) {
        size_t at = (t->last_boot + i) % t->sum.boots; /* mostly the same as before */
        if (strcmp(t->boot[at], boot) == 0) {
            *ret = t->last_boot = at;
            return EST_OK;
        }
    }
    if (t->sum.boots == TALLY_BOOTS_MAX)
        return EST_ERR_FULL;
    memcpy(t->boot[t->sum.boots], boot, EST_BOOT_LEN + 1);
    *ret = t->last_boot = t->sum.boots++;
    return EST_OK;
}

static bool make_room(struct tally_chain *c, uint64_t n)
{
    size_t bytes = (size_t)(n / 8 + 1);
    unsigned char *seen;

    if (bytes <= c->bytes)
        return true;
    bytes += bytes / 2 + 128;
    seen = est_realloc(c->seen, bytes);
    if (seen == NULL)
        return false;
    memset(seen + c->bytes, 0, bytes - c->bytes);
    c->seen = seen;
    c->bytes = bytes;
    return true;
}

/* All of it but the number. */
static struct est_view key_of(struct est_view chain)
{
    while (chain.len > 0 && chain.data[chain.len - 1] != '/')
        chain.len--;
    return chain;
}

static est_err note_chain(struct tally *t, struct est_view text, const struct est_chain *chain,
                          bool ours)
{
    struct est_view key = key_of(text);
    struct tally_chain *c;

    c = est_map_get(&t->chains, key);
    if (c == NULL) {
        c = est_calloc(1, sizeof(*c));
        if (c == NULL || est_map_put(&t->chains, key, c) != EST_OK) {
            est_free(c);
            return EST_ERR_NOMEM;
        }
    }
    c->ours |= ours;
    if (!make_room(c, chain->n))
        return EST_ERR_NOMEM;
    if (!has_bit(c->seen, chain->n)) {
        set_bit(c->seen, chain->n);
        c->distinct++;
    }
    if (chain->n >= c->end)
        c->end = chain->n + 1;
    return EST_OK;
}

/* A first arrival: is it behind a later one of its key? */
static bool is_behind(uint64_t *last, uint64_t n)
{
    if (n + 1 < *last)
        return true;
    *last = n + 1;
    return false;
}

static est_err note_order(struct tally *t, struct tally_load *l, size_t key, uint64_t n,
                          const struct est_chain *chain)
{
    size_t boot;
    est_err err;

    t->sum.inversions += is_behind(&l->last[key], n);
    if (chain == NULL)
        return EST_OK;
    err = boot_of(t, chain->boot, &boot);
    if (err != EST_OK)
        return err;
    if (l->last_of_boot[boot] == NULL)
        l->last_of_boot[boot] = est_calloc((size_t)l->lanes * l->keys, sizeof(uint64_t));
    if (l->last_of_boot[boot] == NULL)
        return EST_ERR_NOMEM;
    t->sum.boot_inversions += is_behind(&l->last_of_boot[boot][key], n);
    return EST_OK;
}

est_err tally_take(struct tally *t, struct est_view id, struct est_view chain)
{
    struct est_chain parsed;
    bool chained = chain.data != NULL && est_chain_parse(chain, &parsed) == EST_OK;
    uint32_t lane;
    uint64_t n;
    struct tally_load *l = load_of(t, id, &lane, &n);
    est_err err;

    t->sum.records++;
    if (l == NULL) {
        t->sum.foreign++;
        return EST_OK;
    }
    err = chained ? note_chain(t, chain, &parsed, true) : EST_OK;
    if (err != EST_OK)
        return err;
    if (has_bit(l->lane[lane].seen, n)) {
        t->sum.duplicates++;
        return EST_OK;
    }
    set_bit(l->lane[lane].seen, n);
    if (n < l->lane[lane].accepted)
        t->sum.delivered++;
    else
        t->sum.unpromised++;
    return note_order(t, l, (size_t)lane * l->keys + (size_t)(n % l->keys), n,
                      chained ? &parsed : NULL);
}

est_err tally_mark(struct tally *t, struct est_view chain)
{
    struct est_chain parsed;

    if (chain.data == NULL || est_chain_parse(chain, &parsed) != EST_OK)
        return EST_OK;
    return note_chain(t, chain, &parsed, false);
}

const struct tally_sum *tally_end(struct tally *t)
{
    const struct tally_chain *c;
    size_t it = 0;

    t->sum.lost = t->sum.accepted - t->sum.delivered;
    t->sum.holes = 0;
    while ((c = est_map_next(&t->chains, &it, NULL)) != NULL)
        t->sum.holes += c->ours ? c->end - c->distinct : 0;
    return &t->sum;
}
