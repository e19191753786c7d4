/* What cannot be imported, kept in a file with its reason: one JSON object a line,
 *   {"list","run","seq","id","code","reason","entry"}        entry: the text as it was in Redis
 * on disk before the entry leaves Redis, and once, also when a batch has to be begun again. */
#pragma once

#include "import_list.h"

#include <stdio.h>

struct import_aside {
    const char *path;
    int fd;            /* -1 until the first line */
    bool seen_read;    /* what an earlier life wrote of this batch is known */
    uint64_t seen_seq; /* of the batch that `seen` speaks of */
    char seen_run[EST_BOOT_LEN + 1];
    bool seen[IMPORT_BATCH];
    uint64_t n; /* lines of this life, and those of an earlier one that were met again */
    bool dirty; /* not yet on disk for sure */
    struct est_buf line;
};

void import_aside_init(struct import_aside *a, const char *path);
void import_aside_fini(struct import_aside *a);
/* Before the entries of a batch. EST_ERR_IO with errno. */
est_err import_aside_begin(struct import_aside *a, const struct import_batch *b);
est_err import_aside_put(struct import_aside *a, const struct import_batch *b, size_t i,
                         const char *list, const char *code, const char *reason);
/* All of it is on disk. */
est_err import_aside_sync(struct import_aside *a);
