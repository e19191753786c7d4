/* Signatures as the Standard Webhooks specification (1.0) has them: a request carries
 *
 *   webhook-id         what is sent, the same through every retry
 *   webhook-timestamp  Unix seconds of this attempt
 *   webhook-signature  "v1," and the base64 of HMAC-SHA256 over `id.timestamp.body`, once for each
 *                      secret in force, separated by spaces
 *
 * A secret is written "whsec_" and the base64 of 24 to 64 bytes. While it is being replaced two are
 * in force: both sign, and either is taken. Secrets are wiped when the signer is freed. */
#pragma once

#include "base/err.h"
#include "base/view.h"

#include <stdint.h>

enum {
    EST_SIGN_SECRETS_MAX = 2,
    EST_SIGN_MAC = 32,
    EST_SIGN_TEXT = 3 + 44,                                      /* v1,BASE64 */
    EST_SIGN_FIELD = EST_SIGN_SECRETS_MAX * (EST_SIGN_TEXT + 1), /* the NUL included */
    EST_SIGN_TOLERANCE_S = 300 /* how far a timestamp may lie from the reader's clock */
};

struct est_signer;

/* `secrets`: n texts of one secret each, or of two separated by spaces. EST_ERR_INVALID: not
 * written as they should be, told without showing any of it; EST_ERR_UNSUPPORTED: this OpenSSL has
 * no HMAC; EST_ERR_NOMEM. */
est_err est_signer_new(const struct est_view *secrets, size_t n, struct est_signer **ret,
                       struct est_why *reterr);
void est_signer_free(struct est_signer *s);

/* The value of webhook-signature, NUL-terminated. EST_ERR_NOMEM. */
est_err est_signer_sign(const struct est_signer *s, struct est_view id, int64_t seconds,
                        struct est_view body, char out[EST_SIGN_FIELD]);

/* What came with a request; absent when the request does not have the field. */
struct est_signed {
    struct est_view id, timestamp, signature;
};

enum est_sign_answer {
    EST_SIGN_OK,
    EST_SIGN_MISSING, /* a field is not there, or says nothing */
    EST_SIGN_OLD,     /* the timestamp is no number near the reader's clock */
    EST_SIGN_WRONG    /* no signature fits any secret */
};

enum est_sign_answer est_signer_check(const struct est_signer *s, const struct est_signed *got,
                                      struct est_view body, int64_t now_s);
