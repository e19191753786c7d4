/* Avro values back into events, with the schemas of the configuration and of the registry. */
#pragma once

#include "cli.h"

#include "base/buf.h"
#include "codec/schemas.h"

struct decoder {
    const struct est_config *cfg;
    est_us timeout; /* of a question to the registry */
    struct est_schemas *schemas;
    struct est_buf event;      /* the last one, as JSON */
    void (*after_fetch)(void); /* a question to the registry took the signals; may be NULL */
};

/* EST_ERR_NOMEM; close it all the same. */
est_err decoder_open(struct decoder *d, const struct est_config *cfg, est_us timeout);
void decoder_close(struct decoder *d);
/* header: the record's EST_WIRE_HEADER, or absent. The event is in d->event. */
est_err decoder_read(struct decoder *d, const char *type, struct est_view value,
                     struct est_view header, struct est_why *why);
