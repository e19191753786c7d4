/* The shim that a command talks to, and the token for it. */
#pragma once

#include "cli.h"

#include "io/secret.h"

enum { TARGET_URL_MAX = 1200 };

/* --url, else $ESTEIRA_URL, else the first TCP address of producer.listen. `base` is the shim as
 * people know it, `url` where events are posted to. False = it was told why, *ret_code is how to
 * exit. */
bool target_url(struct cli *cli, char base[TARGET_URL_MAX], char url[TARGET_URL_MAX],
                int *ret_code);
/* The URL of `path` on a daemon of this machine that listens on `address`; one that listens on
 * every address is reached by loopback. */
void target_reach(const char *address, const char *path, char *out, size_t max);
/* From the file, from one line of standard input ("-"), or, with NULL, from $ESTEIRA_TOKEN. Never
 * from an argument: arguments stand in the process list. */
est_err target_token(const char *file, struct est_secret **ret, struct est_why *why);
