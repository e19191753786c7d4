#include "cli.h"

#include "base/jsonw.h"
#include "config/advice.h"
#include "config/nearest.h"

static const enum text dispositions[] = {
    [EST_RETRY] = TEXT_THEN_RETRY,
    [EST_POISON] = TEXT_THEN_POISON,
    [EST_PAUSE] = TEXT_THEN_PAUSE,
    [EST_FATAL] = TEXT_THEN_FATAL,
};

static int unknown(struct cli *cli, const char *code)
{
    struct est_nearest near;
    char best[64];

    est_nearest_init(&near, est_view_str(code));
    for (int err = EST_OK + 1; err < EST_ERR__COUNT; err++)
        est_nearest_offer(&near, est_view_str(est_err_code((est_err)err)));
    (void)snprintf(best, sizeof(best), "%.*s", (int)near.best.len,
                   near.best.data ? near.best.data : "");
    out_error_text(&cli->out, best[0] != '\0' ? TEXT_NO_CODE_NEAR : TEXT_NO_CODE,
                   OUT_ARGS(code, best), NULL, EXIT_NO);
    return EXIT_NO;
}

static void explain_json(struct out *o, est_err err)
{
    struct est_buf *b = out_json_begin(o, "explain");

    est_json_put_name(b, "code");
    est_json_put_str(b, est_err_code(err));
    est_json_put_name(b, "meaning");
    est_json_put_str(b, est_err_text(err));
    est_json_put_name(b, "then");
    est_json_put_str(b, lang_text(EST_LANG_EN, dispositions[est_err_disposition(err)]));
    est_json_put_name(b, "next");
    est_json_put_str(b, est_advice_text(err, EST_LANG_EN));
    out_json_end(o);
}

int cmd_explain(struct cli *cli)
{
    est_err err = est_advice_find(cli->words[0]);
    struct out *o = &cli->out;

    if (err == EST_OK)
        return unknown(cli, cli->words[0]);
    if (o->json) {
        explain_json(o, err);
        return EXIT_FINE;
    }
    out_say(o, TEXT_EXPLAIN_HEAD, OUT_ARGS(est_err_code(err), est_err_text(err)));
    out_say(o, TEXT_EXPLAIN_THEN,
            OUT_ARGS(lang_text(o->lang, dispositions[est_err_disposition(err)])));
    out_say(o, TEXT_EXPLAIN_NEXT, OUT_ARGS(est_advice_text(err, o->lang)));
    return EXIT_FINE;
}
