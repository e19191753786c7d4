/* The parts of compile.c: the state they share, and what each does for the others. */
#pragma once

#include "compile.h"

#include <stdbool.h>

enum { EST_COMPILE_NAMES_MAX = 512 }; /* named types of one schema */

/* One schema being compiled. */
struct est_compile {
    struct est_arena *arena;
    struct est_plan *names[EST_COMPILE_NAMES_MAX];
    bool is_open[EST_COMPILE_NAMES_MAX]; /* its body is being read: a reference now is recursion */
    size_t n_names, n_nodes;
    struct est_why *why;
};

/* Where the walk is: the namespace that unqualified names get, how deep, and the way there. */
struct est_compile_place {
    const struct est_path *at;
    struct est_view space;
    unsigned depth;
};

/* Fill why with the place and the rule; returns EST_ERR_SCHEMA. */
est_err est_compile_fault(struct est_compile *c, const struct est_compile_place *pl,
                          const char *fmt, ...) __attribute__((format(printf, 3, 4)));
est_err est_compile_no_memory(struct est_compile *c);
/* NULL when memory is out. */
struct est_plan *est_compile_new(struct est_compile *c, enum est_plan_kind kind,
                                 struct est_view name);
/* The type `v` that stands at `step`, one deeper than `pl`. */
est_err est_compile_child(struct est_compile *c, yyjson_val *v, const struct est_compile_place *pl,
                          const struct est_path *step, struct est_plan **ret);
/* Let the depth and slots of p cover those of its child. */
void est_compile_count(struct est_plan *p, const struct est_plan *child);
/* An optional member: true when it is absent (ret untouched) or a string. */
bool est_compile_string(yyjson_val *obj, const char *name, struct est_view *ret);
/* A member that must be an integer of 0 to max. */
bool est_compile_number(yyjson_val *obj, const char *name, unsigned max, unsigned *ret);

/* compile_name.c: enter a named type into the table; *ret_space is the namespace inside it. */
est_err est_compile_name_define(struct est_compile *c, yyjson_val *obj, enum est_plan_kind kind,
                                const struct est_compile_place *pl, struct est_view *ret_space,
                                struct est_plan **ret);
/* The type that a name refers to. */
est_err est_compile_name_refer(struct est_compile *c, yyjson_val *v,
                               const struct est_compile_place *pl, struct est_plan **ret);
/* Absent, or an array of names. */
bool est_compile_name_is_list(yyjson_val *v);

/* compile_logical.c: "logicalType" on a type, "esteira" on a type or field. */
est_err est_compile_logical(struct est_compile *c, yyjson_val *obj, struct est_plan *p,
                            const struct est_compile_place *pl);
est_err est_compile_logical_ours(struct est_compile *c, yyjson_val *obj, struct est_plan *p,
                                 const struct est_compile_place *pl);

/* compile_record.c: a record with its fields and their defaults. */
est_err est_compile_record(struct est_compile *c, yyjson_val *obj,
                           const struct est_compile_place *pl, struct est_plan **ret);
