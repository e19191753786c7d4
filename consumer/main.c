/* esteira-consumer: events from Kafka to the dashboard, in order per key, committed when delivered.
 */
#include "base/log.h"
#include "config/config.h"
#include "worker.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

static const char help[] =
    "Delivers events from Kafka to the dashboard, in order per key; start more of it for more speed.\n"
    "\n"
    "Usage:     esteira-consumer [-c FILE] [--destination NAME]\n"
    "Examples:  esteira-consumer\n"
    "           esteira-consumer -c /etc/esteira/pipeline.yaml --destination dashboard\n"
    "Options:   -c, --config FILE      the configuration (default: $ESTEIRA_CONFIG, ./pipeline.yaml,\n"
    "                                  /etc/esteira/pipeline.yaml)\n"
    "           --destination NAME     one of destinations: (default: the first); each has a group\n"
    "                                  of its own and needs consumers of its own\n"
    "           --version              print the version\n"
    "           -h, --help             print this\n"
    "Signals:   SIGTERM finishes what is in flight, commits, leaves the group and exits 0\n"
    "Exit:      0 stopped as asked  64 usage  69 cannot listen  78 configuration\n";

static const struct option options[] = {{"config", required_argument, NULL, 'c'},
                                        {"destination", required_argument, NULL, 'd'},
                                        {"version", no_argument, NULL, 'V'},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

static int serve(const char *path, const char *destination)
{
    struct est_config_report report;
    struct est_config *cfg = NULL;
    struct est_why why = {0};
    struct worker *w = NULL;
    est_err err;

    est_report_init(&report);
    err = est_config_load(path, &cfg, &report);
    est_report_print(&report);
    est_report_fini(&report);
    if (err != EST_OK)
        return EX_CONFIG;
    est_log_init("esteira-consumer", (enum est_level)cfg->log_level);
    if (destination == NULL && cfg->n_destinations > 1)
        EST_LOG(EST_WARN, "destination_not_named", EST_S("taken", cfg->destinations[0].name),
                EST_I("destinations", cfg->n_destinations));
    err = worker_new(cfg, destination, &w, &why);
    if (err == EST_OK) {
        err = worker_run(w) ? EST_OK : EST_ERR_AGAIN;
        worker_free(w);
    } else {
        EST_LOG(EST_ERROR, "cannot_start", EST_S("code", est_err_code(err)),
                EST_S("detail", why.text));
    }
    est_config_free(cfg);
    return est_err_exit(err);
}

int main(int argc, char **argv)
{
    const char *config = NULL, *destination = NULL;
    int c;

    est_log_init("esteira-consumer", EST_INFO);
    while ((c = getopt_long(argc, argv, "c:h", options, NULL)) != -1) {
        switch (c) {
        case 'c': config = optarg; break;
        case 'd': destination = optarg; break;
        case 'V': return puts("esteira-consumer " ESTEIRA_VERSION) < 0 ? EX_IOERR : EXIT_SUCCESS;
        case 'h': return fputs(help, stdout) < 0 ? EX_IOERR : EXIT_SUCCESS;
        default: (void)fputs(help, stderr); return EX_USAGE;
        }
    }
    if (optind < argc) {
        (void)fprintf(stderr, "esteira-consumer: unexpected argument %s\n", argv[optind]);
        return EX_USAGE;
    }
    return serve(config, destination);
}
