/* esteira pause, resume: a field in Redis that consumers look at once a second. */
#include "cli.h"
#include "store.h"

#include "base/jsonw.h"

#include <stdio.h>
#include <string.h>

enum { KEY_MAX = 400, AT_MAX = 24 };

struct pausing {
    struct cli *cli;
    struct fetch fetch;
    struct store store;
    bool done;
    est_err err;
};

static void on_done(void *arg, est_err err, const struct est_redis_reply *r)
{
    struct pausing *p = arg;

    (void)r;
    p->err = err;
    p->done = true;
}

static est_err set_field(struct pausing *p, const struct est_config *cfg, const char *destination,
                         const char *type, bool paused)
{
    char key[KEY_MAX], at[AT_MAX];
    est_err err;

    (void)snprintf(key, sizeof(key), "%spaused:%s", cfg->redis_prefix, destination);
    (void)snprintf(at, sizeof(at), "%lld", (long long)(est_clock_wall() / EST_MS));
    const struct est_view words[] = {paused ? EST_VIEW_LIT("HSET") : EST_VIEW_LIT("HDEL"),
                                     est_view_str(key), est_view_str(type), est_view_str(at)};
    err = est_redis_command(p->store.redis, paused ? 4 : 3, words, on_done, p);
    if (err != EST_OK)
        return err;
    store_await(&p->store, &p->done);
    p->done = false;
    return p->err;
}

static void say(struct out *o, const char *destination, const char *type, bool paused)
{
    struct est_buf *b;

    if (!o->json) {
        out_mark(o, MARK_OK, paused ? TEXT_TYPE_PAUSED : TEXT_TYPE_RESUMED,
                 OUT_ARGS(type, destination));
        return;
    }
    b = out_json_begin(o, paused ? "paused" : "resumed");
    est_json_put_name(b, "destination");
    est_json_put_str(b, destination);
    est_json_put_name(b, "type");
    est_json_put_str(b, type);
    out_json_end(o);
}

/* Of all destinations, unless one was named. */
static int set_all(struct pausing *p, const struct est_config *cfg, bool paused)
{
    const char *only = p->cli->args.destination, *type = p->cli->words[0];

    for (size_t i = 0; i < cfg->n_destinations; i++) {
        const char *name = cfg->destinations[i].name;
        est_err err;
        if (only != NULL && strcmp(only, name) != 0)
            continue;
        err = set_field(p, cfg, name, type, paused);
        if (err != EST_OK) {
            out_failure(&p->cli->out, err, NULL, store_exit(err));
            return store_exit(err);
        }
        say(&p->cli->out, name, type, paused);
    }
    return EXIT_FINE;
}

static int with_redis(struct cli *cli, const struct est_config *cfg, bool paused)
{
    struct pausing p = {.cli = cli};
    struct est_why why = {0};
    est_err err = fetch_open(&p.fetch, "", &why);
    int code;

    if (err == EST_OK) {
        err = store_open(&p.store, &p.fetch, cfg, NULL, cli->args.timeout, &why);
        if (err == EST_OK) {
            code = set_all(&p, cfg, paused);
            store_close(&p.store);
            fetch_close(&p.fetch);
            return code;
        }
        fetch_close(&p.fetch);
    }
    out_failure(&cli->out, err, &why, store_exit(err));
    return store_exit(err);
}

static int pause_or_resume(struct cli *cli, bool paused)
{
    const char *destination = cli->args.destination;
    int code = EXIT_FINE;
    struct est_config *cfg = cli_config(cli, &code);

    if (cfg == NULL)
        return code;
    if (est_config_type(cfg, cli->words[0]) == NULL)
        code = cli_unknown_type(cli, cfg, cli->words[0]);
    else if (destination != NULL && est_config_destination(cfg, destination) == NULL)
        code = cli_unknown_destination(cli, cfg, destination);
    else
        code = with_redis(cli, cfg, paused);
    est_config_free(cfg);
    return code;
}

int cmd_pause(struct cli *cli)
{
    return pause_or_resume(cli, true);
}

int cmd_resume(struct cli *cli)
{
    return pause_or_resume(cli, false);
}
