#include "boots.h"

#include "base/log.h"
#include "base/mem.h"
#include "boots_state.h"
#include "config/config.h"
#include "io/loop.h"
#include "io/redis.h"
#include "metrics/metrics.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const est_us TICK = EST_SECOND;

/* --- Redis --- */

static void set_usable(struct boots *b, bool usable, est_err err, const char *detail)
{
    if (b->usable == usable)
        return;
    b->usable = usable;
    b->opt.store(b->opt.arg, usable, err, detail);
}

static void on_partitions_read(void *arg, est_err err)
{
    struct boots *b = arg;

    b->partitions_read = err == EST_OK;
}

static void on_partition(void *arg, const char *type, uint32_t count)
{
    struct boots *b = arg;

    b->opt.partitions(b->opt.arg, type, count);
}

/* Often enough to renew in time. */
static est_us tick_of(const struct boots *b)
{
    est_us quarter = b->opt.config->redis_lease / 4;

    return quarter < TICK ? quarter : TICK;
}

static void on_tick(void *arg)
{
    struct boots *b = arg;

    if (b->up) {
        if (boots_now(b) >= b->trouble_until)
            set_usable(b, true, EST_OK, "");
        boots_renew(b, b->own);
        EST_LIST_EACH(n, &b->others)
            boots_renew(b, EST_CONTAINER(n, struct boot, node));
        boots_look(b);
    }
    est_loop_timer_at(b->opt.loop, &b->tick, boots_now(b) + tick_of(b));
}

static void on_state(void *arg, bool up, est_err err, const char *detail)
{
    struct boots *b = arg;

    b->up = up;
    est_metrics_gauge(b->opt.metrics, EST_METRIC_BUFFER_UP, NULL, NULL, up);
    if (!up) {
        /* Whatever comes next on a new connection claims first. */
        boots_set_held(b->own, false);
        EST_LIST_EACH(n, &b->others)
            boots_set_held(EST_CONTAINER(n, struct boot, node), false);
        b->looking = false;
        EST_LOG(EST_WARN, "redis_down", EST_S("code", est_err_code(err)), EST_S("detail", detail));
        set_usable(b, false, err, detail);
        return;
    }
    EST_LOG(EST_INFO, "redis_up");
    b->next_look = b->trouble_until = 0;
    if (!b->partitions_read)
        (void)est_buffer_partitions_get(b->buffer, on_partition, on_partitions_read, b);
    est_loop_timer_at(b->opt.loop, &b->tick, boots_now(b));
}

void boots_trouble(struct boots *b, est_err err)
{
    b->trouble_until = boots_now(b) + TICK;
    if (b->usable)
        EST_LOG(EST_WARN, "redis_trouble", EST_S("code", est_err_code(err)));
    set_usable(b, false, err, est_err_text(err));
}

static void on_put(void *arg, est_err err)
{
    (void)arg;
    if (err != EST_OK)
        EST_LOG(EST_DEBUG, "partitions_not_kept", EST_S("code", est_err_code(err)));
}

void boots_put_partitions(struct boots *b, const char *type, uint32_t count)
{
    if (b->up)
        (void)est_buffer_partitions_put(b->buffer, type, count, on_put, b);
}

/* --- boots --- */

/* A boot in no list yet. */
struct boot *boots_make(struct boots *b, const char *id, bool mine)
{
    struct boot *boot = est_calloc(1, sizeof(*boot));

    if (boot == NULL)
        return NULL;
    est_list_init(&boot->node);
    boot->boots = b;
    boot->mine = mine;
    memcpy(boot->id, id, EST_BOOT_LEN);
    return boot;
}

struct est_buffer *boots_buffer(const struct boots *b)
{
    return b->buffer;
}

struct boot *boots_own(struct boots *b)
{
    return b->own;
}

const char *boots_id(const struct boot *boot)
{
    return boot->id;
}

void boots_stream(const struct boot *boot, const char *type, struct est_buffer_stream *ret)
{
    memcpy(ret->boot, boot->id, sizeof(ret->boot));
    ret->type = type;
}

/* --- life --- */

est_err boots_reborn(struct boots *b, const char *id)
{
    struct boot *own = boots_make(b, id, true);
    est_err err = own == NULL ? EST_ERR_NOMEM : est_buffer_reboot(b->buffer, id);

    if (err != EST_OK) {
        est_free(own);
        return err;
    }
    boots_set_held(b->own, false);
    est_list_append(&b->others, &b->own->node); /* an older one now, in somebody else's hands */
    b->own = own;
    b->next_look = 0;
    return EST_OK;
}

/* --- stopping --- */

void boots_leave(struct boots *b)
{
    if (!b->up)
        return;
    boots_release(b, b->own);
    EST_LIST_EACH(n, &b->others)
        boots_release(b, EST_CONTAINER(n, struct boot, node));
}

bool boots_left(const struct boots *b)
{
    bool held = b->own->ours;

    EST_LIST_EACH(n, &b->others)
        held |= EST_CONTAINER(n, struct boot, node)->ours;
    return !b->up || !held;
}

static void name_instance(struct boots *b)
{
    const char *name = b->opt.config->redis_instance;

    if (name[0] != '\0')
        (void)snprintf(b->instance, sizeof(b->instance), "%s", name);
    else if (gethostname(b->instance, sizeof(b->instance) - 1) != 0)
        (void)snprintf(b->instance, sizeof(b->instance), "localhost");
}

est_err boots_new(const struct boots_options *opt, struct boots **ret, struct est_why *reterr)
{
    const struct est_config *cfg = opt->config;
    struct boots *b = est_calloc(1, sizeof(*b));
    struct est_redis_options ro = {.url = cfg->redis_url,
                                   .ca_file = cfg->redis_ca_file,
                                   .password_file = cfg->redis_password_file,
                                   .sentinel_password = cfg->redis_sentinel_password,
                                   .timeout = cfg->redis_timeout,
                                   .state = on_state};
    struct est_buffer_options bo = {.prefix = cfg->redis_prefix,
                                    .token = opt->boot,
                                    .lease = cfg->redis_lease,
                                    .replicas = (unsigned)cfg->redis_wait_replicas,
                                    .wait_timeout = cfg->redis_wait_timeout};
    est_err err;

    if (b == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the buffer");
    b->opt = *opt;
    est_list_init(&b->others);
    b->own = boots_make(b, opt->boot, true);
    b->tick = (struct est_timer){.fn = on_tick, .arg = b};
    name_instance(b);
    ro.arg = b;
    err = b->own == NULL ? est_why_set(reterr, EST_ERR_NOMEM, "no memory for the buffer")
                         : est_redis_new(opt->loop, &ro, &b->redis, reterr);
    bo.redis = b->redis;
    bo.instance = b->instance;
    if (err == EST_OK)
        err = est_buffer_new(&bo, &b->buffer, reterr);
    if (err != EST_OK) {
        boots_free(b);
        return err;
    }
    *ret = b;
    return EST_OK;
}

void boots_free(struct boots *b)
{
    if (b == NULL)
        return;
    est_loop_timer_off(b->opt.loop, &b->tick);
    est_redis_free(b->redis);
    est_buffer_free(b->buffer);
    EST_LIST_EACH(n, &b->others)
        est_free(EST_CONTAINER(n, struct boot, node));
    est_free(b->own);
    est_free(b);
}
