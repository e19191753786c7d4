#include "io/redis_objects.h"

#include "base/mem.h"

#include <hiredis/hiredis.h>

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* What is kept from one answer to the next: enough for one read of a stream. */
enum { PIECE = 64 * 1024, KEPT = 1024 * 1024 };

struct piece {
    struct piece *next;
    size_t size, used;
    alignas(max_align_t) char data[];
};

/* One answer at a time: hiredis gives each back before it makes the next one. */
struct est_redis_objects {
    struct piece *first, *at; /* those behind `at` are empty */
};

struct object {
    redisReply reply; /* first: hiredis knows it by this address */
    struct est_redis_objects *home;
};

#if HIREDIS_MAJOR >= 1
typedef size_t elements_count;
#else
typedef int elements_count;
#endif

struct est_redis_objects *est_redis_objects_new(void)
{
    return est_calloc(1, sizeof(struct est_redis_objects));
}

static void free_from(struct piece *p)
{
    while (p != NULL) {
        struct piece *next = p->next;
        est_free(p);
        p = next;
    }
}

void est_redis_objects_free(struct est_redis_objects *o)
{
    if (o == NULL)
        return;
    free_from(o->first);
    est_free(o);
}

/* --- memory --- */

static struct piece *new_piece(struct est_redis_objects *o, size_t n)
{
    size_t size = n > PIECE ? n : PIECE;
    struct piece *p = n > SIZE_MAX / 2 ? NULL : est_alloc(sizeof(*p) + size);

    if (p == NULL)
        return NULL;
    *p = (struct piece){.size = size};
    if (o->at == NULL) {
        o->first = p;
    } else {
        p->next = o->at->next;
        o->at->next = p;
    }
    o->at = p;
    return p;
}

static void *take(struct est_redis_objects *o, size_t n)
{
    struct piece *p = o->at;
    void *got;

    n = (n + alignof(max_align_t) - 1) / alignof(max_align_t) * alignof(max_align_t);
    while (p != NULL && p->size - p->used < n && p->next != NULL)
        p = o->at = p->next;
    if (p == NULL || p->size - p->used < n)
        p = new_piece(o, n);
    if (p == NULL)
        return NULL;
    got = p->data + p->used;
    p->used += n;
    return got;
}

/* The answer is done with: what it took beyond KEPT goes back. */
static void give_all(struct est_redis_objects *o)
{
    size_t kept = 0;
    struct piece **link = &o->first;

    for (; *link != NULL && kept + (*link)->size <= KEPT; link = &(*link)->next) {
        (*link)->used = 0;
        kept += (*link)->size;
    }
    free_from(*link);
    *link = NULL;
    o->at = o->first;
}

/* --- what the reader asks for --- */

static redisReply *make(const redisReadTask *task, size_t more)
{
    struct est_redis_objects *o = task->privdata;
    struct object *made = take(o, sizeof(*made) + more);

    if (made == NULL)
        return NULL;
    memset(made, 0, sizeof(*made));
    made->home = o;
    made->reply.type = task->type;
    if (task->parent != NULL)
        ((redisReply *)task->parent->obj)->element[task->idx] = &made->reply;
    return &made->reply;
}

static void *make_string(const redisReadTask *task, char *text, size_t len)
{
    redisReply *r = make(task, len + 1);

    if (r == NULL)
        return NULL;
    r->str = (char *)r + sizeof(struct object);
    memcpy(r->str, text, len);
    r->str[len] = '\0';
    r->len = len;
    return r;
}

static void *make_array(const redisReadTask *task, elements_count n)
{
    size_t bytes = n > 0 ? (size_t)n * sizeof(redisReply *) : 0;
    redisReply *r = make(task, bytes);

    if (r == NULL)
        return NULL;
    r->element = (redisReply **)(void *)((char *)r + sizeof(struct object));
    memset(r->element, 0, bytes);
    r->elements = (size_t)n;
    return r;
}

static void *make_integer(const redisReadTask *task, long long value)
{
    redisReply *r = make(task, 0);

    if (r != NULL)
        r->integer = value;
    return r;
}

static void *make_nil(const redisReadTask *task)
{
    redisReply *r = make(task, 0);

    if (r != NULL)
        r->type = REDIS_REPLY_NIL; /* the task's is that of a string or an array */
    return r;
}

/* Only ever of a whole answer, or of what there is of one. */
static void free_object(void *reply)
{
    if (reply != NULL)
        give_all(((struct object *)reply)->home);
}

void est_redis_objects_use(struct est_redis_objects *o, redisReader *reader)
{
    static redisReplyObjectFunctions functions = {.createString = make_string,
                                                  .createArray = make_array,
                                                  .createInteger = make_integer,
                                                  .createNil = make_nil,
                                                  .freeObject = free_object};

    reader->fn = &functions;
    reader->privdata = o;
}
