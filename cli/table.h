/* A table of columns, two spaces between them, no borders; the header only on a terminal. */
#pragma once

#include "out.h"

#include <stddef.h>
#include <stdint.h>

struct table;

/* right: a bit per column whose cells are numbers. NULL without memory; every function takes NULL.
 * */
struct table *table_new(size_t columns, uint32_t right);
void table_free(struct table *t);
/* The next cell, row by row; copied. */
void table_cell(struct table *t, const char *text);
void table_print(struct table *t, struct out *o, const char *const *header);
