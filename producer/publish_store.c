/* What Redis tells: whether it can be used, streams of older boots, what the streams hold. */
#include "base/log.h"
#include "core/stamp.h"
#include "publish_state.h"

#include <string.h>

void publish_on_store(void *arg, bool up, est_err err, const char *detail)
{
    struct publish *p = arg;

    (void)detail;
    if (!up && p->store_err == EST_OK)
        p->store_down = publish_now(p);
    p->store_err = up ? EST_OK : err;
    for (size_t i = 0; i < p->n; i++) {
        const struct catalog_type *t = p->all[i].type;
        way_store(&p->all[i], up);
        if (up && t->kafka_partitions > 0) /* told while Redis was away */
            boots_put_partitions(p->ways.boots, t->name, (uint32_t)t->kafka_partitions);
    }
}

void publish_on_found(void *arg, struct boot *boot, const char *type, uint64_t entries)
{
    struct publish *p = arg;

    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->all[i].type->name, type) == 0) {
            EST_LOG(EST_INFO, "older_stream", EST_S("type", type), EST_S("boot", boots_id(boot)),
                    EST_I("entries", entries));
            if (way_older_found(&p->all[i], boot) != EST_OK)
                EST_LOG(EST_ERROR, "older_stream_not_followed", EST_S("type", type));
            return;
        }
    EST_LOG(EST_WARN, "stream_of_no_type", EST_S("type", type), EST_S("boot", boots_id(boot)),
            EST_I("entries", entries));
}

void publish_on_gone(void *arg, struct boot *boot)
{
    struct publish *p = arg;
    bool flies = false;

    for (size_t i = 0; i < p->n; i++)
        flies |= p->all[i].source == boot && !est_list_empty(&p->all[i].flying);
    if (flies) /* what we hold of it must not come behind what the new owner sends */
        publish_take_over(p, "adopted_elsewhere");
    for (size_t i = 0; i < p->n; i++)
        way_older_gone(&p->all[i], boot);
}

void publish_on_told(void *arg, const struct est_buffer_type *told)
{
    struct publish *p = arg;
    uint64_t sum = 0;

    if (told != NULL) {
        for (size_t i = 0; i < p->n; i++) {
            struct holding *h = &p->telling[i];
            if (strcmp(p->all[i].type->name, told->type) != 0)
                continue;
            h->entries += told->entries;
            h->bytes += told->bytes;
            h->oldest_age = told->oldest_age > h->oldest_age ? told->oldest_age : h->oldest_age;
        }
        return;
    }
    p->oldest_age = 0;
    for (size_t i = 0; i < p->n; i++) {
        sum += p->telling[i].bytes;
        if (p->telling[i].oldest_age > p->oldest_age)
            p->oldest_age = p->telling[i].oldest_age;
    }
    p->ways.buffered_bytes = sum;
    memcpy(p->told, p->telling, p->n * sizeof(*p->told));
    memset(p->telling, 0, p->n * sizeof(*p->telling));
}

/* Another shim has taken our lease: to the others this life is over. What is not durable was
 * promised to nobody; what we left in the streams is in the other's hands. */
void publish_be_born_again(struct publish *p)
{
    char boot[EST_BOOT_LEN + 1];

    p->ways.fenced = false;
    publish_take_over(p, "fenced");
    for (size_t i = 0; i < p->n; i++)
        way_abandon(&p->all[i]);
    est_boot_id(boot);
    if (boots_reborn(p->ways.boots, boot) != EST_OK) {
        p->ways.fenced = true; /* without memory: again in the next turn */
        return;
    }
    est_stamp_reboot(p->ways.stamp, boot);
    EST_LOG(EST_WARN, "reborn", EST_S("boot", boot));
}

void publish_on_fenced(void *arg)
{
    struct publish *p = arg;

    p->ways.fenced = true;
}
