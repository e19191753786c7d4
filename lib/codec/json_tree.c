#include "json_tree.h"

#include "base/id.h"
#include "base/map.h"

#include <string.h>

enum { PAIRWISE_MAX = 16 }; /* members up to which comparing each with each beats a hash table */

void est_json_tree_init(struct est_json *js, const struct est_json_limits *limits)
{
    limits = limits ? limits : &est_json_limits_default;
    est_arena_init(&js->arena, limits->memory_max);
    js->depth_max = limits->depth_max;
}

void est_json_tree_init_with(struct est_json *js, void *first, size_t size)
{
    est_arena_init_with(&js->arena, first, size, est_json_limits_default.memory_max);
    js->depth_max = est_json_limits_default.depth_max;
}

void est_json_tree_fini(struct est_json *js)
{
    est_arena_fini(&js->arena);
}

static void *yy_malloc(void *ctx, size_t size)
{
    return est_arena_alloc(ctx, size);
}

static void *yy_realloc(void *ctx, void *p, size_t old, size_t size)
{
    return est_arena_realloc(ctx, p, old, size);
}

static void yy_free(void *ctx, void *p)
{
    est_arena_return(ctx, p);
}

static const char *fault_text(yyjson_read_code code)
{
    static const char *const texts[] = {
        [0] = "is not valid",
        [1] = "is empty",
        [2] = "is too large",
        [3] = "is empty",
        [4] = "goes on behind its end",
        [5] = "ends too early",
        [6] = "has a character that cannot stand there",
        [7] = "has a comma or bracket too many",
        [8] = "has a comment",
        [9] = "has a malformed number",
        [10] = "has a malformed string, or text that is not UTF-8",
        [11] = "has a malformed literal",
    };

    return code < sizeof(texts) / sizeof(texts[0]) ? texts[code] : texts[0];
}

static est_err read_fault(const struct est_json *js, const yyjson_read_err *e,
                          struct est_reject *rj)
{
    if (e->code != YYJSON_READ_ERROR_MEMORY_ALLOCATION)
        return est_reject_set(rj, EST_ERR_JSON, "the JSON %s (byte %zu)", fault_text(e->code),
                              e->pos);
    if (!js->arena.full)
        return est_reject_set(rj, EST_ERR_NOMEM, "%s", est_err_text(EST_ERR_NOMEM));
    return est_reject_set(rj, EST_ERR_TOO_LARGE, "the JSON has more values than fit in memory");
}

/* yyjson asks for its pool of values by an estimate from the text's length; what the document did
 * not use is given back, so that many small documents fit side by side. */
static void trim(struct est_arena *a, yyjson_doc *doc)
{
    size_t values = yyjson_doc_get_val_count(doc);
    size_t header = ((size_t)((char *)yyjson_doc_get_root(doc) - (char *)doc));

    if ((char *)doc == a->last)
        (void)est_arena_realloc(a, doc, 0, header + values * sizeof(*yyjson_doc_get_root(doc)));
}

est_err est_json_tree_read(struct est_json *js, struct est_view text, yyjson_val **ret,
                           struct est_reject *reject)
{
    yyjson_alc alc = {yy_malloc, yy_realloc, yy_free, &js->arena};
    char *copy = est_arena_alloc(&js->arena, text.len + YYJSON_PADDING_SIZE);
    yyjson_read_err e = {.code = YYJSON_READ_ERROR_MEMORY_ALLOCATION};
    yyjson_doc *doc;

    if (copy == NULL)
        return read_fault(js, &e, reject);
    if (text.len > 0)
        memcpy(copy, text.data, text.len);
    memset(copy + text.len, 0, YYJSON_PADDING_SIZE);
    doc =
        yyjson_read_opts(copy, text.len, YYJSON_READ_INSITU | YYJSON_READ_NUMBER_AS_RAW, &alc, &e);
    if (doc == NULL)
        return read_fault(js, &e, reject);
    trim(&js->arena, doc);
    *ret = yyjson_doc_get_root(doc);
    return EST_OK;
}

/* The name that stands twice, or NULL. A 64-bit set of name signatures lets most names pass without
 * being compared with any other. */
static yyjson_val *twice_pairwise(yyjson_val *obj)
{
    yyjson_val *seen[PAIRWISE_MAX];
    uint64_t signatures = 0;
    size_t n = 0, idx, max;
    yyjson_val *key, *val;

    yyjson_obj_foreach(obj, idx, max, key, val) {
        struct est_view name = est_json_tree_text(key);
        unsigned char first = name.len ? (unsigned char)name.data[0] : 0;
        unsigned char end = name.len ? (unsigned char)name.data[name.len - 1] : 0;
        uint64_t bit = UINT64_C(1) << ((first * 7u + end * 3u + name.len) & 63);
        if (signatures & bit)
            for (size_t i = 0; i < n; i++)
                if (est_view_eq(est_json_tree_text(seen[i]), name))
                    return key;
        signatures |= bit;
        seen[n++] = key;
    }
    (void)val;
    return NULL;
}

/* The seed is drawn once per process: senders choose the names, they must not choose the
 * collisions. */
static const uint64_t *hash_seed(void)
{
    static uint64_t seed[2];

    while (seed[0] == 0)
        est_random(seed, sizeof(seed));
    return seed;
}

static est_err twice_hashed(struct est_json *js, yyjson_val *obj, yyjson_val **ret)
{
    const uint64_t *seed = hash_seed();
    size_t cap = 4 * PAIRWISE_MAX, idx, max;
    yyjson_val *key, *val, **slots;

    while (cap < 2 * yyjson_obj_size(obj))
        cap *= 2;
    slots = est_arena_calloc(&js->arena, cap, sizeof(yyjson_val *));
    if (slots == NULL)
        return js->arena.full ? EST_ERR_TOO_LARGE : EST_ERR_NOMEM;
    yyjson_obj_foreach(obj, idx, max, key, val) {
        size_t at = (size_t)est_hash(est_json_tree_text(key), seed[0], seed[1]) & (cap - 1);
        while (slots[at] != NULL &&
               !est_view_eq(est_json_tree_text(slots[at]), est_json_tree_text(key)))
            at = (at + 1) & (cap - 1);
        if (slots[at] != NULL && *ret == NULL)
            *ret = key;
        slots[at] = key;
    }
    (void)val;
    est_arena_return(&js->arena, slots);
    return EST_OK;
}

static est_err check_names(struct est_json *js, yyjson_val *obj, const struct est_path *at,
                           struct est_reject *reject)
{
    yyjson_val *twice = NULL;
    est_err err = EST_OK;

    if (yyjson_obj_size(obj) <= PAIRWISE_MAX)
        twice = twice_pairwise(obj);
    else
        err = twice_hashed(js, obj, &twice);
    if (err)
        return est_reject_at(reject, at, err, "%s", est_err_text(err));
    if (twice != NULL) {
        struct est_path step = {at, est_json_tree_text(twice), 0};
        return est_reject_at(reject, &step, EST_ERR_JSON_DUPLICATE, "the member stands twice");
    }
    return EST_OK;
}

static est_err check(struct est_json *js, yyjson_val *v, unsigned left, const struct est_path *at,
                     struct est_reject *reject)
{
    size_t idx, max;
    yyjson_val *key, *val;
    est_err err = EST_OK;

    if (!unsafe_yyjson_is_ctn(v))
        return EST_OK;
    if (left == 0)
        return est_reject_at(reject, at, EST_ERR_JSON_DEPTH, "nested more than %u deep",
                             js->depth_max);
    if (yyjson_is_arr(v)) {
        yyjson_arr_foreach(v, idx, max, val) {
            struct est_path step = {at, EST_VIEW_NONE, idx};
            if (unsafe_yyjson_is_ctn(val) &&
                (err = check(js, val, left - 1, &step, reject)) != EST_OK)
                return err;
        }
        return EST_OK;
    }
    if ((err = check_names(js, v, at, reject)) != EST_OK)
        return err;
    yyjson_obj_foreach(v, idx, max, key, val) {
        struct est_path step = {at, est_json_tree_text(key), 0};
        if (unsafe_yyjson_is_ctn(val) && (err = check(js, val, left - 1, &step, reject)) != EST_OK)
            return err;
    }
    return EST_OK;
}

est_err est_json_tree_check(struct est_json *js, yyjson_val *v, const struct est_path *at,
                            struct est_reject *reject)
{
    return check(js, v, js->depth_max, at, reject);
}
