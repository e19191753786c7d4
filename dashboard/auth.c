#include "auth.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TOKEN_MAX = 512 };

struct auth {
    char token[TOKEN_MAX + 1]; /* "" = none */
    char *file;                /* "" = none */
    struct stat seen;          /* the file as it was when it was read */
    est_us looked_at;
};

/* Over the whole longer text, whatever differs: how long this takes tells only lengths. */
static bool same_secret(struct est_view given, const char *token)
{
    size_t len = strlen(token);
    unsigned differ = given.len != len;

    for (size_t i = 0; i < given.len; i++)
        differ |= (unsigned char)given.data[i] ^ (unsigned char)token[i < len ? i : len];
    return differ == 0;
}

/* One token on the first line. */
static est_err read_token(struct auth *au, struct est_why *reterr)
{
    char text[TOKEN_MAX + 1];
    struct stat st;
    ssize_t n = -1;
    size_t len;
    int fd = open(au->file, O_RDONLY | O_CLOEXEC);

    if (fd >= 0 && fstat(fd, &st) == 0)
        n = read(fd, text, TOKEN_MAX);
    if (n < 0)
        (void)est_why_set(reterr, EST_ERR_CONF_FILE, "%s: %s", au->file, strerror(errno));
    if (fd >= 0)
        (void)close(fd);
    if (n < 0)
        return EST_ERR_CONF_FILE;
    text[n] = '\0';
    len = strcspn(text, " \t\r\n");
    if (len == 0)
        return est_why_set(reterr, EST_ERR_CONF_FILE, "%s is empty: it should hold the token",
                           au->file);
    memcpy(au->token, text, len);
    au->token[len] = '\0';
    au->seen = st;
    return EST_OK;
}

est_err auth_new(const char *token, const char *token_file, struct auth **ret,
                 struct est_why *reterr)
{
    struct auth *au = est_calloc(1, sizeof(*au));
    est_err err = EST_OK;

    if (au == NULL || (au->file = est_strdup(token_file)) == NULL) {
        err = est_why_set(reterr, EST_ERR_NOMEM, "no memory for the token");
        goto fail;
    }
    if (strlen(token) > TOKEN_MAX) {
        err = est_why_set(reterr, EST_ERR_RANGE, "the token is longer than %d bytes", TOKEN_MAX);
        goto fail;
    }
    memcpy(au->token, token, strlen(token));
    if (token_file[0] != '\0')
        err = read_token(au, reterr);
    if (err)
        goto fail;
    *ret = au;
    return EST_OK;
fail:
    auth_free(au);
    return err;
}

void auth_free(struct auth *au)
{
    if (au == NULL)
        return;
    explicit_bzero(au->token, sizeof(au->token));
    est_free(au->file);
    est_free(au);
}

bool auth_has_token(const struct auth *au)
{
    return au->token[0] != '\0';
}

/* A file that is away or half written for a moment leaves the old token in force. */
static void refresh(struct auth *au, est_us now)
{
    struct stat st;

    if (au->file[0] == '\0' || now - au->looked_at < EST_SECOND)
        return;
    au->looked_at = now;
    if (stat(au->file, &st) != 0)
        return;
    if (st.st_ino != au->seen.st_ino || st.st_size != au->seen.st_size ||
        st.st_mtim.tv_sec != au->seen.st_mtim.tv_sec ||
        st.st_mtim.tv_nsec != au->seen.st_mtim.tv_nsec)
        (void)read_token(au, NULL);
}

bool auth_is_loopback(struct est_view address)
{
    static const char *const names[] = {"localhost", "127.0.0.1", "[::1]"};

    if (est_view_starts(address, EST_VIEW_LIT("unix:")))
        return true;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        size_t len = strlen(names[i]);
        if (est_view_istarts(address, est_view(names[i], len)) &&
            (address.len == len || address.data[len] == ':'))
            return true;
    }
    return false;
}

enum auth_answer auth_check(struct auth *au, struct est_view authorization, struct est_view host,
                            est_us now)
{
    const struct est_view scheme = EST_VIEW_LIT("Bearer ");
    struct est_view given;

    refresh(au, now);
    if (!auth_has_token(au))
        return auth_is_loopback(host) ? AUTH_OK : AUTH_FOREIGN_HOST;
    if (!est_view_istarts(authorization, scheme))
        return AUTH_TOKEN_MISSING;
    given =
        est_view_trim(est_view(authorization.data + scheme.len, authorization.len - scheme.len));
    return same_secret(given, au->token) ? AUTH_OK : AUTH_TOKEN_WRONG;
}
