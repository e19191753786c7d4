/* Any answer of a dashboard or a registry. First byte: how many results are expected. */
#include "codec/registry_json.h"
#include "codec/results.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct est_view ids[4] = {
        {"a", 1},
        {"b", 1},
        {"c", 1},
        {"d", 1},
    };
    static struct est_results *rs;
    char text[EST_REGISTRY_JSON_TEXT];
    struct est_view body;
    struct est_why why;
    struct est_buf b;
    uint32_t id;
    bool flag;
    int code;

    if (rs == NULL && est_results_new(4, &rs) != EST_OK)
        abort();
    if (size < 1)
        return 0;
    body = est_view((const char *)data + 1, size - 1);
    if (est_results_parse(rs, body, data[0] % 5, ids, &why) == EST_OK)
        for (size_t i = 0; i < data[0] % 5u; i++)
            if (!est_utf8_valid(est_view_str(est_results_at(rs, i)->error)))
                abort();
    est_buf_init(&b, 1 << 16);
    (void)est_registry_json_id(body, &id);
    (void)est_registry_json_schema(body, &b);
    (void)est_registry_json_compatible(body, &flag, &why);
    (void)est_registry_json_error(body, &code, text);
    est_buf_fini(&b);
    return 0;
}
