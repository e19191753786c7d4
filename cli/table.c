#include "table.h"

#include "base/assert.h"
#include "base/mem.h"

#include <string.h>

enum { COLUMNS_MAX = 12 };

struct table {
    size_t columns, n;
    uint32_t right;
    char **cells; /* row by row */
    size_t width[COLUMNS_MAX];
    bool failed; /* memory: what could not be kept is not printed */
};

/* Code points: close enough to columns for what we print. */
static size_t width_of(const char *text)
{
    size_t n = 0;

    for (; *text != '\0'; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

struct table *table_new(size_t columns, uint32_t right)
{
    struct table *t = est_calloc(1, sizeof(*t));

    EST_ASSERT(columns > 0 && columns <= COLUMNS_MAX);
    if (t != NULL) {
        t->columns = columns;
        t->right = right;
    }
    return t;
}

void table_free(struct table *t)
{
    if (t == NULL)
        return;
    for (size_t i = 0; i < t->n; i++)
        est_free(t->cells[i]);
    est_free(t->cells);
    est_free(t);
}

void table_cell(struct table *t, const char *text)
{
    char **cells, *copy;

    if (t == NULL || t->failed)
        return;
    cells = est_realloc(t->cells, (t->n + 1) * sizeof(*cells));
    copy = cells != NULL ? est_strdup(text) : NULL;
    if (cells != NULL)
        t->cells = cells;
    if (copy == NULL) {
        t->failed = true;
        return;
    }
    cells[t->n++] = copy;
}

static void measure(struct table *t, const char *const *header)
{
    for (size_t c = 0; c < t->columns; c++)
        t->width[c] = header != NULL ? width_of(header[c]) : 0;
    for (size_t i = 0; t->columns > 0 && i < t->n; i++) {
        size_t w = width_of(t->cells[i]), c = i % t->columns;
        if (w > t->width[c])
            t->width[c] = w;
    }
}

static void pad(struct est_buf *out, size_t n)
{
    while (n-- > 0)
        est_buf_putc(out, ' ');
}

/* No spaces behind the last column, so that lines wrap no earlier than they must. */
static void put_row(const struct table *t, const char *const *cells, struct est_buf *out)
{
    for (size_t c = 0; c < t->columns; c++) {
        size_t gap = t->width[c] - width_of(cells[c]);
        bool right = (t->right >> c & 1) != 0;
        pad(out, c > 0 ? 2 : 0);
        pad(out, right ? gap : 0);
        est_buf_puts(out, cells[c]);
        pad(out, right || c + 1 == t->columns ? 0 : gap);
    }
    est_buf_putc(out, '\n');
}

void table_print(struct table *t, struct out *o, const char *const *header)
{
    const char *row[COLUMNS_MAX];

    if (t == NULL)
        return;
    if (!o->tty_out)
        header = NULL;
    measure(t, header);
    est_buf_clear(&o->line);
    if (header != NULL)
        put_row(t, header, &o->line);
    for (size_t i = 0; i + t->columns <= t->n; i += t->columns) {
        for (size_t c = 0; c < t->columns; c++)
            row[c] = t->cells[i + c];
        put_row(t, row, &o->line);
    }
    out_put(o, est_buf_view(&o->line));
    est_buf_clear(&o->line);
}
