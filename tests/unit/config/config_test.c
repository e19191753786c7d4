#include "base/mem.h"
#include "config/field.h"
#include "config/slot.h"
#include "loading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void show_all(struct est_config *cfg, struct est_buf *out)
{
    struct est_slot_iter it = {0};
    struct est_slot slot;

    while (est_slot_next(cfg, &it, &slot)) {
        /* Where files lie depends on where the configuration lies; that is tested apart. */
        if (slot.key->kind == EST_KIND_FILE || slot.key->kind == EST_KIND_SCHEMA)
            continue;
        est_buf_printf(out, "%s = ", slot.path);
        est_field_show(slot.key, slot.base, out);
        est_buf_putc(out, '\n');
    }
    est_buf_putc(out, '\0');
}

static void same_as_defaults(struct est_config *cfg)
{
    struct est_config *empty = load_text("", NULL);
    struct est_buf got, want;

    assert_non_null(cfg);
    est_buf_init(&got, 1 << 20);
    est_buf_init(&want, 1 << 20);
    show_all(cfg, &got);
    show_all(empty, &want);
    assert_string_equal(got.data, want.data);
    est_buf_fini(&got);
    est_buf_fini(&want);
    est_config_free(empty);
    est_config_free(cfg);
}

static void test_shipped_file_is_the_defaults(void **state)
{
    struct est_config *cfg = NULL;
    struct est_config_report rp;

    (void)state;
    est_report_init(&rp);
    if (est_config_load(ESTEIRA_SOURCE_DIR "/pipeline.yaml", &cfg, &rp) != EST_OK)
        est_report_print(&rp);
    est_report_fini(&rp);
    same_as_defaults(cfg);
}

static bool is_hidden_key(const char *hash)
{
    return hash[1] >= 'a' && hash[1] <= 'z' &&
           hash[1 + strspn(hash + 1, "abcdefghijklmnopqrstuvwxyz_")] == ':';
}

/* `#key: value` lines show defaults, too: uncommented they change nothing, and name every key there
 * is. */
static void test_hidden_lines_of_shipped_file(void **state)
{
    FILE *f = fopen(ESTEIRA_SOURCE_DIR "/pipeline.yaml", "re");
    static char text[65536];
    size_t n = 0;
    struct est_config *cfg;

    (void)state;
    assert_non_null(f);
    n = fread(text, 1, sizeof(text) - 1, f);
    (void)fclose(f);
    assert_true(n > 0 && n < sizeof(text) - 1);
    for (char *hash = strchr(text, '#'); hash != NULL; hash = strchr(hash + 1, '#'))
        if (is_hidden_key(hash))
            memmove(hash, hash + 1, strlen(hash));
    cfg = load_text(text, NULL);
    assert_non_null(cfg);
    for (size_t i = 0; i < EST_KEYS; i++)
        if (cfg->origin[i].from == EST_FROM_DEFAULT &&
            est_keys_root.items[i].kind != EST_KIND_SECRET)
            fail_msg("pipeline.yaml does not show %s", est_keys_root.items[i].path);
    same_as_defaults(cfg);
}

static void test_defaults(void **state)
{
    struct est_config *cfg = load_text("", NULL);

    (void)state;
    assert_string_equal(cfg->kafka_brokers, "localhost:9092");
    assert_int_equal(cfg->kafka_linger, 2 * EST_MS);
    assert_int_equal(cfg->producer_event_max, 1048576);
    assert_int_equal(cfg->producer_ack_timeout, 1500 * EST_MS);
    assert_int_equal(cfg->producer_unknown_events, EST_UNKNOWN_CUSTOM);
    assert_int_equal(cfg->log_level, 1);
    assert_int_equal(cfg->n_destinations, 1);
    assert_string_equal(cfg->destinations[0].name, "dashboard");
    assert_string_equal(cfg->destinations[0].url, "http://localhost:3001");
    assert_int_equal(cfg->destinations[0].timeout, 5 * EST_SECOND);
    assert_int_equal(cfg->destinations[0].retries, 3);
    assert_string_equal(cfg->destinations[0].group, "esteira.dashboard");
    assert_string_equal(cfg->redis_url, "redis://localhost:6379");
    assert_int_equal(cfg->n_types, 9);
    assert_string_equal(est_config_type(cfg, "order")->topic, "esteira.order");
    assert_string_equal(est_config_type(cfg, "order")->key.items[0], "/payload/order_id");
    assert_null(est_config_type(cfg, "ordr"));
    est_config_free(cfg);
}

static void test_own_type_and_destinations(void **state)
{
    struct est_config *cfg =
        load_text("kafka: {topic_prefix: loja.}\n"
                  "types:\n"
                  "  delivery: {events: delivery_started, schema: my/delivery.avsc}\n"
                  "  order: {partitions: 3}\n"
                  "destinations:\n"
                  "  crm: {url: 'https://crm.example/in', headers: {X-Shop: centro}}\n",
                  NULL);
    const struct est_type_config *own, *order;

    (void)state;
    assert_non_null(cfg);
    own = est_config_type(cfg, "delivery");
    order = est_config_type(cfg, "order");
    assert_int_equal(cfg->n_types, 10);
    assert_string_equal(own->topic, "loja.delivery");
    assert_string_equal(own->schema_path,
                        "/tmp/my/delivery.avsc"); /* beside the file, which is in /tmp */
    assert_int_equal(own->events.n, 1);
    assert_int_equal(own->partitions, 8);
    assert_int_equal(order->partitions, 3);
    assert_int_equal(order->events.n, 9);
    assert_int_equal(cfg->n_destinations, 1);
    assert_string_equal(cfg->destinations[0].group, "loja.crm");
    assert_string_equal(cfg->destinations[0].headers.items[0].value, "centro");
    assert_null(est_config_destination(cfg, "dashboard"));
    est_config_free(cfg);
}

static void test_origins(void **state)
{
    struct est_config *cfg = load_text("kafka:\n  linger: 5ms\n", NULL);
    struct est_slot slot;

    (void)state;
    assert_true(est_slot_find(cfg, "kafka.linger", &slot));
    assert_int_equal(slot.origin->from, EST_FROM_FILE);
    assert_int_equal(slot.origin->line, 2);
    assert_int_equal(slot.origin->column, 11);
    assert_true(est_slot_find(cfg, "types.order.key", &slot));
    assert_int_equal(slot.origin->from, EST_FROM_DEFAULT);
    assert_string_equal(slot.env, "ESTEIRA_TYPES_ORDER_KEY");
    assert_false(est_slot_find(cfg, "types.ordr.key", &slot));
    est_config_free(cfg);
}

static void test_secrets_are_not_shown(void **state)
{
    struct est_config *cfg;
    struct est_buf out;

    (void)state;
    (void)setenv("DASHBOARD_TOKEN", "s3cr3t", 1);
    (void)setenv("REDIS_URL", "redis://u:s3cr3t@h:1/0", 1);
    (void)setenv("ESTEIRA_KAFKA_OPTIONS_SASL_PASSWORD", "s3cr3t", 1);
    (void)setenv("ESTEIRA_DESTINATIONS_DASHBOARD_HEADERS_X_API_KEY", "s3cr3t", 1);
    cfg = load_text("", NULL);
    est_buf_init(&out, 1 << 20);
    show_all(cfg, &out);
    assert_null(strstr(out.data, "s3cr3t"));
    assert_non_null(strstr(out.data, "destinations.dashboard.token = (set)\n"));
    assert_non_null(strstr(out.data, "redis.url = redis://u:(set)@h:1/0\n"));
    (void)setenv("REDIS_URL", "redis+sentinel://u:s3cr3t@h/m?sentinel_password=s3cr3t", 1);
    est_config_free(cfg);
    cfg = load_text("", NULL);
    est_buf_clear(&out);
    show_all(cfg, &out);
    assert_null(strstr(out.data, "s3cr3t"));
    assert_non_null(strstr(out.data, "redis+sentinel://u:(set)@h/m?sentinel_password=(set)\n"));
    assert_non_null(strstr(out.data, "kafka.options = sasl.password=(set)\n"));
    est_buf_fini(&out);
    est_config_free(cfg);
    (void)clearenv();
}

/* Each allocation fails once: no crash, no leak, and never a half-read configuration. */
static void test_no_memory(void **state)
{
    struct est_config *cfg = NULL;
    long n = 0;

    (void)state;
    for (; n < 100000; n++) {
        struct est_config_report rp;
        est_err err;
        est_report_init(&rp);
        est_mem_fail_after(n);
        err = est_config_load(ESTEIRA_SOURCE_DIR "/pipeline.yaml", &cfg, &rp);
        est_mem_fail_after(-1);
        est_report_fini(&rp);
        if (err == EST_OK)
            break;
        assert_null(cfg);
    }
    assert_true(n > 100);
    same_as_defaults(cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shipped_file_is_the_defaults),
        cmocka_unit_test(test_hidden_lines_of_shipped_file),
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_own_type_and_destinations),
        cmocka_unit_test(test_origins),
        cmocka_unit_test(test_secrets_are_not_shown),
        cmocka_unit_test(test_no_memory),
    };
    (void)clearenv();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
