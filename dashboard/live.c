#include "live.h"

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "io/http_in.h"
#include "store.h"

enum {
    ROWS_AT_ONCE = 10, /* with PACE: 20 rows a second */
    ROWS_AT_START = 20,
    MESSAGE_MAX = 256 * 1024,
    QUEUED_MAX = 512 * 1024
};
static const est_us PACE = 500 * EST_MS;
static const est_us SIGN_OF_LIFE = 5 * EST_SECOND;

struct page {
    struct est_node node;
    struct live *lv;
    struct est_http_stream *stream;
};

struct live {
    struct est_loop *lp;
    struct store *st;
    const char *currency;
    struct est_node pages;
    unsigned n_pages;
    struct est_timer timer;
    est_us said_at; /* when the last message went out */
    int64_t said;   /* seq of the newest row that the pages have */
    struct est_buf text;
};

static void say(void *arg);

est_err live_new(struct est_loop *lp, struct store *st, const char *currency, struct live **ret)
{
    struct live *lv = est_calloc(1, sizeof(*lv));

    if (lv == NULL)
        return EST_ERR_NOMEM;
    lv->lp = lp;
    lv->st = st;
    lv->currency = currency;
    lv->timer.fn = say;
    lv->timer.arg = lv;
    lv->said = store_newest(st);
    est_list_init(&lv->pages);
    est_buf_init(&lv->text, MESSAGE_MAX);
    *ret = lv;
    return EST_OK;
}

static void forget(struct page *pg)
{
    est_list_remove(&pg->node);
    pg->lv->n_pages--;
    est_free(pg);
}

void live_end(struct live *lv)
{
    EST_LIST_EACH(it, &lv->pages) {
        struct page *pg = EST_CONTAINER(it, struct page, node);
        est_http_stream_end(pg->stream);
        forget(pg);
    }
    est_loop_timer_off(lv->lp, &lv->timer);
}

void live_free(struct live *lv)
{
    if (lv == NULL)
        return;
    live_end(lv);
    est_buf_fini(&lv->text);
    est_free(lv);
}

unsigned live_count(const struct live *lv)
{
    return lv->n_pages;
}

/* --- what is said --- */

static void put_metrics(struct live *lv)
{
    int64_t now_ms = est_clock_wall() / EST_MS;

    est_buf_puts(&lv->text, "event: metrics\ndata: ");
    summary_print(store_summary(lv->st, now_ms), lv->currency, now_ms, &lv->text);
    est_buf_puts(&lv->text, "\n\n");
}

/* Rows behind `after`. Places are given without gaps, so what is left out can be told by counting.
 */
static void put_rows(struct live *lv, int64_t after, unsigned limit, bool reset)
{
    int64_t newest = store_newest(lv->st), more = newest - after - (int64_t)limit;

    est_buf_puts(&lv->text, "event: rows\nid: ");
    est_buf_put_i64(&lv->text, newest);
    est_buf_puts(&lv->text, "\ndata: {\"rows\":");
    (void)store_recent(lv->st, after, limit, &lv->text);
    est_buf_puts(&lv->text, ",\"more\":");
    est_buf_put_i64(&lv->text, more > 0 && !reset ? more : 0);
    est_buf_puts(&lv->text, reset ? ",\"reset\":true}\n\n" : "}\n\n");
}

/* A message that could not be written whole for want of memory is dropped; the next one makes up.
 */
static void tell(struct live *lv, struct page *pg)
{
    if (lv->text.failed)
        return;
    if (!est_http_stream_write(pg->stream, est_buf_view(&lv->text), QUEUED_MAX)) {
        est_http_stream_end(pg->stream);
        forget(pg);
    }
}

static void say(void *arg)
{
    struct live *lv = arg;
    int64_t newest = store_newest(lv->st);

    if (lv->n_pages == 0)
        return;
    est_buf_clear(&lv->text);
    put_metrics(lv);
    if (newest != lv->said)
        put_rows(lv, lv->said, ROWS_AT_ONCE, false);
    EST_LIST_EACH(it, &lv->pages)
        tell(lv, EST_CONTAINER(it, struct page, node));
    lv->said = newest;
    lv->said_at = est_loop_now(lv->lp);
    est_loop_timer_at(lv->lp, &lv->timer, lv->said_at + SIGN_OF_LIFE);
}

void live_touch(struct live *lv)
{
    if (lv->n_pages > 0)
        est_loop_timer_at(lv->lp, &lv->timer, lv->said_at + PACE);
}

/* --- who listens --- */

static void gone(void *arg)
{
    forget(arg);
}

/* The newcomer gets what it lacks. Rows that others are still to be told come to it once more and
 * bear the seq that it has. */
static void greet(struct live *lv, struct page *pg, struct est_view last_seen)
{
    unsigned long long seen = 0;
    bool goes_on = est_view_u64(last_seen, (unsigned long long)store_newest(lv->st), &seen);

    est_buf_clear(&lv->text);
    est_buf_puts(&lv->text, "retry: 2000\n\n");
    put_metrics(lv);
    put_rows(lv, goes_on ? (int64_t)seen : 0, ROWS_AT_START, !goes_on);
    tell(lv, pg);
}

void live_join(struct live *lv, struct est_http_req *req)
{
    struct page *pg = lv->n_pages < LIVE_PAGES_MAX ? est_calloc(1, sizeof(*pg)) : NULL;
    struct est_view last_seen = est_http_header(req, "last-event-id");

    if (pg == NULL) {
        est_http_reply_field(req, "Retry-After", "5");
        est_http_problem(req, 503, "Too many open pages", "Close a page or try again.",
                         EST_VIEW_NONE);
        return;
    }
    est_http_reply_field(req, "Cache-Control", "no-store");
    est_http_reply_field(req, "X-Accel-Buffering",
                         "no"); /* asks nginx to pass messages on at once */
    if (lv->n_pages == 0)
        lv->said = store_newest(lv->st);
    pg->lv = lv;
    est_list_append(&lv->pages, &pg->node);
    lv->n_pages++;
    pg->stream = est_http_stream_begin(req, "text/event-stream", gone, pg);
    if (pg->stream == NULL) {
        forget(pg);
        return;
    }
    greet(lv, pg, last_seen);
    if (!est_loop_timer_armed(&lv->timer))
        est_loop_timer_at(lv->lp, &lv->timer, est_loop_now(lv->lp) + SIGN_OF_LIFE);
}
