#include "post.h"

#include "api.h"
#include "base/id.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "base/map.h"
#include "codec/json.h"
#include "entry.h"
#include "io/http_in.h"
#include "metrics/metrics.h"

#include <stdio.h>

enum { RETRY_AFTER_S = 5, BATCH_INDEX_LEN = 8 };

/* --- answers that refuse --- */

static void put_error(struct est_buf *out, const struct est_reject *rj)
{
    est_buf_putc(out, '{');
    est_json_put_name(out, "code");
    est_json_put_str(out, est_err_code(rj->code));
    est_json_put_name(out, "detail");
    est_json_put_str(out, rj->detail);
    est_json_put_name(out, "pointer");
    est_json_put_str(out, rj->pointer);
    est_buf_putc(out, '}');
}

static void answer_reject(struct api *api, struct est_http_req *req, int status, const char *title,
                          const struct est_reject *rj)
{
    struct est_buf *more = &api->answer;

    est_buf_clear(more);
    est_buf_puts(more, ",\"errors\":[");
    put_error(more, rj);
    est_buf_putc(more, ']');
    api_problem(api, req, status, title, rj->detail, est_buf_view(more));
}

/* Nothing of the request is kept, so the sender may simply repeat it. */
static void answer_unavailable(struct api *api, struct est_http_req *req, const char *detail)
{
    char seconds[12];

    (void)snprintf(seconds, sizeof(seconds), "%d", RETRY_AFTER_S);
    est_http_reply_field(req, "Retry-After", seconds);
    api_problem(api, req, 503, "Not stored", detail, EST_VIEW_NONE);
}

static void answer_store_failed(struct api *api, struct est_http_req *req, est_err err)
{
    EST_LOG(EST_ERROR, "store_failed", EST_S("code", est_err_code(err)),
            EST_S("reason", store_error(api->st)));
    api->disk_failed_at = est_loop_now(api->lp);
    answer_unavailable(api, req,
                       "The database could not be written. Nothing of this request was kept.");
}

/* --- reading the request --- */

static bool parse(struct api *api, struct est_http_req *req, const struct est_value **ret)
{
    struct est_reject rj = {0};
    est_err err = est_json_parse(api->js, est_http_body(req), ret, &rj);

    if (!err)
        return true;
    if (err == EST_ERR_NOMEM)
        answer_unavailable(api, req, "Out of memory.");
    else if (err == EST_ERR_TOO_LARGE)
        answer_reject(api, req, 413, "The body is too large", &rj);
    else
        answer_reject(api, req, 400, "The body is not valid JSON", &rj);
    return false;
}

/* What an event without an id is stored under: derived from the Idempotency-Key when there is one,
 * so that the repeated request finds what the first one left. */
static struct est_view fallback_id(struct est_http_req *req, long index, char out[ENTRY_ID_MAX + 1])
{
    struct est_view key = est_view_trim(est_http_header(req, "idempotency-key"));
    int n;

    if (key.len == 0 || key.len > ENTRY_ID_MAX - BATCH_INDEX_LEN || !est_utf8_valid(key)) {
        est_uuid7(est_clock_wall(), out);
        return est_view(out, EST_UUID_LEN);
    }
    n = index < 0 ? snprintf(out, ENTRY_ID_MAX + 1, "%.*s", (int)key.len, key.data)
                  : snprintf(out, ENTRY_ID_MAX + 1, "%.*s/%ld", (int)key.len, key.data, index);
    return est_view(out, (size_t)n);
}

/* --- storing --- */

/* What became of the events of one request, counted once it is sure. */
struct outcomes {
    unsigned fresh, duplicate, refused;
};

static void settle(struct api *api, const struct outcomes *o)
{
    struct est_metrics *m = api->metrics;

    est_metrics_count(m, EST_METRIC_DASH_EVENTS, "new", NULL, o->fresh);
    est_metrics_count(m, EST_METRIC_DASH_EVENTS, "duplicate", NULL, o->duplicate);
    est_metrics_count(m, EST_METRIC_DASH_EVENTS, "refused", NULL, o->refused);
    if (o->fresh > 0)
        live_touch(api->lv);
}

static est_err commit(struct api *api, est_us began)
{
    est_err err = store_commit(api->st);

    if (err)
        return err;
    api->disk_failed_at = 0;
    est_series_observe(est_metrics_series(api->metrics, EST_METRIC_DASH_STORE_SECONDS, NULL, NULL),
                       est_clock_mono() - began);
    return EST_OK;
}

/* --- one event --- */

static est_err store_one(struct api *api, const struct entry *e, int64_t now_ms, int64_t *ret_seq)
{
    est_us began = est_clock_mono();
    est_err err = store_begin(api->st, now_ms);

    if (err)
        return err;
    err = store_put(api->st, e, ret_seq);
    if (!err)
        err = commit(api, began);
    if (err)
        store_rollback(api->st);
    return err;
}

static void store_event(struct api *api, struct est_http_req *req, const struct est_value *event)
{
    char fallback[ENTRY_ID_MAX + 1];
    struct entry_options options = {.currency = api->currency,
                                    .now_ms = est_clock_wall() / EST_MS,
                                    .fallback_id = fallback_id(req, -1, fallback)};
    struct est_buf *out = &api->answer;
    struct est_reject rj = {0};
    struct entry e;
    int64_t seq = 0;
    est_err err = entry_read(event, &options, &api->texts, &e, &rj);

    if (err == EST_ERR_NOMEM) {
        answer_unavailable(api, req, "Out of memory.");
        return;
    }
    if (err) {
        settle(api, &(struct outcomes){.refused = 1});
        answer_reject(api, req, 422, "The event is not valid", &rj);
        return;
    }
    err = store_one(api, &e, options.now_ms, &seq);
    if (err) {
        answer_store_failed(api, req, err);
        return;
    }
    settle(api, &(struct outcomes){.fresh = seq != 0, .duplicate = seq == 0});
    est_buf_clear(out);
    est_buf_puts(out, "{\"id\":");
    est_json_put_string(out, e.id);
    est_buf_puts(out, seq ? ",\"duplicate\":false}\n" : ",\"duplicate\":true}\n");
    api_reply(api, req, seq ? 201 : 200, "application/json", est_buf_view(out));
}

void post_event(struct api *api, struct est_http_req *req)
{
    const struct est_value *event;

    if (parse(api, req, &event))
        store_event(api, req, event);
    est_json_clear(api->js);
}

/* --- a batch --- */

struct batch {
    struct api *api;
    struct est_http_req *req;
    struct entry_options options;
    struct est_map failed; /* ordering keys of events that were refused */
    struct outcomes outcomes;
    long index;
};

static void put_result(struct est_buf *out, struct est_view id, int status, bool duplicate,
                       const struct est_reject *rj)
{
    if (out->data[out->len - 1] != '[')
        est_buf_putc(out, ',');
    est_buf_puts(out, "{\"id\":");
    if (id.data != NULL)
        est_json_put_string(out, id);
    else
        est_buf_puts(out, "null");
    est_buf_puts(out, ",\"status\":");
    est_buf_put_i64(out, status);
    est_buf_puts(out, duplicate ? ",\"duplicate\":true" : ",\"duplicate\":false");
    if (rj != NULL) {
        est_buf_puts(out, ",\"error\":");
        put_error(out, rj);
    }
    est_buf_putc(out, '}');
}

/* What comes behind a refused event of the same key must not be stored: the sender repairs the one
 * and sends all of them again, in order. */
static est_err refuse_item(struct batch *b, struct est_view id, struct est_view key, int status,
                           const struct est_reject *rj)
{
    put_result(&b->api->answer, id, status, false, rj);
    b->outcomes.refused++;
    return key.data != NULL ? est_map_put(&b->failed, key, b) : EST_OK;
}

static est_err store_item(struct batch *b, const struct est_value *event)
{
    static const struct est_reject behind = {
        .code = EST_ERR_EVENT_BEHIND,
        .detail = "an earlier event of the same key in this batch was refused"};
    struct est_view id = est_json_id(est_json_get(event, "id"));
    struct est_view key = est_json_id(est_json_get(event, "key"));
    char fallback[ENTRY_ID_MAX + 1];
    struct est_reject rj = {0};
    struct entry e;
    int64_t seq = 0;
    est_err err;

    if (key.data != NULL && est_map_get(&b->failed, key) != NULL)
        return refuse_item(b, id, EST_VIEW_NONE, 424, &behind);
    b->options.fallback_id = id.data ? id : fallback_id(b->req, b->index, fallback);
    err = entry_read(event, &b->options, &b->api->texts, &e, &rj);
    if (err == EST_ERR_NOMEM)
        return err;
    if (err)
        return refuse_item(b, id, key, 422, &rj);
    err = store_put(b->api->st, &e, &seq);
    if (err)
        return err;
    put_result(&b->api->answer, e.id, seq ? 201 : 200, seq == 0, NULL);
    *(seq ? &b->outcomes.fresh : &b->outcomes.duplicate) += 1;
    return EST_OK;
}

static est_err store_items(struct batch *b, const struct est_value *events)
{
    struct est_json_iter it = {0};
    const struct est_value *event;
    est_us began = est_clock_mono();
    est_err err = store_begin(b->api->st, b->options.now_ms);

    if (err)
        return err;
    for (; !err && est_json_each(events, &it, NULL, &event); b->index++)
        err = store_item(b, event);
    est_buf_puts(&b->api->answer, "]}\n");
    if (!err)
        err = est_buf_err(&b->api->answer);
    if (!err)
        err = commit(b->api, began);
    if (err)
        store_rollback(b->api->st);
    return err;
}

static void store_batch(struct api *api, struct est_http_req *req, const struct est_value *events)
{
    struct batch b = {.api = api,
                      .req = req,
                      .options = {.currency = api->currency, .now_ms = est_clock_wall() / EST_MS}};
    uint64_t seed[2];
    est_err err;

    est_random(seed, sizeof(seed));
    est_map_init(&b.failed, API_EVENTS_MAX, seed[0], seed[1]);
    est_buf_clear(&api->answer);
    est_buf_puts(&api->answer, "{\"results\":[");
    err = store_items(&b, events);
    est_map_fini(&b.failed);
    if (err == EST_ERR_NOMEM) {
        answer_unavailable(api, req, "Out of memory.");
    } else if (err) {
        answer_store_failed(api, req, err);
    } else {
        settle(api, &b.outcomes);
        api_reply(api, req, 200, "application/json", est_buf_view(&api->answer));
    }
}

void post_batch(struct api *api, struct est_http_req *req)
{
    static const struct est_reject no_list = {.code = EST_ERR_EVENT_SHAPE,
                                              .pointer = "/events",
                                              .detail = "the body must be {\"events\": [...]}"};
    static const struct est_reject too_many = {.code = EST_ERR_TOO_LARGE,
                                               .pointer = "/events",
                                               .detail = "at most 5000 events per request"};
    const struct est_value *body, *events;

    if (parse(api, req, &body)) {
        events = est_json_get(body, "events");
        if (est_json_type(events) != EST_JSON_ARRAY)
            answer_reject(api, req, 400, "The body has no list of events", &no_list);
        else if (est_json_size(events) > API_EVENTS_MAX)
            answer_reject(api, req, 413, "Too many events", &too_many);
        else
            store_batch(api, req, events);
    }
    est_json_clear(api->js);
}
