/* A schema as the hot path wants it: a tree of nodes with everything looked up already. Nodes live
 * in the schema's arena and are never changed once it is parsed. A named type that is used twice is
 * one node with two parents; recursion is refused, so every walk ends. */
#pragma once

#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum est_plan_kind {
    EST_PLAN_NULL,
    EST_PLAN_BOOLEAN,
    EST_PLAN_INT,
    EST_PLAN_LONG,
    EST_PLAN_FLOAT,
    EST_PLAN_DOUBLE,
    EST_PLAN_BYTES,
    EST_PLAN_STRING,
    EST_PLAN_ARRAY,
    EST_PLAN_MAP,
    EST_PLAN_RECORD,
    EST_PLAN_ENUM,
    EST_PLAN_FIXED,
    EST_PLAN_UNION,
    EST_PLAN__COUNT
};

enum est_plan_logical {
    EST_PLAN_PLAIN,
    EST_PLAN_DECIMAL,          /* on bytes */
    EST_PLAN_TIMESTAMP_MILLIS, /* on long */
    EST_PLAN_TIMESTAMP_MICROS, /* on long */
    EST_PLAN_UUID,             /* on string */
    EST_PLAN_ID,               /* on string: integers too */
    EST_PLAN_JSON,             /* on string: any JSON value, as its text */
};

/* What a field of an event schema is for. */
enum est_plan_role {
    EST_PLAN_ROLE_ID,
    EST_PLAN_ROLE_EVENT,
    EST_PLAN_ROLE_SOURCE,
    EST_PLAN_ROLE_TENANT,
    EST_PLAN_ROLE_OCCURRED_AT,
    EST_PLAN_ROLE_RECEIVED_AT,
    EST_PLAN_ROLE_DEDUP_ID,
    EST_PLAN_ROLE_SEQUENCE,
    EST_PLAN_ROLE_PAYLOAD,
    EST_PLAN_ROLE_EXTRA,
    EST_PLAN_ROLE_CHAIN, /* a schema may do without it; else its first field */
    EST_PLAN_ROLE__COUNT
};

enum {
    EST_PLAN_DEPTH_MAX = 32,   /* nodes nested in each other */
    EST_PLAN_FIELDS_MAX = 256, /* of one record */
    EST_PLAN_SLOTS_MAX = 1024, /* fields of records nested in each other, together */
};

struct est_plan_field {
    struct est_view name;
    struct est_view json_name; /* `,"name":` ready to be written */
    const struct est_plan *plan;
    struct est_view fallback; /* the default, encoded; absent when there is none */
    bool is_null_first;       /* the default is the null of a union's first branch: one zero byte */
};

struct est_plan {
    enum est_plan_kind kind;
    enum est_plan_logical logical;
    unsigned precision, scale; /* DECIMAL */
    struct est_view name;      /* full name; of an unnamed type its type name */
    size_t n;                  /* fields, branches, symbols; bytes of a FIXED */
    size_t min_size;           /* bytes of the shortest encoding */
    unsigned depth;            /* nodes on the longest way down, this one included */
    size_t slots;              /* fields on the widest way down */
    union {
        const struct est_plan *items;           /* ARRAY, MAP */
        const struct est_plan *const *branches; /* UNION */
        const struct est_view *symbols;         /* ENUM */
        struct {                                /* RECORD */
            struct est_plan_field *fields;
            uint16_t *index; /* hash table of field number + 1; 0 = free */
            size_t mask;
        };
    };
    size_t null_branch; /* UNION: number of its null, or n */
};

/* The plan of one branch beside null: what is under a nullable type. NULL for other plans. */
static inline const struct est_plan *est_plan_nullable(const struct est_plan *p)
{
    return p->kind == EST_PLAN_UNION && p->n == 2 && p->null_branch < 2
               ? p->branches[1 - p->null_branch]
               : NULL;
}

static inline size_t est_plan_hash(struct est_view name)
{
    unsigned first, middle, last;

    if (name.len == 0)
        return 0;
    first = (unsigned char)name.data[0];
    middle = (unsigned char)name.data[name.len / 2];
    last = (unsigned char)name.data[name.len - 1];
    return first * 31u + middle * 7u + last * 113u + name.len * 17u;
}

/* The number of the field, or p->n. `guess` is tried first: members mostly come in order. */
static inline size_t est_plan_field_find(const struct est_plan *p, struct est_view name,
                                         size_t guess)
{
    if (guess < p->n && est_view_eq(p->fields[guess].name, name))
        return guess;
    for (size_t at = est_plan_hash(name) & p->mask;; at = (at + 1) & p->mask) {
        if (p->index[at] == 0)
            return p->n;
        if (est_view_eq(p->fields[p->index[at] - 1u].name, name))
            return p->index[at] - 1u;
    }
}

/* "a string", "an RFC 3339 string or an integer": what the encoder takes for this plan. */
const char *est_plan_wants(const struct est_plan *p);
