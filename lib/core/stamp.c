#include "stamp.h"

#include "base/assert.h"
#include "base/mem.h"

#include <string.h>

struct counter {
    uint64_t epoch, next;
};

struct type {
    char *name;
    struct counter *counters;
    uint32_t partitions;
};

struct est_stamp {
    char boot[EST_BOOT_LEN + 1];
    struct type *types;
    size_t n;
};

est_err est_stamp_new(const char boot[EST_BOOT_LEN + 1], struct est_stamp **ret)
{
    struct est_stamp *st = est_calloc(1, sizeof(*st));

    if (st == NULL)
        return EST_ERR_NOMEM;
    memcpy(st->boot, boot, EST_BOOT_LEN);
    *ret = st;
    return EST_OK;
}

void est_stamp_free(struct est_stamp *st)
{
    if (st == NULL)
        return;
    for (size_t i = 0; i < st->n; i++) {
        est_free(st->types[i].name);
        est_free(st->types[i].counters);
    }
    est_free(st->types);
    est_free(st);
}

est_err est_stamp_add(struct est_stamp *st, const char *type, uint32_t partitions,
                      size_t *ret_index)
{
    struct type *types, *added;

    if (!est_chain_is_type(est_view_str(type)))
        return EST_ERR_INVALID;
    types = est_realloc(st->types, (st->n + 1) * sizeof(*types));
    if (types == NULL)
        return EST_ERR_NOMEM;
    st->types = types;
    added = &types[st->n];
    *added = (struct type){.name = est_strdup(type)};
    if (added->name == NULL)
        return EST_ERR_NOMEM;
    st->n++;
    if (est_stamp_grow(st, st->n - 1, partitions) != EST_OK) {
        est_free(added->name);
        st->n--;
        return EST_ERR_NOMEM;
    }
    *ret_index = st->n - 1;
    return EST_OK;
}

est_err est_stamp_grow(struct est_stamp *st, size_t type, uint32_t partitions)
{
    struct counter *counters;
    struct type *t;

    EST_ASSERT(type < st->n);
    t = &st->types[type];
    if (partitions <= t->partitions)
        return EST_OK;
    counters = est_realloc(t->counters, partitions * sizeof(*counters));
    if (counters == NULL)
        return EST_ERR_NOMEM;
    memset(counters + t->partitions, 0, (partitions - t->partitions) * sizeof(*counters));
    t->counters = counters;
    t->partitions = partitions;
    return EST_OK;
}

uint32_t est_stamp_partitions(const struct est_stamp *st, size_t type)
{
    EST_ASSERT(type < st->n);
    return st->types[type].partitions;
}

est_err est_stamp_next(struct est_stamp *st, size_t type, uint32_t partition, struct est_chain *ret)
{
    struct counter *c;

    EST_ASSERT(type < st->n);
    if (partition >= st->types[type].partitions)
        return EST_ERR_RANGE;
    c = &st->types[type].counters[partition];
    memcpy(ret->boot, st->boot, sizeof(ret->boot));
    ret->epoch = c->epoch;
    ret->type = est_view_str(st->types[type].name);
    ret->partition = partition;
    ret->n = c->next++;
    return EST_OK;
}

void est_stamp_break(struct est_stamp *st, size_t type, uint32_t partition)
{
    struct counter *c;

    EST_ASSERT(type < st->n);
    if (partition >= st->types[type].partitions)
        return;
    c = &st->types[type].counters[partition];
    if (c->next == 0)
        return;
    c->epoch++;
    c->next = 0;
}

uint64_t est_stamp_epoch(const struct est_stamp *st, size_t type, uint32_t partition)
{
    EST_ASSERT(type < st->n && partition < st->types[type].partitions);
    return st->types[type].counters[partition].epoch;
}

void est_stamp_reboot(struct est_stamp *st, const char boot[EST_BOOT_LEN + 1])
{
    memcpy(st->boot, boot, EST_BOOT_LEN);
    for (size_t i = 0; i < st->n; i++)
        memset(st->types[i].counters, 0, st->types[i].partitions * sizeof(struct counter));
}

const char *est_stamp_boot(const struct est_stamp *st)
{
    return st->boot;
}
