/* From a schema's JSON to its plan, with every lint rule on the way. */
#pragma once

#include "arena.h"
#include "json_tree.h"
#include "plan.h"

/* The plan lives in `arena`, the views into it borrow from `root`'s document, so both must be kept.
 * EST_ERR_SCHEMA names the place in the schema and the rule. */
est_err est_compile(struct est_arena *arena, yyjson_val *root, const struct est_plan **ret,
                    struct est_why *reterr);
