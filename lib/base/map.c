#include "map.h"

#include "assert.h"
#include "mem.h"

#include <string.h>

struct est_map_slot {
    uint64_t hash;
    char *key; /* NULL = never used; &deleted_mark = deleted */
    size_t key_len;
    void *value;
};

static char deleted_mark;

static uint64_t rotl(uint64_t x, unsigned b)
{
    return (x << b) | (x >> (64 - b));
}

struct sip {
    uint64_t a, b, c, d;
};

static inline struct sip sip_round(struct sip s)
{
    s.a += s.b;
    s.b = rotl(s.b, 13) ^ s.a;
    s.a = rotl(s.a, 32);
    s.c += s.d;
    s.d = rotl(s.d, 16) ^ s.c;
    s.a += s.d;
    s.d = rotl(s.d, 21) ^ s.a;
    s.c += s.b;
    s.b = rotl(s.b, 17) ^ s.c;
    s.c = rotl(s.c, 32);
    return s;
}

static inline struct sip sip_word(struct sip s, uint64_t word)
{
    s.d ^= word;
    s = sip_round(s);
    s.a ^= word;
    return s;
}

static inline struct sip sip_init(uint64_t seed0, uint64_t seed1)
{
    return (struct sip){seed0 ^ 0x736f6d6570736575U, seed1 ^ 0x646f72616e646f6dU,
                        seed0 ^ 0x6c7967656e657261U, seed1 ^ 0x7465646279746573U};
}

static inline uint64_t sip_end(struct sip *s)
{
    *s = sip_round(sip_round(sip_round(*s)));
    return s->a ^ s->b ^ s->c ^ s->d;
}

/* All whole words of key; the rest of it is returned, below `high`. */
static inline uint64_t sip_words(struct sip *s, struct est_view key, uint64_t high)
{
    uint64_t word;
    size_t i = 0;

    for (; i + 8 <= key.len; i += 8) {
        memcpy(&word, key.data + i, 8);
        *s = sip_word(*s, word);
    }
    word = high;
    for (unsigned shift = 0; i < key.len; i++, shift += 8)
        word |= (uint64_t)(unsigned char)key.data[i] << shift;
    return word;
}

uint64_t est_hash(struct est_view key, uint64_t seed0, uint64_t seed1)
{
    struct sip s = sip_init(seed0, seed1);

    s = sip_word(s, sip_words(&s, key, (uint64_t)key.len << 56));
    s.c ^= 0xff;
    return sip_end(&s);
}

void est_hasher_init(struct est_hasher *h, uint64_t seed0, uint64_t seed1)
{
    struct sip s = sip_init(seed0, seed1);

    s.b ^= 0xee;
    *h = (struct est_hasher){{s.a, s.b, s.c, s.d}};
}

/* The length goes first, so that no two sequences of parts are one sequence of words. */
void est_hasher_add(struct est_hasher *h, struct est_view part)
{
    struct sip s = {h->state[0], h->state[1], h->state[2], h->state[3]};

    s = sip_word(s, part.len);
    s = sip_word(s, sip_words(&s, part, 0));
    *h = (struct est_hasher){{s.a, s.b, s.c, s.d}};
}

void est_hasher_end(const struct est_hasher *h, uint64_t ret[2])
{
    struct sip s = {h->state[0], h->state[1], h->state[2], h->state[3]};

    s.c ^= 0xee;
    ret[0] = sip_end(&s);
    s.b ^= 0xdd;
    ret[1] = sip_end(&s);
}

void est_map_init(struct est_map *m, size_t max, uint64_t seed0, uint64_t seed1)
{
    *m = (struct est_map){.max = max, .seed = {seed0, seed1}};
}

static bool is_live(const struct est_map_slot *s)
{
    return s->key != NULL && s->key != &deleted_mark;
}

void est_map_fini(struct est_map *m)
{
    for (size_t i = 0; i < m->cap; i++)
        if (is_live(&m->slots[i]))
            est_free(m->slots[i].key);
    est_free(m->slots);
    est_map_init(m, m->max, m->seed[0], m->seed[1]);
}

/* The slot of key, or the slot where it would go (the first deleted one on its way). */
static struct est_map_slot *find(const struct est_map *m, struct est_view key, uint64_t hash)
{
    struct est_map_slot *free_slot = NULL;

    for (size_t i = (size_t)hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct est_map_slot *s = &m->slots[i];
        if (s->key == NULL)
            return free_slot ? free_slot : s;
        if (s->key == &deleted_mark) {
            free_slot = free_slot ? free_slot : s;
        } else if (s->hash == hash && est_view_eq(est_view(s->key, s->key_len), key)) {
            return s;
        }
    }
}

static est_err rehash(struct est_map *m, size_t cap)
{
    struct est_map_slot *old = m->slots;
    size_t old_cap = m->cap;
    struct est_map_slot *slots = est_calloc(cap, sizeof(*slots));

    if (slots == NULL)
        return EST_ERR_NOMEM;
    m->slots = slots;
    m->cap = cap;
    m->used = m->n;
    for (size_t i = 0; i < old_cap; i++)
        if (is_live(&old[i]))
            *find(m, est_view(old[i].key, old[i].key_len), old[i].hash) = old[i];
    est_free(old);
    return EST_OK;
}

/* At least a quarter of the slots stay never-used, so that every search ends. */
static est_err make_room(struct est_map *m)
{
    if (m->cap != 0 && (m->used + 1) * 4 <= m->cap * 3)
        return EST_OK;
    return rehash(m, m->cap == 0 ? 16 : (m->n + 1) * 2 > m->cap ? m->cap * 2 : m->cap);
}

void *est_map_get(const struct est_map *m, struct est_view key)
{
    struct est_map_slot *s;

    if (m->n == 0)
        return NULL;
    s = find(m, key, est_hash(key, m->seed[0], m->seed[1]));
    return is_live(s) ? s->value : NULL;
}

est_err est_map_put(struct est_map *m, struct est_view key, void *value)
{
    uint64_t hash = est_hash(key, m->seed[0], m->seed[1]);
    struct est_map_slot *s;
    char *copy;

    EST_ASSERT(value != NULL);
    if (make_room(m) != EST_OK)
        return EST_ERR_NOMEM;
    s = find(m, key, hash);
    if (is_live(s)) {
        s->value = value;
        return EST_OK;
    }
    if (m->max != 0 && m->n >= m->max)
        return EST_ERR_FULL;
    copy = est_strndup(key.data ? key.data : "", key.len);
    if (copy == NULL)
        return EST_ERR_NOMEM;
    m->used += s->key == NULL;
    m->n++;
    *s = (struct est_map_slot){hash, copy, key.len, value};
    return EST_OK;
}

void *est_map_remove(struct est_map *m, struct est_view key)
{
    struct est_map_slot *s;

    if (m->n == 0)
        return NULL;
    s = find(m, key, est_hash(key, m->seed[0], m->seed[1]));
    if (!is_live(s))
        return NULL;
    est_free(s->key);
    s->key = &deleted_mark;
    m->n--;
    return s->value;
}

void *est_map_next(const struct est_map *m, size_t *it, struct est_view *ret_key)
{
    while (*it < m->cap) {
        const struct est_map_slot *s = &m->slots[(*it)++];
        if (!is_live(s))
            continue;
        if (ret_key != NULL)
            *ret_key = est_view(s->key, s->key_len);
        return s->value;
    }
    return NULL;
}
