#include "secret.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct est_secret {
    char *path; /* NULL = fixed */
    size_t lines_max;
    char text[EST_SECRET_MAX + 1]; /* the lines, each with its NUL */
    size_t len, n, second;         /* without the last NUL; lines; where the second one begins */
    struct stat seen;              /* of the file when it was last read */
};

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec &&
           a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Up to max bytes; -1 with errno. */
static ssize_t read_all(int fd, char *to, size_t max)
{
    size_t n = 0;

    while (n < max) {
        ssize_t got = read(fd, to + n, max - n);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        n += (size_t)got;
    }
    return (ssize_t)n;
}

static size_t without_line_break(const char *text, size_t n)
{
    if (n > 0 && text[n - 1] == '\n')
        n--;
    if (n > 0 && text[n - 1] == '\r')
        n--;
    return n;
}

/* The line break between two lines becomes a NUL; returns the new length, and where the second line
 * begins (0 = there is none). */
static size_t split(char *text, size_t n, size_t *ret_second)
{
    char *end = memchr(text, '\n', n);
    size_t first, second;

    *ret_second = 0;
    if (end == NULL)
        return n;
    second = (size_t)(end - text) + 1;
    first = without_line_break(text, second);
    memmove(text + first + 1, text + second, n - second);
    text[first] = '\0';
    *ret_second = first + 1;
    return first + 1 + n - second;
}

/* A secret travels in a header field: no control characters in a line. */
static est_err check(const char *path, const char *text, size_t n, struct est_why *reterr)
{
    if (n == 0)
        return est_why_set(reterr, EST_ERR_INVALID, "%s is empty: it should hold the token", path);
    if (n > EST_SECRET_MAX)
        return est_why_set(reterr, EST_ERR_TOO_LARGE, "%s holds more than %d bytes", path,
                           EST_SECRET_MAX);
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return est_why_set(reterr, EST_ERR_INVALID,
                               "%s holds more than one line or a control character", path);
    return EST_OK;
}

static est_err load(struct est_secret *s, bool *ret_changed, struct est_why *reterr)
{
    char text[EST_SECRET_MAX + 3]; /* room for "\r\n" and to see that there is more */
    int fd = open(s->path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    ssize_t got = -1;
    size_t n, second = 0;
    est_err err;

    if (fd >= 0 && fstat(fd, &st) == 0)
        got = read_all(fd, text, sizeof(text));
    if (got < 0)
        err = est_why_set(reterr, EST_ERR_CONF_FILE, "%s: %s", s->path, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    if (got < 0)
        return err;
    n = without_line_break(text, (size_t)got);
    if (s->lines_max > 1)
        n = split(text, n, &second);
    err = check(s->path, text, second > 0 ? second - 1 : n, reterr);
    if (err == EST_OK && second > 0)
        err = check(s->path, text + second, n - second, reterr);
    if (err == EST_OK) {
        *ret_changed = s->len != n || memcmp(s->text, text, n) != 0;
        memcpy(s->text, text, n);
        s->text[n] = '\0';
        s->len = n;
        s->second = second;
        s->n = second > 0 ? 2 : 1;
        s->seen = st;
    }
    explicit_bzero(text, sizeof(text));
    return err;
}

static est_err make(const char *path, const char *value, size_t lines_max, struct est_secret **ret,
                    struct est_why *reterr)
{
    struct est_secret *s = est_calloc(1, sizeof(*s));
    bool is_file = path != NULL && path[0] != '\0', changed;
    est_err err = EST_ERR_NOMEM;

    if (s == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for a secret");
    s->lines_max = lines_max;
    s->n = 1;
    if (is_file && (s->path = est_strdup(path)) == NULL)
        (void)est_why_set(reterr, err, "no memory for a secret");
    else if (is_file)
        err = load(s, &changed, reterr);
    else if (strlen(value) > EST_SECRET_MAX)
        err =
            est_why_set(reterr, EST_ERR_TOO_LARGE, "a token of more than %d bytes", EST_SECRET_MAX);
    else {
        memcpy(s->text, value, strlen(value) + 1);
        err = EST_OK;
    }
    if (err != EST_OK) {
        est_secret_free(s);
        return err;
    }
    *ret = s;
    return EST_OK;
}

est_err est_secret_new(const char *path, const char *value, struct est_secret **ret,
                       struct est_why *reterr)
{
    return make(path, value, 1, ret, reterr);
}

est_err est_secret_new_lines(const char *path, const char *value, struct est_secret **ret,
                             struct est_why *reterr)
{
    return make(path, value, EST_SECRET_LINES_MAX, ret, reterr);
}

void est_secret_free(struct est_secret *s)
{
    if (s == NULL)
        return;
    est_free(s->path);
    explicit_bzero(s->text, sizeof(s->text));
    est_free(s);
}

const char *est_secret_get(const struct est_secret *s)
{
    return s->text;
}

size_t est_secret_n(const struct est_secret *s)
{
    return s->n;
}

const char *est_secret_at(const struct est_secret *s, size_t i)
{
    return s->text + (i > 0 ? s->second : 0);
}

est_err est_secret_refresh(struct est_secret *s, bool force, bool *ret_changed,
                           struct est_why *reterr)
{
    struct stat st;

    if (s->path == NULL || (!force && stat(s->path, &st) == 0 && is_same_file(&st, &s->seen))) {
        *ret_changed = false;
        return EST_OK;
    }
    return load(s, ret_changed, reterr);
}

bool est_secret_is_exposed(const struct est_secret *s)
{
    return s->path != NULL && (s->seen.st_mode & S_IROTH) != 0;
}
