/* An Avro value to JSON by a plan: the walk under avro_read.h. */
#pragma once

#include "base/buf.h"
#include "cursor.h"
#include "extra.h"

struct est_decode {
    struct est_cursor in;
    struct est_buf *out;
    struct est_why *why;
    struct est_buf *scratch; /* for bytes that become text */
    struct est_extra extra;  /* the members to put back */
    bool is_event;           /* fields that are null are left out */
};

/* EST_ERR_AVRO with the place, EST_ERR_NOMEM. Whether `out` has failed is the caller's to see. */
est_err est_decode_value(struct est_decode *d, const struct est_plan *p, const struct est_path *at);

/* EST_ERR_AVRO, with the place in front of the text. */
est_err est_decode_fault(struct est_decode *d, const struct est_path *at, const char *text);
/* The same for bytes that are none of their type. */
est_err est_decode_damaged(struct est_decode *d, const struct est_path *at);
