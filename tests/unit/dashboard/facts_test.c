#include "facts.h"

#include "codec/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define SENT FACT_RANK_SENT
#define DELIVERED FACT_RANK_DELIVERED

/* What each event says; NULL = says nothing about it. */
static const struct {
    const char *event, *payload;
    const char *type, *contact, *message, *order;
    unsigned direction;
    enum fact_rank rank;
    unsigned order_flags;
    int64_t total_minor; /* -1 = none */
} cases[] = {
    {"new_message", "{\"from\":\"5511999990000\",\"message_id\":\"m\"}", "message", "5511999990000",
     "m", NULL, FACT_IN, 0, 0, -1},
    {"message.received", "{\"from\":\"+5511999990000\"}", "message", "5511999990000", "dedup", NULL,
     FACT_IN, 0, 0, -1},
    {"message_sent", "{\"from\":\"1\",\"to\":\"5511999990000:6@s.whatsapp.net\",\"id\":7}",
     "message", "5511999990000", "7", NULL, FACT_OUT, SENT, 0, -1},
    {"message_created", "{\"from_me\":true,\"to\":\"ana\"}", "message", "ana", "dedup", NULL,
     FACT_OUT, 0, 0, -1},
    {"message_created", "{\"direction\":\"out\"}", "message", NULL, "dedup", NULL, FACT_OUT, 0, 0,
     -1},
    {"message_created", "{}", "message", NULL, "dedup", NULL, FACT_IN, 0, 0, -1},
    {"message_status", "{\"message_id\":\"m\",\"status\":\"DELIVERED\"}", "message_status", NULL,
     "m", NULL, 0, DELIVERED, 0, -1},
    {"message_read", "{\"message_id\":\"m\",\"status\":\"delivered\"}", "message_status", NULL, "m",
     NULL, 0, FACT_RANK_READ, 0, -1},
    {"message_status", "{\"status\":\"read\"}", "message_status", NULL, NULL, NULL, 0,
     FACT_RANK_READ, 0, -1},
    {"order_created", "{\"id\":8841,\"total\":599.90,\"customer\":{\"phone\":\"5511999990000\"}}",
     "order", "5511999990000", NULL, "8841", 0, 0, 0, 59990},
    {"order_update", "{\"order_id\":\"a\",\"status\":\"pago\",\"amount\":\"10.5\"}", "order", NULL,
     NULL, "a", 0, 0, FACT_PAID, 1050},
    {"order_paid", "{\"order_id\":\"a\",\"total\":5,\"currency\":\"USD\"}", "order", NULL, NULL,
     "a", 0, 0, FACT_PAID, -1},
    {"order_cancelled", "{\"order_id\":\"a\",\"total\":1.005}", "order", NULL, NULL, "a", 0, 0,
     FACT_CANCELLED, -1},
    {"order_created", "{\"order_id\":\"a\",\"total_minor\":123}", "order", NULL, NULL, "a", 0, 0, 0,
     123},
    {"payment_received", "{\"order_id\":\"a\",\"amount\":1,\"id\":\"p\"}", "payment", NULL, NULL,
     "a", 0, 0, FACT_PAID, 100},
    {"payment_update", "{\"id\":\"p\",\"status\":\"approved\"}", "payment", NULL, NULL, NULL, 0, 0,
     FACT_PAID, -1},
    {"payment_update", "{\"order_id\":\"a\",\"status\":\"cancelled\"}", "payment", NULL, NULL, "a",
     0, 0, 0, -1},
    {"payment_update", "{\"order_id\":\"a\",\"status\":\"refunded\"}", "payment", NULL, NULL, "a",
     0, 0, FACT_CANCELLED, -1},
    {"user_login", "{\"id\":42}", "user", "42", NULL, NULL, 0, 0, 0, -1},
    {"button_click", "{\"from\":\"x\"}", "interaction", "x", NULL, NULL, 0, 0, 0, -1},
    {"cupom", "{\"from\":\"x\",\"order_id\":\"a\"}", "custom", NULL, NULL, NULL, 0, 0, 0, -1},
};

static void same(const char *what, struct est_view got, const char *want, size_t i)
{
    if (!est_view_eq(got, est_view_str(want)) || (got.data == NULL) != (want == NULL))
        fail_msg("case %zu: %s is \"%.*s\"", i, what, (int)got.len, got.data ? got.data : "");
}

static void reads_what_an_event_says(void **state)
{
    struct est_json *js = NULL;

    (void)state;
    assert_int_equal(est_json_new(NULL, &js), EST_OK);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct est_value *payload;
        struct est_view event = est_view_str(cases[i].event);
        struct facts f;
        assert_int_equal(est_json_parse(js, est_view_str(cases[i].payload), &payload, NULL),
                         EST_OK);
        assert_string_equal(facts_type(event), cases[i].type);
        facts_read(event, est_view_str(cases[i].type), EST_VIEW_LIT("dedup"), payload, "BRL", &f);
        same("contact", f.contact, cases[i].contact, i);
        same("message", f.message, cases[i].message, i);
        same("order", f.order, cases[i].order, i);
        if (f.direction != cases[i].direction || f.rank != cases[i].rank ||
            f.order_flags != cases[i].order_flags ||
            (f.has_total ? f.total_minor : -1) != cases[i].total_minor)
            fail_msg("case %zu: direction %u rank %u flags %u total %lld", i, f.direction,
                     (unsigned)f.rank, f.order_flags, (long long)f.total_minor);
    }
    est_json_free(js);
}

/* A row shows words of programs and four digits, and nothing else that may be somebody's. */
static void masks_what_is_personal(void **state)
{
    static const struct {
        const char *payload, *want;
    } rows[] = {
        {"{\"from\":\"5511987654321\",\"text\":\"oi\"}",
         "{\"contact\":\"4321\",\"direction\":\"in\"}"},
        {"{\"from\":\"1234567\"}", "{\"direction\":\"in\"}"},
        {"{\"from\":\"maria@exemplo.com\"}", "{\"direction\":\"in\"}"},
        {"{\"status\":\"rua das flores, 5\",\"code\":\"A-1\"}",
         "{\"direction\":\"in\",\"code\":\"A-1\"}"},
        {"{\"code\":\"<b>\"}", "{\"direction\":\"in\"}"},
    };
    struct est_json *js = NULL;

    (void)state;
    assert_int_equal(est_json_new(NULL, &js), EST_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct est_value *payload;
        struct est_buf out;
        struct facts f;
        est_buf_init(&out, 1024);
        assert_int_equal(est_json_parse(js, est_view_str(rows[i].payload), &payload, NULL), EST_OK);
        facts_read(EST_VIEW_LIT("new_message"), EST_VIEW_LIT("message"), EST_VIEW_LIT("d"), payload,
                   "BRL", &f);
        facts_print(&f, "BRL", &out);
        same("row", est_buf_view(&out), rows[i].want, i);
        est_buf_fini(&out);
    }
    est_json_free(js);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_an_event_says),
        cmocka_unit_test(masks_what_is_personal),
    };

    return cmocka_run_group_tests_name("dashboard facts", tests, NULL, NULL);
}
