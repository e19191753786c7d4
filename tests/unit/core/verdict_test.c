#include "core/verdict.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char *const acts[] = {
    [EST_VERDICT_DELIVERED] = "delivered", [EST_VERDICT_PER_ITEM] = "per_item",
    [EST_VERDICT_RETRY] = "retry",         [EST_VERDICT_PAUSE] = "pause",
    [EST_VERDICT_SPLIT] = "split",         [EST_VERDICT_POISON] = "poison",
};

static void check(const char *what, int status, struct est_verdict v, const char *act,
                  const char *class, const char *flags)
{
    const char *got = v.infra ? "infra" : v.alert ? "alert" : "";

    if (strcmp(acts[v.act], act) != 0 || strcmp(est_verdict_class_name(v.class), class) != 0 ||
        strcmp(got, flags) != 0)
        fail_msg("%s %d: %s %s %s", what, status, acts[v.act], est_verdict_class_name(v.class),
                 got);
}

static void a_status_for_one_event(void **state)
{
    static const struct {
        int status;
        const char *act, *class, *flags;
    } cases[] = {
        {200, "delivered", "none", ""},      {201, "delivered", "none", ""},
        {202, "delivered", "none", ""},      {204, "delivered", "none", ""},
        {207, "delivered", "none", ""},      {299, "delivered", "none", ""},
        {301, "pause", "route", ""},         {302, "pause", "route", ""},
        {308, "pause", "route", ""},         {400, "poison", "http_4xx", ""},
        {401, "pause", "auth", ""},          {402, "poison", "http_4xx", ""},
        {403, "pause", "auth", ""},          {404, "pause", "route", ""},
        {405, "pause", "route", ""},         {406, "poison", "http_4xx", ""},
        {407, "pause", "auth", ""},          {408, "retry", "timeout", "infra"},
        {409, "retry", "conflict", ""},      {410, "pause", "route", ""},
        {411, "poison", "http_4xx", ""},     {413, "poison", "too_large", ""},
        {415, "poison", "http_4xx", ""},     {422, "poison", "schema", ""},
        {425, "retry", "conflict", ""},      {429, "retry", "rate_limited", ""},
        {451, "poison", "http_4xx", ""},     {499, "poison", "http_4xx", ""},
        {500, "retry", "http_5xx", "infra"}, {501, "pause", "http_5xx", "alert"},
        {502, "retry", "http_5xx", "infra"}, {503, "retry", "http_5xx", "infra"},
        {504, "retry", "http_5xx", "infra"}, {505, "pause", "http_5xx", "alert"},
        {511, "retry", "http_5xx", "infra"}, {599, "retry", "http_5xx", "infra"},
        {0, "retry", "protocol", "infra"},   {100, "retry", "protocol", "infra"},
        {199, "retry", "protocol", "infra"}, {600, "retry", "protocol", "infra"},
        {-1, "retry", "protocol", "infra"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct est_outcome o = {.status = cases[i].status, .events = 1};
        check("one", o.status, est_verdict_of(&o), cases[i].act, cases[i].class, cases[i].flags);
    }
}

/* What is poison for one event is split for several, and nothing else changes. */
static void several_events_are_split_before_one_is_blamed(void **state)
{
    (void)state;
    for (int status = 100; status < 600; status++) {
        struct est_outcome o = {.status = status, .events = 1};
        struct est_verdict one = est_verdict_of(&o), many;
        o.events = 2;
        many = est_verdict_of(&o);
        if (one.act == EST_VERDICT_POISON)
            assert_int_equal(many.act, EST_VERDICT_SPLIT);
        else
            assert_int_equal(many.act, one.act);
        assert_int_equal(many.class, one.class);
    }
}

static void only_200_and_207_of_a_batch_route_answer_per_item(void **state)
{
    (void)state;
    for (int status = 100; status < 600; status++) {
        struct est_outcome o = {.status = status, .events = 1, .itemized = true};
        bool per_item = est_verdict_of(&o).act == EST_VERDICT_PER_ITEM;
        assert_int_equal(per_item, status == 200 || status == 207);
    }
}

static void a_transport_error_is_always_a_retry(void **state)
{
    static const struct {
        est_err err;
        const char *class, *flags;
    } cases[] = {
        {EST_ERR_TIMEOUT, "timeout", "infra"}, {EST_ERR_DASH_DOWN, "connect", "infra"},
        {EST_ERR_CLOSED, "connect", "infra"},  {EST_ERR_IO, "connect", "infra"},
        {EST_ERR_HTTP, "protocol", "infra"},   {EST_ERR_TOO_LARGE, "protocol", "infra"},
        {EST_ERR_NOMEM, "local", ""},          {EST_ERR_FULL, "local", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct est_outcome o = {.transport = cases[i].err, .status = 400, .events = 1};
        check("transport", (int)cases[i].err, est_verdict_of(&o), "retry", cases[i].class,
              cases[i].flags);
    }
    for (int err = 1; err < EST_ERR__COUNT; err++) {
        struct est_outcome o = {.transport = (est_err)err, .status = 200, .events = 1};
        assert_int_equal(est_verdict_of(&o).act, EST_VERDICT_RETRY);
    }
}

static void a_status_in_results(void **state)
{
    static const struct {
        int status;
        const char *act, *class;
    } cases[] = {
        {200, "delivered", "none"},     {201, "delivered", "none"},   {400, "poison", "http_4xx"},
        {401, "retry", "auth"},         {404, "poison", "http_4xx"},  {408, "retry", "timeout"},
        {409, "retry", "conflict"},     {413, "poison", "too_large"}, {415, "poison", "http_4xx"},
        {422, "poison", "schema"},      {424, "retry", "dependency"}, {425, "retry", "conflict"},
        {429, "retry", "rate_limited"}, {500, "retry", "http_5xx"},   {501, "retry", "http_5xx"},
        {503, "retry", "http_5xx"},     {302, "retry", "protocol"},   {0, "retry", "protocol"},
        {999, "retry", "protocol"},     {407, "retry", "auth"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++)
        check("item", cases[i].status, est_verdict_of_item(cases[i].status), cases[i].act,
              cases[i].class, "");
}

static void classes_have_names_and_errors(void **state)
{
    (void)state;
    for (int i = 0; i < EST_CLASS__COUNT; i++) {
        assert_true(strlen(est_verdict_class_name((enum est_verdict_class)i)) > 0);
        for (int j = 0; j < i; j++)
            assert_string_not_equal(est_verdict_class_name((enum est_verdict_class)i),
                                    est_verdict_class_name((enum est_verdict_class)j));
    }
    assert_int_equal(est_verdict_class_err(EST_CLASS_AUTH), EST_ERR_DASH_AUTH);
    assert_int_equal(est_verdict_class_err(EST_CLASS_NONE), EST_OK);
    assert_string_equal(est_verdict_class_name(est_verdict_class_of(EST_ERR_AVRO)), "undecodable");
    assert_string_equal(est_verdict_class_name(est_verdict_class_of(EST_ERR_FRAMING)),
                        "undecodable");
    assert_string_equal(est_verdict_class_name(est_verdict_class_of(EST_ERR_TOMBSTONE)),
                        "tombstone");
    assert_string_equal(est_verdict_class_name(est_verdict_class_of(EST_ERR_TOO_LARGE)),
                        "too_large");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_status_for_one_event),
        cmocka_unit_test(several_events_are_split_before_one_is_blamed),
        cmocka_unit_test(only_200_and_207_of_a_batch_route_answer_per_item),
        cmocka_unit_test(a_transport_error_is_always_a_retry),
        cmocka_unit_test(a_status_in_results),
        cmocka_unit_test(classes_have_names_and_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
