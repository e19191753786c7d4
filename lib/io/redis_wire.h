/* Private to lib/io/redis*.c: commands as bytes, and what an error answer means. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"

#include <stddef.h>

/* A whole command in RESP: an array of bulk strings. */
void est_redis_wire_put(struct est_buf *b, size_t n, const struct est_view *args);
/* The parts of it, for one whose beginning is exchanged. */
void est_redis_wire_array(struct est_buf *b, size_t n);
void est_redis_wire_bulk(struct est_buf *b, struct est_view v);
/* EST_ERR_REDIS_FULL for "OOM command not allowed…": see est_redis_fn. */
est_err est_redis_wire_err(struct est_view fault);
/* The first word of an error answer when it is a code, else "ERR": the rest may repeat what was
 * sent, a password too. */
void est_redis_wire_word(struct est_view fault, char *out, size_t size);
