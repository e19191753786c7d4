/* The pages that are made from tables. Each appends one whole file. */
#pragma once

#include "base/buf.h"

void page_config(struct est_buf *out); /* docs/CONFIGURATION.md, from keys.def and types.def */
void page_config_schema(struct est_buf *out); /* docs/pipeline.schema.json */
void page_errors(struct est_buf *out);        /* docs/ERRORS.md, from err.def */
void page_metrics(struct est_buf *out);       /* docs/METRICS.md, from metrics.def */
