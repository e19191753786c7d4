#include "cli.h"
#include "import_aside.h"
#include "import_list.h"
#include "progress.h"
#include "sender.h"

#include "base/jsonw.h"
#include "config/line.h"
#include "config/url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define FOLLOW_PAUSE (1 * EST_SECOND)
#define LOCK_PATIENCE (12 * EST_SECOND) /* an import that was killed holds its lock so long */
#define LOCK_PAUSE (500 * EST_MS)

enum { PATH_MAX_BYTES = 512 };

struct import {
    struct cli *cli;
    struct sender sender;
    struct lines lines;
    struct store store;
    struct import_list list;
    struct import_aside aside;
    struct progress progress;
    char aside_path[PATH_MAX_BYTES];
    uint64_t taken; /* entries of finished batches */
    bool io_failed; /* the set-aside file cannot be written */
};

static void fail(struct import *im, est_err err, const struct est_why *why, int code)
{
    im->sender.code = code;
    out_failure(&im->cli->out, err, why, code);
}

/* --- one entry: to the shim, or aside --- */

static void set_aside(struct import *im, size_t i, const char *code, const char *reason)
{
    struct est_why why = {.code = EST_ERR_IO};

    if (im->io_failed ||
        import_aside_put(&im->aside, &im->list.batch, i, im->list.name, code, reason) == EST_OK)
        return;
    im->io_failed = true;
    est_line_printf(why.text, sizeof(why.text), "%s: %s", im->aside_path, strerror(errno));
    fail(im, EST_ERR_IO, &why, EXIT_IO);
}

static void on_refused(void *arg, uint64_t number, const char *code, const char *detail,
                       const char *pointer)
{
    char reason[400];

    est_line_printf(reason, sizeof(reason), "%s%s%s", pointer, pointer[0] != '\0' ? ": " : "",
                    detail);
    set_aside(arg, number, code, reason);
}

/* Line breaks in JSON stand between its tokens only. */
static void put_in_one_line(struct est_buf *b, struct est_view text)
{
    size_t from = b->len;

    est_buf_put_view(b, text);
    for (size_t i = from; !b->failed && i < b->len; i++)
        if (b->data[i] == '\n' || b->data[i] == '\r')
            b->data[i] = ' ';
}

static void add_line(struct import *im, size_t i, struct est_view text, bool has_id)
{
    struct lines *ls = &im->lines;
    struct line *l = &ls->batch[ls->n];
    struct est_view rest = est_view_trim(est_view(text.data + 1, text.len - 1));
    char id[EST_UUID_LEN + 1];

    *l = (struct line){.number = i, .offset = ls->body.len};
    if (has_id) {
        put_in_one_line(&ls->body, text);
    } else {
        import_batch_id(&im->list.batch, i, id);
        est_buf_printf(&ls->body, "{\"id\":\"%s\"%s", id, rest.data[0] == '}' ? "" : ",");
        put_in_one_line(&ls->body, rest);
    }
    l->len = ls->body.len - l->offset;
    est_buf_putc(&ls->body, '\n');
    ls->n++;
}

/* JSON whitespace, which Redis may hold around the object. */
static struct est_view strip(struct est_view v)
{
    while (v.len > 0 && strchr(" \t\r\n", v.data[0]) != NULL)
        v = est_view(v.data + 1, v.len - 1);
    while (v.len > 0 && strchr(" \t\r\n", v.data[v.len - 1]) != NULL)
        v.len--;
    return v;
}

static void add_entry(struct import *im, size_t i)
{
    struct est_view text = strip(import_batch_entry(&im->list.batch, i));
    const struct est_value *v = NULL;
    struct est_reject reject = {.code = EST_OK};
    est_err err = text.len > LINES_LINE_MAX ? EST_ERR_TOO_LARGE : EST_OK;

    est_json_clear(im->lines.json);
    if (err == EST_OK)
        err = est_json_parse(im->lines.json, text, &v, &reject);
    if (err == EST_OK && est_json_type(v) != EST_JSON_OBJECT)
        err = EST_ERR_EVENT_SHAPE;
    if (err != EST_OK)
        set_aside(im, i, est_err_code(err), est_err_text(err));
    else
        add_line(im, i, text, est_json_get(v, "id") != NULL);
}

/* --- one batch --- */

/* The shim took offence at the request as a whole: one event after the other, then, and the one
 * that it does not take alone is set aside. */
static bool is_whole_refused(const struct import *im)
{
    return im->sender.code == EXIT_DATA && im->lines.n > 0;
}

static void send_singly(struct import *im)
{
    size_t n = im->list.batch.n;
    est_err err;

    im->sender.code = EXIT_FINE;
    for (size_t i = 0; i < n && im->sender.code == EXIT_FINE; i++) {
        est_buf_clear(&im->lines.body);
        im->lines.n = 0;
        if (im->aside.seen[i])
            continue;
        add_entry(im, i);
        if (im->lines.n > 0)
            sender_send(&im->sender);
        if (!is_whole_refused(im))
            continue;
        err = im->sender.answer.status == 413 ? EST_ERR_TOO_LARGE : EST_ERR_EVENT_SHAPE;
        im->sender.code = EXIT_FINE;
        set_aside(im, i, est_err_code(err), est_err_text(err));
    }
}

static void send_batch(struct import *im)
{
    struct est_why why = {.code = EST_OK};
    est_err err = import_aside_begin(&im->aside, &im->list.batch);

    est_buf_clear(&im->lines.body);
    im->lines.n = 0;
    for (size_t i = 0; err == EST_OK && i < im->list.batch.n; i++)
        add_entry(im, i);
    if (err == EST_OK)
        err = est_buf_err(&im->lines.body);
    if (err != EST_OK) {
        est_line_printf(why.text, sizeof(why.text), "%s: %s", im->aside_path, strerror(errno));
        fail(im, err, &why, EXIT_IO);
        return;
    }
    if (im->sender.code == EXIT_FINE && im->lines.n > 0)
        sender_send(&im->sender);
    if (is_whole_refused(im))
        send_singly(im);
}

/* On disk first what is set aside, then away with the batch. */
static void finish_batch(struct import *im)
{
    struct est_why why = {.code = EST_OK};
    est_err err = import_aside_sync(&im->aside);

    if (err != EST_OK) {
        est_line_printf(why.text, sizeof(why.text), "%s: %s", im->aside_path, strerror(errno));
        fail(im, err, &why, EXIT_IO);
        return;
    }
    err = import_list_done(&im->list, &why);
    if (err != EST_OK)
        fail(im, err, &why, err == EST_ERR_FENCED ? EXIT_AGAIN : store_exit(err));
    else
        im->taken += im->list.batch.n;
}

/* --- all of it --- */

/* At the beginning an import that was killed may still hold the lock, for some seconds. */
static est_err take(struct import *im, struct est_why *why)
{
    est_us until = est_clock_mono() + LOCK_PATIENCE;
    est_err err = import_list_take(&im->list, why);

    if (err == EST_ERR_FENCED && im->taken == 0)
        out_talk(&im->cli->out, TEXT_IMPORT_LOCKED, OUT_ARGS(im->list.name));
    while (err == EST_ERR_FENCED && im->taken == 0 && est_clock_mono() < until &&
           !im->sender.fetch.interrupted) {
        fetch_wait(&im->sender.fetch, LOCK_PAUSE);
        err = import_list_take(&im->list, why);
    }
    return err;
}

static void show_progress(struct import *im)
{
    im->progress.total = im->taken + im->list.batch.left;
    progress_show(&im->progress, &im->cli->out, est_clock_mono(), im->taken, im->taken);
}

static void import_batches(struct import *im)
{
    struct est_why why = {.code = EST_OK};

    while (im->sender.code == EXIT_FINE) {
        est_err err = take(im, &why);
        if (err != EST_OK) {
            fail(im, err, &why, err == EST_ERR_FENCED ? EXIT_AGAIN : store_exit(err));
            return;
        }
        if (im->list.batch.n == 0 && !im->cli->args.follow)
            break;
        if (im->list.batch.n == 0)
            fetch_wait(&im->sender.fetch, FOLLOW_PAUSE);
        else
            send_batch(im);
        if (im->sender.code == EXIT_FINE && im->list.batch.n > 0)
            finish_batch(im);
        show_progress(im);
        if (im->sender.fetch.interrupted && im->sender.code == EXIT_FINE)
            im->sender.code = EXIT_INTERRUPTED;
    }
}

static void import_all(struct import *im)
{
    import_batches(im);
    if (im->store.up)
        import_list_end(&im->list);
}

static void sum_up(struct import *im)
{
    struct out *o = &im->cli->out;
    struct est_buf n[3];
    const uint64_t values[] = {im->sender.accepted, im->aside.n, im->list.batch.left};

    out_wipe(o);
    if (o->json) {
        struct est_buf *b = out_json_begin(o, "imported");
        est_buf_printf(b, ",\"accepted\":%llu,\"set_aside\":%llu,\"left\":%llu,\"ms\":%lld",
                       (unsigned long long)values[0], (unsigned long long)values[1],
                       (unsigned long long)values[2],
                       (long long)((est_clock_mono() - im->progress.started) / EST_MS));
        out_json_end(o);
        return;
    }
    for (size_t i = 0; i < 3; i++) {
        est_buf_init(&n[i], 32);
        lang_put_number(&n[i], o->lang, values[i]);
        est_buf_putc(&n[i], '\0');
    }
    out_mark(o, im->sender.code == EXIT_FINE && im->aside.n == 0 ? MARK_OK : MARK_WARN,
             TEXT_IMPORTED, OUT_ARGS(n[0].data, n[2].data));
    if (im->aside.n > 0)
        out_talk(o, TEXT_IMPORT_ASIDE, OUT_ARGS(n[1].data, im->aside_path));
    for (size_t i = 0; i < 3; i++)
        est_buf_fini(&n[i]);
}

/* --- which end --- */

static void tell_end(struct import *im, bool by_times)
{
    char count[24];
    bool left = im->list.pushed != IMPORT_PUSHED_RIGHT;
    enum text id = im->cli->args.pushed != NULL ? TEXT_IMPORT_END_TOLD
                   : by_times                   ? TEXT_IMPORT_END_SEEN
                                                : TEXT_IMPORT_END_GUESSED;

    est_line_printf(count, sizeof(count), "%llu", (unsigned long long)im->list.look_left);
    out_talk(&im->cli->out, id,
             OUT_ARGS(im->list.name, count, left ? "LPUSH" : "RPUSH", left ? "left" : "right"));
}

static est_err choose_end(struct import *im, struct est_why *why)
{
    const char *told = im->cli->args.pushed;
    est_err err = import_list_look(&im->list, why);

    if (err != EST_OK)
        return err;
    if (told != NULL)
        im->list.pushed = strcmp(told, "right") == 0 ? IMPORT_PUSHED_RIGHT : IMPORT_PUSHED_LEFT;
    else
        im->list.pushed = im->list.look_pushed;
    tell_end(im, im->list.look_pushed != IMPORT_PUSHED_UNKNOWN);
    return EST_OK;
}

/* --- the command --- */

/* "dashboard-events.set-aside.ndjson" here, unless --set-aside names another. */
static void name_aside(struct import *im)
{
    char *colon = im->aside_path;

    if (im->cli->args.set_aside != NULL) {
        est_line_copy(im->aside_path, sizeof(im->aside_path),
                      est_view_str(im->cli->args.set_aside));
        return;
    }
    est_line_printf(im->aside_path, sizeof(im->aside_path), "%.400s.set-aside.ndjson",
                    im->list.name);
    while ((colon = strpbrk(colon, ":/")) != NULL)
        *colon = '-';
}

static int run(struct import *im, const struct est_config *cfg, const char *url)
{
    struct est_why why = {.code = EST_OK};
    const char *name = im->cli->args.list != NULL ? im->cli->args.list : "dashboard:events";
    est_err err;

    im->progress.started = est_clock_mono();
    if ((err = lines_init(&im->lines, NULL, NULL, NULL)) ||
        (err = sender_open(&im->sender, &why)) ||
        (err = store_open(&im->store, &im->sender.fetch, cfg, url, im->cli->args.timeout, &why))) {
        fail(im, err, &why, store_exit(err));
    } else {
        import_list_init(&im->list, &im->store, name, im->cli->args.timeout);
        name_aside(im);
        import_aside_init(&im->aside, im->aside_path);
        err = choose_end(im, &why);
        if (err != EST_OK)
            fail(im, err, &why, store_exit(err));
        else if (!im->cli->args.dry_run)
            import_all(im);
        if (err == EST_OK && !im->cli->args.dry_run)
            sum_up(im);
        import_aside_fini(&im->aside);
        import_list_fini(&im->list);
        store_close(&im->store);
    }
    sender_close(&im->sender);
    lines_fini(&im->lines);
    return im->sender.code == EXIT_FINE && im->aside.n > 0 ? EXIT_DATA : im->sender.code;
}

static bool is_end(const char *pushed)
{
    return pushed == NULL || strcmp(pushed, "left") == 0 || strcmp(pushed, "right") == 0;
}

/* Arguments stand in the process list, so no password comes from there. */
static const char *wrong_argument(const struct args *a)
{
    if (!is_end(a->pushed))
        return "--pushed left|right";
    if (a->redis != NULL && est_url_secret(est_view_str(a->redis), a->redis).len > 0)
        return "--redis";
    return NULL;
}

static int with_target(struct import *im)
{
    struct cli *cli = im->cli;
    const char *env = getenv("ESTEIRA_LEGACY_REDIS_URL");
    const char *url = cli->args.redis != NULL ? cli->args.redis : env;
    struct est_config *cfg;
    int code = EXIT_FINE;

    if (!target_url(cli, im->sender.base, im->sender.url, &code))
        return code;
    cfg = cli_config(cli, &code);
    if (cfg == NULL)
        return code;
    code = run(im, cfg, url);
    est_config_free(cfg);
    return code;
}

int cmd_import_legacy(struct cli *cli)
{
    struct import im = {.cli = cli};
    struct est_secret *secret = NULL;
    struct est_why why = {.code = EST_OK};
    const char *wrong = wrong_argument(&cli->args);
    int code;

    if (wrong != NULL) {
        out_error_text(&cli->out,
                       cli->args.redis != NULL && is_end(cli->args.pushed) ? TEXT_IMPORT_PASSWORD
                                                                           : TEXT_BAD_VALUE,
                       OUT_ARGS("--pushed", "left|right"), NULL, EXIT_USAGE);
        return EXIT_USAGE;
    }
    if (target_token(cli->args.token_file, &secret, &why)) {
        out_failure(&cli->out, why.code, &why, EXIT_NO_INPUT);
        return EXIT_NO_INPUT;
    }
    im.sender = (struct sender){.cli = cli,
                                .lines = &im.lines,
                                .refuse = on_refused,
                                .arg = &im,
                                .token = est_secret_get(secret)};
    code = with_target(&im);
    est_secret_free(secret);
    return code;
}
