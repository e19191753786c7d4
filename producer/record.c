#include "record.h"

#include "base/buf.h"
#include "base/mem.h"
#include "codec/entry.h"

#include <string.h>

enum { RECORD_MAX = 128 * 1024 * 1024 };

void record_pool_init(struct record_pool *pool, size_t max)
{
    *pool = (struct record_pool){.max = max};
    est_list_init(&pool->free);
}

static void destroy(struct record *rec)
{
    est_free(rec->data);
    est_free(rec);
}

void record_pool_fini(struct record_pool *pool)
{
    EST_LIST_EACH(n, &pool->free)
        destroy(EST_CONTAINER(n, struct record, node));
    est_list_init(&pool->free);
    pool->n_free = 0;
}

struct record *record_take(struct record_pool *pool)
{
    struct est_node *n = est_list_first(&pool->free);
    struct record *rec;

    if (n != NULL) {
        est_list_remove(n);
        pool->n_free--;
        return EST_CONTAINER(n, struct record, node);
    }
    rec = est_calloc(1, sizeof(*rec));
    if (rec != NULL)
        est_list_init(&rec->node);
    return rec;
}

void record_give(struct record_pool *pool, struct record *rec)
{
    if (pool->n_free >= pool->max) {
        destroy(rec);
        return;
    }
    est_free(rec->data);
    *rec = (struct record){0};
    est_list_init(&rec->node);
    est_list_append(&pool->free, &rec->node);
    pool->n_free++;
}

est_err record_hold(struct record *rec, struct est_view id, const struct est_entry *e)
{
    struct est_buf b;

    est_buf_init(&b, RECORD_MAX);
    est_buf_put_view(&b, id);
    est_entry_write(&b, e);
    if (b.failed) {
        est_buf_fini(&b);
        return EST_ERR_NOMEM;
    }
    rec->data = b.data; /* the buffer's block is the record's now */
    rec->id_len = (uint32_t)id.len;
    rec->entry_len = (uint32_t)(b.len - id.len);
    return EST_OK;
}

struct est_view record_id(const struct record *rec)
{
    return est_view(rec->data, rec->id_len);
}

struct est_view record_entry(const struct record *rec)
{
    return est_view(rec->data + rec->id_len, rec->entry_len);
}
