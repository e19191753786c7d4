#include "target.h"

#include "config/line.h"
#include "fetch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void target_reach(const char *address, const char *path, char *out, size_t max)
{
    const char *port = strrchr(address, ':');

    if (port != NULL && (strncmp(address, "0.0.0.0:", 8) == 0 || strncmp(address, "[::]:", 5) == 0))
        est_line_printf(out, max, "http://127.0.0.1%s%s", port, path);
    else
        est_line_printf(out, max, "http://%s%s", address, path);
}

/* The first TCP address of producer.listen. */
static bool url_from_config(struct cli *cli, char *out, int *ret_code)
{
    struct est_config *cfg = cli_config(cli, ret_code);
    const char *address = NULL;

    if (cfg == NULL)
        return false;
    for (size_t i = 0; address == NULL && i < cfg->producer_listen.n; i++)
        if (strncmp(cfg->producer_listen.items[i], "unix:", 5) != 0)
            address = cfg->producer_listen.items[i];
    target_reach(address != NULL ? address : "127.0.0.1:3002", "", out, TARGET_URL_MAX);
    est_config_free(cfg);
    return true;
}

bool target_url(struct cli *cli, char base[TARGET_URL_MAX], char url[TARGET_URL_MAX], int *ret_code)
{
    const char *env = getenv("ESTEIRA_URL");

    if (cli->args.url != NULL)
        est_line_copy(base, TARGET_URL_MAX, est_view_str(cli->args.url));
    else if (env != NULL && env[0] != '\0')
        est_line_copy(base, TARGET_URL_MAX, est_view_str(env));
    else if (!url_from_config(cli, base, ret_code))
        return false;
    if ((strncmp(base, "http://", 7) == 0 || strncmp(base, "https://", 8) == 0) &&
        fetch_url(base, "/v1/events?partial=true", url, TARGET_URL_MAX))
        return true;
    out_error_text(&cli->out, TEXT_BAD_URL, OUT_ARGS(base), NULL, EXIT_USAGE);
    *ret_code = EXIT_USAGE;
    return false;
}

est_err target_token(const char *file, struct est_secret **ret, struct est_why *why)
{
    const char *env = getenv("ESTEIRA_TOKEN");
    char line[EST_SECRET_MAX + 2];

    if (file == NULL)
        return est_secret_new(NULL, env != NULL ? env : "", ret, why);
    if (strcmp(file, "-") != 0)
        return est_secret_new(file, "", ret, why);
    if (fgets(line, sizeof(line), stdin) == NULL)
        line[0] = '\0';
    line[strcspn(line, "\r\n")] = '\0';
    return est_secret_new(NULL, line, ret, why);
}
