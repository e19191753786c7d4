/* The answers of redis.h are hiredis' objects behind our names. */
#include "io/redis.h"

#include <hiredis/hiredis.h>

static const redisReply *of(const struct est_redis_reply *r)
{
    return (const redisReply *)(const void *)r;
}

enum est_redis_kind est_redis_kind(const struct est_redis_reply *r)
{
    if (r == NULL)
        return EST_REDIS_NIL;
    switch (of(r)->type) {
    case REDIS_REPLY_INTEGER: return EST_REDIS_INTEGER;
    case REDIS_REPLY_STRING:
    case REDIS_REPLY_STATUS: return EST_REDIS_TEXT;
    case REDIS_REPLY_ARRAY: return EST_REDIS_ARRAY;
    case REDIS_REPLY_ERROR: return EST_REDIS_FAULT;
    default: return EST_REDIS_NIL;
    }
}

int64_t est_redis_integer(const struct est_redis_reply *r)
{
    return est_redis_kind(r) == EST_REDIS_INTEGER ? of(r)->integer : 0;
}

struct est_view est_redis_text(const struct est_redis_reply *r)
{
    enum est_redis_kind kind = est_redis_kind(r);

    if (kind != EST_REDIS_TEXT && kind != EST_REDIS_FAULT)
        return EST_VIEW_NONE;
    return est_view(of(r)->str, (size_t)of(r)->len);
}

size_t est_redis_n(const struct est_redis_reply *r)
{
    return est_redis_kind(r) == EST_REDIS_ARRAY ? of(r)->elements : 0;
}

const struct est_redis_reply *est_redis_item(const struct est_redis_reply *r, size_t i)
{
    if (i >= est_redis_n(r))
        return NULL;
    return (const struct est_redis_reply *)(const void *)of(r)->element[i];
}
