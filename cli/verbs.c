#include "verbs.h"

#include "config/line.h"
#include "config/nearest.h"

#include <string.h>

enum verb_id {
#define GROUP(id)
#define VERB(id, ...) VERB_##id,
#include "verbs.def"
#undef VERB
    VERBS
};

static const struct verb verbs[VERBS] = {
#define VERB(id, ...) [VERB_##id] = {__VA_ARGS__},
#include "verbs.def"
#undef VERB
#undef GROUP
};

static const struct {
    const char *summary[EST_LANGS], *text[EST_LANGS];
} pages[VERBS] = {
#define HELP(id, en_summary, pt_summary, en, pt) [VERB_##id] = {{en_summary, pt_summary}, {en, pt}},
#include "help.def"
#undef HELP
};

const struct verb *verbs_at(size_t i)
{
    return i < VERBS ? &verbs[i] : NULL;
}

const char *verbs_help(const struct verb *v, enum est_lang lang)
{
    return pages[v - verbs].text[lang];
}

/* How many words of the name `words` begins with; 0 when it is another. */
static size_t matches(const char *name, const char *const *words, size_t n)
{
    size_t taken = 0;

    while (*name != '\0') {
        size_t len = strcspn(name, " ");
        if (taken == n || !est_view_is(est_view(name, len), words[taken]))
            return 0;
        taken++;
        name += len + (name[len] == ' ');
    }
    return taken;
}

const struct verb *verbs_find(const char *const *words, size_t n, size_t *ret_taken)
{
    for (size_t i = 0; i < VERBS; i++) {
        size_t taken = matches(verbs[i].name, words, n);
        if (taken > 0) {
            *ret_taken = taken;
            return &verbs[i];
        }
    }
    return NULL;
}

/* Compared with the first word and with the first two. */
void verbs_nearest(const char *const *words, size_t n, char *out, size_t max)
{
    struct est_nearest one, two;
    char both[128];

    est_line_printf(both, sizeof(both), "%s %s", words[0], n > 1 ? words[1] : "");
    est_nearest_init(&one, est_view_str(words[0]));
    est_nearest_init(&two, est_view_str(both));
    for (size_t i = 0; i < VERBS; i++) {
        est_nearest_offer(&one, est_view_str(verbs[i].name));
        est_nearest_offer(&two, est_view_str(verbs[i].name));
    }
    est_line_copy(out, max, two.distance < one.distance ? two.best : one.best);
}

static void put_verb(struct est_buf *out, enum verb_id id, enum est_lang lang)
{
    est_buf_printf(out, "  %-18s%s\n", verbs[id].name, pages[id].summary[lang]);
}

void verbs_put_overview(struct est_buf *out, enum est_lang lang)
{
    est_buf_puts(out, lang_text(lang, TEXT_OVERVIEW_HEAD));
#define GROUP(id) est_buf_printf(out, "%s\n", lang_text(lang, TEXT_GROUP_##id));
#define VERB(id, ...) put_verb(out, VERB_##id, lang);
#include "verbs.def"
#undef VERB
#undef GROUP
    est_buf_puts(out, lang_text(lang, TEXT_OVERVIEW_TAIL));
}
