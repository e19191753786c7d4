/* A stream of the buffer to Kafka, in its order: read, publish, and delete what Kafka has
 * acknowledged. */
#include "base/log.h"
#include "base/mem.h"
#include "boots.h"
#include "broker.h"
#include "catalog.h"
#include "codec/entry.h"
#include "core/extent.h"
#include "core/murmur2.h"
#include "core/stamp.h"
#include "io/loop.h"
#include "metrics/metrics.h"
#include "way.h"

#include <string.h>

/* --- what is missing --- */

static void on_missing(void *arg, const struct est_extent *gone)
{
    struct way *w = arg;

    est_series_add(w->missing, gone->count);
    EST_LOG(EST_ERROR, "buffer_entries_lost", EST_S("type", w->type->name),
            EST_S("boot", est_stamp_boot(w->ways->stamp)), EST_I("partition", gone->partition),
            EST_I("epoch", gone->epoch), EST_I("first", gone->first), EST_I("count", gone->count));
}

/* --- one entry --- */

static void on_refused(void *arg, est_err err)
{
    (void)arg;
    if (err != EST_OK)
        EST_LOG(EST_WARN, "entry_not_set_aside", EST_S("code", est_err_code(err)));
}

/* It can never be taken: out of the way of those behind it, and kept where a person can look. */
static void set_aside(struct way *w, const struct est_buffer_entry *entry, est_err reason)
{
    struct est_buffer_stream s;

    EST_LOG(EST_ERROR, "entry_refused", EST_S("type", w->type->name),
            EST_S("stream_id", entry->stream_id), EST_S("code", est_err_code(reason)));
    est_metrics_count(w->ways->metrics, EST_METRIC_BUFFER_REFUSED, w->type->name, NULL, 1);
    boots_stream(w->source, w->type->name, &s);
    (void)est_buffer_refuse(w->ways->buffer, &s, entry, est_err_code(reason), on_refused, w);
}

/* Kafka may have fewer partitions than were believed when it was stamped: a new place, and a number
 * of our own chain there. */
static est_err place(struct way *w, struct record *rec, const struct est_entry *e,
                     const struct est_chain *chain, char text[EST_CHAIN_TEXT_MAX + 1], size_t *len)
{
    struct est_chain anew;

    rec->partition = (int32_t)chain->partition;
    rec->epoch = chain->epoch;
    rec->n = chain->n;
    if (rec->partition < w->type->kafka_partitions || w->type->kafka_partitions == 0)
        return EST_OK;
    rec->partition = (int32_t)est_murmur2_partition(e->key, (uint32_t)w->type->kafka_partitions);
    if (est_stamp_next(w->ways->stamp, w->type->stamp, (uint32_t)rec->partition, &anew) != EST_OK)
        return EST_ERR_RANGE;
    *len = est_chain_format(&anew, text);
    return EST_OK;
}

/* EST_OK: it flies. EST_ERR_FULL, _KAFKA_DOWN, _NOMEM: not now. Otherwise never. */
static est_err fly(struct way *w, const struct est_buffer_entry *entry, struct record *rec)
{
    char text[EST_CHAIN_TEXT_MAX + 1];
    size_t len = entry->chain.len;
    struct est_chain chain;
    struct est_entry e;
    struct est_why why = {0};

    if (entry->record.data == NULL || len > EST_CHAIN_TEXT_MAX ||
        est_chain_parse(entry->chain, &chain) != EST_OK ||
        est_entry_read(entry->record, &e, &why) != EST_OK)
        return EST_ERR_INVALID;
    memcpy(text, entry->chain.data, len);
    if (place(w, rec, &e, &chain, text, &len) != EST_OK)
        return EST_ERR_INVALID;
    if (w->reading_own)
        est_extents_met(w->extents, chain.partition, chain.epoch, chain.n, on_missing, w);
    rec->way = w;
    rec->bytes = (size_t)entry->bytes;
    rec->since = est_loop_now(w->ways->loop);
    memcpy(rec->stream_id, entry->stream_id, sizeof(entry->stream_id));
    return broker_send(w->ways->broker, w->type, rec, &e, est_view(text, len), &why);
}

static bool is_never(est_err err)
{
    return err == EST_ERR_INVALID || err == EST_ERR_TOO_LARGE || err == EST_ERR_KAFKA_REFUSED;
}

/* True: it flies, or it was set aside and the next one's turn has come. */
static bool take_entry(struct way *w, const struct est_buffer_entry *entry, size_t *n)
{
    struct record *rec = record_take(&w->ways->pool);
    est_err err = rec == NULL ? EST_ERR_NOMEM : fly(w, entry, rec);

    if (err == EST_OK) {
        est_list_append(&w->flying, &rec->node);
        memcpy(w->cursor, entry->stream_id, sizeof(w->cursor));
        ++*n;
        return true;
    }
    if (rec != NULL)
        record_give(&w->ways->pool, rec);
    if (is_never(err)) {
        set_aside(w, entry, err);
        memcpy(w->cursor, entry->stream_id, sizeof(w->cursor));
        return true;
    }
    if (err != EST_ERR_FULL && w->ways->lost == NULL)
        w->ways->lost = "failed";
    return false;
}

/* --- reading --- */

static void read_ok(struct way *w, const struct est_buffer_entry *entries, size_t count, bool end)
{
    size_t n = 0, taken = 0;

    /* The script was fenced; but we may have slept between its answer and now. */
    if (!boots_hold(w->ways->boots, w->source) || w->ways->lost != NULL) {
        est_switch_read(&w->sw, 0, false, w->reading_own);
        return;
    }
    while (taken < count && take_entry(w, &entries[taken], &n))
        taken++;
    w->ways->flown += n;
    end = end && taken == count;
    if (end && w->reading_own)
        est_extents_end(w->extents, on_missing, w);
    est_switch_read(&w->sw, n, end, w->reading_own);
}

static void on_read(void *arg, est_err err, const struct est_buffer_entry *entries, size_t n,
                    bool end)
{
    struct way *w = arg;

    if (!way_answered(&w->read))
        return;
    switch (err) {
    case EST_ERR_REDIS_DOWN:
    case EST_ERR_REDIS_LOST: return; /* est_switch_store(false) is at hand */
    case EST_OK:
        if (est_switch_takes_read(&w->sw)) {
            read_ok(w, entries, n, end);
            return;
        }
        break;
    case EST_ERR_FENCED: boots_fenced(w->ways->boots, w->source); break;
    default: boots_trouble(w->ways->boots, err); return;
    }
    if (w->sw.asked > 0)
        est_switch_read(&w->sw, 0, false, w->reading_own);
}

static void ask(struct way *w)
{
    struct est_buffer_stream s;
    est_err err;

    if (w->reading_own)
        boots_need(w->ways->boots);
    boots_stream(w->source, w->type->name, &s);
    w->read.sent = true;
    err = est_buffer_read(w->ways->buffer, &s, w->cursor[0] ? w->cursor : NULL, w->read.n, on_read,
                          w);
    if (err != EST_OK) {
        w->read.sent = false;
        boots_trouble(w->ways->boots, err);
    }
}

void drain_read(struct way *w, size_t n, bool from_head)
{
    struct est_node *first = est_list_first(&w->older);

    w->reading_own = first == NULL;
    w->source =
        first == NULL ? boots_own(w->ways->boots) : EST_CONTAINER(first, struct older, node)->boot;
    if (from_head) {
        w->cursor[0] = '\0';
        est_extents_rewind(w->extents);
    }
    w->read.n = n;
    w->read_waits = !w->reading_own && !boots_has(w->source);
    if (!w->read_waits)
        ask(w);
}

void drain_go_on(struct way *w)
{
    if (!boots_has(w->source))
        return;
    w->read_waits = false;
    ask(w);
}

/* --- deleting --- */

static void give_deleted(struct way *w, struct record *rec)
{
    struct ways *ws = w->ways;

    ws->buffered_bytes -= rec->bytes < ws->buffered_bytes ? rec->bytes : ws->buffered_bytes;
    est_list_remove(&rec->node);
    record_give(&ws->pool, rec);
}

static void on_deleted(void *arg, est_err err)
{
    struct way *w = arg;

    if (!way_answered(&w->delete))
        return;
    switch (err) {
    case EST_OK:
        for (size_t n = w->delete.n; n > 0; n--)
            give_deleted(w, EST_CONTAINER(est_list_first(&w->undeleted), struct record, node));
        est_switch_deleted(&w->sw);
        return;
    case EST_ERR_REDIS_DOWN:
    case EST_ERR_REDIS_LOST: return; /* est_switch_store(false) is at hand: read again */
    case EST_ERR_FENCED:
        boots_fenced(w->ways->boots, w->source);
        if (w->sw.delete_sent) { /* it had run out: again, when it is ours again */
            way_store(w, false);
            way_store(w, true);
        }
        return;
    default: boots_trouble(w->ways->boots, err); return;
    }
}

void drain_delete(struct way *w, size_t n)
{
    const char *ids[EST_SWITCH_DELETE_MAX];
    struct est_buffer_stream s;
    uint64_t bytes = 0;
    size_t i = 0;
    est_err err;

    if (w->reading_own)
        boots_need(w->ways->boots);
    EST_LIST_EACH(node, &w->undeleted) {
        const struct record *rec = EST_CONTAINER(node, struct record, node);
        bytes += rec->bytes;
        ids[i] = rec->stream_id;
        if (++i == n)
            break;
    }
    boots_stream(w->source, w->type->name, &s);
    w->delete = (struct way_command){n, true, w->delete.ignored};
    err = est_buffer_remove(w->ways->buffer, &s, ids, n, bytes, on_deleted, w);
    if (err != EST_OK) {
        w->delete.sent = false;
        boots_trouble(w->ways->boots, err);
    }
}

/* --- reports and ends --- */

void drain_delivered(struct way *w, struct record *rec, est_err err)
{
    est_list_remove(&rec->node);
    if (is_never(err)) {
        struct est_buffer_entry entry = {.bytes = rec->bytes};
        memcpy(entry.stream_id, rec->stream_id, sizeof(entry.stream_id));
        set_aside(w, &entry, err);
        rec->bytes = 0; /* the move has taken them off */
        err = EST_OK;
    }
    if (err == EST_OK) {
        est_series_add(w->drained, 1);
        /* From here on it may leave the stream: a delete may be done though its answer is lost. */
        if (w->reading_own)
            est_extents_settled(w->extents, (uint32_t)rec->partition, rec->epoch, rec->n);
        if (est_switch_acked(&w->sw))
            est_list_append(&w->undeleted, &rec->node);
        else
            record_give(&w->ways->pool, rec); /* read over a former connection: read again */
        return;
    }
    est_list_append(&w->flying, &rec->node); /* forgotten with all the others, very soon */
    w->at_fault |= err == EST_ERR_KAFKA_TOPIC;
    if (w->ways->lost == NULL)
        w->ways->lost = err == EST_ERR_KAFKA_TOPIC ? "topic_failed" : "failed";
}

static void forget(struct way *w, struct est_node *list)
{
    EST_LIST_EACH(n, list) {
        est_list_remove(n);
        record_give(&w->ways->pool, EST_CONTAINER(n, struct record, node));
    }
}

void drain_forget_flying(struct way *w)
{
    forget(w, &w->flying);
}

void drain_forget_undeleted(struct way *w)
{
    forget(w, &w->undeleted);
}

void drain_end_older(struct way *w)
{
    struct est_node *n = est_list_first(&w->older);
    struct older *o;

    if (n == NULL || !w->sw.older_end || w->sw.flying > 0 || w->sw.undeleted > 0)
        return;
    o = EST_CONTAINER(n, struct older, node);
    EST_LOG(EST_INFO, "older_stream_drained", EST_S("type", w->type->name),
            EST_S("boot", boots_id(o->boot)));
    est_list_remove(n);
    w->source = NULL;
    est_switch_older_done(&w->sw);
    boots_close(w->ways->boots, o->boot);
    est_free(o);
}
