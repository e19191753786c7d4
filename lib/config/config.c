#include "config/config.h"

#include "base/mem.h"
#include "config/build.h"
#include "config/env.h"
#include "config/message.h"
#include "config/read.h"
#include "config/rules.h"
#include "config/yaml.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MAX = 1024 * 1024 };

static const char *const standard_paths[] = {"pipeline.yaml", "/etc/esteira/pipeline.yaml"};

/* "" = no file anywhere: the defaults and the environment are the configuration. */
static const char *find_file(const char *path)
{
    const char *named = getenv("ESTEIRA_CONFIG");

    if (path != NULL)
        return path;
    if (named != NULL && named[0] != '\0')
        return named;
    for (size_t i = 0; i < sizeof(standard_paths) / sizeof(standard_paths[0]); i++)
        if (access(standard_paths[i], F_OK) == 0)
            return standard_paths[i];
    return "";
}

static struct est_fault read_file(const char *path, struct est_buf *out)
{
    struct est_fault fault = EST_NO_FAULT;
    FILE *file = fopen(path, "re");
    size_t n;

    if (file == NULL)
        return errno == ENOENT ? est_message_fault(EST_MESSAGE_NO_FILE, NULL, NULL)
                               : est_message_fault(EST_MESSAGE_UNREADABLE, strerror(errno), NULL);
    do {
        n = est_buf_reserve(out, 4096) ? fread(out->data + out->len, 1, 4096, file) : 0;
        out->len += n;
    } while (n > 0);
    if (ferror(file))
        fault = est_message_fault(EST_MESSAGE_UNREADABLE, strerror(errno), NULL);
    else if (out->failed || out->len > FILE_MAX)
        fault = est_message_fault(EST_MESSAGE_TOO_BIG, "1MiB", NULL);
    (void)fclose(file);
    return fault;
}

static void read_tree(struct est_config *cfg, struct est_view text, struct est_config_report *rp)
{
    struct est_yaml_fault wrong;
    struct est_yaml_doc *doc = est_yaml_parse(text, &wrong);

    if (doc == NULL)
        est_report_add(rp, cfg->path, wrong.line, wrong.column, "", &wrong.fault);
    else
        est_read_tree(cfg, est_yaml_root(doc), rp);
    est_yaml_free(doc);
}

/* False = there is no tree, so that nothing more can be said about the values. */
static bool read_config(struct est_config *cfg, struct est_config_report *rp)
{
    struct est_fault fault;
    struct est_buf text;

    if (cfg->path[0] == '\0')
        return true;
    est_buf_init(&text, FILE_MAX + 8192);
    fault = read_file(cfg->path, &text);
    if (fault.message == EST_MESSAGE_NONE)
        read_tree(cfg, est_buf_view(&text), rp);
    else
        est_report_add(rp, cfg->path, 0, 0, "", &fault);
    est_buf_fini(&text);
    return fault.message == EST_MESSAGE_NONE;
}

est_err est_config_load(const char *path, struct est_config **ret, struct est_config_report *report)
{
    struct est_config *cfg = est_build_defaults(find_file(path));
    est_err err;

    if (cfg == NULL)
        return EST_ERR_NOMEM;
    if (read_config(cfg, report)) {
        est_env_overlay(cfg, report);
        if (!est_build_finish(cfg))
            report->dropped++;
        est_rules_check(cfg, report);
    }
    est_report_sort(report);
    err = est_report_err(report);
    if (err) {
        est_config_free(cfg);
        return err;
    }
    *ret = cfg;
    return EST_OK;
}

void est_config_free(struct est_config *cfg)
{
    est_build_free(cfg);
}

const struct est_type_config *est_config_type(const struct est_config *cfg, const char *name)
{
    for (size_t i = 0; i < cfg->n_types; i++)
        if (strcmp(cfg->types[i].name, name) == 0)
            return &cfg->types[i];
    return NULL;
}

const struct est_destination_config *est_config_destination(const struct est_config *cfg,
                                                            const char *name)
{
    for (size_t i = 0; i < cfg->n_destinations; i++)
        if (strcmp(cfg->destinations[i].name, name) == 0)
            return &cfg->destinations[i];
    return NULL;
}
