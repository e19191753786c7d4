#include "waiting.h"

#include "admit.h"
#include "base/assert.h"
#include "base/jsonw.h"
#include "base/mem.h"
#include "io/http_in.h"

#include <stdio.h>

enum {
    POOL_MAX = 1024,
    KEEP_ITEMS = 64,
    KEEP_BYTES = 8192,
    IDS_MAX = 64 * 1024 * 1024,
    ANSWER_MAX = 64 * 1024 * 1024
};

void waiting_pool_init(struct waiting_pool *pool)
{
    *pool = (struct waiting_pool){0};
    est_list_init(&pool->free);
}

static void destroy(struct waiting *w)
{
    est_buf_fini(&w->ids);
    est_buf_fini(&w->errors);
    est_free(w->items);
    est_free(w);
}

void waiting_pool_fini(struct waiting_pool *pool)
{
    EST_LIST_EACH(n, &pool->free) {
        est_list_remove(n);
        destroy(EST_CONTAINER(n, struct waiting, node));
    }
}

static struct waiting *from_pool(struct waiting_pool *pool)
{
    struct est_node *n = est_list_first(&pool->free);
    struct waiting *w;

    if (n != NULL) {
        est_list_remove(n);
        pool->n_free--;
        return EST_CONTAINER(n, struct waiting, node);
    }
    w = est_calloc(1, sizeof(*w));
    if (w != NULL) {
        est_list_init(&w->node);
        est_buf_init(&w->ids, IDS_MAX);
        est_buf_init(&w->errors, ANSWER_MAX);
    }
    return w;
}

static bool make_room(struct waiting *w, size_t n)
{
    struct waiting_id *items;

    if (n <= w->cap)
        return true;
    items = est_realloc(w->items, n * sizeof(*items));
    if (items == NULL)
        return false;
    w->items = items;
    w->cap = n;
    return true;
}

static void note_ids(struct waiting *w, const struct admit *ad)
{
    for (size_t i = 0; i < ad->n; i++) {
        size_t at;
        if (i > 0)
            est_buf_putc(&w->ids, ',');
        at = w->ids.len;
        est_json_put_string(&w->ids, ad->items[i].ev.id);
        w->items[i] = (struct waiting_id){(uint32_t)at, (uint32_t)(w->ids.len - at), false};
    }
}

struct waiting *waiting_take(struct waiting_pool *pool, struct est_http_req *req,
                             const struct admit *ad, bool minimal, est_us now)
{
    struct waiting *w = from_pool(pool);

    if (w == NULL)
        return NULL;
    pool->n_used++;
    w->req = req;
    w->started = now;
    w->batch = admit_is_batch(ad);
    w->minimal = minimal;
    w->n = w->left = ad->n;
    w->failed = w->buffered = 0;
    w->why = EST_OK;
    est_buf_clear(&w->ids);
    est_buf_clear(&w->errors);
    if (!make_room(w, ad->n)) {
        waiting_give(pool, w);
        return NULL;
    }
    note_ids(w, ad);
    if (w->ids.failed) {
        waiting_give(pool, w);
        return NULL;
    }
    return w;
}

void waiting_give(struct waiting_pool *pool, struct waiting *w)
{
    pool->n_used--;
    if (pool->n_free >= POOL_MAX || w->cap > KEEP_ITEMS ||
        w->ids.cap + w->errors.cap > KEEP_BYTES) {
        destroy(w);
        return;
    }
    est_list_append(&pool->free, &w->node);
    pool->n_free++;
}

bool waiting_settle(struct waiting *w, size_t i, est_err err, bool buffered)
{
    EST_ASSERT(w->left > 0 && i < w->n);
    w->items[i].failed = err != EST_OK;
    w->failed += err != EST_OK;
    w->buffered += buffered;
    if (w->why == EST_OK)
        w->why = err;
    return --w->left == 0;
}

static void put_accepted(const struct waiting *w, struct est_buf *b)
{
    if (!w->batch) {
        est_buf_puts(b, "{\"id\":");
        est_buf_put_view(b, est_buf_view(&w->ids));
        est_buf_puts(b, w->buffered > 0 ? ",\"buffered\":true}\n" : ",\"buffered\":false}\n");
        return;
    }
    est_buf_printf(b, "{\"accepted\":%zu,\"buffered\":%zu", w->n, w->buffered);
    if (!w->minimal) {
        est_buf_puts(b, ",\"ids\":[");
        est_buf_put_view(b, est_buf_view(&w->ids));
        est_buf_putc(b, ']');
    }
    if (!w->errors.failed)
        est_buf_put_view(b, est_buf_view(&w->errors));
    est_buf_puts(b, "}\n");
}

static void put_repeat(const struct waiting *w, struct est_buf *b)
{
    const char *comma = "";

    est_buf_puts(b, ",\"retry_ids\":[");
    for (size_t i = 0; i < w->n; i++) {
        if (!w->items[i].failed)
            continue;
        est_buf_puts(b, comma);
        est_buf_put(b, w->ids.data + w->items[i].at, w->items[i].len);
        comma = ",";
    }
    est_buf_putc(b, ']');
}

int waiting_reply(struct waiting *w)
{
    struct est_buf b;
    int status = w->failed == 0 ? 202 : 503;

    est_buf_init(&b, ANSWER_MAX);
    if (status == 202) {
        put_accepted(w, &b);
        est_http_reply(w->req, 202, "application/json",
                       b.failed ? EST_VIEW_LIT("{}\n") : est_buf_view(&b));
    } else {
        put_repeat(w, &b);
        est_http_reply_field(w->req, "Retry-After", "1");
        est_http_problem(w->req, 503, "Not all events could be made durable",
                         b.failed ? "Repeat all events with the same ids"
                                  : "Repeat the events of retry_ids with the same ids",
                         b.failed ? EST_VIEW_NONE : est_buf_view(&b));
    }
    est_buf_fini(&b);
    return status;
}
