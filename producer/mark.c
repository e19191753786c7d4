/* Marks: records without a value that take the next number of their chain. A reader that comes to
 * one knows that the chain goes this far: what is missing before it is a hole, also when nothing
 * comes behind. Nobody waits for a mark; one that fails is not sent again, and the chain goes on in
 * the next epoch. */
#include "base/clock.h"
#include "base/mem.h"
#include "catalog.h"
#include "codec/entry.h"
#include "core/stamp.h"
#include "io/loop.h"
#include "way.h"

#include <string.h>

/* What has happened in a partition since its last mark. */
enum { STAMPED = 1, BUFFERED = 2 };

/* Without memory a mark less is written. */
static void touch(struct way *w, int32_t partition, unsigned char what)
{
    size_t n = (size_t)partition + 1;
    unsigned char *touched;

    if (n > w->n_touched) {
        touched = est_realloc(w->touched, n);
        if (touched == NULL)
            return;
        memset(touched + w->n_touched, 0, n - w->n_touched);
        w->touched = touched;
        w->n_touched = n;
    }
    w->touched[partition] |= what;
}

void mark_stamped(struct way *w, int32_t partition)
{
    touch(w, partition, STAMPED);
}

void mark_buffered(struct way *w, int32_t partition)
{
    touch(w, partition, BUFFERED);
}

void mark_forget(struct way *w)
{
    if (w->n_touched > 0)
        memset(w->touched, 0, w->n_touched);
}

static void mark(struct way *w, int32_t partition)
{
    struct record *rec = record_take(&w->ways->pool);
    char key[EST_CHAIN_TEXT_MAX + 1];
    struct est_entry e = {.timestamp_ms = est_clock_wall() / EST_MS, .n_headers = 1};
    struct est_chain chain;

    if (rec == NULL)
        return;
    if (est_stamp_next(w->ways->stamp, w->type->stamp, (uint32_t)partition, &chain) != EST_OK) {
        record_give(&w->ways->pool, rec);
        return;
    }
    /* Topics that are compacted take no record without a key. */
    e.key = est_view(key, est_chain_format(&chain, key));
    e.headers[0] = (struct est_entry_header){EST_VIEW_LIT(EST_MARK_HEADER), EST_VIEW_LIT("1")};
    rec->way = w;
    rec->bytes = e.key.len;
    rec->since = est_loop_now(w->ways->loop);
    rec->timestamp_ms = e.timestamp_ms;
    rec->partition = partition;
    rec->epoch = chain.epoch;
    rec->n = chain.n;
    w->ways->pending++;
    w->ways->pending_bytes += rec->bytes;
    way_put(w, rec, &e, EST_VIEW_LIT(""));
}

static void mark_where(struct way *w, unsigned char what)
{
    if (est_switch_route(&w->sw) == EST_TO_NOBODY)
        return;
    for (size_t i = 0; i < w->n_touched; i++) {
        if ((w->touched[i] & what) == 0)
            continue;
        w->touched[i] = 0;
        mark(w, (int32_t)i);
    }
}

void mark_drained(struct way *w)
{
    mark_where(w, BUFFERED);
}

void mark_all(struct way *w)
{
    mark_where(w, STAMPED | BUFFERED);
}
