/* esteira-dashboard: what the bots did, kept and shown. */
#include "base/log.h"
#include "config/config.h"
#include "service.h"

#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static const char help[] =
    "Keeps the events that the pipeline delivers and shows them on a page, live.\n"
    "\n"
    "Usage:     esteira-dashboard [-c FILE]\n"
    "Examples:  esteira-dashboard                      # http://127.0.0.1:3001/\n"
    "           DASHBOARD_TOKEN=... esteira-dashboard -c /etc/esteira/pipeline.yaml\n"
    "\n"
    "Options:   -c, --config FILE   configuration (default: $ESTEIRA_CONFIG, ./pipeline.yaml,\n"
    "                               /etc/esteira/pipeline.yaml, else the defaults)\n"
    "           --audit             recount everything stored, say whether the numbers hold, exit\n"
    "           --version, --help\n"
    "\n"
    "Without a token (DASHBOARD_TOKEN or dashboard.token_file) it listens on loopback only.\n"
    "Exit:      0 stopped as asked, 1 the audit found a difference, 64 usage, 69 the address is\n"
    "           taken, 74 database, 78 configuration\n";

struct options {
    const char *config;
    bool audit;
};

/* 0 to go on, else the exit code + 1. */
static int read_options(int argc, char **argv, struct options *ret)
{
    for (int i = 1; i < argc; i++) {
        if ((strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--config") == 0) && i + 1 < argc) {
            ret->config = argv[++i];
        } else if (strcmp(argv[i], "--audit") == 0) {
            ret->audit = true;
        } else if (strcmp(argv[i], "--version") == 0) {
            (void)puts("esteira-dashboard " ESTEIRA_VERSION);
            return EX_OK + 1;
        } else if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0) {
            (void)fputs(help, stdout);
            return EX_OK + 1;
        } else {
            (void)fprintf(stderr, "esteira-dashboard: unknown or incomplete option %s\n%s", argv[i],
                          "Try: esteira-dashboard --help\n");
            return EX_USAGE + 1;
        }
    }
    return 0;
}

static int serve(const struct est_config *cfg)
{
    struct service *sv = NULL;
    int code = service_start(cfg, &sv);

    if (code == EX_OK)
        service_run(sv);
    service_free(sv);
    return code;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    struct est_config *cfg = NULL;
    struct est_config_report report;
    int code = read_options(argc, argv, &options);

    if (code != 0)
        return code - 1;
    est_log_init("esteira-dashboard", EST_INFO);
    est_report_init(&report);
    if (est_config_load(options.config, &cfg, &report) != EST_OK) {
        est_report_print(&report);
        est_report_fini(&report);
        return EX_CONFIG;
    }
    est_report_fini(&report);
    est_log_init("esteira-dashboard", (enum est_level)cfg->log_level);
    code = options.audit ? service_audit(cfg) : serve(cfg);
    est_config_free(cfg);
    return code;
}
