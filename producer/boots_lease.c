/* Leases of boots: taken before the first write, renewed, given back; lost to another shim. */
#include "base/log.h"
#include "boots_state.h"
#include "config/config.h"
#include "metrics/metrics.h"

void boots_set_held(struct boot *boot, bool ours)
{
    boot->ours = ours;
    /* From when it was asked for, and a tenth less: two clocks never run alike. */
    boot->held_until = ours ? boot->claimed_at + boot->boots->opt.config->redis_lease * 9 / 10 : 0;
}

static void on_claimed(void *arg, est_err err, bool got, const char *holder)
{
    struct boot *boot = arg;
    struct boots *b = boot->boots;

    (void)holder;
    boot->claiming = false;
    if (err != EST_OK)
        return;
    boots_set_held(boot, got);
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

void boots_claim(struct boots *b, struct boot *boot)
{
    if (boot->claiming || boot->releasing)
        return;
    boot->claimed_at = est_clock_mono();
    boot->claiming = est_buffer_claim(b->buffer, boot->id, on_claimed, boot) == EST_OK;
}

void boots_need(struct boots *b)
{
    if (!b->own->ours)
        boots_claim(b, b->own);
}

static void on_renewed(void *arg, est_err err)
{
    struct boot *boot = arg;

    boot->claiming = false;
    if (err == EST_OK)
        boots_set_held(boot, boot->ours);
    else if (err == EST_ERR_FENCED)
        boots_fenced(boot->boots, boot);
}

void boots_renew(struct boots *b, struct boot *boot)
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
    boots_set_held(boot, false);
    if (boot == b->own)
        return;
    boot->announced = false;
    boot->leave = !gone;
    EST_LOG(gone ? EST_INFO : EST_WARN, gone ? "boot_drained" : "boot_left",
            EST_S("boot", boot->id));
}

void boots_release(struct boots *b, struct boot *boot)
{
    if (!boot->ours || boot->releasing || boot->claiming)
        return;
    boot->releasing = est_buffer_release(b->buffer, boot->id, on_released, boot) == EST_OK;
}

void boots_rest(struct boots *b)
{
    if (b->up)
        boots_release(b, b->own);
}

void boots_fenced(struct boots *b, struct boot *boot)
{
    bool other = est_buffer_fence(b->buffer) == EST_FENCE_OTHER;

    boots_set_held(boot, false);
    EST_LOG(EST_WARN, "fenced", EST_S("boot", boot->id),
            EST_S("lease", other ? "another shim's" : "run out"));
    b->next_look = 0;
    if (boot != b->own && other)
        boots_announce_gone(b, boot);
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
        boots_release(b, boot);
}
