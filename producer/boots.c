#include "boots.h"

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "config/config.h"
#include "io/loop.h"
#include "io/redis.h"
#include "metrics/metrics.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static const est_us TICK = EST_SECOND, LOOK_EVERY = 5 * EST_SECOND;

struct boot {
    struct est_node node; /* in boots.others; the own one is in none */
    struct boots *boots;
    char id[EST_BOOT_LEN + 1];
    bool ours, claiming, releasing;
    bool announced;    /* the ways know it */
    bool seen;         /* in the last look */
    bool leave;        /* what is left there is of types that we do not know */
    bool mine;         /* an earlier life of this instance */
    est_us held_until; /* monotonic: the lease cannot have run out before */
    est_us claimed_at; /* when the last claim or renewal was sent */
    est_us free_since; /* nobody held it in any look since; 0 = somebody did */
    size_t open;       /* ways that drain it */
};

struct boots {
    struct boots_options opt;
    struct est_redis *redis;
    struct est_buffer *buffer;
    char instance[EST_BUFFER_INSTANCE_MAX + 1];
    struct boot *own; /* in no list */
    struct est_node others;
    struct est_timer tick;
    bool up, usable, looked, looking, closely, partitions_read;
    est_us next_look, trouble_until;
};

static est_us now_of(const struct boots *b)
{
    return est_loop_now(b->opt.loop);
}

/* --- leases --- */

static void set_held(struct boot *boot, bool ours)
{
    boot->ours = ours;
    /* From when it was asked for, and a tenth less: two clocks never run alike. */
    boot->held_until = ours ? boot->claimed_at + boot->boots->opt.config->redis_lease * 9 / 10 : 0;
}

static void announce_gone(struct boots *b, struct boot *boot)
{
    if (!boot->announced)
        return;
    boot->announced = false;
    b->opt.gone(b->opt.arg, boot);
}

static void on_claimed(void *arg, est_err err, bool got, const char *holder)
{
    struct boot *boot = arg;
    struct boots *b = boot->boots;

    (void)holder;
    boot->claiming = false;
    if (err != EST_OK)
        return;
    set_held(boot, got);
    if (boot == b->own) {
        if (!got)
            b->opt.fenced(b->opt.arg);
    } else if (got) {
        EST_LOG(EST_INFO, "boot_adopted", EST_S("boot", boot->id),
                EST_S("from", boot->mine ? "own instance" : "another instance"));
        if (!boot->mine)
            est_metrics_count(b->opt.metrics, EST_METRIC_BUFFER_HANDOVERS, NULL, NULL, 1);
        b->next_look = 0; /* what waits there is told by the next look */
    }
}

static void claim(struct boots *b, struct boot *boot)
{
    if (boot->claiming || boot->releasing)
        return;
    boot->claimed_at = est_clock_mono();
    boot->claiming = est_buffer_claim(b->buffer, boot->id, on_claimed, boot) == EST_OK;
}

void boots_need(struct boots *b)
{
    if (!b->own->ours)
        claim(b, b->own);
}

static void on_renewed(void *arg, est_err err)
{
    struct boot *boot = arg;

    boot->claiming = false;
    if (err == EST_OK)
        set_held(boot, boot->ours);
    else if (err == EST_ERR_FENCED)
        boots_fenced(boot->boots, boot);
}

static void renew(struct boots *b, struct boot *boot)
{
    est_us now = est_clock_mono();

    if (!boot->ours || boot->claiming || boot->releasing ||
        now < boot->claimed_at + b->opt.config->redis_lease / 4)
        return;
    boot->claimed_at = now;
    boot->claiming = est_buffer_renew(b->buffer, boot->id, on_renewed, boot) == EST_OK;
}

static void on_released(void *arg, est_err err, bool gone)
{
    struct boot *boot = arg;
    struct boots *b = boot->boots;

    boot->releasing = false;
    if (err != EST_OK)
        return;
    set_held(boot, false);
    if (boot == b->own)
        return;
    boot->announced = false;
    boot->leave = !gone;
    EST_LOG(gone ? EST_INFO : EST_WARN, gone ? "boot_drained" : "boot_left",
            EST_S("boot", boot->id));
}

static void release(struct boots *b, struct boot *boot)
{
    if (!boot->ours || boot->releasing || boot->claiming)
        return;
    boot->releasing = est_buffer_release(b->buffer, boot->id, on_released, boot) == EST_OK;
}

void boots_rest(struct boots *b)
{
    if (b->up)
        release(b, b->own);
}

void boots_fenced(struct boots *b, struct boot *boot)
{
    bool other = est_buffer_fence(b->buffer) == EST_FENCE_OTHER;

    set_held(boot, false);
    EST_LOG(EST_WARN, "fenced", EST_S("boot", boot->id),
            EST_S("lease", other ? "another shim's" : "run out"));
    b->next_look = 0;
    if (boot != b->own && other)
        announce_gone(b, boot);
    else if (boot == b->own && other)
        b->opt.fenced(b->opt.arg);
}

bool boots_has(const struct boot *boot)
{
    return boot->ours;
}

bool boots_hold(const struct boots *b, const struct boot *boot)
{
    (void)b;
    return boot->ours && est_clock_mono() < boot->held_until;
}

void boots_open(struct boot *boot)
{
    boot->open++;
}

void boots_unlink(struct boot *boot)
{
    boot->open--;
}

void boots_close(struct boots *b, struct boot *boot)
{
    if (--boot->open == 0)
        release(b, boot);
}

/* --- looking --- */

/* A boot in no list yet. */
static struct boot *make_boot(struct boots *b, const char *id, bool mine)
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

static struct boot *boot_of(struct boots *b, const struct est_buffer_boot *told)
{
    struct boot *boot;

    EST_LIST_EACH(n, &b->others) {
        boot = EST_CONTAINER(n, struct boot, node);
        if (strcmp(boot->id, told->boot) == 0)
            return boot;
    }
    boot = make_boot(b, told->boot, strcmp(told->instance, b->instance) == 0);
    if (boot != NULL)
        est_list_append(&b->others, &boot->node);
    return boot;
}

static void announce(struct boots *b, struct boot *boot, const struct est_buffer_boot *told)
{
    boot->announced = true;
    boot->open++; /* held while it is announced, so that a first empty type does not end it */
    for (size_t i = 0; i < told->n_types; i++)
        if (told->types[i].entries > 0)
            b->opt.found(b->opt.arg, boot, told->types[i].type, told->types[i].entries);
    if (boot->ours)
        boots_close(b, boot);
    else
        boot->open--;
}

static bool may_adopt(struct boots *b, struct boot *boot, const struct est_buffer_boot *told)
{
    est_us now = now_of(b);

    if (told->holder[0] != '\0') {
        boot->free_since = 0;
        return strcmp(told->holder, b->own->id) == 0;
    }
    if (boot->free_since == 0)
        boot->free_since = now;
    return boot->mine || told->adopt || now - boot->free_since >= b->opt.config->redis_lease;
}

/* An older boot, as Redis tells of it now. */
static void consider(struct boots *b, const struct est_buffer_boot *told)
{
    struct boot *boot = boot_of(b, told);

    if (boot == NULL)
        return;
    boot->seen = true;
    if (boot->ours) {
        for (size_t i = 0; i < told->n_types; i++)
            b->opt.told(b->opt.arg, &told->types[i]);
        if (!boot->announced && !boot->releasing)
            announce(b, boot, told);
        else if (boot->open == 0)
            release(b, boot);
        return;
    }
    /* What an earlier life of ours left stands before what we take, whoever drains it. */
    if (boot->mine && !boot->announced && !boot->leave)
        announce(b, boot, told);
    if (!boot->leave && may_adopt(b, boot, told))
        claim(b, boot);
}

static void forget_unseen(struct boots *b)
{
    EST_LIST_EACH(n, &b->others) {
        struct boot *boot = EST_CONTAINER(n, struct boot, node);
        if (boot->seen)
            continue;
        announce_gone(b, boot);
        if (boot->open > 0 || boot->claiming || boot->releasing)
            continue;
        est_list_remove(n);
        est_free(boot);
    }
}

static void on_boots(void *arg, est_err err, const struct est_buffer_boot *boots, size_t n)
{
    struct boots *b = arg;

    b->looking = false;
    if (err != EST_OK) {
        if (err != EST_ERR_REDIS_DOWN && err != EST_ERR_REDIS_LOST)
            boots_trouble(b, err);
        return;
    }
    EST_LIST_EACH(node, &b->others)
        EST_CONTAINER(node, struct boot, node)->seen = false;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(boots[i].boot, b->own->id) != 0)
            consider(b, &boots[i]);
        else
            for (size_t t = 0; t < boots[i].n_types; t++)
                b->opt.told(b->opt.arg, &boots[i].types[t]);
    }
    b->opt.told(b->opt.arg, NULL);
    forget_unseen(b);
    b->looked = true;
}

static void look(struct boots *b)
{
    est_us now = now_of(b);
    bool soon = b->closely;

    EST_LIST_EACH(n, &b->others)
        soon |= EST_CONTAINER(n, struct boot, node)->announced;
    if (b->looking || now < b->next_look)
        return;
    b->looking = est_buffer_boots(b->buffer, on_boots, b) == EST_OK;
    b->next_look = now + (soon ? TICK : LOOK_EVERY);
}

bool boots_looked(const struct boots *b)
{
    return b->looked;
}

void boots_watch(struct boots *b, bool closely)
{
    if (closely && !b->closely && b->next_look > now_of(b) + TICK)
        b->next_look = now_of(b) + TICK;
    b->closely = closely;
}

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
        if (now_of(b) >= b->trouble_until)
            set_usable(b, true, EST_OK, "");
        renew(b, b->own);
        EST_LIST_EACH(n, &b->others)
            renew(b, EST_CONTAINER(n, struct boot, node));
        look(b);
    }
    est_loop_timer_at(b->opt.loop, &b->tick, now_of(b) + tick_of(b));
}

static void on_state(void *arg, bool up, est_err err, const char *detail)
{
    struct boots *b = arg;

    b->up = up;
    est_metrics_gauge(b->opt.metrics, EST_METRIC_BUFFER_UP, NULL, NULL, up);
    if (!up) {
        /* Whatever comes next on a new connection claims first. */
        set_held(b->own, false);
        EST_LIST_EACH(n, &b->others)
            set_held(EST_CONTAINER(n, struct boot, node), false);
        b->looking = false;
        EST_LOG(EST_WARN, "redis_down", EST_S("code", est_err_code(err)), EST_S("detail", detail));
        set_usable(b, false, err, detail);
        return;
    }
    EST_LOG(EST_INFO, "redis_up");
    b->next_look = b->trouble_until = 0;
    if (!b->partitions_read)
        (void)est_buffer_partitions_get(b->buffer, on_partition, on_partitions_read, b);
    est_loop_timer_at(b->opt.loop, &b->tick, now_of(b));
}

void boots_trouble(struct boots *b, est_err err)
{
    b->trouble_until = now_of(b) + TICK;
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

/* --- names --- */

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
    struct boot *own = make_boot(b, id, true);
    est_err err = own == NULL ? EST_ERR_NOMEM : est_buffer_reboot(b->buffer, id);

    if (err != EST_OK) {
        est_free(own);
        return err;
    }
    set_held(b->own, false);
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
    release(b, b->own);
    EST_LIST_EACH(n, &b->others)
        release(b, EST_CONTAINER(n, struct boot, node));
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
    b->own = make_boot(b, opt->boot, true);
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
