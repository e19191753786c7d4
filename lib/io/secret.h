/* A secret that a file holds (or the configuration), kept in memory and read again when the file
 * changes. It is never logged and leaves no copy behind in freed memory. */
#pragma once

#include "base/err.h"
#include "base/view.h"

#include <stdbool.h>

struct est_secret;

enum { EST_SECRET_MAX = 8192, EST_SECRET_LINES_MAX = 2 };

/* path NULL or "" = the fixed `value`, which may be "" for "no secret". A file must hold 1 to
 * EST_SECRET_MAX bytes of one line; the line break at its end is not part of it.
 * EST_ERR_CONF_FILE (missing, unreadable), EST_ERR_INVALID (empty, several lines, control
 * characters), EST_ERR_TOO_LARGE, EST_ERR_NOMEM: reterr names the file and never its content. */
est_err est_secret_new(const char *path, const char *value, struct est_secret **ret,
                       struct est_why *reterr);
/* The same, but the file may hold up to EST_SECRET_LINES_MAX lines: while a secret is being
 * replaced two are in force, the newest first. */
est_err est_secret_new_lines(const char *path, const char *value, struct est_secret **ret,
                             struct est_why *reterr);
void est_secret_free(struct est_secret *s);

/* NUL-terminated; "" = no secret. Valid until the next est_secret_refresh. */
const char *est_secret_get(const struct est_secret *s);
/* Lines, at least one; the i-th of them. */
size_t est_secret_n(const struct est_secret *s);
const char *est_secret_at(const struct est_secret *s, size_t i);
/* Looks whether the file changed (inode, size or time of change; `force` reads in any case) and
 * reads it then. On failure the old secret stays in force. *ret_changed: another value than before.
 */
est_err est_secret_refresh(struct est_secret *s, bool force, bool *ret_changed,
                           struct est_why *reterr);
/* True when others than owner and group may read the file: worth a warning. */
bool est_secret_is_exposed(const struct est_secret *s);
