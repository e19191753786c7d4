/* Allocation. Every function returns NULL when memory is out; callers turn that into EST_ERR_NOMEM.
 * Tests make the n-th allocation fail to walk every error path. */
#pragma once

#include <stddef.h>

void *est_alloc(size_t n);
void *est_calloc(size_t count, size_t size); /* zeroed; NULL when count*size overflows */
void *est_realloc(void *p, size_t n);        /* p stays valid on NULL */
char *est_strndup(const char *s, size_t n);
char *est_strdup(const char *s);
void est_free(void *p); /* NULL is a no-op */

/* Let `after` more allocations succeed and fail the one behind them, once. Negative = never. */
void est_mem_fail_after(long after);

/* `EST_AUTO(est_free_at) char *s = …` frees the local when it goes out of scope. */
#define EST_AUTO(fn) __attribute__((cleanup(fn)))
void est_free_at(void *pp);
