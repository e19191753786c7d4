/* What the buffer keeps of one Kafka record: key, value, time and headers as they would have gone
 * to Kafka. Topic and partition are not in it: they follow from the stream and from the header
 * `esteira-chain`, which stands beside the blob and is left out of it.
 *
 *   01  version
 *   varint milliseconds since 1970
 *   optional key, optional value         optional: 0 = absent, else varint length + 1 and the bytes
 *   varint number of headers             then for each: varint length and name, optional value
 *
 * Varints are LEB128, unsigned, of the shortest form: a record has one blob and no other. */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/view.h"

#include <stddef.h>
#include <stdint.h>

enum { EST_ENTRY_HEADERS_MAX = 32, EST_ENTRY_NAME_MAX = 128 };

struct est_entry_header {
    struct est_view name;  /* 1 to EST_ENTRY_NAME_MAX bytes */
    struct est_view value; /* may be absent */
};

/* An absent key or value is not an empty one. */
struct est_entry {
    struct est_view key, value;
    int64_t timestamp_ms; /* not negative */
    struct est_entry_header headers[EST_ENTRY_HEADERS_MAX];
    size_t n_headers;
};

/* Appends to b. Headers beyond the maximum and a negative time are bugs of the caller. Whether it
 * fitted is asked of the buffer. */
void est_entry_write(struct est_buf *b, const struct est_entry *e);
/* Strict: EST_ERR_INVALID for any blob that est_entry_write does not make, bytes left over
 * included; EST_ERR_UNSUPPORTED for a version that a newer program wrote. The views borrow from
 * `blob`. The text of reterr holds nothing of the blob. */
est_err est_entry_read(struct est_view blob, struct est_entry *ret, struct est_why *reterr);
