#include "buffer_view.h"
#include "status.h"

#include "base/mem.h"
#include "codec/json.h"
#include "config/line.h"

#include <stdio.h>
#include <string.h>

enum { KEY_MAX = 400, LINES_MAX = 64 };
/* What the answer can do without must not hold it up. */
static const est_us TIMES_BOUND = 2 * EST_SECOND, REDIS_PATIENCE = 2 * EST_SECOND;

/* --- Kafka --- */

static est_err open_look(struct status *s, struct status_destination *d, struct est_why *why)
{
    const struct est_kafka_look_options opt = {.brokers = s->cfg->kafka_brokers,
                                               .client_id = "esteira-status",
                                               .group = d->dest->group,
                                               .topics = s->topics,
                                               .n_topics = s->cfg->n_types,
                                               .timeout = s->cli->args.timeout,
                                               .extra = s->extra,
                                               .n_extra = s->extra ? s->cfg->kafka_options.n : 0};

    return est_kafka_look_new(&opt, &d->look, why);
}

static est_err look_at(struct status *s, struct status_destination *d, struct est_why *why)
{
    const struct est_kafka_look_part *parts;
    size_t n;
    est_err err = d->look == NULL ? open_look(s, d, why) : est_kafka_look_refresh(d->look, why);

    if (err == EST_OK)
        err = est_kafka_look_times(d->look, TIMES_BOUND, why);
    if (err != EST_OK)
        return err;
    d->has_members = est_kafka_look_members(d->look, &d->members, NULL) == EST_OK;
    for (size_t i = 0; i < s->cfg->n_types; i++)
        d->rows[i] = (struct status_row){.type = &s->cfg->types[i], .oldest_ms = -1};
    parts = est_kafka_look_parts(d->look, &n);
    for (size_t i = 0; i < n; i++)
        status_add_part(&d->rows[parts[i].topic], &parts[i], s->at / EST_MS);
    return EST_OK;
}

/* --- Redis --- */

static void add_buffered(struct status *s, const struct buffer_row *b)
{
    int64_t age_ms = b->oldest / EST_MS;

    s->buffer.entries += b->entries;
    s->buffer.bytes += b->bytes;
    if (b->oldest > s->buffer.oldest)
        s->buffer.oldest = b->oldest;
    for (size_t d = 0; d < s->n_dests; d++)
        for (size_t i = 0; i < s->cfg->n_types; i++) {
            struct status_row *row = &s->dests[d].rows[i];
            if (strcmp(row->type->name, b->type) != 0)
                continue;
            row->buffered += b->entries;
            if (b->entries > 0 && age_ms > row->oldest_ms)
                row->oldest_ms = age_ms;
        }
}

/* Answers of one command after the other. */
struct asking {
    struct buffer_view *view;
    struct status_destination *d;
    size_t n_types;
    struct est_json *json;
    char boots[LINES_MAX][EST_BOOT_LEN + 1];
    size_t n;
};

static void on_boots(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct asking *a = arg;

    for (size_t i = 0; err == EST_OK && i < est_redis_n(r) && a->n < LINES_MAX; i++) {
        struct est_view boot = est_redis_text(est_redis_item(r, i));
        if (boot.len == EST_BOOT_LEN)
            est_line_copy(a->boots[a->n++], EST_BOOT_LEN + 1, boot);
    }
    buffer_view_on_done(a->view, err);
}

static void take_line(struct asking *a, const struct est_value *line)
{
    status_add_line(&a->d->state, line);
    for (size_t i = 0; i < a->n_types; i++)
        status_add_type(&a->d->rows[i], line);
}

static void on_line(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct asking *a = arg;
    const struct est_value *line;
    struct est_view text = err == EST_OK ? est_redis_text(r) : EST_VIEW_NONE;

    est_json_clear(a->json);
    if (text.data != NULL && est_json_parse(a->json, text, &line, NULL) == EST_OK)
        take_line(a, line);
    buffer_view_on_done(a->view, err);
}

static est_err ask_consumers(struct status *s, struct buffer_view *view,
                             struct status_destination *d, struct est_json *json)
{
    struct asking a = {.view = view, .d = d, .n_types = s->cfg->n_types, .json = json};
    const char *prefix = s->cfg->redis_prefix, *name = d->dest->name;
    char key[KEY_MAX];
    est_err err;

    est_line_printf(key, sizeof(key), "%sconsumers:%s", prefix, name);
    const struct est_view all[] = {EST_VIEW_LIT("ZRANGE"), est_view_str(key), EST_VIEW_LIT("0"),
                                   EST_VIEW_LIT("-1")};
    err = buffer_view_await(view, est_redis_command(view->store.redis, 4, all, on_boots, &a));
    for (size_t i = 0; i < a.n && err == EST_OK; i++) {
        est_line_printf(key, sizeof(key), "%sconsumer:%s:%s", prefix, name, a.boots[i]);
        const struct est_view get[] = {EST_VIEW_LIT("GET"), est_view_str(key)};
        err = buffer_view_await(view, est_redis_command(view->store.redis, 2, get, on_line, &a));
    }
    return err;
}

static est_err ask_redis(struct status *s)
{
    est_us timeout = s->cli->args.timeout;
    struct est_json *json = NULL;
    struct buffer_view view;
    struct est_why why = {.code = EST_OK};
    est_err err;

    if (timeout > REDIS_PATIENCE)
        s->cli->args.timeout = REDIS_PATIENCE;
    err = buffer_view_try(&view, s->cli, s->cfg, &why);
    s->cli->args.timeout = timeout;
    if (err != EST_OK)
        return err;
    for (size_t i = 0; i < view.n; i++)
        add_buffered(s, &view.rows[i]);
    err = est_json_new(NULL, &json);
    for (size_t i = 0; i < s->n_dests && err == EST_OK; i++)
        err = ask_consumers(s, &view, &s->dests[i], json);
    est_json_free(json);
    buffer_view_close(&view);
    return err;
}

/* --- all of it --- */

est_err status_look(struct status *s, struct est_why *why)
{
    est_err err = EST_OK;

    s->at = est_clock_wall();
    for (size_t i = 0; i < s->n_dests; i++)
        s->dests[i].state = (struct status_state){.budget_left = -2};
    for (size_t i = 0; i < s->n_dests && err == EST_OK; i++)
        err = look_at(s, &s->dests[i], why);
    if (err != EST_OK)
        return err;
    s->buffer = (struct status_buffer){.configured = s->cfg->redis_url[0] != '\0'};
    s->buffer.known = s->buffer.configured && ask_redis(s) == EST_OK;
    for (size_t i = 0; i < s->n_dests; i++)
        status_add_up(&s->dests[i], s->cfg->n_types);
    return EST_OK;
}

void status_close(struct status *s)
{
    for (size_t i = 0; i < s->n_dests; i++) {
        est_kafka_look_free(s->dests[i].look);
        est_free(s->dests[i].rows);
    }
    est_free(s->dests);
    est_free(s->topics);
    est_free(s->extra);
}
