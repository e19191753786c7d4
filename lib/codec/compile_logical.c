#include "compile_parts.h"

#include "number.h"

/* The string plan that our attribute on a field or string type is about, or NULL. */
static struct est_plan *string_under(struct est_plan *p)
{
    const struct est_plan *under = est_plan_nullable(p);

    p = under ? (struct est_plan *)(uintptr_t)under : p;
    return p->kind == EST_PLAN_STRING ? p : NULL;
}

est_err est_compile_logical_ours(struct est_compile *c, yyjson_val *obj, struct est_plan *p,
                                 const struct est_compile_place *pl)
{
    struct est_plan *string = string_under(p);
    struct est_view word = EST_VIEW_NONE;

    if (yyjson_obj_get(obj, "esteira") == NULL)
        return EST_OK;
    if (string == NULL || string->logical != EST_PLAN_PLAIN)
        return est_compile_fault(c, pl, "\"esteira\" stands on strings and nullable strings only");
    (void)est_compile_string(obj, "esteira", &word);
    if (est_view_is(word, "id"))
        string->logical = EST_PLAN_ID;
    else if (est_view_is(word, "json"))
        string->logical = EST_PLAN_JSON;
    else
        return est_compile_fault(c, pl, "\"esteira\" is \"id\" or \"json\"");
    return EST_OK;
}

static est_err apply_decimal(struct est_compile *c, yyjson_val *obj, struct est_plan *p,
                             const struct est_compile_place *pl)
{
    if (!est_compile_number(obj, "precision", EST_NUMBER_PRECISION_MAX, &p->precision) ||
        p->precision == 0)
        return est_compile_fault(c, pl, "a decimal needs a \"precision\" of 1 to %d",
                                 EST_NUMBER_PRECISION_MAX);
    if (yyjson_obj_get(obj, "scale") != NULL &&
        !est_compile_number(obj, "scale", p->precision, &p->scale))
        return est_compile_fault(c, pl, "\"scale\" must be an integer from 0 to the precision");
    return EST_OK;
}

est_err est_compile_logical(struct est_compile *c, yyjson_val *obj, struct est_plan *p,
                            const struct est_compile_place *pl)
{
    static const struct {
        const char *name;
        enum est_plan_kind kind;
        enum est_plan_logical logical;
    } rows[] = {
        {"decimal", EST_PLAN_BYTES, EST_PLAN_DECIMAL},
        {"timestamp-millis", EST_PLAN_LONG, EST_PLAN_TIMESTAMP_MILLIS},
        {"timestamp-micros", EST_PLAN_LONG, EST_PLAN_TIMESTAMP_MICROS},
        {"uuid", EST_PLAN_STRING, EST_PLAN_UUID},
    };
    struct est_view name = EST_VIEW_NONE;

    if (!est_compile_string(obj, "logicalType", &name))
        return est_compile_fault(c, pl, "\"logicalType\" must be a string");
    if (name.data == NULL)
        return EST_OK;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (!est_view_is(name, rows[i].name))
            continue;
        if (p->kind != rows[i].kind)
            return est_compile_fault(c, pl, "logical type \"%s\" does not go with this type",
                                     rows[i].name);
        p->logical = rows[i].logical;
        return p->logical == EST_PLAN_DECIMAL ? apply_decimal(c, obj, p, pl) : EST_OK;
    }
    return est_compile_fault(c, pl, "logical type \"%.*s\" is not supported", (int)name.len,
                             name.data);
}
