#include "signature.h"

#include "base/log.h"
#include "base/mem.h"
#include "io/secret.h"

struct signature {
    struct est_secret *secret; /* NULL = none */
    struct est_signer *signer;
    est_us looked_at;
};

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

est_err signature_new(const char *secret, const char *secret_file, struct signature **ret,
                      struct est_why *reterr)
{
    struct signature *sg = est_calloc(1, sizeof(*sg));
    est_err err = EST_OK;

    if (sg == NULL)
        return est_why_set(reterr, EST_ERR_NOMEM, "no memory for the signing secret");
    if (secret[0] != '\0' || secret_file[0] != '\0')
        err = est_secret_new_lines(secret_file, secret, &sg->secret, reterr);
    if (err == EST_OK && sg->secret != NULL)
        err = make_signer(sg->secret, &sg->signer, reterr);
    if (err != EST_OK) {
        signature_free(sg);
        return err;
    }
    *ret = sg;
    return EST_OK;
}

void signature_free(struct signature *sg)
{
    if (sg == NULL)
        return;
    est_signer_free(sg->signer);
    est_secret_free(sg->secret);
    est_free(sg);
}

/* A file that is away or half written for a moment leaves the old secret in force. */
static void refresh(struct signature *sg, est_us now)
{
    struct est_signer *fresh = NULL;
    struct est_why why = {0};
    bool changed = false;
    est_err err;

    if (now - sg->looked_at < EST_SECOND)
        return;
    sg->looked_at = now;
    err = est_secret_refresh(sg->secret, false, &changed, &why);
    if (err == EST_OK && changed)
        err = make_signer(sg->secret, &fresh, &why);
    if (err != EST_OK)
        EST_LOG(EST_WARN, "signing_secret_not_read", EST_S("code", est_err_code(err)),
                EST_S("detail", why.text));
    if (fresh != NULL) {
        est_signer_free(sg->signer);
        sg->signer = fresh;
    }
}

enum est_sign_answer signature_check(struct signature *sg, const struct est_signed *got,
                                     struct est_view body, est_us now)
{
    if (sg->signer == NULL)
        return EST_SIGN_OK;
    refresh(sg, now);
    return est_signer_check(sg->signer, got, body, est_clock_wall() / EST_SECOND);
}
