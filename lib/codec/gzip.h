/* A body in gzip (RFC 1952), for receivers that take one. The memory of a packer is used again. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"

struct est_gzip;

/* EST_ERR_NOMEM. */
est_err est_gzip_new(struct est_gzip **ret);
void est_gzip_free(struct est_gzip *gz); /* NULL is a no-op */
/* Replaces what is in out. EST_ERR_FULL: out may not hold so much; EST_ERR_NOMEM. */
est_err est_gzip_pack(struct est_gzip *gz, struct est_view in, struct est_buf *out);
