/* Batches of events to the shim: posted, repeated with the same ids as long as it says "not now",
 * and judged by its answer. */
#pragma once

#include "cli.h"
#include "fetch.h"
#include "lines.h"
#include "target.h"

#include "codec/json.h"

struct sender {
    struct cli *cli;
    struct fetch fetch;
    struct fetch_answer answer;
    struct est_json *json;                          /* of answers */
    struct lines *lines;                            /* the batch to send */
    char url[TARGET_URL_MAX], base[TARGET_URL_MAX]; /* the whole, and as people know it */
    const char *token;
    /* An event of the batch is refused for good; number as in lines->batch. */
    void (*refuse)(void *arg, uint64_t number, const char *code, const char *detail,
                   const char *pointer);
    void *arg;
    uint64_t accepted, buffered, refused;
    int code; /* EXIT_FINE while it goes on; else the reason has been told */
};

/* The caller has set cli, lines, url, base, token, refuse and arg. On failure close it all the
 * same. */
est_err sender_open(struct sender *s, struct est_why *why);
void sender_close(struct sender *s);
/* Sends what is in lines, until all of it is accepted or refused (lines->n is 0 then), or the shim
 * has not taken any of it for the time of --timeout: s->code. */
void sender_send(struct sender *s);
