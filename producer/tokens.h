/* Who may send: bearer tokens (RFC 6750), from a file with one `NAME TOKEN` a line (# begins a
 * comment). The file is read again when it changes; a broken new version keeps the old one in
 * force. Tokens are looked up by a keyed hash whose key is drawn at start, so that the time of an
 * answer tells nothing about a token. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/view.h"
#include "core/limiter.h"

struct tokens;

struct tokens_holder {
    char name[64];
    struct est_limiter limiter;
};

/* path "" = no tokens: everybody may send (the listeners are then loopback only). rate: events a
 * second for each token, 0 = no limit. */
est_err tokens_new(const char *path, uint32_t rate, est_us now, struct tokens **ret,
                   struct est_why *reterr);
void tokens_free(struct tokens *t);
/* False when no token is asked for. */
bool tokens_required(const struct tokens *t);
/* The holder of the token in an Authorization field's value; NULL when there is none. */
struct tokens_holder *tokens_check(struct tokens *t, struct est_view authorization);
/* The holder for senders without a token, when none is asked for. */
struct tokens_holder *tokens_anyone(struct tokens *t);
/* Look whether the file has changed; EST_ERR_AGAIN when it has not. */
est_err tokens_reload(struct tokens *t, est_us now, struct est_why *reterr);
