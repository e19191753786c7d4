/* Who may talk to the dashboard: whoever holds the bearer token, from the environment or from a
 * file that is read again when it changes. Without a token only this very machine is served, and
 * only under a name of its own, so that no page of another site reaches it through a DNS entry that
 * points to 127.0.0.1. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/view.h"

#include <stdbool.h>

struct auth;

enum auth_answer { AUTH_OK, AUTH_TOKEN_MISSING, AUTH_TOKEN_WRONG, AUTH_FOREIGN_HOST };

/* Empty texts = not set; the file goes before the token. EST_ERR_CONF_FILE when the file cannot be
 * read or is empty. */
est_err auth_new(const char *token, const char *token_file, struct auth **ret,
                 struct est_why *reterr);
void auth_free(struct auth *au);
bool auth_has_token(const struct auth *au);
/* `authorization` and `host` are header values, absent when the request has none; `now` is
 * monotonic: the file is looked at no more than once a second. */
enum auth_answer auth_check(struct auth *au, struct est_view authorization, struct est_view host,
                            est_us now);
/* "127.0.0.1:3001", "[::1]:3001", "localhost", "unix:…": reachable from this machine only. */
bool auth_is_loopback(struct est_view address);
