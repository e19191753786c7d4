/* The inside of schema.h, for the files of this folder. */
#pragma once

#include "json_tree.h"
#include "plan.h"
#include "schema.h"

struct est_schema {
    struct est_json json; /* owns text, document and plan */
    struct est_view text;
    struct est_view canonical;
    const struct est_plan *plan;
    uint64_t fingerprint, meaning;
    bool is_event, has_chain;
    bool is_usual; /* its fields come in the order of their roles, the chain before them or not */
    /* Of an event schema: the field number of each role, and the role of each field. */
    size_t role[EST_PLAN_ROLE__COUNT];
    enum est_plan_role role_of[EST_PLAN_ROLE__COUNT];
};
