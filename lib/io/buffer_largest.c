/* How large the entries of a stream can be. Own streams are never forgotten: what this process
 * appends is not told by Redis before it is read. */
#include "io/buffer_op.h"

#include <stdio.h>
#include <string.h>

static struct est_buffer_largest *find(const struct est_buffer *b,
                                       const struct est_buffer_stream *s)
{
    for (size_t i = 0; i < EST_BUFFER_LARGEST_MAX; i++) {
        const struct est_buffer_largest *l = &b->largest[i];
        if (strcmp(l->boot, s->boot) == 0 && strcmp(l->type, s->type) == 0)
            return (struct est_buffer_largest *)(uintptr_t)l;
    }
    return NULL;
}

/* Types are bounded, so there is always a place that is not an own stream's. */
static struct est_buffer_largest *place(struct est_buffer *b, const struct est_buffer_stream *s)
{
    struct est_buffer_largest *l = find(b, s);

    if (l != NULL)
        return l;
    for (size_t tries = 0; tries < EST_BUFFER_LARGEST_MAX; tries++) {
        l = &b->largest[b->largest_next++ % EST_BUFFER_LARGEST_MAX];
        if (strcmp(l->boot, b->token) != 0)
            break;
    }
    *l = (struct est_buffer_largest){0};
    (void)snprintf(l->boot, sizeof(l->boot), "%s", s->boot);
    (void)snprintf(l->type, sizeof(l->type), "%s", s->type);
    return l;
}

void est_buffer_largest_add(struct est_buffer *b, const struct est_buffer_stream *s, uint64_t bytes)
{
    struct est_buffer_largest *l = place(b, s);

    l->bytes = bytes > l->bytes ? bytes : l->bytes;
}

void est_buffer_largest_told(struct est_buffer *b, const struct est_buffer_stream *s,
                             uint64_t bytes)
{
    est_buffer_largest_add(b, s, bytes);
    find(b, s)->known = bytes > 0;
}

uint64_t est_buffer_largest(const struct est_buffer *b, const struct est_buffer_stream *s)
{
    const struct est_buffer_largest *l = find(b, s);

    return l != NULL && l->known ? l->bytes : 0;
}
