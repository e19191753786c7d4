/* esteira buffer drain: what a shim does with the boots of dead ones, by hand. One read, all of it
 * to Kafka, all reports, then what Kafka has is deleted: slower than a shim, and nothing to go
 * wrong. */
#include "buffer_view.h"
#include "progress.h"

#include "base/jsonw.h"
#include "base/mem.h"
#include "codec/entry.h"
#include "config/line.h"
#include "core/chain.h"
#include "io/kafka_pub.h"

#include <stdio.h>
#include <string.h>

enum { QUEUE_BYTES = 256 * 1024 * 1024, TEXT_MAX = 192, OVERHEAD = 64 * 1024 };

/* An entry on its way to Kafka. */
struct flight {
    char stream_id[EST_BUFFER_ID_MAX + 1];
    uint64_t bytes;
    bool told; /* its outcome has come */
    est_err err;
};

struct drain {
    struct buffer_view view;
    struct est_kafka_pub *kp;
    struct progress progress;
    struct est_buffer_stream stream;
    const struct est_type_config *type;
    int32_t partitions; /* of its topic */
    struct flight flights[EST_BUFFER_ENTRIES_MAX];
    size_t n, told;
    bool end, left; /* left: the rest of this stream is not for us */
    est_us renewed;
    uint64_t handed, refused, boots;
    int code; /* EXIT_FINE while it goes on; EXIT_NO: something is left, go on with the rest */
};

static bool is_stopped(const struct drain *d)
{
    return d->code != EXIT_FINE && d->code != EXIT_NO;
}

static void leave(struct drain *d, enum text id, const char *const *args)
{
    out_talk(&d->view.cli->out, id, args);
    d->left = true;
    if (d->code == EXIT_FINE)
        d->code = EXIT_NO;
}

static void fail(struct drain *d, est_err err)
{
    if (err == EST_ERR_FENCED) {
        out_failure(&d->view.cli->out, err, NULL, EXIT_AGAIN);
        d->code = EXIT_AGAIN;
    } else {
        d->code = buffer_view_fail(&d->view, err);
    }
}

/* --- to Kafka --- */

static void on_delivered(void *arg, void *opaque, est_err err, int32_t partition, int64_t offset)
{
    struct drain *d = arg;
    struct flight *f = opaque;

    (void)partition;
    (void)offset;
    f->told = true;
    f->err = err;
    d->told++;
}

static void on_state(void *arg, bool up, const char *detail)
{
    (void)arg;
    (void)up;
    (void)detail;
}

static void on_log(void *arg, int level, const char *facility, const char *text)
{
    (void)arg;
    (void)level;
    (void)facility;
    (void)text;
}

static est_err publish(struct drain *d, const struct est_entry *e, struct est_view chain_text,
                       uint32_t partition, struct flight *f)
{
    struct est_record_header headers[EST_ENTRY_HEADERS_MAX + 1];
    char names[EST_ENTRY_HEADERS_MAX][EST_ENTRY_NAME_MAX + 1];
    struct est_record rec = {.topic = d->type->topic,
                             .partition = (int32_t)partition,
                             .key = e->key,
                             .value = e->value,
                             .headers = headers,
                             .n_headers = e->n_headers + 1,
                             .timestamp_ms = e->timestamp_ms};

    for (size_t i = 0; i < e->n_headers; i++) {
        est_line_copy(names[i], sizeof(names[i]), e->headers[i].name);
        headers[i] = (struct est_record_header){names[i], e->headers[i].value};
    }
    headers[e->n_headers] = (struct est_record_header){EST_CHAIN_HEADER, chain_text};
    return est_kafka_pub_send(d->kp, &rec, f, NULL);
}

/* What cannot be sent has its outcome at once. False: this one and what is behind it stays. */
static bool send_entry(struct drain *d, const struct est_buffer_entry *entry)
{
    struct flight *f = &d->flights[d->n];
    struct est_chain chain = {.partition = 0};
    struct est_entry e;
    char partition[16];
    est_err err = est_entry_read(entry->record, &e, NULL);

    if (err == EST_OK)
        err = est_chain_parse(entry->chain, &chain);
    (void)snprintf(partition, sizeof(partition), "%u", chain.partition);
    if (err == EST_ERR_UNSUPPORTED) {
        leave(d, TEXT_DRAIN_NEWER, OUT_ARGS(d->stream.boot, d->type->name));
        return false;
    }
    if (err == EST_OK && chain.partition >= (uint32_t)d->partitions) {
        leave(d, TEXT_DRAIN_PARTITION,
              OUT_ARGS(d->stream.boot, d->type->name, partition, d->type->topic));
        return false;
    }
    *f = (struct flight){.bytes = entry->bytes};
    memcpy(f->stream_id, entry->stream_id, sizeof(f->stream_id));
    d->n++;
    if (err == EST_OK)
        err = publish(d, &e, entry->chain, chain.partition, f);
    if (err != EST_OK)
        on_delivered(d, f, err, 0, 0);
    return true;
}

static void on_read(void *arg, est_err err, const struct est_buffer_entry *entries, size_t n,
                    bool end)
{
    struct drain *d = arg;

    d->n = d->told = 0;
    d->end = end;
    for (size_t i = 0; i < n && send_entry(d, &entries[i]); i++)
        ;
    buffer_view_on_done(&d->view, err);
}

/* --- what became of them --- */

/* No waiting makes Kafka take it: it must not stand in the way. */
static bool is_refused(est_err err)
{
    return err == EST_ERR_TOO_LARGE || err == EST_ERR_KAFKA_REFUSED || err == EST_ERR_INVALID;
}

static est_err remove_acked(struct drain *d, size_t upto)
{
    const char *ids[EST_BUFFER_ENTRIES_MAX];
    uint64_t bytes = 0;
    size_t n = 0;

    for (size_t i = 0; i < upto; i++) {
        if (d->flights[i].err != EST_OK)
            continue;
        ids[n++] = d->flights[i].stream_id;
        bytes += d->flights[i].bytes;
    }
    d->handed += n;
    if (n == 0)
        return EST_OK;
    return buffer_view_await(&d->view, est_buffer_remove(d->view.buffer, &d->stream, ids, n, bytes,
                                                         buffer_view_on_done, &d->view));
}

static est_err refuse(struct drain *d, const struct flight *f)
{
    struct est_buffer_entry e = {.bytes = f->bytes};

    memcpy(e.stream_id, f->stream_id, sizeof(e.stream_id));
    d->refused++;
    return buffer_view_await(&d->view,
                             est_buffer_refuse(d->view.buffer, &d->stream, &e, est_err_code(f->err),
                                               buffer_view_on_done, &d->view));
}

/* Up to the first that Kafka may still take later: it and all behind it stay, in order. */
static void settle(struct drain *d)
{
    size_t upto = 0;
    est_err err;

    while (upto < d->n && (d->flights[upto].err == EST_OK || is_refused(d->flights[upto].err)))
        upto++;
    err = remove_acked(d, upto);
    for (size_t i = 0; err == EST_OK && i < upto; i++)
        if (is_refused(d->flights[i].err))
            err = refuse(d, &d->flights[i]);
    if (err != EST_OK) {
        fail(d, err);
    } else if (upto < d->n) {
        out_error_text(&d->view.cli->out, TEXT_DRAIN_STOPPED, OUT_ARGS(""),
                       est_err_code(d->flights[upto].err), EXIT_UNAVAILABLE);
        d->code = EXIT_UNAVAILABLE;
    }
}

/* --- a stream, a boot --- */

static est_err renew(struct drain *d)
{
    est_us now = est_clock_mono();

    if (now - d->renewed < d->view.cfg->redis_lease / 4)
        return EST_OK;
    d->renewed = now;
    return buffer_view_await(
        &d->view, est_buffer_renew(d->view.buffer, d->stream.boot, buffer_view_on_done, &d->view));
}

/* Always from the head: what was handed on is gone from there. */
static void drain_stream(struct drain *d, const struct buffer_row *row, int32_t partitions)
{
    memcpy(d->stream.boot, row->boot, sizeof(d->stream.boot));
    d->type = est_config_type(d->view.cfg, row->type);
    d->stream.type = d->type->name;
    d->partitions = partitions;
    d->left = d->end = false;
    while (!is_stopped(d) && !d->left && !d->end) {
        est_err err = renew(d);
        if (err == EST_OK)
            err = buffer_view_await(&d->view, est_buffer_read(d->view.buffer, &d->stream, NULL,
                                                              EST_BUFFER_ENTRIES_MAX, on_read, d));
        if (err != EST_OK) {
            fail(d, err);
            return;
        }
        while (d->told < d->n)
            est_loop_turn(d->view.fetch.lp, EST_SECOND);
        settle(d);
        progress_show(&d->progress, &d->view.cli->out, est_clock_mono(), d->handed, d->handed);
        if (d->view.fetch.interrupted && !is_stopped(d))
            d->code = EXIT_INTERRUPTED;
    }
}

/* Asked before the lease is taken, for it may take as long as a lease lasts. 0: nothing to do. */
static int32_t count_partitions(struct drain *d, const struct buffer_row *row)
{
    const struct est_type_config *type = est_config_type(d->view.cfg, row->type);
    struct est_why why = {.code = EST_OK};
    int32_t n = 0;

    if (row->entries == 0 || is_stopped(d))
        return 0;
    if (type == NULL) {
        leave(d, TEXT_DRAIN_NO_TYPE, OUT_ARGS(row->boot, row->type));
        return 0;
    }
    if (est_kafka_pub_partitions(d->kp, type->topic, d->view.cli->args.timeout, &n, &why) == EST_OK)
        return n;
    d->code = EXIT_UNAVAILABLE;
    out_failure(&d->view.cli->out, why.code, &why, d->code);
    return 0;
}

static bool claim(struct drain *d, const struct buffer_row *row)
{
    char holder[TEXT_MAX];
    est_err err = buffer_view_await(
        &d->view, est_buffer_claim(d->view.buffer, row->boot, buffer_view_on_claim, &d->view));

    d->renewed = est_clock_mono();
    if (err != EST_OK)
        fail(d, err);
    if (err != EST_OK || d->view.flag)
        return err == EST_OK;
    buffer_view_holder(&d->view, row, holder, sizeof(holder));
    leave(d, TEXT_BOOT_HELD, OUT_ARGS(row->boot, row->instance, holder));
    return false;
}

/* rows: of one boot. */
static void drain_boot(struct drain *d, const struct buffer_row *rows, size_t n)
{
    int32_t partitions[EST_BUFFER_TYPES_MAX];
    uint64_t entries = 0;
    est_err err;

    for (size_t i = 0; i < n; i++) {
        partitions[i] = count_partitions(d, &rows[i]);
        entries += rows[i].entries;
    }
    if (entries == 0 && rows->holder[0] != '\0') /* a live shim with nothing in Redis */
        return;
    if (is_stopped(d) || !claim(d, rows))
        return;
    for (size_t i = 0; i < n && !is_stopped(d); i++)
        if (partitions[i] > 0)
            drain_stream(d, &rows[i], partitions[i]);
    d->boots++;
    if (!d->view.store.up)
        return;
    err = buffer_view_await(
        &d->view, est_buffer_release(d->view.buffer, rows->boot, buffer_view_on_flag, &d->view));
    if (err != EST_OK && err != EST_ERR_FENCED)
        fail(d, err);
}

/* --- all of it --- */

static void sum_up(struct drain *d)
{
    struct out *o = &d->view.cli->out;
    struct est_buf *b;
    char handed[24], boots[24], refused[24];

    out_wipe(o);
    (void)snprintf(handed, sizeof(handed), "%llu", (unsigned long long)d->handed);
    (void)snprintf(boots, sizeof(boots), "%llu", (unsigned long long)d->boots);
    (void)snprintf(refused, sizeof(refused), "%llu", (unsigned long long)d->refused);
    if (o->json) {
        b = out_json_begin(o, "drained");
        est_buf_printf(b, ",\"handed\":%s,\"boots\":%s,\"refused\":%s", handed, boots, refused);
        out_json_end(o);
        return;
    }
    out_mark(o, d->code == EXIT_FINE && d->refused == 0 ? MARK_OK : MARK_WARN, TEXT_DRAINED,
             OUT_ARGS(handed, boots));
    if (d->refused > 0)
        out_talk(o, TEXT_DRAIN_REFUSED, OUT_ARGS(refused));
}

static void drain_all(struct drain *d)
{
    const char *begin = d->view.cli->args.boot;
    const struct buffer_row *only = begin != NULL ? buffer_view_find(&d->view, begin) : NULL;

    if (begin != NULL && only == NULL) {
        d->code = EXIT_NO;
        return;
    }
    for (size_t i = 0; i < d->view.n; i++)
        d->progress.total += d->view.rows[i].entries;
    for (size_t i = 0, n; i < d->view.n && !is_stopped(d); i += n) {
        const struct buffer_row *rows = &d->view.rows[i];
        for (n = 1; i + n < d->view.n && strcmp(rows[n].boot, rows->boot) == 0; n++)
            ;
        if (only == NULL || strcmp(rows->boot, only->boot) == 0)
            drain_boot(d, rows, n);
    }
    sum_up(d);
}

static est_err open_kafka(struct drain *d, struct est_kafka_option *extra, struct est_why *why)
{
    const struct est_config *cfg = d->view.cfg;
    const struct est_kafka_pub_options opt = {
        .brokers = cfg->kafka_brokers,
        .client_id = "esteira-drain",
        .linger = cfg->kafka_linger,
        .message_timeout = cfg->kafka_message_timeout,
        .queue_max_records = 2 * EST_BUFFER_ENTRIES_MAX,
        .queue_max_bytes = QUEUE_BYTES,
        .record_max_bytes = cfg->producer_event_max + OVERHEAD,
        .extra = extra,
        .n_extra = extra != NULL ? cfg->kafka_options.n : 0,
    };
    const struct est_kafka_pub_handlers h = {on_delivered, on_state, on_log, d};

    return est_kafka_pub_new(d->view.fetch.lp, &opt, &h, &d->kp, why);
}

static int run(struct cli *cli, const struct est_config *cfg)
{
    struct drain *d = est_calloc(1, sizeof(*d));
    struct est_kafka_option *extra = cli_kafka_options(cfg);
    struct est_why why = {.code = EST_OK};
    int code = EXIT_IO;

    if (d == NULL) {
        out_failure(&cli->out, EST_ERR_NOMEM, NULL, code);
    } else if (buffer_view_open(&d->view, cli, cfg, &code)) {
        d->progress.started = est_clock_mono();
        if (open_kafka(d, extra, &why) == EST_OK) {
            drain_all(d);
        } else {
            d->code = EXIT_IO;
            out_failure(&cli->out, why.code, &why, d->code);
        }
        code = d->code;
        est_kafka_pub_free(d->kp);
        buffer_view_close(&d->view);
    }
    est_free(extra);
    est_free(d);
    return code;
}

int cmd_buffer_drain(struct cli *cli)
{
    int code = EXIT_FINE;
    struct est_config *cfg = cli_config(cli, &code);

    if (cfg == NULL)
        return code;
    code = run(cli, cfg);
    est_config_free(cfg);
    return code;
}
