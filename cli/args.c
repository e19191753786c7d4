#include "args.h"

#include "config/line.h"
#include "config/nearest.h"
#include "config/unit.h"

#include <string.h>

enum kind { FLAG, TEXT, DURATION, NUMBER, MANY };

struct option {
    const char *name; /* with its two hyphens */
    char letter;
    enum kind kind;
    const char *placeholder;
    size_t offset;
};

static const struct option options[ARGS_OPTIONS] = {
#define OPTION(id, name, letter, kind, value, field) \
    [ARGS_##id] = {"--" name, letter, kind, value, offsetof(struct args, field)},
#include "options.def"
#undef OPTION
};

const char *args_name(enum args_id id)
{
    return options[id].name;
}

static bool refuse(struct args_fault *f, enum args_wrong wrong, struct est_view subject,
                   const char *near)
{
    f->wrong = wrong;
    est_line_copy(f->subject, sizeof(f->subject), subject);
    est_line_copy(f->near, sizeof(f->near), est_view_str(near));
    return false;
}

static bool takes_value(const struct option *o)
{
    return o->kind != FLAG;
}

static bool add_many(struct args_many *many, const char *value)
{
    if (many->n == ARGS_MANY_MAX)
        return false;
    many->items[many->n++] = value;
    return true;
}

static bool store(const struct option *o, const char *value, struct args *a)
{
    void *at = (char *)a + o->offset;

    switch (o->kind) {
    case FLAG: *(bool *)at = true; return true;
    case TEXT: *(const char **)at = value; return value[0] != '\0';
    case DURATION: return est_unit_duration(est_view_str(value), at) == EST_OK;
    case NUMBER: return est_unit_count(est_view_str(value), at) == EST_OK;
    case MANY: return add_many(at, value);
    }
    return false;
}

/* The rest of the command line. */
struct rest {
    char **at, **end;
};

static bool take(const struct option *o, const char *value, struct rest *r, struct args *a,
                 struct args_fault *f)
{
    struct est_view name = est_view_str(o->name);

    if (takes_value(o) && value == NULL) {
        if (r->at == r->end)
            return refuse(f, ARGS_NEEDS_VALUE, name, o->placeholder);
        value = *r->at++;
    }
    if (!takes_value(o) && value != NULL)
        return refuse(f, ARGS_NO_VALUE, name, "");
    if (!store(o, value, a))
        return refuse(f, ARGS_BAD_VALUE, name, o->placeholder);
    a->given |= 1ULL << (o - options);
    return true;
}

static bool unknown(struct est_view name, struct args_fault *f)
{
    struct est_nearest near;
    char best[32] = "";

    est_nearest_init(&near, name);
    for (size_t i = 0; i < ARGS_OPTIONS; i++)
        est_nearest_offer(&near, est_view_str(options[i].name));
    est_line_copy(best, sizeof(best), near.best);
    return refuse(f, ARGS_UNKNOWN, name, best);
}

static bool parse_long(const char *arg, struct rest *r, struct args *a, struct args_fault *f)
{
    size_t n = strcspn(arg, "=");

    for (size_t i = 0; i < ARGS_OPTIONS; i++)
        if (est_view_is(est_view(arg, n), options[i].name))
            return take(&options[i], arg[n] == '=' ? arg + n + 1 : NULL, r, a, f);
    return unknown(est_view(arg, n), f);
}

static const struct option *by_letter(char letter)
{
    for (size_t i = 0; i < ARGS_OPTIONS; i++)
        if (options[i].letter != 0 && options[i].letter == letter)
            return &options[i];
    return NULL;
}

/* `-qy` is two flags; `-cFILE` an option and its value. */
static bool parse_short(const char *arg, struct rest *r, struct args *a, struct args_fault *f)
{
    for (const char *c = arg + 1; *c != '\0'; c++) {
        const struct option *o = by_letter(*c);
        if (o == NULL)
            return unknown(est_view_str(arg), f);
        if (takes_value(o))
            return take(o, c[1] != '\0' ? c + 1 : NULL, r, a, f);
        if (!take(o, NULL, r, a, f))
            return false;
    }
    return true;
}

static bool add_word(const char *word, struct args *a, struct args_fault *f)
{
    if (a->n_words == ARGS_WORDS_MAX)
        return refuse(f, ARGS_TOO_MANY, est_view_str(word), "");
    a->words[a->n_words++] = word;
    return true;
}

bool args_parse(int argc, char **argv, struct args *ret, struct args_fault *ret_fault)
{
    struct rest r = {argv + (argc > 0), argv + argc};
    bool options_end = false, good = true;

    *ret = (struct args){.timeout = 10 * EST_SECOND};
    *ret_fault = (struct args_fault){.wrong = ARGS_FINE};
    while (good && r.at < r.end) {
        const char *arg = *r.at++;
        if (options_end || arg[0] != '-' || arg[1] == '\0')
            good = add_word(arg, ret, ret_fault);
        else if (strcmp(arg, "--") == 0)
            options_end = true;
        else if (arg[1] == '-')
            good = parse_long(arg, &r, ret, ret_fault);
        else
            good = parse_short(arg, &r, ret, ret_fault);
    }
    return good;
}
