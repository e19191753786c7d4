#include "schema.h"

#include "base/mem.h"
#include "canon.h"
#include "compile.h"
#include "schema_plan.h"

#include <avro.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum { MEMORY_MAX = 64 << 20, CANONICAL_MAX = 4 << 20 };

/* --- event schemas --- */

static bool is_text(const struct est_plan *p)
{
    return p->kind == EST_PLAN_STRING;
}

static bool is_time(const struct est_plan *p)
{
    return p->logical == EST_PLAN_TIMESTAMP_MILLIS;
}

static bool is_maybe_long(const struct est_plan *p)
{
    p = est_plan_nullable(p);
    return p != NULL && p->kind == EST_PLAN_LONG && p->logical == EST_PLAN_PLAIN;
}

static bool is_maybe_text(const struct est_plan *p)
{
    p = est_plan_nullable(p);
    return p != NULL && p->kind == EST_PLAN_STRING;
}

static bool is_null_or_text(const struct est_plan *p)
{
    return is_maybe_text(p) && p->null_branch == 0;
}

static bool is_object(const struct est_plan *p)
{
    return p->kind == EST_PLAN_RECORD || p->kind == EST_PLAN_MAP;
}

static const struct {
    const char *name;
    const char *type;
    bool (*fits)(const struct est_plan *p);
} roles[EST_PLAN_ROLE__COUNT] = {
    [EST_PLAN_ROLE_ID] = {"id", "a string", is_text},
    [EST_PLAN_ROLE_EVENT] = {"event", "a string", is_text},
    [EST_PLAN_ROLE_SOURCE] = {"source", "a string", is_text},
    [EST_PLAN_ROLE_TENANT] = {"tenant", "a string", is_text},
    [EST_PLAN_ROLE_OCCURRED_AT] = {"occurred_at", "a long of timestamp-millis", is_time},
    [EST_PLAN_ROLE_RECEIVED_AT] = {"received_at", "a long of timestamp-millis", is_time},
    [EST_PLAN_ROLE_DEDUP_ID] = {"dedup_id", "a string", is_text},
    [EST_PLAN_ROLE_SEQUENCE] = {"sequence", "null or a long", is_maybe_long},
    [EST_PLAN_ROLE_PAYLOAD] = {"payload", "a record or a map", is_object},
    [EST_PLAN_ROLE_EXTRA] = {"extra", "null or a string", is_maybe_text},
    [EST_PLAN_ROLE_CHAIN] = {"chain", "null (its default) or a string", is_null_or_text},
};

/* It stands first, so that it is found without reading what comes before it. */
static bool has_chain(const struct est_plan *p)
{
    return p->kind == EST_PLAN_RECORD && p->n > 0 &&
           est_view_is(p->fields[0].name, roles[EST_PLAN_ROLE_CHAIN].name);
}

/* found[EST_PLAN_ROLE_CHAIN] is only set where there is one. */
static est_err find_roles(const struct est_plan *p, size_t found[EST_PLAN_ROLE__COUNT],
                          struct est_why *reterr)
{
    size_t n = has_chain(p) ? EST_PLAN_ROLE__COUNT : EST_PLAN_ROLE_CHAIN;

    if (p->kind != EST_PLAN_RECORD || p->n != n)
        return est_why_set(reterr, EST_ERR_SCHEMA,
                           "an event is a record of %d fields, with \"chain\" before them or not",
                           EST_PLAN_ROLE_CHAIN);
    for (size_t i = 0; i < n; i++) {
        found[i] = est_plan_field_find(p, est_view_str(roles[i].name), i);
        if (found[i] == p->n)
            return est_why_set(reterr, EST_ERR_SCHEMA, "an event needs the field \"%s\"",
                               roles[i].name);
        if (!roles[i].fits(p->fields[found[i]].plan))
            return est_why_set(reterr, EST_ERR_SCHEMA, "the field \"%s\" of an event is %s",
                               roles[i].name, roles[i].type);
    }
    if (found[EST_PLAN_ROLE_EXTRA] < found[EST_PLAN_ROLE_PAYLOAD])
        return est_why_set(reterr, EST_ERR_SCHEMA, "\"extra\" must come after \"payload\"");
    return EST_OK;
}

static void set_roles(struct est_schema *sc)
{
    sc->is_event = find_roles(sc->plan, sc->role, NULL) == EST_OK;
    sc->has_chain = sc->is_event && has_chain(sc->plan);
    sc->is_usual = sc->is_event;
    for (size_t i = 0; sc->is_event && i < sc->plan->n; i++) {
        sc->role_of[sc->role[i]] = (enum est_plan_role)i;
        if (i < EST_PLAN_ROLE_CHAIN && sc->role[i] != i + sc->has_chain)
            sc->is_usual = false;
    }
}

/* --- making one --- */

static est_err set_canonical(struct est_schema *sc, struct est_why *reterr)
{
    struct est_buf b;
    char *copy;

    est_buf_init(&b, CANONICAL_MAX);
    est_canon_put(&b, sc->plan, true);
    sc->meaning = est_canon_fingerprint(est_buf_view(&b));
    est_buf_truncate(&b, 0);
    est_canon_put(&b, sc->plan, false);
    copy = b.failed ? NULL : est_arena_copy(&sc->json.arena, b.data, b.len);
    sc->canonical = est_view(copy, b.len);
    est_buf_fini(&b);
    if (copy == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "%s", est_err_text(EST_ERR_NOMEM));
    sc->fingerprint = est_canon_fingerprint(sc->canonical);
    return EST_OK;
}

/* avro-c must read the schema too: it is what other programs of the house would use, and a second
 * opinion on ours. Its error text is process-wide and grows, so it is not asked for. */
static est_err ask_avro(struct est_view text, struct est_why *reterr)
{
    avro_schema_t schema = NULL;

    if (avro_schema_from_json_length(text.data, text.len, &schema) != 0)
        return est_why_set(reterr, EST_ERR_SCHEMA, "avro-c cannot read this schema");
    avro_schema_decref(schema);
    return EST_OK;
}

static est_err read_text(struct est_schema *sc, struct est_view text, struct est_why *reterr)
{
    struct est_reject rj;
    const struct est_value *root;
    char *copy = est_arena_copy(&sc->json.arena, text.data, text.len);
    est_err err;

    if (copy == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "%s", est_err_text(EST_ERR_NOMEM));
    sc->text = est_view(copy, text.len);
    err = est_json_parse(&sc->json, text, &root, &rj);
    if (err == EST_ERR_NOMEM)
        return est_why_set(reterr, err, "%s", rj.detail);
    if (err)
        return est_why_set(reterr, EST_ERR_SCHEMA, "%s%s%s", rj.pointer, rj.pointer[0] ? ": " : "",
                           rj.detail);
    return est_compile(&sc->json.arena, (yyjson_val *)(uintptr_t)root, &sc->plan, reterr);
}

est_err est_schema_parse(struct est_view text, struct est_schema **ret, struct est_why *reterr)
{
    const struct est_json_limits limits = {.depth_max = 128, .memory_max = MEMORY_MAX};
    struct est_schema *sc;
    est_err err;

    if (text.len > EST_SCHEMA_TEXT_MAX)
        return est_why_set(reterr, EST_ERR_TOO_LARGE, "a schema has at most %d bytes",
                           EST_SCHEMA_TEXT_MAX);
    if ((sc = est_calloc(1, sizeof(*sc))) == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "%s", est_err_text(EST_ERR_NOMEM));
    est_json_tree_init(&sc->json, &limits);
    if ((err = read_text(sc, text, reterr)) != EST_OK ||
        (err = set_canonical(sc, reterr)) != EST_OK || (err = ask_avro(sc->text, reterr)) != EST_OK)
        goto fail;
    set_roles(sc);
    *ret = sc;
    return EST_OK;
fail:
    est_schema_free(sc);
    return err;
}

static est_err read_file(const char *path, struct est_buf *b, struct est_why *reterr)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 1;

    if (fd < 0)
        return est_why_set(reterr, errno == ENOENT ? EST_ERR_NOTFOUND : EST_ERR_CONF_FILE, "%s: %s",
                           path, strerror(errno));
    while (n > 0 && est_buf_reserve(b, 4096)) {
        n = read(fd, b->data + b->len, 4096);
        b->len += n > 0 ? (size_t)n : 0;
    }
    (void)close(fd);
    if (n < 0)
        return est_why_set(reterr, EST_ERR_CONF_FILE, "%s: %s", path, strerror(errno));
    return b->failed
               ? est_why_set(reterr, EST_ERR_TOO_LARGE, "%s: larger than a schema may be", path)
               : EST_OK;
}

est_err est_schema_load(const char *path, struct est_schema **ret, struct est_why *reterr)
{
    struct est_why why = {EST_OK, ""};
    struct est_buf b;
    est_err err;

    est_buf_init(&b, EST_SCHEMA_TEXT_MAX + 4096);
    err = read_file(path, &b, reterr);
    if (err == EST_OK) {
        err = est_schema_parse(est_buf_view(&b), ret, &why);
        if (err)
            (void)est_why_set(reterr, err, "%.80s: %s", path, why.text);
    }
    est_buf_fini(&b);
    return err;
}

void est_schema_free(struct est_schema *sc)
{
    if (sc == NULL)
        return;
    est_json_tree_fini(&sc->json);
    est_free(sc);
}

/* --- asking one --- */

struct est_view est_schema_text(const struct est_schema *sc)
{
    return sc->text;
}

struct est_view est_schema_name(const struct est_schema *sc)
{
    return sc->plan->name;
}

uint64_t est_schema_fingerprint(const struct est_schema *sc)
{
    return sc->fingerprint;
}

struct est_view est_schema_canonical(const struct est_schema *sc)
{
    return sc->canonical;
}

bool est_schema_is_event(const struct est_schema *sc)
{
    return sc->is_event;
}

est_err est_schema_check_event(const struct est_schema *sc, struct est_why *reterr)
{
    size_t unused[EST_PLAN_ROLE__COUNT];

    return find_roles(sc->plan, unused, reterr);
}
