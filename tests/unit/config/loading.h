/* For tests: a configuration from a text. */
#pragma once

#include "config/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Loads `text` as a file in a folder of its own; NULL when it is refused. The report, when asked
 * for, is the caller's. */
static inline struct est_config *load_text(const char *text, struct est_config_report *report)
{
    char path[] = "/tmp/esteira-config-XXXXXX";
    struct est_config_report own;
    struct est_config *cfg = NULL;
    int fd = mkstemp(path);
    FILE *f = fd >= 0 ? fdopen(fd, "w") : NULL;

    if (f == NULL)
        abort();
    (void)fputs(text, f);
    (void)fclose(f);
    est_report_init(&own);
    (void)est_config_load(path, &cfg, report != NULL ? report : &own);
    if (report == NULL)
        est_report_print(&own);
    est_report_fini(&own);
    (void)unlink(path);
    return cfg;
}
