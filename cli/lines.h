/* The events of a file, a line each, in batches that one request carries. Blank lines are skipped;
 * a line that is no JSON object is set aside; one without an id is given a UUIDv7, so that the shim
 * and the dashboard recognise it when it has to be sent again. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { LINES_BATCH = 500, LINES_BATCH_BYTES = 1024 * 1024, LINES_LINE_MAX = 16 * 1024 * 1024 };

struct line {
    uint64_t number;    /* in the file, from 1 */
    size_t offset, len; /* in body, without the newline */
};

struct lines {
    FILE *file;
    struct est_json *json;
    struct est_buf body; /* the batch as NDJSON */
    struct line batch[LINES_BATCH];
    size_t n;
    uint64_t number, bytes; /* lines and bytes read so far */
    bool at_end, has_held;
    char *raw; /* the line just read */
    size_t raw_cap, raw_len;
    void (*refuse)(void *arg, uint64_t number, const char *why); /* a line that is set aside */
    void *arg;
};

/* The file is borrowed. EST_ERR_NOMEM. */
est_err lines_init(struct lines *ls, FILE *file,
                   void (*refuse)(void *arg, uint64_t number, const char *why), void *arg);
void lines_fini(struct lines *ls);
/* Reads the next batch into body and batch; n == 0 = the end. EST_ERR_IO, EST_ERR_NOMEM. */
est_err lines_next(struct lines *ls);
/* Keeps only the lines that `keep` says yes to, for sending them again. */
void lines_retain(struct lines *ls, bool (*keep)(void *arg, struct est_view line), void *arg);
