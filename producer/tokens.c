#include "tokens.h"

#include "base/buf.h"
#include "base/id.h"
#include "base/map.h"
#include "base/mem.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
    FILE_MAX = 1024 * 1024,
    TOKENS_MAX = 10000,
    TOKEN_MIN = 16,
    TOKEN_MAX = 512,
    READ_BYTES = 4096
};

struct tokens {
    char *path;
    uint32_t rate;
    struct est_map holders; /* token → holder */
    struct tokens_holder anyone;
    struct timespec mtime;
    ino_t inode;
    off_t size;
};

static void drop(struct est_map *holders)
{
    struct tokens_holder *h;
    size_t it = 0;

    while ((h = est_map_next(holders, &it, NULL)) != NULL)
        est_free(h);
    est_map_fini(holders);
}

static struct est_view take_word(struct est_view *line)
{
    struct est_view word = *line = est_view_trim(*line);
    size_t n = 0;

    while (n < word.len && word.data[n] != ' ' && word.data[n] != '\t')
        n++;
    word.len = n;
    *line = est_view(line->data + n, line->len - n);
    return word;
}

/* The error names the line and never the token. */
static est_err add_line(struct tokens *t, struct est_map *holders, struct est_view line,
                        unsigned number, est_us now, struct est_why *reterr)
{
    struct est_view rest = line, name = take_word(&rest), token = take_word(&rest);
    struct tokens_holder *h;

    if (name.len == 0 || name.data[0] == '#')
        return EST_OK;
    if (token.len < TOKEN_MIN || token.len > TOKEN_MAX || est_view_trim(rest).len != 0 ||
        name.len >= sizeof(h->name))
        return est_why_set(reterr, EST_ERR_INVALID,
                           "%s:%u: expected NAME and a TOKEN of %d to %d characters", t->path,
                           number, TOKEN_MIN, TOKEN_MAX);
    if (est_map_get(holders, token) != NULL)
        return est_why_set(reterr, EST_ERR_INVALID, "%s:%u: this token stands twice", t->path,
                           number);
    h = est_calloc(1, sizeof(*h));
    if (h == NULL || est_map_put(holders, token, h) != EST_OK) {
        est_free(h);
        return est_why_set(reterr, EST_ERR_NOMEM, "%s:%u: too many tokens", t->path, number);
    }
    (void)snprintf(h->name, sizeof(h->name), "%.*s", (int)name.len, name.data);
    est_limiter_init(&h->limiter, t->rate, now);
    return EST_OK;
}

static est_err parse(struct tokens *t, struct est_map *holders, struct est_view text, est_us now,
                     struct est_why *reterr)
{
    unsigned number = 0;

    while (text.len > 0) {
        const char *nl = memchr(text.data, '\n', text.len);
        size_t n = nl ? (size_t)(nl - text.data) : text.len;
        size_t cr = n > 0 && text.data[n - 1] == '\r';
        est_err err = add_line(t, holders, est_view(text.data, n - cr), ++number, now, reterr);
        if (err != EST_OK)
            return err;
        n += nl != NULL;
        text = est_view(text.data + n, text.len - n);
    }
    if (holders->n == 0)
        return est_why_set(reterr, EST_ERR_INVALID, "%s: there is no token in it", t->path);
    return EST_OK;
}

static est_err read_file(const char *path, struct est_buf *text, struct stat *st,
                         struct est_why *reterr)
{
    FILE *f = fopen(path, "re");
    est_err err = EST_OK;

    if (f == NULL || fstat(fileno(f), st) != 0)
        err = est_why_set(reterr, EST_ERR_CONF_FILE, "%s: %s", path, strerror(errno));
    while (err == EST_OK && est_buf_reserve(text, READ_BYTES)) {
        size_t n = fread(text->data + text->len, 1, READ_BYTES, f);
        text->len += n;
        if (n == 0)
            break;
    }
    if (err == EST_OK && ferror(f))
        err = est_why_set(reterr, EST_ERR_CONF_FILE, "%s: %s", path, strerror(errno));
    else if (err == EST_OK && (text->failed || text->len > FILE_MAX))
        err = est_why_set(reterr, EST_ERR_TOO_LARGE, "%s: larger than 1 MiB", path);
    if (f != NULL)
        (void)fclose(f);
    return err;
}

static void remember(struct tokens *t, const struct stat *st)
{
    t->mtime = st->st_mtim;
    t->inode = st->st_ino;
    t->size = st->st_size;
}

static est_err load(struct tokens *t, est_us now, struct est_why *reterr)
{
    struct est_map fresh;
    struct est_buf text;
    struct stat st;
    uint64_t seed[2];
    est_err err;

    est_random(seed, sizeof(seed));
    est_map_init(&fresh, TOKENS_MAX, seed[0], seed[1]);
    est_buf_init(&text, FILE_MAX + READ_BYTES);
    err = read_file(t->path, &text, &st, reterr);
    if (err == EST_OK)
        err = parse(t, &fresh, est_buf_view(&text), now, reterr);
    if (text.data != NULL)
        explicit_bzero(text.data, text.cap);
    est_buf_fini(&text);
    if (err != EST_OK) {
        drop(&fresh);
        return err;
    }
    drop(&t->holders);
    t->holders = fresh;
    remember(t, &st);
    return EST_OK;
}

est_err tokens_new(const char *path, uint32_t rate, est_us now, struct tokens **ret,
                   struct est_why *reterr)
{
    struct tokens *t = est_calloc(1, sizeof(*t));
    est_err err = EST_OK;

    if (t == NULL || (t->path = est_strdup(path)) == NULL) {
        est_free(t);
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the tokens");
    }
    t->rate = rate;
    est_map_init(&t->holders, TOKENS_MAX, 0, 0);
    est_limiter_init(&t->anyone.limiter, rate, now);
    if (path[0] != '\0')
        err = load(t, now, reterr);
    if (err != EST_OK) {
        tokens_free(t);
        return err;
    }
    *ret = t;
    return EST_OK;
}

void tokens_free(struct tokens *t)
{
    if (t == NULL)
        return;
    drop(&t->holders);
    est_free(t->path);
    est_free(t);
}

bool tokens_required(const struct tokens *t)
{
    return t->path[0] != '\0';
}

struct tokens_holder *tokens_anyone(struct tokens *t)
{
    return &t->anyone;
}

struct tokens_holder *tokens_check(struct tokens *t, struct est_view authorization)
{
    static const struct est_view scheme = {"Bearer ", 7};

    if (authorization.data == NULL || !est_view_istarts(authorization, scheme))
        return NULL;
    return est_map_get(&t->holders, est_view_trim(est_view(authorization.data + scheme.len,
                                                           authorization.len - scheme.len)));
}

est_err tokens_reload(struct tokens *t, est_us now, struct est_why *reterr)
{
    struct stat st;
    est_err err;

    if (!tokens_required(t) || stat(t->path, &st) != 0)
        return EST_ERR_AGAIN;
    if (st.st_ino == t->inode && st.st_size == t->size && st.st_mtim.tv_sec == t->mtime.tv_sec &&
        st.st_mtim.tv_nsec == t->mtime.tv_nsec)
        return EST_ERR_AGAIN;
    err = load(t, now, reterr);
    if (err == EST_ERR_INVALID)
        remember(t, &st); /* told once, and not again until it changes */
    return err;
}
