#include "loading.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char file[] =
    "redis: {url: 'redis://file:6379'}\n"
    "destinations: {dashboard: {timeout: 1s, retries: 9, url: 'http://file'}}\n";

static int clean(void **state)
{
    (void)state;
    (void)clearenv();
    return 0;
}

/* The old service's names, with their units. */
static void test_old_names(void **state)
{
    struct est_config *cfg;

    (void)state;
    (void)setenv("DASHBOARD_URL", "http://env:3001", 1);
    (void)setenv("DASHBOARD_TOKEN", "t0ken", 1);
    (void)setenv("DASHBOARD_TIMEOUT", "2500", 1);
    (void)setenv("DASHBOARD_RETRIES", "4", 1);
    (void)setenv("REDIS_URL", "redis://:pw@env:6379", 1);
    cfg = load_text(file, NULL);
    assert_non_null(cfg);
    assert_string_equal(cfg->destinations[0].url, "http://env:3001");
    assert_string_equal(cfg->destinations[0].token, "t0ken");
    assert_int_equal(cfg->destinations[0].timeout, 2500 * EST_MS);
    assert_int_equal(cfg->destinations[0].retries, 4);
    assert_string_equal(cfg->redis_url, "redis://:pw@env:6379");
    assert_string_equal(cfg->dashboard_token, "t0ken");
    assert_int_equal(cfg->origin[EST_KEY_redis_url].from, EST_FROM_ENV);
    assert_string_equal(cfg->origin[EST_KEY_redis_url].env, "REDIS_URL");
    est_config_free(cfg);
}

static void test_new_names_win(void **state)
{
    struct est_config *cfg;

    (void)state;
    (void)setenv("DASHBOARD_URL", "http://old", 1);
    (void)setenv("ESTEIRA_DESTINATIONS_DASHBOARD_URL", "http://new", 1);
    (void)setenv("ESTEIRA_PRODUCER_LISTEN", "127.0.0.1:1, [::1]:2,unix:/tmp/x", 1);
    (void)setenv("ESTEIRA_TYPES_ORDER_PARTITIONS", "16", 1);
    (void)setenv("ESTEIRA_KAFKA_OPTIONS_SASL_PASSWORD", "pw", 1);
    (void)setenv("ESTEIRA_DESTINATIONS_DASHBOARD_HEADERS_X_SHOP", "centro", 1);
    cfg = load_text(file, NULL);
    assert_non_null(cfg);
    assert_string_equal(cfg->destinations[0].url, "http://new");
    assert_int_equal(cfg->producer_listen.n, 3);
    assert_string_equal(cfg->producer_listen.items[1], "[::1]:2");
    assert_int_equal(est_config_type(cfg, "order")->partitions, 16);
    assert_string_equal(cfg->kafka_options.items[0].name, "sasl.password");
    assert_string_equal(cfg->destinations[0].headers.items[0].name, "X-SHOP");
    est_config_free(cfg);
}

/* An empty variable, as compose files and .env files leave them, is not set. */
static void test_empty_is_unset(void **state)
{
    struct est_config *cfg;

    (void)state;
    (void)setenv("DASHBOARD_URL", "", 1);
    (void)setenv("ESTEIRA_KAFKA_NONSENSE", "", 1);
    cfg = load_text(file, NULL);
    assert_non_null(cfg);
    assert_string_equal(cfg->destinations[0].url, "http://file");
    est_config_free(cfg);
}

/* Each wrong variable is named, and what is not the configuration's is left alone. */
static void test_wrong_variables(void **state)
{
    static const struct {
        const char *name, *value, *want;
    } cases[] = {
        {"DASHBOARD_TIMEOUT", "soon",
         "DASHBOARD_TIMEOUT: error: destinations.dashboard.timeout: expected a duration"},
        {"DASHBOARD_RETRIES", "0",
         "DASHBOARD_RETRIES: error: destinations.dashboard.retries: \"0\" is too small"},
        {"REDIS_URL", "localhost",
         "REDIS_URL: error: redis.url: \"localhost\" does not begin with"},
        {"ESTEIRA_KAFKA_BROKER", "x:1",
         "ESTEIRA_KAFKA_BROKER: error: no key has this name (did you mean ESTEIRA_KAFKA_BROKERS?)"},
        {"ESTEIRA_KAFKA_OPTIONS_ACKS", "1", "\"acks\" cannot be changed"},
        {"ESTEIRA_DESTINATIONS_CRM_URL", "http://x",
         "ESTEIRA_DESTINATIONS_CRM_URL: error: no key has this name"},
        {"ESTEIRA_CONSUMER_HEARTBEAT", "5s",
         "ESTEIRA_CONSUMER_HEARTBEAT: error: consumer.heartbeat: 5s × 3 is above"},
        {"ESTEIRA_PRODUCER_LISTEN", "0.0.0.0:3002",
         "ESTEIRA_PRODUCER_LISTEN: error: producer.listen: 0.0.0.0:3002 can be reached"},
        {"ESTEIRA_URL", "not ours", NULL},
        {"ESTEIRA_LANG", "pt", NULL},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct est_config_report rp;
        struct est_config *cfg;
        struct est_buf text;

        (void)clean(state);
        (void)setenv(cases[i].name, cases[i].value, 1);
        est_report_init(&rp);
        est_buf_init(&text, 65536);
        cfg = load_text("", &rp);
        est_report_write(&rp, EST_LANG_EN, &text);
        est_buf_putc(&text, '\0');
        assert_int_equal(cfg == NULL, cases[i].want != NULL);
        if (cases[i].want != NULL)
            assert_non_null(strstr(text.data, cases[i].want));
        est_buf_fini(&text);
        est_report_fini(&rp);
        est_config_free(cfg);
    }
}

/* DASHBOARD_URL is not ignored in silence when nothing is called dashboard. */
static void test_orphan(void **state)
{
    struct est_config_report rp;

    (void)state;
    (void)setenv("DASHBOARD_URL", "http://env", 1);
    est_report_init(&rp);
    assert_null(load_text("destinations: {crm: {url: 'http://crm'}}\n", &rp));
    assert_int_equal(rp.n, 1);
    assert_int_equal(rp.items[0].code, EST_ERR_CONF_CONFLICT);
    assert_string_equal(rp.items[0].place, "DASHBOARD_URL");
    est_report_fini(&rp);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_old_names, clean),
        cmocka_unit_test_setup(test_new_names_win, clean),
        cmocka_unit_test_setup(test_empty_is_unset, clean),
        cmocka_unit_test_setup(test_wrong_variables, clean),
        cmocka_unit_test_setup(test_orphan, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
