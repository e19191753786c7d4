#include "plan.h"

const char *est_plan_wants(const struct est_plan *p)
{
    static const char *const logical[] = {
        [EST_PLAN_DECIMAL] = "a number or a string of one",
        [EST_PLAN_TIMESTAMP_MILLIS] = "an RFC 3339 string or integer milliseconds",
        [EST_PLAN_TIMESTAMP_MICROS] = "an RFC 3339 string or integer microseconds",
        [EST_PLAN_UUID] = "a UUID string",
        [EST_PLAN_ID] = "a string or an integer",
        [EST_PLAN_JSON] = "any value",
    };
    static const char *const kinds[EST_PLAN__COUNT] = {
        [EST_PLAN_NULL] = "null",
        [EST_PLAN_BOOLEAN] = "a boolean",
        [EST_PLAN_INT] = "an integer",
        [EST_PLAN_LONG] = "an integer",
        [EST_PLAN_FLOAT] = "a number",
        [EST_PLAN_DOUBLE] = "a number",
        [EST_PLAN_BYTES] = "a string of code points up to U+00FF",
        [EST_PLAN_STRING] = "a string",
        [EST_PLAN_ARRAY] = "an array",
        [EST_PLAN_MAP] = "an object",
        [EST_PLAN_RECORD] = "an object",
        [EST_PLAN_ENUM] = "one of the schema's symbols",
        [EST_PLAN_FIXED] = "a string of as many code points as the schema says",
        [EST_PLAN_UNION] = "a value of one of the union's types",
    };

    if (est_plan_nullable(p) != NULL)
        p = est_plan_nullable(p);
    return p->logical != EST_PLAN_PLAIN ? logical[p->logical] : kinds[p->kind];
}
