/* Any schema text: an error, or a schema whose canonical form is a schema of the same fingerprint.
 */
#include "codec/schema.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct est_schema *sc = NULL, *again = NULL;
    struct est_why why;

    if (est_schema_parse(est_view((const char *)data, size), &sc, &why) != EST_OK)
        return 0;
    if (est_schema_parse(est_schema_canonical(sc), &again, &why) != EST_OK ||
        est_schema_fingerprint(sc) != est_schema_fingerprint(again))
        abort();
    est_schema_free(sc);
    est_schema_free(again);
    return 0;
}
