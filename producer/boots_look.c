/* What other boots left in Redis: found, waited for, adopted. */
#include "base/log.h"
#include "base/mem.h"
#include "boots_state.h"
#include "config/config.h"

#include <string.h>

static const est_us SOON = EST_SECOND, ELSE = 5 * EST_SECOND;

void boots_announce_gone(struct boots *b, struct boot *boot)
{
    if (!boot->announced)
        return;
    boot->announced = false;
    b->opt.gone(b->opt.arg, boot);
}

static struct boot *boot_of(struct boots *b, const struct est_buffer_boot *told)
{
    struct boot *boot;

    EST_LIST_EACH(n, &b->others) {
        boot = EST_CONTAINER(n, struct boot, node);
        if (strcmp(boot->id, told->boot) == 0)
            return boot;
    }
    boot = boots_make(b, told->boot, strcmp(told->instance, b->instance) == 0);
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
    est_us now = boots_now(b);

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
            boots_release(b, boot);
        return;
    }
    /* What an earlier life of ours left stands before what we take, whoever drains it. */
    if (boot->mine && !boot->announced && !boot->leave)
        announce(b, boot, told);
    if (!boot->leave && may_adopt(b, boot, told))
        boots_claim(b, boot);
}

static void forget_unseen(struct boots *b)
{
    EST_LIST_EACH(n, &b->others) {
        struct boot *boot = EST_CONTAINER(n, struct boot, node);
        if (boot->seen)
            continue;
        boots_announce_gone(b, boot);
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

void boots_look(struct boots *b)
{
    est_us now = boots_now(b);
    bool soon = b->closely;

    EST_LIST_EACH(n, &b->others)
        soon |= EST_CONTAINER(n, struct boot, node)->announced;
    if (b->looking || now < b->next_look)
        return;
    b->looking = est_buffer_boots(b->buffer, on_boots, b) == EST_OK;
    b->next_look = now + (soon ? SOON : ELSE);
}

bool boots_looked(const struct boots *b)
{
    return b->looked;
}

void boots_watch(struct boots *b, bool closely)
{
    if (closely && !b->closely && b->next_look > boots_now(b) + SOON)
        b->next_look = boots_now(b) + SOON;
    b->closely = closely;
}
