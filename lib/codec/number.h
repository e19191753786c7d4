/* Numbers from their JSON text. Nothing here goes through a double but what is a double. */
#pragma once

#include "base/view.h"

#include <stdint.h>

enum est_number_fault {
    EST_NUMBER_OK,
    EST_NUMBER_SYNTAX,   /* not a number, or not an integer where one is asked for */
    EST_NUMBER_RANGE,    /* too large for its type, or more digits than the precision */
    EST_NUMBER_FRACTION, /* digits other than zero beyond the scale */
};

enum { EST_NUMBER_PRECISION_MAX = 18 }; /* decimal digits that always fit an int64_t */

/* 10^n, n <= EST_NUMBER_PRECISION_MAX. */
int64_t est_number_power(unsigned n);
/* An integer: JSON's grammar without fraction and exponent. */
enum est_number_fault est_number_i64(struct est_view text, int64_t *ret);
/* Any JSON number, exactly, as an integer count of 10^-scale, of at most `precision` digits. */
enum est_number_fault est_number_decimal(struct est_view text, unsigned precision, unsigned scale,
                                         int64_t *ret);
/* The nearest double; RANGE for what is not finite. Independent of the locale. */
enum est_number_fault est_number_double(struct est_view text, double *ret);
