/* The dashboard's answer to a batch: {"results":[{"id","status","duplicate","error":{"code",
 * "detail","pointer"}}, …]}, one per event in the order sent (api/openapi.yaml). Members that we do
 * not know are passed over, for other people write dashboards too; what we need must be right. */
#pragma once

#include "base/err.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>

struct est_results;

enum { EST_RESULTS_TEXT = 200 };

struct est_result {
    int status; /* 100..599 */
    bool duplicate;
    char error[EST_RESULTS_TEXT]; /* "code: detail (pointer)", cut; "" when none. The receiver's
                                     words: may hold personal data, so never log it */
};

/* Holds the answers of up to `max` events and is reused. EST_ERR_NOMEM. */
est_err est_results_new(size_t max, struct est_results **ret);
void est_results_free(struct est_results *rs);
/* The answer must hold exactly `n` results (n <= max), and where a result names an id it must be
 * that of its event (ids NULL = not compared). Anything else is EST_ERR_HTTP: the outcome is
 * unknown. */
est_err est_results_parse(struct est_results *rs, struct est_view body, size_t n,
                          const struct est_view *ids, struct est_why *reterr);
const struct est_result *est_results_at(const struct est_results *rs, size_t i);
