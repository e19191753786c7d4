/* What every command gets. */
#pragma once

#include "args.h"
#include "exits.h"
#include "out.h"

#include "config/config.h"

struct cli {
    struct args args;
    const char *const *words; /* the arguments behind the verb */
    size_t n_words;
    struct out out;
};

/* The configuration, or NULL when it is wrong: every problem has been printed, and *ret_code is how
 * to exit. The caller frees it. */
struct est_config *cli_config(struct cli *cli, int *ret_code);
/* kafka.options as lib/io takes them; borrowed from cfg. Free the array, not its texts. NULL
 * without memory or when there are none. */
struct est_kafka_option *cli_kafka_options(const struct est_config *cfg);

/* How a command ends that could not open what the configuration names: EXIT_CONFIG where only
 * another configuration helps, EXIT_UNAVAILABLE where nobody answers, EXIT_IO where this machine is
 * to blame. */
int cli_exit_at_open(est_err err);

/* There is no such type, or destination: it is told, with the name that was meant. How to exit. */
int cli_unknown_type(struct cli *cli, const struct est_config *cfg, const char *name);

int cli_unknown_destination(struct cli *cli, const struct est_config *cfg, const char *name);

/* The verbs of verbs.def; each returns an exit code. */
int cmd_buffer_adopt(struct cli *cli);
int cmd_buffer_drain(struct cli *cli);
int cmd_buffer_peek(struct cli *cli);
int cmd_buffer_status(struct cli *cli);
int cmd_check(struct cli *cli);
int cmd_dlq_diff(struct cli *cli);
int cmd_dlq_list(struct cli *cli);
int cmd_dlq_purge(struct cli *cli);
int cmd_dlq_replay(struct cli *cli);
int cmd_dlq_show(struct cli *cli);
int cmd_explain(struct cli *cli);
int cmd_health(struct cli *cli);
int cmd_import_legacy(struct cli *cli);
int cmd_pause(struct cli *cli);
int cmd_publish(struct cli *cli);
int cmd_resume(struct cli *cli);
int cmd_schemas_check(struct cli *cli);
int cmd_schemas_register(struct cli *cli);
int cmd_status(struct cli *cli);
int cmd_tail(struct cli *cli);
int cmd_topics_apply(struct cli *cli);
int cmd_trace(struct cli *cli);
