/* A hook for tests: records that this consumer does not see, as if they had never come into the
 * log, so that a test knows exactly what has to be told missing. Never set in earnest. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct hide {
    bool is_set;
    char type[65];
    int32_t partition;
    int64_t first, last; /* offsets, inclusive */
};

/* From the environment variable ESTEIRA_TEST_HIDE=TYPE/PARTITION/FIRST-LAST; absent: nothing is
 * hidden. EST_ERR_INVALID. */
est_err hide_init(struct hide *h);
bool hide_has(const struct hide *h, const char *type, int32_t partition, int64_t offset);
