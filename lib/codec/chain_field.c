#include "chain_field.h"

#include "cursor.h"
#include "encode.h"
#include "schema_plan.h"
#include "wire.h"

#include <string.h>

static size_t digits_of(int64_t n)
{
    size_t count = 1;

    for (; n >= 10; n /= 10)
        count++;
    return count;
}

static void put(struct est_buf *out, struct est_view chain, int64_t timestamp_ms)
{
    est_encode_long(out, chain.data != NULL); /* null is the first branch */
    if (chain.data == NULL)
        return;
    est_encode_long(out, (int64_t)(chain.len + 1 + digits_of(timestamp_ms)));
    est_buf_put_view(out, chain);
    est_buf_putc(out, '@');
    est_buf_put_i64(out, timestamp_ms);
}

bool est_chain_field_put(const struct est_schema *sc, struct est_view value, struct est_view chain,
                         int64_t timestamp_ms, struct est_buf *out)
{
    struct est_wire wire;
    struct est_cursor c;
    struct est_view before;

    if (!sc->has_chain || est_wire_parse(value, EST_VIEW_NONE, &wire) != EST_OK ||
        wire.kind != EST_WIRE_SINGLE || wire.fingerprint != sc->fingerprint)
        return false;
    c = est_cursor_of(wire.body);
    if (!est_cursor_maybe_bytes(&c, sc->plan->fields[0].plan, &before))
        return false;
    est_wire_put_single(out, wire.fingerprint);
    put(out, chain, timestamp_ms);
    est_buf_put_view(out, est_cursor_rest(&c));
    return true;
}

struct est_view est_chain_field_get(const struct est_schema *sc, struct est_view body,
                                    int64_t timestamp_ms)
{
    struct est_cursor c = est_cursor_of(body);
    unsigned long long at;
    struct est_view text;
    const char *sign;

    if (!sc->has_chain || !est_cursor_maybe_bytes(&c, sc->plan->fields[0].plan, &text) ||
        text.len == 0)
        return EST_VIEW_NONE;
    sign = memrchr(text.data, '@', text.len);
    if (sign == NULL || sign == text.data)
        return EST_VIEW_NONE;
    size_t len = (size_t)(sign - text.data);
    if (!est_view_u64(est_view(sign + 1, text.len - len - 1), INT64_MAX, &at) ||
        (int64_t)at != timestamp_ms)
        return EST_VIEW_NONE;
    return est_view(text.data, len);
}
