#include "part.h"

#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"

#include <string.h>

static const struct est_type_config *type_of(const struct est_config *cfg, const char *topic)
{
    for (size_t i = 0; i < cfg->n_types; i++)
        if (strcmp(cfg->types[i].topic, topic) == 0)
            return &cfg->types[i];
    return NULL;
}

/* What is no note of ours is taken as nothing; without memory for it the partition cannot be held,
 * for its counts would be lost. */
static est_err start(struct part *p, int64_t offset, struct est_view metadata)
{
    est_err err = est_account_start(p->account, offset, metadata);

    p->started = true;
    if (err == EST_ERR_INVALID)
        EST_LOG(EST_WARN, "foreign_metadata", EST_S("topic", p->type->topic),
                EST_I("partition", p->partition), EST_I("offset", offset));
    return err == EST_ERR_INVALID ? EST_OK : err;
}

static est_err part_init(struct part *p, const struct est_config *cfg,
                         const struct est_kafka_position *pos)
{
    est_err err;

    *p = (struct part){.type = type_of(cfg, pos->topic),
                       .partition = pos->partition,
                       .committed = pos->offset,
                       .sent = -1,
                       .cut_at = -1,
                       .high = -1};
    est_list_init(&p->parcels);
    est_list_init(&p->held);
    est_buf_init(&p->note, EST_NOTE_MAX);
    if (p->type == NULL)
        return EST_ERR_NOTFOUND;
    err = est_account_new(est_view_str(p->type->name), (uint32_t)pos->partition,
                          PART_UNCOMMITTED_MAX, &p->account);
    if (err == EST_OK && pos->offset >= 0)
        err = start(p, pos->offset, pos->metadata);
    return err;
}

est_err parts_assign(struct parts *ps, const struct est_config *cfg,
                     const struct est_kafka_position *pos, size_t n, struct est_why *reterr)
{
    parts_clear(ps);
    ps->items = est_calloc(n, sizeof(*ps->items));
    if (ps->items == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for %zu partitions", n);
    for (size_t i = 0; i < n; i++) {
        est_err err = part_init(&ps->items[ps->n++], cfg, &pos[i]);
        if (err != EST_OK) {
            parts_clear(ps);
            return est_why_set(reterr, err, "partition %d of %s cannot be held", pos[i].partition,
                               pos[i].topic);
        }
    }
    return EST_OK;
}

void parts_clear(struct parts *ps)
{
    for (size_t i = 0; i < ps->n; i++) {
        est_account_free(ps->items[i].account);
        est_buf_fini(&ps->items[i].note);
    }
    est_free(ps->items);
    *ps = (struct parts){.note_max = ps->note_max};
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

static void tell_cut(const struct part *p, int64_t offset)
{
    EST_LOG(EST_WARN, "log_went_back", EST_S("topic", p->type->topic),
            EST_I("partition", p->partition), EST_I("offset", offset),
            EST_I("committed", p->committed));
}

/* The next commit is made in any case: were the old one left, what is written up to it would be
 * passed over by whoever reads next. */
static void rewind_to(struct part *p, int64_t offset)
{
    est_account_rewind(p->account, offset);
    p->committed = offset;
    p->noted = UINT64_MAX;
}

bool part_is_cut(struct part *p, int64_t offset, struct est_view chain)
{
    if (est_account_has_read(p->account, chain))
        return false;
    tell_cut(p, offset);
    if (p->cut_at < 0 || offset < p->cut_at)
        p->cut_at = offset;
    return true;
}

void parts_rewind(struct parts *ps)
{
    for (size_t i = 0; i < ps->n; i++)
        if (ps->items[i].cut_at >= 0)
            rewind_to(&ps->items[i], ps->items[i].cut_at);
}

est_err part_read(struct part *p, int64_t offset, struct est_view chain, enum est_account_kind kind,
                  struct est_account_answer *ret)
{
    est_err err = p->started ? EST_OK : start(p, offset, EST_VIEW_NONE);

    if (err != EST_OK)
        return err;
    if (!p->reads && offset > est_account_commit_point(p->account)) {
        EST_LOG(EST_WARN, "log_begins_later", EST_S("topic", p->type->topic),
                EST_I("partition", p->partition), EST_I("offset", offset),
                EST_I("committed", p->committed));
        est_account_jump(p->account);
    }
    if (!p->reads && offset < est_account_commit_point(p->account)) {
        tell_cut(p, offset);
        rewind_to(p, offset);
    }
    p->reads = true;
    return est_account_read(p->account, offset, chain, kind, ret);
}

void part_confirm(struct part *p, int64_t offset, struct est_view chain,
                  struct est_account_answer *ret)
{
    est_account_confirm(p->account, offset, chain, ret);
}

/* --- commits --- */

/* Also when the commit point has not moved: a note says what is settled beyond it. */
static bool has_news(const struct part *p)
{
    return p->started && (est_account_commit_point(p->account) > p->committed ||
                          est_account_settled(p->account) != p->noted);
}

static bool write_note(struct part *p, size_t max)
{
    est_err err;

    est_buf_clear(&p->note);
    err = est_account_note(p->account, max, &p->note);
    if (err != EST_OK)
        EST_LOG(EST_ERROR, "no_note", EST_S("code", est_err_code(err)),
                EST_S("topic", p->type->topic), EST_I("partition", p->partition));
    return err == EST_OK;
}

size_t parts_to_commit(struct parts *ps, struct est_kafka_position *pos)
{
    size_t max = ps->note_max > 0 ? ps->note_max : EST_NOTE_MAX, n = 0;

    for (size_t i = 0; i < ps->n; i++) {
        struct part *p = &ps->items[i];
        p->sent = -1;
        if (!has_news(p) || !write_note(p, max))
            continue;
        p->sent = est_account_commit_point(p->account);
        p->sent_noted = est_account_settled(p->account);
        pos[n++] = (struct est_kafka_position){.topic = p->type->topic,
                                               .partition = p->partition,
                                               .offset = p->sent,
                                               .metadata = est_buf_view(&p->note)};
    }
    return n;
}

void parts_committed(struct parts *ps, bool ok)
{
    for (size_t i = 0; i < ps->n; i++) {
        struct part *p = &ps->items[i];
        if (ok && p->sent >= 0) {
            p->committed = p->sent;
            p->noted = p->sent_noted;
        }
        p->sent = -1;
    }
}

bool parts_shorten_notes(struct parts *ps)
{
    size_t max = ps->note_max > 0 ? ps->note_max : EST_NOTE_MAX;

    if (max == EST_NOTE_MIN)
        return false;
    ps->note_max = max / 2 > EST_NOTE_MIN ? max / 2 : EST_NOTE_MIN;
    return true;
}
