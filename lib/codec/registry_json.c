#include "registry_json.h"

#include "base/jsonw.h"
#include "json_tree.h"

#include <stdio.h>
#include <string.h>

void est_registry_json_put_schema(struct est_buf *b, struct est_view schema_text)
{
    est_buf_puts(b, "{\"schema\":");
    est_json_put_string(b, schema_text);
    est_buf_putc(b, '}');
}

/* Parse into `js`, which the caller ends in any case. */
static est_err parse(struct est_json *js, struct est_view body, const struct est_value **ret)
{
    est_err err;

    est_json_tree_init(js, NULL);
    err = est_json_parse(js, body, ret, NULL);
    return err == EST_OK || err == EST_ERR_NOMEM ? err : EST_ERR_REGISTRY;
}

est_err est_registry_json_id(struct est_view body, uint32_t *ret_id)
{
    const struct est_value *root = NULL;
    struct est_json js;
    int64_t id = -1;
    est_err err = parse(&js, body, &root);

    if (err == EST_OK && (!est_json_i64(est_json_get(root, "id"), &id) || id < 0 || id > INT32_MAX))
        err = EST_ERR_REGISTRY;
    if (err == EST_OK)
        *ret_id = (uint32_t)id;
    est_json_tree_fini(&js);
    return err;
}

est_err est_registry_json_schema(struct est_view body, struct est_buf *ret_text)
{
    const struct est_value *root = NULL;
    struct est_json js;
    struct est_view type, text;
    est_err err = parse(&js, body, &root);

    type = est_json_string(est_json_get(root, "schemaType"));
    text = est_json_string(est_json_get(root, "schema"));
    if (err == EST_OK && type.data != NULL && !est_view_is(type, "AVRO"))
        err = EST_ERR_UNSUPPORTED;
    else if (err == EST_OK && est_json_size(est_json_get(root, "references")) > 0)
        err = EST_ERR_UNSUPPORTED;
    else if (err == EST_OK && text.data == NULL)
        err = EST_ERR_REGISTRY;
    if (err == EST_OK) {
        est_buf_clear(ret_text);
        est_buf_put_view(ret_text, text);
        err = est_buf_err(ret_text);
    }
    est_json_tree_fini(&js);
    return err;
}

static void join_messages(const struct est_value *list, struct est_why *why)
{
    struct est_json_iter it = {0};
    const struct est_value *v;
    size_t len = 0;

    (void)est_why_set(why, EST_ERR_SCHEMA, "not compatible");
    while (why != NULL && len < sizeof(why->text) - 1 && est_json_each(list, &it, NULL, &v)) {
        struct est_view text = est_json_string(v);
        size_t left = sizeof(why->text) - len;
        int n = snprintf(why->text + len, left, "%s%.*s", len ? "; " : "",
                         (int)(text.len < left ? text.len : left), text.data ? text.data : "");
        len += n < 0 ? 0 : (size_t)n;
    }
}

est_err est_registry_json_compatible(struct est_view body, bool *ret, struct est_why *why)
{
    const struct est_value *root = NULL;
    struct est_json js;
    bool is_compatible = false;
    est_err err = parse(&js, body, &root);

    if (err == EST_OK && !est_json_bool(est_json_get(root, "is_compatible"), &is_compatible))
        err = EST_ERR_REGISTRY;
    if (err == EST_OK) {
        *ret = is_compatible;
        if (!is_compatible)
            join_messages(est_json_get(root, "messages"), why);
    }
    est_json_tree_fini(&js);
    return err;
}

bool est_registry_json_error(struct est_view body, int *ret_code, char text[EST_REGISTRY_JSON_TEXT])
{
    const struct est_value *root = NULL;
    struct est_json js;
    struct est_view message;
    int64_t code = 0;
    bool ok = parse(&js, body, &root) == EST_OK &&
              est_json_i64(est_json_get(root, "error_code"), &code) && code > 0 && code < 1000000;

    if (ok) {
        message = est_json_string(est_json_get(root, "message"));
        *ret_code = (int)code;
        (void)snprintf(
            text, EST_REGISTRY_JSON_TEXT, "%.*s",
            (int)(message.len < EST_REGISTRY_JSON_TEXT ? message.len : EST_REGISTRY_JSON_TEXT),
            message.data ? message.data : "");
    }
    est_json_tree_fini(&js);
    return ok;
}
