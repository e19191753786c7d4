#include "codec_fixture.h"

#include "base/mem.h"

#include <stdio.h>

struct est_schema *fixture_schema(const char *type)
{
    char path[512];
    struct est_schema *sc = NULL;
    struct est_why why = {EST_OK, ""};

    (void)snprintf(path, sizeof(path), "%s/schemas/%s.avsc", ESTEIRA_SOURCE_DIR, type);
    if (est_schema_load(path, &sc, &why) != EST_OK)
        fail_msg("%s: %s", path, why.text);
    return sc;
}

struct est_schema *fixture_schema_text(const char *text)
{
    struct est_schema *sc = NULL;
    struct est_why why = {EST_OK, ""};

    if (est_schema_parse(est_view_str(text), &sc, &why) != EST_OK)
        fail_msg("%s: %s", text, why.text);
    return sc;
}

est_err fixture_encode(const struct est_schema *sc, const char *json, struct est_buf *out,
                       struct est_reject *reject)
{
    struct est_event ev = {.id = EST_VIEW_LIT("e1"),
                           .source = EST_VIEW_LIT("src"),
                           .tenant = EST_VIEW_LIT(""),
                           .dedup_id = EST_VIEW_LIT("e1"),
                           .occurred_at = 1 * EST_SECOND,
                           .received_at = 2 * EST_SECOND};
    struct est_inbound *in = NULL;
    est_err err = est_inbound_new(NULL, &in);

    if (err == EST_OK)
        err = est_inbound_parse(in, EST_INBOUND_JSON, est_view_str(json), NULL, 0, reject);
    if (err == EST_OK)
        err = est_inbound_event(in, 0, &ev, reject);
    if (err == EST_OK)
        err = est_avro_write_event(sc, in, 0, &ev, out, reject);
    est_inbound_free(in);
    return err;
}

char *fixture_round(const struct est_schema *sc, const char *type, const char *json)
{
    struct est_buf avro, text;
    struct est_reject rj = {0};
    struct est_why why = {EST_OK, ""};
    char *ret = NULL;

    est_buf_init(&avro, 1 << 20);
    est_buf_init(&text, 1 << 20);
    if (fixture_encode(sc, json, &avro, &rj) != EST_OK)
        print_error("encode %s: %s %s\n", json, rj.pointer, rj.detail);
    else if (est_avro_read_event(sc, est_view_str(type), est_buf_view(&avro), &text, NULL, &why))
        print_error("decode %s: %s\n", json, why.text);
    else
        ret = est_strndup(text.data, text.len);
    est_buf_fini(&avro);
    est_buf_fini(&text);
    return ret;
}

static bool same(const struct est_value *a, const struct est_value *b)
{
    struct est_json_iter ia = {0}, ib = {0};
    const struct est_value *va, *vb;
    struct est_view name;
    bool x = false, y = true;

    if (est_json_type(a) != est_json_type(b) || est_json_size(a) != est_json_size(b))
        return false;
    switch (est_json_type(a)) {
    case EST_JSON_NULL: return (a == NULL) == (b == NULL);
    case EST_JSON_BOOL: return est_json_bool(a, &x) && est_json_bool(b, &y) && x == y;
    case EST_JSON_NUMBER: return est_view_eq(est_json_number(a), est_json_number(b));
    case EST_JSON_STRING: return est_view_eq(est_json_string(a), est_json_string(b));
    case EST_JSON_ARRAY:
        while (est_json_each(a, &ia, NULL, &va) && est_json_each(b, &ib, NULL, &vb))
            if (!same(va, vb))
                return false;
        return true;
    default:
        while (est_json_each(a, &ia, &name, &va)) {
            char text[256];
            (void)snprintf(text, sizeof(text), "%.*s", (int)name.len, name.data);
            if (!same(va, est_json_get(b, text)))
                return false;
        }
        return true;
    }
}

bool fixture_json_equal(const char *a, const char *b)
{
    const struct est_value *va = NULL, *vb = NULL;
    struct est_json *js = NULL;
    bool equal;

    assert_int_equal(est_json_new(NULL, &js), EST_OK);
    equal = est_json_parse(js, est_view_str(a), &va, NULL) == EST_OK &&
            est_json_parse(js, est_view_str(b), &vb, NULL) == EST_OK && same(va, vb);
    est_json_free(js);
    return equal;
}

void fixture_assert_json(const char *got, const char *want, const char *file, int line)
{
    if (got != NULL && fixture_json_equal(got, want))
        return;
    print_error("got  %s\nwant %s\n", got ? got : "(nothing)", want);
    _fail(file, line);
}
