/* The buffer in Redis for a command: connected, and what waits there as rows. */
#pragma once

#include "cli.h"
#include "store.h"

#include "io/buffer.h"

struct buffer_row {
    char boot[EST_BOOT_LEN + 1], instance[EST_BUFFER_INSTANCE_MAX + 1], holder[EST_BOOT_LEN + 1];
    char type[65]; /* "" = the boot has no stream */
    bool adopt;
    est_us lease_left, oldest;
    uint64_t entries, bytes;
};

struct buffer_view {
    struct cli *cli;
    const struct est_config *cfg;
    struct fetch fetch;
    struct store store;
    struct est_buffer *buffer;
    char token[EST_BOOT_LEN + 1];
    struct buffer_row *rows; /* those of a boot side by side, the oldest boot first */
    size_t n, cap;
    bool done; /* the answer under way has come */
    est_err err;
    enum est_buffer_fence fence;
    char holder[EST_BOOT_LEN + 1];
    bool flag;
};

/* Connects and takes stock. False: it was told why, *ret_code is how to exit; closed. */
bool buffer_view_open(struct buffer_view *v, struct cli *cli, const struct est_config *cfg,
                      int *ret_code);
/* The same without a word: why says it. */
est_err buffer_view_try(struct buffer_view *v, struct cli *cli, const struct est_config *cfg,
                        struct est_why *why);
void buffer_view_close(struct buffer_view *v);
/* Waits for the answer of a call that has been made with `sent`; v->err. */
est_err buffer_view_await(struct buffer_view *v, est_err sent);
/* Takes stock anew. */
est_err buffer_view_refresh(struct buffer_view *v);
/* Prints the failure; how to exit. */
int buffer_view_fail(struct buffer_view *v, est_err err);

/* The first row of the boot that begins so; NULL: it was told why. */
const struct buffer_row *buffer_view_find(struct buffer_view *v, const char *begin);
/* Who holds it, in words. */
void buffer_view_holder(const struct buffer_view *v, const struct buffer_row *row, char *out,
                        size_t size);

/* Callbacks that fill v->done, err, flag and holder. arg: the view. */
void buffer_view_on_done(void *arg, est_err err);
void buffer_view_on_flag(void *arg, est_err err, bool flag);
void buffer_view_on_claim(void *arg, est_err err, bool got, const char *holder);
