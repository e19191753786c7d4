#include "import_aside.h"

#include "base/jsonw.h"
#include "codec/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1024 * 1024 * 1024 };

void import_aside_init(struct import_aside *a, const char *path)
{
    *a = (struct import_aside){.path = path, .fd = -1};
    est_buf_init(&a->line, LINE_MAX_BYTES);
}

void import_aside_fini(struct import_aside *a)
{
    if (a->fd >= 0)
        (void)close(a->fd);
    est_buf_fini(&a->line);
}

/* --- what is there already --- */

/* Of the first batch only: all later ones are new. */
static void note_line(struct import_aside *a, const struct import_batch *b, struct est_json *js,
                      struct est_view line)
{
    const struct est_value *v = NULL;
    int64_t seq;

    est_json_clear(js);
    if (est_json_parse(js, line, &v, NULL) != EST_OK ||
        !est_view_is(est_json_string(est_json_get(v, "run")), b->run) ||
        !est_json_i64(est_json_get(v, "seq"), &seq) || seq < 0 || (uint64_t)seq < b->seq ||
        (uint64_t)seq >= b->seq + b->n)
        return;
    a->seen[(uint64_t)seq - b->seq] = true;
}

static est_err read_seen(struct import_aside *a, const struct import_batch *b)
{
    FILE *f = fopen(a->path, "re");
    struct est_json *js = NULL;
    char *line = NULL;
    size_t cap = 0;
    ssize_t n;
    est_err err = EST_OK;

    if (f == NULL)
        return errno == ENOENT ? EST_OK : EST_ERR_IO;
    err = est_json_new(NULL, &js);
    while (err == EST_OK && (n = getline(&line, &cap, f)) > 0)
        note_line(a, b, js, est_view(line, (size_t)n));
    est_json_free(js);
    free(line); /* getline's */
    (void)fclose(f);
    return err;
}

est_err import_aside_begin(struct import_aside *a, const struct import_batch *b)
{
    memset(a->seen, 0, sizeof(a->seen));
    a->seen_seq = b->seq;
    memcpy(a->seen_run, b->run, sizeof(a->seen_run));
    if (a->seen_read)
        return EST_OK;
    a->seen_read = true;
    return read_seen(a, b);
}

/* --- writing --- */

static est_err put_all(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t put = write(fd, data, n);
        if (put < 0 && errno != EINTR)
            return EST_ERR_IO;
        if (put > 0) {
            data += put;
            n -= (size_t)put;
        }
    }
    return EST_OK;
}

/* Personal data: for the owner alone. A line that a crash cut short is ended first. */
static est_err open_file(struct import_aside *a)
{
    struct stat st;
    char last = '\n';

    if (a->fd >= 0)
        return EST_OK;
    a->fd = open(a->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (a->fd < 0 || fstat(a->fd, &st) != 0)
        return EST_ERR_IO;
    if (st.st_size > 0 && pread(a->fd, &last, 1, st.st_size - 1) != 1)
        return EST_ERR_IO;
    return last == '\n' ? EST_OK : put_all(a->fd, "\n", 1);
}

est_err import_aside_put(struct import_aside *a, const struct import_batch *b, size_t i,
                         const char *list, const char *code, const char *reason)
{
    char id[EST_UUID_LEN + 1];
    est_err err;

    a->n++;
    if (a->seen[i])
        return EST_OK;
    a->seen[i] = true;
    import_batch_id(b, i, id);
    est_buf_clear(&a->line);
    est_buf_puts(&a->line, "{\"list\":");
    est_json_put_str(&a->line, list);
    est_buf_puts(&a->line, ",\"run\":");
    est_json_put_str(&a->line, b->run);
    est_buf_printf(&a->line,
                   ",\"seq\":%llu,\"id\":\"%s\",\"code\":", (unsigned long long)b->seq + i, id);
    est_json_put_str(&a->line, code);
    est_buf_puts(&a->line, ",\"reason\":");
    est_json_put_str(&a->line, reason);
    est_buf_puts(&a->line, ",\"entry\":");
    est_json_put_string(&a->line, import_batch_entry(b, i));
    est_buf_puts(&a->line, "}\n");
    err = est_buf_err(&a->line);
    if (err == EST_OK)
        err = open_file(a);
    if (err == EST_OK)
        err = put_all(a->fd, a->line.data, a->line.len);
    a->dirty = true;
    return err;
}

est_err import_aside_sync(struct import_aside *a)
{
    if (!a->dirty)
        return EST_OK;
    if (fdatasync(a->fd) != 0)
        return EST_ERR_IO;
    a->dirty = false;
    return EST_OK;
}
