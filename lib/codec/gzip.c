#include "gzip.h"

#include "base/mem.h"

#include <limits.h>
#include <zlib.h>

/* Level 1: a batch of JSON shrinks to a fifth with it, and to a sixth with thrice the CPU. */
enum { LEVEL = 1, WINDOW_BITS = 15, GZIP = 16, MEMORY = 8 };

struct est_gzip {
    z_stream stream;
};

est_err est_gzip_new(struct est_gzip **ret)
{
    struct est_gzip *gz = est_calloc(1, sizeof(*gz));

    if (gz == NULL)
        return EST_ERR_NOMEM;
    if (deflateInit2(&gz->stream, LEVEL, Z_DEFLATED, WINDOW_BITS + GZIP, MEMORY,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        est_free(gz);
        return EST_ERR_NOMEM;
    }
    *ret = gz;
    return EST_OK;
}

void est_gzip_free(struct est_gzip *gz)
{
    if (gz == NULL)
        return;
    (void)deflateEnd(&gz->stream);
    est_free(gz);
}

/* In one step: there is room for the worst case before it begins. */
est_err est_gzip_pack(struct est_gzip *gz, struct est_view in, struct est_buf *out)
{
    z_stream *z = &gz->stream;
    uLong most;

    est_buf_clear(out);
    if (in.len > UINT_MAX / 2)
        return EST_ERR_FULL;
    (void)deflateReset(
        z); /* first: of a stream that has ended deflateBound leaves out the header */
    most = deflateBound(z, (uLong)in.len);
    if (!est_buf_reserve(out, most))
        return est_buf_err(out);
    z->next_in = (z_const Bytef *)(uintptr_t)in.data;
    z->avail_in = (uInt)in.len;
    z->next_out = (Bytef *)out->data;
    z->avail_out = (uInt)most;
    if (deflate(z, Z_FINISH) != Z_STREAM_END)
        return EST_ERR_NOMEM;
    out->len = most - z->avail_out;
    return EST_OK;
}
