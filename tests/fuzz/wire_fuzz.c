/* Any record value and header. First byte: how many of the rest are the header; 255 = none. */
#include "codec/wire.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct est_view header = EST_VIEW_NONE, value;
    struct est_wire w;
    size_t n;

    if (size < 1)
        return 0;
    n = data[0] == 255 || data[0] > size - 1 ? 0 : data[0];
    if (data[0] != 255)
        header = est_view((const char *)data + 1, n);
    value = est_view((const char *)data + 1 + n, size - 1 - n);
    if (est_wire_parse(value, header, &w) == EST_OK &&
        (w.body.data < value.data || w.body.data + w.body.len != value.data + value.len))
        abort();
    return 0;
}
