/* Requests with events carry a signature when the destination has a signing secret: codec/sign.h
 * says which. The secret's file is looked at when something is sent, at most once a second, so a
 * new one needs no restart; one that cannot be used leaves the old in force, and is told once. */
#pragma once

#include "base/clock.h"
#include "codec/sign.h"

struct est_destination_config;
struct est_secret;

enum { SIGNATURE_ID_MAX = 400, SIGNATURE_SECONDS_MAX = 24 };

struct signature {
    struct est_secret *secret; /* NULL = nothing is signed */
    struct est_signer *signer;
    est_us look_at; /* monotonic: not before */
};

/* The values of webhook-id, webhook-timestamp and webhook-signature. */
struct signature_fields {
    char id[SIGNATURE_ID_MAX], timestamp[SIGNATURE_SECONDS_MAX], text[EST_SIGN_FIELD];
};

/* EST_ERR_CONF_FILE, EST_ERR_INVALID, EST_ERR_NOMEM: reterr says what, never the secret. */
est_err signature_init(struct signature *sg, const struct est_destination_config *d,
                       struct est_why *reterr);
void signature_fini(struct signature *sg);
/* Signs `body` under the Idempotency-Key `key`, whose quotes stay behind, with the wall clock's
 * time. EST_ERR_NOTFOUND: there is no secret, so no signature. EST_ERR_NOMEM. */
est_err signature_make(struct signature *sg, const char *key, struct est_view body, est_us now,
                       struct signature_fields *ret);
