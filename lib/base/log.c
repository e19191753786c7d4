#include "log.h"

#include "buf.h"
#include "clock.h"
#include "jsonw.h"

#include <errno.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 8192 };

static const char *const names[] = {"debug", "info", "warn", "error"};
static const char *program_name = "esteira";
static enum est_level least_level = EST_INFO;
static uint64_t counts[EST_ERROR + 1];

void est_log_init(const char *program, enum est_level least)
{
    program_name = program;
    least_level = least;
}

bool est_log_level_parse(const char *name, enum est_level *ret)
{
    for (unsigned i = 0; i <= EST_ERROR; i++)
        if (strcmp(name, names[i]) == 0) {
            *ret = (enum est_level)i;
            return true;
        }
    return false;
}

uint64_t est_log_count(enum est_level level)
{
    return counts[level];
}

static void put_kv(struct est_buf *b, const struct est_kv *kv)
{
    size_t before = b->len;

    est_json_put_name(b, kv->key);
    if (kv->kind == EST_KV_INT)
        est_buf_put_i64(b, kv->number);
    else if (kv->text.data == NULL)
        est_buf_puts(b, "null");
    else
        est_json_put_string(b, kv->text);
    if (b->failed || b->len > LINE_MAX_BYTES - 3) {
        est_buf_truncate(b, before);
        b->failed = false;
    }
}

static void write_all(const char *p, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDERR_FILENO, p, n);
        if (done < 0 && errno != EINTR)
            return; /* nobody reads the log: there is nowhere left to say so */
        if (done > 0) {
            p += done;
            n -= (size_t)done;
        }
    }
}

void est_log(enum est_level level, const char *event, const struct est_kv *kvs)
{
    char room[LINE_MAX_BYTES + EST_BUF_SLACK], at[EST_RFC3339_LEN + 1];
    struct est_buf line = {.data = room, .cap = LINE_MAX_BYTES, .max = LINE_MAX_BYTES};

    if (level < least_level)
        return;
    counts[level]++;
    est_rfc3339_format(est_clock_wall(), at);
    est_buf_puts(&line, "{\"at\":\"");
    est_buf_puts(&line, at);
    est_buf_puts(&line, "\",\"level\":\"");
    est_buf_puts(&line, names[level]);
    est_buf_putc(&line, '"');
    put_kv(&line, &EST_S("program", program_name));
    put_kv(&line, &EST_S("event", event));
    for (; kvs->key != NULL; kvs++)
        put_kv(&line, kvs);
    est_buf_puts(&line, "}\n");
    write_all(line.data, line.len);
}
