/* The attempt log's records: what is written is found again, and only what was carried. */
#include "codec/attempt.h"

#include "codec_fixture.h"

#include <stdio.h>

#define ORDER "esteira.order"
#define USER "esteira.user"
#define ITEM(in, number, at, nth, answer)                                                \
    {                                                                                    \
        .topic = in, .partition = number, .offset = at, .attempt = nth, .status = answer \
    }

static struct est_json *js; /* what was found borrows from it until the next search */

static const char *written(struct est_attempt *a)
{
    static char text[8192];
    struct est_buf b;

    est_buf_init(&b, sizeof(text) - 1);
    est_attempt_put(&b, a);
    assert_int_equal(est_buf_err(&b), EST_OK);
    memcpy(text, b.data, b.len);
    text[b.len] = '\0';
    est_buf_fini(&b);
    return text;
}

static bool find(const char *text, const char *topic, int32_t partition, int64_t offset,
                 struct est_attempt_hit *ret)
{
    const struct est_value *record;

    est_json_free(js);
    assert_int_equal(est_json_new(NULL, &js), EST_OK);
    assert_int_equal(est_json_parse(js, est_view_str(text), &record, NULL), EST_OK);
    return est_attempt_find(record, est_view_str(topic), partition, offset, ret);
}

static void test_one(void **state)
{
    struct est_attempt_item item = ITEM(ORDER, 3, 18842, 1, 0);
    struct est_attempt a = {.at = 1764093310204567,
                            .duration = 38123,
                            .status = 201,
                            .verdict = "delivered",
                            .key = EST_VIEW_LIT("\"e1\""),
                            .items = &item,
                            .n = 1};
    struct est_attempt_hit hit;

    (void)state;
    assert_string_equal(written(&a),
                        "{\"v\":1,\"at\":1764093310204,\"us\":38123,\"events\":1,\"status\":201,"
                        "\"verdict\":\"delivered\",\"key\":\"\\\"e1\\\"\",\"parts\":[{\"topic\":"
                        "\"esteira.order\",\"partition\":3,\"attempt\":1,\"ranges\":[[18842]]}]}");
    assert_true(find(written(&a), ORDER, 3, 18842, &hit));
    assert_int_equal(hit.at_ms, 1764093310204);
    assert_int_equal(hit.us, 38123);
    assert_int_equal(hit.status, 201);
    assert_int_equal(hit.attempt, 1);
    assert_false(hit.is_own);
    assert_true(est_view_is(hit.verdict, "delivered"));
    assert_true(est_view_is(hit.key, "\"e1\""));
    assert_null(hit.class.data);
}

/* Whatever the order, offsets side by side are one range; another attempt or answer is not. */
static void test_groups(void **state)
{
    struct est_attempt_item items[] = {
        ITEM(ORDER, 3, 12, 1, 201), ITEM(USER, 0, 7, 1, 201),   ITEM(ORDER, 3, 10, 1, 201),
        ITEM(ORDER, 3, 11, 1, 201), ITEM(ORDER, 3, 13, 1, 422), ITEM(ORDER, 2, 12, 1, 201),
        ITEM(ORDER, 3, 14, 2, 201), ITEM(ORDER, 3, 16, 1, 201), ITEM(ORDER, 3, 20, 1, 201),
        ITEM(ORDER, 3, 18, 1, 201),
    };
    struct est_attempt a = {.status = 200,
                            .verdict = "results",
                            .class = "http_4xx",
                            .items = items,
                            .n = COUNT_OF(items)};
    const char *parts = strstr(written(&a), "\"class\"");

    (void)state;
    assert_string_equal(
        parts,
        "\"class\":\"http_4xx\",\"parts\":["
        "{\"topic\":\"esteira.order\",\"partition\":2,\"attempt\":1,\"status\":201,\"ranges\":[[12]]},"
        "{\"topic\":\"esteira.order\",\"partition\":3,\"attempt\":1,\"status\":201,"
        "\"ranges\":[[10,12],[16],[18],[20]]},"
        "{\"topic\":\"esteira.order\",\"partition\":3,\"attempt\":1,\"status\":422,\"ranges\":[[13]]},"
        "{\"topic\":\"esteira.order\",\"partition\":3,\"attempt\":2,\"status\":201,\"ranges\":[[14]]},"
        "{\"topic\":\"esteira.user\",\"partition\":0,\"attempt\":1,\"status\":201,\"ranges\":[[7]]}]}");
}

/* Events of one key side by side, of many keys in turns, as a backlog goes out: more ranges grow
 * at a time than are looked back at. */
static void test_turns(void **state)
{
    enum { KEYS = 20, OF_EACH = 15 };
    struct est_attempt_item items[KEYS * OF_EACH];
    struct est_attempt a = {.verdict = "results", .items = items, .n = COUNT_OF(items)};
    const char *text;

    (void)state;
    for (int i = 0; i < KEYS * OF_EACH; i++) {
        int key = i / OF_EACH;
        items[i] = (struct est_attempt_item)ITEM(ORDER, key % 2, key / 2 + i % OF_EACH * 100, 1, 0);
    }
    text = strstr(written(&a), "\"parts\"");
    for (int partition = 0; partition < 2; partition++) {
        char want[512];
        int n = snprintf(want, sizeof(want),
                         "{\"topic\":\"esteira.order\",\"partition\":%d,\"attempt\":1,\"ranges\":[",
                         partition);
        for (int at = 0; at < OF_EACH; at++)
            n += snprintf(want + n, sizeof(want) - (size_t)n, "%s[%d,%d]", at ? "," : "", at * 100,
                          at * 100 + KEYS / 2 - 1);
        (void)snprintf(want + n, sizeof(want) - (size_t)n, "]}");
        if (strstr(text, want) == NULL)
            fail_msg("%s is not in %s", want, text);
    }
}

static void test_find(void **state)
{
    static const struct {
        const char *topic;
        int32_t partition;
        int64_t offset;
        int status; /* 0 = not carried */
        int64_t attempt;
    } cases[] = {
        {ORDER, 3, 9, 0, 0},  {ORDER, 3, 10, 200, 1}, {ORDER, 3, 11, 200, 1},
        {ORDER, 3, 12, 0, 0}, {ORDER, 3, 13, 422, 4}, {ORDER, 2, 10, 0, 0},
        {USER, 3, 10, 0, 0},  {USER, 0, 0, 200, 1},   {"esteira.orders", 3, 10, 0, 0},
        {ORDER, 3, -1, 0, 0},
    };
    struct est_attempt_item items[] = {ITEM(ORDER, 3, 10, 1, 0), ITEM(ORDER, 3, 11, 1, 0),
                                       ITEM(ORDER, 3, 13, 4, 422), ITEM(USER, 0, 0, 1, 0)};
    struct est_attempt a = {.status = 200, .verdict = "results", .items = items, .n = 4};
    const char *text = written(&a);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct est_attempt_hit hit = {0};
        bool found = find(text, cases[i].topic, cases[i].partition, cases[i].offset, &hit);
        if (found != (cases[i].status != 0) || hit.status != cases[i].status ||
            hit.attempt != cases[i].attempt)
            fail_msg("case %zu: %d %d", i, found, hit.status);
    }
}

/* What others, or another version, wrote there. */
static void test_foreign(void **state)
{
    static const char *const texts[] = {
        "{}",
        "[]",
        "7",
        "{\"v\":2,\"parts\":[{\"topic\":\"esteira.order\",\"partition\":3,\"ranges\":[[10]]}]}",
        "{\"v\":1,\"parts\":{\"topic\":\"esteira.order\"}}",
        "{\"v\":1,\"parts\":[{\"topic\":\"esteira.order\",\"partition\":3,\"ranges\":[[]]}]}",
        "{\"v\":1,\"parts\":[{\"topic\":\"esteira.order\",\"partition\":3,\"ranges\":[[\"10\"]]}]}",
        "{\"v\":1,\"parts\":[{\"topic\":\"esteira.order\",\"partition\":3,\"ranges\":10}]}",
        ("{\"v\":1,\"status\":1000,\"parts\":[{\"topic\":\"esteira.order\",\"partition\":3,"
         "\"ranges\":[[10]]}]}"),
        "{\"v\":1,\"parts\":[3,null,{\"partition\":3,\"ranges\":[[10]]}]}",
    };
    struct est_attempt_hit hit;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(texts); i++)
        if (find(texts[i], ORDER, 3, 10, &hit))
            fail_msg("found in %s", texts[i]);
}

static int end(void **state)
{
    (void)state;
    est_json_free(js);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one),  cmocka_unit_test(test_groups),  cmocka_unit_test(test_turns),
        cmocka_unit_test(test_find), cmocka_unit_test(test_foreign),
    };

    return cmocka_run_group_tests(tests, NULL, end);
}
