#include "mem.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static long fail_after = -1;

void est_mem_fail_after(long after)
{
    fail_after = after;
}

static bool must_fail(void)
{
    if (fail_after < 0)
        return false;
    return fail_after-- == 0;
}

void *est_alloc(size_t n)
{
    return must_fail() ? NULL : malloc(n ? n : 1);
}

void *est_calloc(size_t count, size_t size)
{
    return must_fail() ? NULL : calloc(count ? count : 1, size ? size : 1);
}

void *est_realloc(void *p, size_t n)
{
    return must_fail() ? NULL : realloc(p, n ? n : 1);
}

char *est_strndup(const char *s, size_t n)
{
    char *copy;

    if (n == SIZE_MAX || (copy = est_alloc(n + 1)) == NULL)
        return NULL;
    memcpy(copy, s, n);
    copy[n] = '\0';
    return copy;
}

char *est_strdup(const char *s)
{
    return est_strndup(s, strlen(s));
}

void est_free(void *p)
{
    free(p);
}

void est_free_at(void *pp)
{
    void *p;

    memcpy(&p, pp, sizeof(p));
    free(p);
}
