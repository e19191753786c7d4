/* Any blob: what is taken is written back byte for byte, so a record has one blob. */
#include "codec/entry.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct est_view blob = est_view((const char *)data, size);
    struct est_entry e;
    struct est_buf b;

    if (est_entry_read(blob, &e, NULL) != EST_OK)
        return 0;
    est_buf_init(&b, size + 1);
    est_entry_write(&b, &e);
    if (est_buf_err(&b) != EST_OK || !est_view_eq(est_buf_view(&b), blob))
        abort();
    est_buf_fini(&b);
    return 0;
}
