#include "codec/entry.h"

#include "base/assert.h"
#include "base/leb128.h"

/* First bytes up to VERSIONS_MAX are kept for later versions; all others are damage. */
enum { VERSION = 1, VERSIONS_MAX = 15 };

/* --- writing --- */

static void put_optional(struct est_buf *b, struct est_view v)
{
    est_leb128_put(b, v.data == NULL ? 0 : (uint64_t)v.len + 1);
    if (v.data != NULL)
        est_buf_put_view(b, v);
}

void est_entry_write(struct est_buf *b, const struct est_entry *e)
{
    EST_ASSERT(e->n_headers <= EST_ENTRY_HEADERS_MAX && e->timestamp_ms >= 0);
    est_buf_putc(b, VERSION);
    est_leb128_put(b, (uint64_t)e->timestamp_ms);
    put_optional(b, e->key);
    put_optional(b, e->value);
    est_leb128_put(b, e->n_headers);
    for (size_t i = 0; i < e->n_headers; i++) {
        struct est_view name = e->headers[i].name;
        EST_ASSERT(name.len >= 1 && name.len <= EST_ENTRY_NAME_MAX);
        est_leb128_put(b, name.len);
        est_buf_put_view(b, name);
        put_optional(b, e->headers[i].value);
    }
}

/* --- reading: each step takes from the front; false = these bytes are none of ours --- */

static bool take_bytes(struct est_view *v, uint64_t n, struct est_view *ret)
{
    if (n > v->len)
        return false;
    *ret = est_view(v->data, (size_t)n);
    *v = est_view(v->data + n, v->len - (size_t)n);
    return true;
}

static bool take_optional(struct est_view *v, struct est_view *ret)
{
    uint64_t n;

    if (!est_leb128_take(v, &n))
        return false;
    *ret = EST_VIEW_NONE;
    return n == 0 || take_bytes(v, n - 1, ret);
}

static bool take_headers(struct est_view *v, struct est_entry *e)
{
    uint64_t n, len;

    if (!est_leb128_take(v, &n) || n > EST_ENTRY_HEADERS_MAX)
        return false;
    for (e->n_headers = 0; e->n_headers < n; e->n_headers++) {
        struct est_entry_header *h = &e->headers[e->n_headers];
        if (!est_leb128_take(v, &len) || len < 1 || len > EST_ENTRY_NAME_MAX ||
            !take_bytes(v, len, &h->name) || !take_optional(v, &h->value))
            return false;
    }
    return true;
}

static bool take_time(struct est_view *v, int64_t *ret)
{
    uint64_t n;

    if (!est_leb128_take(v, &n))
        return false;
    *ret = (int64_t)n; /* below 2^63 */
    return true;
}

est_err est_entry_read(struct est_view blob, struct est_entry *ret, struct est_why *reterr)
{
    struct est_view left = blob;
    struct est_entry e;

    if (left.len == 0)
        return est_why_set(reterr, EST_ERR_INVALID, "a buffered record of no bytes");
    if (left.data[0] > VERSION && left.data[0] <= VERSIONS_MAX)
        return est_why_set(reterr, EST_ERR_UNSUPPORTED,
                           "a buffered record of version %u; we know %d",
                           (unsigned)(unsigned char)left.data[0], VERSION);
    if (left.data[0] != VERSION)
        return est_why_set(reterr, EST_ERR_INVALID, "a buffered record is none of Esteira's");
    left = est_view(left.data + 1, left.len - 1);
    if (!take_time(&left, &e.timestamp_ms) || !take_optional(&left, &e.key) ||
        !take_optional(&left, &e.value) || !take_headers(&left, &e))
        return est_why_set(reterr, EST_ERR_INVALID, "a buffered record is damaged or cut short");
    if (left.len > 0)
        return est_why_set(reterr, EST_ERR_INVALID, "a buffered record has bytes left over");
    *ret = e;
    return EST_OK;
}
