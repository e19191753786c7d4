/* The values of decode.c that hold no other values: one function a kind of plan. */
#pragma once

#include "decode.h"

est_err est_decode_scalar_null(struct est_decode *d, const struct est_plan *p,
                               const struct est_path *at);
est_err est_decode_scalar_boolean(struct est_decode *d, const struct est_plan *p,
                                  const struct est_path *at);
est_err est_decode_scalar_integer(struct est_decode *d, const struct est_plan *p,
                                  const struct est_path *at);
est_err est_decode_scalar_real(struct est_decode *d, const struct est_plan *p,
                               const struct est_path *at);
est_err est_decode_scalar_bytes(struct est_decode *d, const struct est_plan *p,
                                const struct est_path *at);
est_err est_decode_scalar_string(struct est_decode *d, const struct est_plan *p,
                                 const struct est_path *at);
est_err est_decode_scalar_enum(struct est_decode *d, const struct est_plan *p,
                               const struct est_path *at);
