#include "base/heap.h"
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>

#include <cmocka.h>

enum { NODES = 200 };

static void check_first(const struct est_heap *h, const struct est_heap_node *nodes)
{
    const struct est_heap_node *first = est_heap_first(h);
    est_us least = EST_NEVER;
    size_t n = 0;

    for (size_t i = 0; i < NODES; i++)
        if (nodes[i].slot != 0) {
            n++;
            least = nodes[i].at < least ? nodes[i].at : least;
            assert_ptr_equal(h->slots[nodes[i].slot].node, &nodes[i]);
        }
    assert_int_equal(h->n, n);
    if (n == 0)
        assert_null(first);
    else
        assert_int_equal(first->at, least);
}

/* Random sets, moves, removes and pops beside a look at every node. */
static void agrees_with_a_search(void **state)
{
    struct est_heap_node nodes[NODES] = {0};
    struct est_heap h;

    (void)state;
    srand(11);
    est_heap_init(&h);
    for (int op = 0; op < 100000; op++) {
        struct est_heap_node *n = &nodes[rand() % NODES];
        int kind = rand() % 10;
        if (kind < 6)
            assert_int_equal(est_heap_set(&h, n, rand() % 50 - 25), EST_OK);
        else if (kind < 8)
            est_heap_remove(&h, n);
        else if (est_heap_first(&h) != NULL)
            est_heap_remove(&h, est_heap_first(&h));
        check_first(&h, nodes);
    }
    est_heap_fini(&h);
}

static void pops_in_order(void **state)
{
    struct est_heap_node nodes[NODES] = {0};
    struct est_heap h;
    est_us last = INT64_MIN;

    (void)state;
    est_heap_init(&h);
    for (size_t i = 0; i < NODES; i++)
        assert_int_equal(est_heap_set(&h, &nodes[i], (est_us)(i * 7919 % 211)), EST_OK);
    while (est_heap_first(&h) != NULL) {
        struct est_heap_node *n = est_heap_first(&h);
        assert_true(n->at >= last);
        last = n->at;
        est_heap_remove(&h, n);
        est_heap_remove(&h, n);
    }
    est_heap_fini(&h);
}

static void without_memory(void **state)
{
    struct est_heap_node nodes[NODES] = {0};
    struct est_heap h;

    (void)state;
    est_heap_init(&h);
    est_mem_fail_after(0);
    assert_int_equal(est_heap_set(&h, &nodes[0], 1), EST_ERR_NOMEM);
    assert_int_equal(nodes[0].slot, 0);
    assert_null(est_heap_first(&h));
    assert_int_equal(est_heap_reserve(&h, NODES), EST_OK);
    est_mem_fail_after(0);
    for (size_t i = 0; i < NODES; i++)
        assert_int_equal(est_heap_set(&h, &nodes[i], (est_us)i), EST_OK);
    est_mem_fail_after(-1);
    check_first(&h, nodes);
    est_heap_fini(&h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_a_search),
        cmocka_unit_test(pops_in_order),
        cmocka_unit_test(without_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
