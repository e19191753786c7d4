/* The values of encode.c that hold no other values: one function a kind of plan. */
#pragma once

#include "encode.h"

est_err est_encode_scalar_null(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                               const struct est_path *at);
est_err est_encode_scalar_boolean(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                                  const struct est_path *at);
est_err est_encode_scalar_integer(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                                  const struct est_path *at);
est_err est_encode_scalar_real(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                               const struct est_path *at);
est_err est_encode_scalar_bytes(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                                const struct est_path *at);
est_err est_encode_scalar_string(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                                 const struct est_path *at);
est_err est_encode_scalar_enum(struct est_encode *e, const struct est_plan *p, yyjson_val *v,
                               const struct est_path *at);
/* The number of the symbol that the value names; p->n when it names none. */
size_t est_encode_scalar_symbol(const struct est_plan *p, yyjson_val *v);
