#include "config/report.h"

#include "base/mem.h"
#include "config/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 2048, OUTPUT_MAX = EST_REPORT_MAX * 2 * TEXT_MAX };

void est_report_init(struct est_config_report *rp)
{
    *rp = (struct est_config_report){.items = NULL};
}

static void fini_problem(struct est_config_problem *p)
{
    est_free(p->place);
    est_free(p->key);
    for (size_t lang = 0; lang < EST_LANGS; lang++)
        est_free(p->text[lang]);
}

void est_report_fini(struct est_config_report *rp)
{
    for (size_t i = 0; i < rp->n; i++)
        fini_problem(&rp->items[i]);
    est_free(rp->items);
    est_report_init(rp);
}

static char *composed(const struct est_fault *fault, enum est_lang lang)
{
    struct est_buf b;
    char *text;

    est_buf_init(&b, TEXT_MAX);
    est_message_put(&b, fault, lang);
    text = est_buf_err(&b) ? NULL : est_strndup(b.data, b.len);
    est_buf_fini(&b);
    return text;
}

static bool fill(struct est_config_problem *p, const char *place, const char *key,
                 const struct est_fault *fault)
{
    p->code = est_message_code(fault->message);
    p->place = est_strdup(place);
    p->key = est_strdup(key);
    for (size_t lang = 0; lang < EST_LANGS; lang++)
        p->text[lang] = composed(fault, (enum est_lang)lang);
    return p->place && p->key && p->text[EST_LANG_EN] && p->text[EST_LANG_PT];
}

void est_report_add(struct est_config_report *rp, const char *place, unsigned line, unsigned column,
                    const char *key, const struct est_fault *fault)
{
    struct est_config_problem p = {.line = line, .column = column}, *items;

    if (fault->message == EST_MESSAGE_NONE)
        return;
    if (rp->items == NULL && (items = est_calloc(EST_REPORT_MAX, sizeof(*items))) != NULL)
        rp->items = items;
    if (rp->items != NULL && rp->n < EST_REPORT_MAX && fill(&p, place, key, fault)) {
        rp->items[rp->n++] = p;
        return;
    }
    fini_problem(&p);
    rp->dropped++;
}

bool est_report_has(const struct est_config_report *rp, const char *key)
{
    for (size_t i = 0; i < rp->n; i++)
        if (strcmp(rp->items[i].key, key) == 0)
            return true;
    return false;
}

static bool behind(const struct est_config_problem *a, const struct est_config_problem *b)
{
    bool a_env = a->line == 0, b_env = b->line == 0;

    if (a_env != b_env)
        return a_env;
    return a->line != b->line ? a->line > b->line : a->column > b->column;
}

/* Insertion: stable, and a report is short. */
void est_report_sort(struct est_config_report *rp)
{
    for (size_t i = 1; i < rp->n; i++) {
        struct est_config_problem p = rp->items[i];
        size_t at = i;
        for (; at > 0 && behind(&rp->items[at - 1], &p); at--)
            rp->items[at] = rp->items[at - 1];
        rp->items[at] = p;
    }
}

/* A report that could not even be kept is a want of memory. */
est_err est_report_err(const struct est_config_report *rp)
{
    if (rp->n > 0)
        return rp->items[0].code;
    return rp->dropped > 0 ? EST_ERR_NOMEM : EST_OK;
}

static void write_line(const struct est_config_problem *p, enum est_lang lang, struct est_buf *out)
{
    est_buf_puts(out, p->place);
    if (p->line > 0)
        est_buf_printf(out, ":%u:%u", p->line, p->column);
    est_buf_puts(out, lang == EST_LANG_PT ? ": erro: " : ": error: ");
    if (p->key[0] != '\0') {
        est_buf_puts(out, p->key);
        est_buf_puts(out, ": ");
    }
    est_buf_puts(out, p->text[lang]);
    est_buf_printf(out, "   [%s]\n", est_err_code(p->code));
}

void est_report_write(const struct est_config_report *rp, enum est_lang lang, struct est_buf *out)
{
    for (size_t i = 0; i < rp->n; i++)
        write_line(&rp->items[i], lang, out);
    if (rp->dropped > 0)
        est_buf_printf(out, lang == EST_LANG_PT ? "… e mais %zu\n" : "… and %zu more\n",
                       rp->dropped);
}

void est_report_print(const struct est_config_report *rp)
{
    struct est_buf b;

    est_buf_init(&b, OUTPUT_MAX);
    est_report_write(rp, EST_LANG_EN, &b);
    (void)fwrite(b.data ? b.data : "", 1, b.len, stderr);
    est_buf_fini(&b);
}
