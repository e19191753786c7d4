/* A parked request and its answer; the HTTP server is stood in for. */
#include "waiting.h"
#include "admit.h"
#include "base/mem.h"
#include "io/http_in.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <yyjson.h>

#include <cmocka.h>

/* --- what stands in for the server --- */

static bool is_batch;
static int status;
static char body[65536], retry_after[16];

bool admit_is_batch(const struct admit *ad)
{
    (void)ad;
    return is_batch;
}

void est_http_reply_field(struct est_http_req *req, const char *name, const char *value)
{
    (void)req;
    assert_string_equal(name, "Retry-After");
    (void)snprintf(retry_after, sizeof(retry_after), "%s", value);
}

void est_http_reply(struct est_http_req *req, int code, const char *type, struct est_view text)
{
    (void)req;
    assert_string_equal(type, "application/json");
    status = code;
    (void)snprintf(body, sizeof(body), "%.*s", (int)text.len, text.data);
}

void est_http_problem(struct est_http_req *req, int code, const char *title, const char *detail,
                      struct est_view more)
{
    (void)req;
    status = code;
    (void)snprintf(body, sizeof(body), "{\"title\":\"%s\",\"detail\":\"%s\"%.*s}", title, detail,
                   (int)more.len, more.data ? more.data : "");
}

/* --- */

enum { ITEMS = 8 };

static struct admit_item items[ITEMS];
static char ids[ITEMS][32];
static struct waiting_pool pool;

static struct waiting *take(size_t n, bool minimal)
{
    struct admit ad = {.items = items, .n = n};

    status = 0;
    retry_after[0] = '\0';
    for (size_t i = 0; i < n; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "\xC3\xA9\"%zu\\", i);
        items[i].ev.id = est_view_str(ids[i]);
    }
    return waiting_take(&pool, NULL, &ad, minimal, 7);
}

static int open_pool(void **state)
{
    (void)state;
    is_batch = true;
    waiting_pool_init(&pool);
    return 0;
}

static int close_pool(void **state)
{
    (void)state;
    waiting_pool_fini(&pool);
    return 0;
}

/* Which outcomes (one bit an item: failed) give which answer, in any order of settling. */
static void every_outcome(void **state)
{
    (void)state;
    for (unsigned failed = 0; failed < 1u << 5; failed++)
        for (size_t first = 0; first < 5; first++) {
            struct waiting *w = take(5, false);
            yyjson_doc *doc;
            yyjson_val *list;
            size_t at = 0;
            for (size_t k = 0; k < 5; k++) {
                size_t i = (first + k * 2) % 5;
                assert_int_equal(
                    waiting_settle(w, i, failed >> i & 1 ? EST_ERR_KAFKA_PURGED : EST_OK, false),
                    k == 4);
            }
            assert_int_equal(waiting_reply(w), failed ? 503 : 202);
            assert_int_equal(status, failed ? 503 : 202);
            waiting_give(&pool, w);
            doc = yyjson_read(body, strlen(body), 0);
            assert_non_null(doc);
            list = yyjson_obj_get(yyjson_doc_get_root(doc), failed ? "retry_ids" : "ids");
            for (size_t i = 0; i < 5; i++)
                if (failed == 0 || (failed >> i & 1))
                    assert_string_equal(yyjson_get_str(yyjson_arr_get(list, at++)), ids[i]);
            assert_int_equal(yyjson_arr_size(list), at);
            assert_string_equal(retry_after, failed ? "1" : "");
            yyjson_doc_free(doc);
        }
    assert_int_equal(pool.n_used, 0);
    assert_int_equal(pool.n_free, 1);
}

static void shapes(void **state)
{
    static const struct {
        bool batch, minimal;
        const char *errors, *want;
    } cases[] = {
        {false, false, "", "{\"id\":\"\xC3\xA9\\\"0\\\\\",\"buffered\":false}\n"},
        {false, true, "", "{\"id\":\"\xC3\xA9\\\"0\\\\\",\"buffered\":false}\n"},
        {true, false, "", "{\"accepted\":1,\"buffered\":0,\"ids\":[\"\xC3\xA9\\\"0\\\\\"]}\n"},
        {true, true, "", "{\"accepted\":1,\"buffered\":0}\n"},
        {true, true, ",\"errors\":[{}],\"refused\":1",
         "{\"accepted\":1,\"buffered\":0,\"errors\":[{}],\"refused\":1}\n"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct waiting *w;
        is_batch = cases[i].batch;
        w = take(1, cases[i].minimal);
        est_buf_puts(&w->errors, cases[i].errors);
        assert_true(waiting_settle(w, 0, EST_OK, false));
        assert_int_equal(waiting_reply(w), 202);
        assert_string_equal(body, cases[i].want);
        waiting_give(&pool, w);
    }
}

static void the_pool_keeps_small_ones_only(void **state)
{
    struct waiting *w[ITEMS];

    (void)state;
    for (size_t i = 0; i < ITEMS; i++)
        w[i] = take(1, false);
    assert_int_equal(pool.n_used, ITEMS);
    est_buf_reserve(&w[0]->errors, 100000); /* has had many refusals to tell */
    for (size_t i = 0; i < ITEMS; i++)
        waiting_give(&pool, w[i]);
    assert_int_equal(pool.n_used, 0);
    assert_int_equal(pool.n_free, ITEMS - 1);
}

/* Without memory for the request: NULL. For the answer: a shorter one, still JSON. */
static void without_memory(void **state)
{
    struct waiting *w = NULL;

    (void)state;
    for (long after = 0; w == NULL; after++) {
        est_mem_fail_after(after);
        w = take(3, false);
        est_mem_fail_after(-1);
        assert_true(after < 20);
    }
    assert_int_equal(pool.n_used, 1);
    for (est_err err = EST_OK;; err = EST_ERR_TIMEOUT) {
        yyjson_doc *doc;
        for (size_t i = 0; i < 3; i++)
            (void)waiting_settle(w, i, err, false);
        est_mem_fail_after(0);
        assert_int_equal(waiting_reply(w), err ? 503 : 202);
        est_mem_fail_after(-1);
        doc = yyjson_read(body, strlen(body), 0);
        assert_non_null(doc);
        yyjson_doc_free(doc);
        waiting_give(&pool, w);
        if (err != EST_OK)
            break;
        w = take(3, false);
    }
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, open_pool, close_pool)
    const struct CMUnitTest tests[] = {
        T(every_outcome),
        T(shapes),
        T(the_pool_keeps_small_ones_only),
        T(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
