/* A bounded set of schemas: those of our own types, and those that writers used and a registry told
 * us. Found by fingerprint (single-object framing), by registry id or by GUID (Confluent's). The
 * set owns its schemas; a pointer out of it lives as long as the set. */
#pragma once

#include "base/err.h"
#include "codec/schema.h"

enum {
    EST_SCHEMAS_GUID_LEN = 16,
    EST_SCHEMAS_MAX = 4096 /* enough for all that one program reads */
};

struct est_schemas;
struct est_wire;

/* EST_ERR_NOMEM. `max` schemas at most. */
est_err est_schemas_new(size_t max, struct est_schemas **ret);
void est_schemas_free(struct est_schemas *set);

/* Parse and keep. One that is there already (same fingerprint) is returned as it is; one with the
 * same fingerprint and another meaning is EST_ERR_SCHEMA. EST_ERR_FULL at the maximum. */
est_err est_schemas_add(struct est_schemas *set, struct est_view text,
                        const struct est_schema **ret, struct est_why *reterr);
est_err est_schemas_load(struct est_schemas *set, const char *path, const struct est_schema **ret,
                         struct est_why *reterr);
/* Former versions: every *.avsc in the folder `older` beside the schema at `path`, if there is one,
 * so that what was written with them is still read. The error is that of the first that is wrong;
 * the others are there all the same. A folder that was read last is not read again. */
est_err est_schemas_load_older(struct est_schemas *set, const char *path, struct est_why *reterr);
/* `sc` must be of this set. An id or GUID means one schema for ever: binding it again to another is
 * EST_ERR_SCHEMA. EST_ERR_FULL, EST_ERR_NOMEM. */
est_err est_schemas_bind_id(struct est_schemas *set, uint32_t id, const struct est_schema *sc);
est_err est_schemas_bind_guid(struct est_schemas *set,
                              const unsigned char guid[EST_SCHEMAS_GUID_LEN],
                              const struct est_schema *sc);

/* NULL when unknown. */
const struct est_schema *est_schemas_by_fingerprint(const struct est_schemas *set, uint64_t fp);
const struct est_schema *est_schemas_by_id(const struct est_schemas *set, uint32_t id);
const struct est_schema *est_schemas_by_guid(const struct est_schemas *set,
                                             const unsigned char guid[EST_SCHEMAS_GUID_LEN]);
/* Whichever of the three the framing names. */
const struct est_schema *est_schemas_of(const struct est_schemas *set, const struct est_wire *w);
size_t est_schemas_count(const struct est_schemas *set);
