/* esteira: the command line. Which commands there are stands in verbs.def, which options in
 * options.def. */
#include "cli.h"
#include "verbs.h"

#include "config/line.h"

#include <string.h>

static int usage(struct cli *cli, enum text id, const char *const *args)
{
    out_error_text(&cli->out, id, args, NULL, EXIT_USAGE);
    out_talk(&cli->out, TEXT_SEE_HELP, OUT_ARGS(""));
    return EXIT_USAGE;
}

static int wrong_args(struct cli *cli, const struct args_fault *f)
{
    static const enum text texts[] = {
        [ARGS_UNKNOWN] = TEXT_UNKNOWN_OPTION,  [ARGS_NEEDS_VALUE] = TEXT_NEEDS_VALUE,
        [ARGS_NO_VALUE] = TEXT_TAKES_NO_VALUE, [ARGS_BAD_VALUE] = TEXT_BAD_VALUE,
        [ARGS_TOO_MANY] = TEXT_TOO_MANY_WORDS,
    };
    enum text id = texts[f->wrong];

    if (f->wrong == ARGS_UNKNOWN && f->near[0] != '\0')
        id = TEXT_UNKNOWN_OPTION_NEAR;
    return usage(cli, id, OUT_ARGS(f->subject, f->near));
}

static int wrong_verb(struct cli *cli)
{
    const struct args *a = &cli->args;
    char near[64], name[128];

    verbs_nearest(a->words, a->n_words, near, sizeof(near));
    est_line_printf(name, sizeof(name), "%s%s%s", a->words[0], a->n_words > 1 ? " " : "",
                    a->n_words > 1 ? a->words[1] : "");
    return usage(cli, near[0] != '\0' ? TEXT_UNKNOWN_VERB_NEAR : TEXT_UNKNOWN_VERB,
                 OUT_ARGS(name, near));
}

static int overview(struct cli *cli, int code)
{
    struct est_buf page;

    est_buf_init(&page, 16384);
    verbs_put_overview(&page, cli->out.lang);
    (void)fwrite(est_buf_view(&page).data, 1, page.len, code == EXIT_FINE ? stdout : stderr);
    est_buf_fini(&page);
    return code;
}

static int version(struct cli *cli)
{
    if (!cli->out.json) {
        out_put(&cli->out, EST_VIEW_LIT("esteira " ESTEIRA_VERSION "\n"));
        return EXIT_FINE;
    }
    est_buf_puts(out_json_begin(&cli->out, "version"), ",\"version\":\"" ESTEIRA_VERSION "\"");
    out_json_end(&cli->out);
    return EXIT_FINE;
}

/* An option of another command is an error, never ignored. */
static int foreign_option(struct cli *cli, const struct verb *v)
{
    uint64_t allowed = v->options | ((1ULL << ARGS_GLOBAL) - 1),
             foreign = cli->args.given & ~allowed;

    if (foreign == 0)
        return EXIT_FINE;
    return usage(cli, TEXT_FOREIGN_OPTION,
                 OUT_ARGS(args_name((enum args_id)__builtin_ctzll(foreign)), v->name));
}

static bool is_choice(const char *value, const char *const *choices)
{
    for (; value != NULL && *choices != NULL; choices++)
        if (strcmp(value, *choices) == 0)
            return true;
    return value == NULL;
}

static int run(struct cli *cli)
{
    const struct args *a = &cli->args;
    const struct verb *v;
    size_t taken = 0;
    int code;

    if (!is_choice(a->color, OUT_ARGS("auto", "always", "never")))
        return usage(cli, TEXT_BAD_VALUE, OUT_ARGS("--color", "auto|always|never"));
    if (!is_choice(a->lang, OUT_ARGS("pt", "en")))
        return usage(cli, TEXT_BAD_VALUE, OUT_ARGS("--lang", "pt|en"));
    if (a->version)
        return version(cli);
    if (a->n_words == 0)
        return overview(cli, a->help ? EXIT_FINE : EXIT_USAGE);
    v = verbs_find(a->words, a->n_words, &taken);
    if (v == NULL)
        return wrong_verb(cli);
    if (a->help) {
        out_put(&cli->out, est_view_str(verbs_help(v, cli->out.lang)));
        return EXIT_FINE;
    }
    if ((code = foreign_option(cli, v)) != EXIT_FINE)
        return code;
    cli->words = a->words + taken;
    cli->n_words = a->n_words - taken;
    if (cli->n_words < v->least)
        return usage(cli, TEXT_TOO_FEW_WORDS, OUT_ARGS(v->name));
    if (cli->n_words > v->most)
        return usage(cli, TEXT_TOO_MANY_WORDS, OUT_ARGS(cli->words[v->most]));
    return v->run(cli);
}

int main(int argc, char **argv)
{
    struct cli cli = {.words = NULL};
    struct args_fault fault;
    bool good = args_parse(argc, argv, &cli.args, &fault);
    int code;

    out_init(&cli.out, &cli.args);
    code = good ? run(&cli) : wrong_args(&cli, &fault);
    code = out_finish(&cli.out, code);
    out_fini(&cli.out);
    return code;
}
