/* The operations endpoint of every daemon, on a listener of its own: GET /healthz (the process
 * turns its loop), /readyz (it can do its job now, or why not), /metrics (Prometheus text). No
 * authentication: it listens on loopback unless the operator says otherwise, and tells no personal
 * datum. */
#pragma once

#include "base/buf.h"
#include "io/loop.h"

struct est_ops;

struct est_ops_handlers {
    /* Append the metrics text. */
    void (*metrics)(void *arg, struct est_buf *out);
    /* True when ready. Append, as JSON values with commas between them, the reasons why not; or
     * what is wrong though it is ready. */
    bool (*ready)(void *arg, struct est_buf *reasons);
    void *arg;
};

est_err est_ops_new(struct est_loop *lp, const char *address, const struct est_ops_handlers *h,
                    struct est_ops **ret, struct est_why *reterr);
unsigned est_ops_port(const struct est_ops *ops);
void est_ops_free(struct est_ops *ops);
