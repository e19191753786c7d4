/* esteira-producer: bot events in by HTTP, out to Kafka, acknowledged only when durable. */
#include "base/log.h"
#include "config/config.h"
#include "shim.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

static const char help[] =
    "Takes bot events by HTTP and publishes them to Kafka; answers 202 once they are durable.\n"
    "\n"
    "Usage:     esteira-producer [-c FILE]\n"
    "Examples:  esteira-producer\n"
    "           esteira-producer -c /etc/esteira/pipeline.yaml\n"
    "Options:   -c, --config FILE   the configuration (default: $ESTEIRA_CONFIG, ./pipeline.yaml,\n"
    "                               /etc/esteira/pipeline.yaml)\n"
    "           --version           print the version\n"
    "           -h, --help          print this\n"
    "Signals:   SIGTERM drains and exits 0; SIGHUP reads the tokens file again\n"
    "Exit:      0 stopped as asked  64 usage  69 cannot listen  78 configuration\n";

static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                        {"version", no_argument, NULL, 'V'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

static int serve(const char *path)
{
    struct est_config_report report;
    struct est_config *cfg = NULL;
    struct est_why why = {0};
    struct shim *shim = NULL;
    est_err err;

    est_report_init(&report);
    err = est_config_load(path, &cfg, &report);
    est_report_print(&report);
    est_report_fini(&report);
    if (err != EST_OK)
        return EX_CONFIG;
    est_log_init("esteira-producer", (enum est_level)cfg->log_level);
    err = shim_new(cfg, &shim, &why);
    if (err == EST_OK)
        err = shim_run(shim, &why);
    if (err != EST_OK)
        EST_LOG(EST_ERROR, "cannot_start", EST_S("code", est_err_code(err)),
                EST_S("detail", why.text));
    shim_free(shim);
    est_config_free(cfg);
    return est_err_exit(err);
}

int main(int argc, char **argv)
{
    const char *config = NULL;
    int c;

    est_log_init("esteira-producer", EST_INFO);
    while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (c) {
        case 'c': config = optarg; break;
        case 'V': return puts("esteira-producer " ESTEIRA_VERSION) < 0 ? EX_IOERR : EXIT_SUCCESS;
        case 'h': return fputs(help, stdout) < 0 ? EX_IOERR : EXIT_SUCCESS;
        default: (void)fputs(help, stderr); return EX_USAGE;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "esteira-producer: unexpected argument %s\n", argv[optind]);
        return EX_USAGE;
    }
    return serve(config);
}
