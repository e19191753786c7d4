#include "core/murmur2.h"

#include "core/rng.h"

#include <librdkafka/rdkafka.h>

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>

#include <cmocka.h>

static void known_hashes(void **state)
{
    /* The values that Kafka's Java tests expect of Utils.murmur2. */
    static const struct {
        const char *key;
        int32_t want;
    } cases[] = {
        {"21", -973932308},
        {"foobar", -790332482},
        {"a-little-bit-long-string", -985981536},
        {"a-little-bit-longer-string", -1486304829},
        {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
        {"abc", 479470107},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        assert_int_equal((int32_t)est_murmur2(est_view_str(cases[i].key)), cases[i].want);
}

static void agrees_with_librdkafka(void **state)
{
    struct est_rng rng;
    char key[64];

    (void)state;
    est_rng_seed(&rng, 1);
    for (int round = 0; round < 20000; round++) {
        size_t len = est_rng_below(&rng, sizeof(key) + 1);
        int32_t partitions = (int32_t)est_rng_below(&rng, 1000) + 1;
        for (size_t i = 0; i < len; i++)
            key[i] = (char)est_rng_next(&rng);
        assert_int_equal(est_murmur2_partition(est_view(key, len), (uint32_t)partitions),
                         rd_kafka_msg_partitioner_murmur2(NULL, key, len, partitions, NULL, NULL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_hashes),
        cmocka_unit_test(agrees_with_librdkafka),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
