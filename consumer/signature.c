#include "signature.h"

#include "base/log.h"
#include "config/config.h"
#include "io/secret.h"

#include <stdio.h>

static const est_us LOOK_EVERY = EST_SECOND;

/* Two secrets stand on two lines, or on one. */
static est_err make_signer(const struct est_secret *secret, struct est_signer **ret,
                           struct est_why *reterr)
{
    struct est_view lines[EST_SECRET_LINES_MAX];
    size_t n = est_secret_n(secret);

    for (size_t i = 0; i < n; i++)
        lines[i] = est_view_str(est_secret_at(secret, i));
    return est_signer_new(lines, n, ret, reterr);
}

est_err signature_init(struct signature *sg, const struct est_destination_config *d,
                       struct est_why *reterr)
{
    est_err err;

    *sg = (struct signature){0};
    if (d->signing_secret[0] == '\0' && d->signing_secret_file[0] == '\0')
        return EST_OK;
    err = est_secret_new_lines(d->signing_secret_file, d->signing_secret, &sg->secret, reterr);
    return err ? err : make_signer(sg->secret, &sg->signer, reterr);
}

void signature_fini(struct signature *sg)
{
    est_signer_free(sg->signer);
    est_secret_free(sg->secret);
    *sg = (struct signature){0};
}

/* A file that is half written, or holds something else, is read again at the next look. */
static void look(struct signature *sg, est_us now)
{
    struct est_signer *fresh = NULL;
    struct est_why why = {0};
    bool changed = false;
    est_err err;

    if (now < sg->look_at)
        return;
    sg->look_at = now + LOOK_EVERY;
    err = est_secret_refresh(sg->secret, false, &changed, &why);
    if (err == EST_OK && changed)
        err = make_signer(sg->secret, &fresh, &why);
    if (err != EST_OK) {
        EST_LOG(EST_ERROR, "signing_secret_not_read", EST_S("code", est_err_code(err)),
                EST_S("detail", why.text));
    } else if (fresh != NULL) {
        EST_LOG(EST_INFO, "signing_secret_reloaded");
        est_signer_free(sg->signer);
        sg->signer = fresh;
    }
}

/* The key is a quoted string of HTTP; the id is plain. */
static void put_id(const char *key, char out[SIGNATURE_ID_MAX])
{
    size_t n = strlen(key);
    bool quoted = n >= 2 && key[0] == '"' && key[n - 1] == '"';

    (void)snprintf(out, SIGNATURE_ID_MAX, "%.*s", (int)(quoted ? n - 2 : n),
                   quoted ? key + 1 : key);
}

est_err signature_make(struct signature *sg, const char *key, struct est_view body, est_us now,
                       struct signature_fields *ret)
{
    int64_t seconds = est_clock_wall() / EST_SECOND;

    if (sg->signer == NULL)
        return EST_ERR_NOTFOUND;
    look(sg, now);
    put_id(key, ret->id);
    (void)snprintf(ret->timestamp, sizeof(ret->timestamp), "%lld", (long long)seconds);
    return est_signer_sign(sg->signer, est_view_str(ret->id), seconds, body, ret->text);
}
