#include "part.h"

#include "base/mem.h"
#include "config/config.h"
#include "core/offsets.h"

#include <string.h>

enum { TRACKED_MAX = 200000 }; /* records of one partition behind an unsettled one */

static const struct est_type_config *type_of(const struct est_config *cfg, const char *topic)
{
    for (size_t i = 0; i < cfg->n_types; i++)
        if (strcmp(cfg->types[i].topic, topic) == 0)
            return &cfg->types[i];
    return NULL;
}

static est_err part_init(struct part *p, const struct est_config *cfg,
                         const struct est_kafka_position *pos)
{
    *p = (struct part){.type = type_of(cfg, pos->topic),
                       .partition = pos->partition,
                       .committed = pos->offset,
                       .high = -1};
    est_list_init(&p->parcels);
    est_list_init(&p->held);
    if (p->type == NULL)
        return EST_ERR_NOTFOUND;
    if (est_offsets_new(TRACKED_MAX, &p->offsets) != EST_OK)
        return EST_ERR_NOMEM;
    if (pos->offset >= 0) {
        est_offsets_start(p->offsets, pos->offset);
        p->started = true;
    }
    return EST_OK;
}

est_err parts_assign(struct parts *ps, const struct est_config *cfg,
                     const struct est_kafka_position *pos, size_t n, struct est_why *reterr)
{
    parts_clear(ps);
    ps->items = est_calloc(n, sizeof(*ps->items));
    if (ps->items == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for %zu partitions", n);
    for (; ps->n < n; ps->n++) {
        est_err err = part_init(&ps->items[ps->n], cfg, &pos[ps->n]);
        if (err != EST_OK) {
            parts_clear(ps);
            return est_why_set(reterr, err, "partition %d of %s cannot be held",
                               pos[ps->n].partition, pos[ps->n].topic);
        }
    }
    return EST_OK;
}

void parts_clear(struct parts *ps)
{
    for (size_t i = 0; i < ps->n; i++)
        est_offsets_free(ps->items[i].offsets);
    est_free(ps->items);
    *ps = (struct parts){0};
}

struct part *parts_find(struct parts *ps, const char *topic, int32_t partition)
{
    struct part *p = ps->last;

    if (p != NULL && p->partition == partition && strcmp(p->type->topic, topic) == 0)
        return p;
    for (size_t i = 0; i < ps->n; i++) {
        p = &ps->items[i];
        if (p->partition == partition && strcmp(p->type->topic, topic) == 0)
            return ps->last = p;
    }
    return NULL;
}

void part_handed_out(struct part *p, int64_t offset)
{
    if (offset > p->high)
        p->high = offset;
}

/* A group that has committed nothing begins where its first record stands. */
est_err part_track(struct part *p, int64_t offset)
{
    if (!p->started) {
        est_offsets_start(p->offsets, offset);
        p->started = true;
    }
    return est_offsets_track(p->offsets, offset);
}

size_t parts_to_commit(struct parts *ps, struct est_kafka_position *pos)
{
    size_t n = 0;

    for (size_t i = 0; i < ps->n; i++) {
        struct part *p = &ps->items[i];
        int64_t point = p->started ? est_offsets_commit_point(p->offsets) : -1;
        if (point < 0 || point <= p->committed)
            continue;
        p->sent = point;
        pos[n++] = (struct est_kafka_position){
            .topic = p->type->topic, .partition = p->partition, .offset = point};
    }
    return n;
}

void parts_committed(struct parts *ps, bool ok)
{
    for (size_t i = 0; i < ps->n; i++) {
        struct part *p = &ps->items[i];
        if (ok && p->sent > p->committed)
            p->committed = p->sent;
        p->sent = 0;
    }
}
