/* Whether a request was signed by who holds the secret (codec/sign.h), when there is one. Who
 * repeats a request of the last five minutes word by word is let through: its events are known by
 * their ids and change nothing. The secret's file is looked at no more than once a second. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "codec/sign.h"

struct signature;

/* Empty texts = not set; the file goes before the secret. EST_ERR_CONF_FILE, EST_ERR_INVALID,
 * EST_ERR_NOMEM. */
est_err signature_new(const char *secret, const char *secret_file, struct signature **ret,
                      struct est_why *reterr);
void signature_free(struct signature *sg);
/* EST_SIGN_OK for everything when there is no secret; `now` is monotonic. */
enum est_sign_answer signature_check(struct signature *sg, const struct est_signed *got,
                                     struct est_view body, est_us now);
