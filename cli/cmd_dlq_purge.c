/* esteira dlq purge: dead letters away for good. Kafka deletes records only from the head of a
 * partition, so what goes is the longest run from there of which every record fits; what fits
 * behind one that does not stays, and is counted. */
#include "dlq_writer.h"

#include "base/mem.h"
#include "io/kafka_admin.h"

/* The head of one partition. */
struct head {
    struct dlq_source *source;
    int32_t partition;
    int64_t before; /* what lies below may go */
    uint64_t fit, behind;
    bool ended; /* one that does not fit has come */
};

struct purge {
    struct dlq dlq;
    struct dlq_writer writer;
    struct head *heads; /* in the order of the sources */
    size_t n, cap;
    uint64_t fit, behind, deleted;
    int code;
};

static struct head *head_of(struct purge *p, struct dlq_source *source, int32_t partition)
{
    struct head *more;

    for (size_t i = p->n; i > 0 && p->heads[i - 1].source == source; i--)
        if (p->heads[i - 1].partition == partition)
            return &p->heads[i - 1];
    if (p->n == p->cap) {
        size_t cap = p->cap > 0 ? 2 * p->cap : 64;
        more = est_realloc(p->heads, cap * sizeof(*more));
        if (more == NULL)
            return NULL;
        p->heads = more;
        p->cap = cap;
    }
    p->heads[p->n] = (struct head){.source = source, .partition = partition};
    return &p->heads[p->n++];
}

static void take(struct purge *p, const struct dlq_entry *e)
{
    struct head *h = head_of(p, e->source, est_kafka_msg_partition(e->msg));

    if (h == NULL) {
        p->code = EXIT_IO;
        out_failure(&p->dlq.cli->out, EST_ERR_NOMEM, NULL, p->code);
        return;
    }
    h->ended = h->ended || !e->fits;
    if (!e->fits)
        return;
    if (h->ended) {
        h->behind++;
        p->behind++;
        return;
    }
    h->fit++;
    p->fit++;
    h->before = est_kafka_msg_offset(e->msg) + 1;
}

static void look_at_all(struct purge *p)
{
    struct dlq_entry e;

    while (p->code == EXIT_FINE && dlq_await(&p->dlq, &e, &p->code) == EST_OK) {
        take(p, &e);
        est_kafka_msg_free(e.msg);
    }
}

/* --- deleting --- */

/* What was noted of them goes with them. */
static void delete_of(struct purge *p, struct head *h, size_t n)
{
    struct est_kafka_cut *cuts = est_calloc(n, sizeof(*cuts));
    struct est_why why = {.code = EST_OK};
    est_err err = cuts != NULL ? EST_OK : EST_ERR_NOMEM;
    size_t used = 0;

    for (size_t i = 0; cuts != NULL && i < n; i++)
        if (h[i].fit > 0)
            cuts[used++] =
                (struct est_kafka_cut){.partition = h[i].partition, .before = h[i].before};
    if (used > 0)
        err = est_kafka_admin_delete_records(p->writer.ka, h->source->topic, cuts, used,
                                             p->dlq.cli->args.timeout, &why);
    for (size_t c = 0; c < used; c++)
        for (size_t i = 0; i < n; i++)
            if (cuts[c].err == EST_OK && h[i].partition == cuts[c].partition) {
                p->deleted += h[i].fit;
                dlq_writer_forget(&p->writer, h->source, h[i].partition, h[i].before);
            }
    if (err != EST_OK) {
        p->code = err == EST_ERR_KAFKA_REFUSED ? EXIT_PROTOCOL : cli_exit_at_open(err);
        out_failure(&p->dlq.cli->out, err, &why, p->code);
    }
    est_free(cuts);
}

static void delete_all(struct purge *p)
{
    for (size_t i = 0, n; i < p->n && p->code == EXIT_FINE; i += n) {
        for (n = 1; i + n < p->n && p->heads[i + n].source == p->heads[i].source; n++)
            ;
        delete_of(p, &p->heads[i], n);
    }
    dlq_writer_finish(&p->writer);
}

/* --- the sum --- */

static void sum_up(const struct purge *p, bool act)
{
    struct out *o = &p->dlq.cli->out;
    char n[DLQ_NUMBER], behind[DLQ_NUMBER];

    dlq_number(o, act ? p->deleted : p->fit, n);
    dlq_number(o, p->behind, behind);
    if (o->json) {
        struct est_buf *b = out_json_begin(o, "purge");
        uint64_t matched = p->fit + p->behind;
        est_buf_printf(b, ",\"dry_run\":%s,\"matched\":%llu,\"deleted\":%llu,\"left\":%llu",
                       act ? "false" : "true", (unsigned long long)matched,
                       (unsigned long long)p->deleted, (unsigned long long)p->behind);
        out_json_end(o);
        return;
    }
    out_mark(o, p->code == EXIT_FINE && p->behind == 0 ? MARK_OK : MARK_WARN,
             act ? TEXT_DLQ_PURGED : TEXT_DLQ_WOULD_PURGE, OUT_ARGS(n));
    if (p->behind > 0)
        out_talk(o, TEXT_DLQ_BEHIND, OUT_ARGS(behind));
    if (!act && p->fit > 0)
        out_talk(o, TEXT_DLQ_PURGE_DRY, OUT_ARGS(""));
}

/* --- the command --- */

static void run(struct purge *p)
{
    const struct args *a = &p->dlq.cli->args;
    bool act = a->yes && !a->dry_run;

    if (!dlq_writer_open(&p->writer, &p->dlq, act, &p->code))
        return;
    look_at_all(p);
    if (act && p->code == EXIT_FINE)
        delete_all(p);
    if (p->code == EXIT_FINE || p->deleted > 0)
        sum_up(p, act);
    if (p->code == EXIT_FINE && p->behind > 0)
        p->code = EXIT_NO;
    dlq_writer_close(&p->writer);
}

int cmd_dlq_purge(struct cli *cli)
{
    int code = EXIT_FINE;
    struct est_config *cfg = cli_config(cli, &code);
    struct purge *p = cfg != NULL ? est_calloc(1, sizeof(*p)) : NULL;

    if (cfg == NULL)
        return code;
    if (p == NULL) {
        code = EXIT_IO;
        out_failure(&cli->out, EST_ERR_NOMEM, NULL, code);
    } else if (dlq_open(&p->dlq, cli, cfg, 1U << DLQ_REPLAYED, &code)) {
        run(p);
        code = p->code;
        est_free(p->heads);
        dlq_close(&p->dlq);
    }
    est_free(p);
    est_config_free(cfg);
    return code;
}
