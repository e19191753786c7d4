/* Any value, as a bot's own program may have written it, and a chain set in it: nothing, or a value
 * that says this chain of this time alone, and is the former one in all else. First byte: the
 * schema; second: where the rest is cut into chain and body. */
#include "codec/chain_field.h"
#include "codec/wire.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { N_SCHEMAS = 2 };
static const int64_t NOW = 1760000000123;

static struct est_schema *schemas[N_SCHEMAS];

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void setup(void)
{
    static const char *const types[N_SCHEMAS] = {"order", "custom"};
    char path[512];

    for (size_t i = 0; i < N_SCHEMAS; i++) {
        (void)snprintf(path, sizeof(path), "%s/schemas/%s.avsc", ESTEIRA_SOURCE_DIR, types[i]);
        require(est_schema_load(path, &schemas[i], NULL) == EST_OK);
    }
}

static struct est_view body_of(const struct est_buf *value)
{
    struct est_wire wire;

    require(est_wire_parse(est_buf_view(value), EST_VIEW_NONE, &wire) == EST_OK);
    return wire.body;
}

/* Taken out again, nothing is left of it, whichever was set. */
static void take_out(const struct est_schema *sc, const struct est_buf *set,
                     const struct est_buf *without)
{
    struct est_buf again;

    est_buf_init(&again, 1 << 22);
    require(est_chain_field_put(sc, est_buf_view(set), EST_VIEW_NONE, 0, &again));
    require(est_view_eq(est_buf_view(&again), est_buf_view(without)));
    require(est_chain_field_get(sc, body_of(&again), NOW).data == NULL);
    est_buf_fini(&again);
}

static void set(const struct est_schema *sc, const struct est_buf *value, struct est_view chain)
{
    struct est_buf with, without;
    struct est_view got;

    est_buf_init(&with, 1 << 22);
    est_buf_init(&without, 1 << 22);
    if (est_chain_field_put(sc, est_buf_view(value), chain, NOW, &with)) {
        require(est_chain_field_put(sc, est_buf_view(value), EST_VIEW_NONE, 0, &without));
        got = est_chain_field_get(sc, body_of(&with), NOW);
        require(chain.len > 0 ? est_view_eq(got, chain) : got.data == NULL);
        require(est_chain_field_get(sc, body_of(&with), NOW + 1).data == NULL);
        take_out(sc, &with, &without);
    } else {
        require(with.len == 0);
    }
    est_buf_fini(&with);
    est_buf_fini(&without);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct est_schema *sc;
    struct est_buf value;
    size_t cut;

    if (schemas[0] == NULL)
        setup();
    if (size < 2)
        return 0;
    sc = schemas[data[0] % N_SCHEMAS];
    cut = data[1] < size - 2 ? data[1] : size - 2;
    est_buf_init(&value, 1 << 22);
    est_wire_put_single(&value, est_schema_fingerprint(sc));
    est_buf_put(&value, data + 2 + cut, size - 2 - cut);
    set(sc, &value, est_view((const char *)data + 2, cut));
    est_buf_clear(&value);
    est_buf_put(&value, data + 2, size - 2); /* also without a frame of ours */
    set(sc, &value, EST_VIEW_LIT("a/1/order/0/1"));
    est_buf_fini(&value);
    return 0;
}
