/* How the receiver is told to behave, as JSON; each script replaces the one before:
 *
 *   {"tokens":["a","b"],              others get 401; none = all are let in
 *    "limit":{"requests":100,         of each token, in windows that its first request opens
 *             "window_ms":60000},
 *    "down":true,                     its port is closed
 *    "rules":[{                       the first rule that matches a request decides
 *      "path":"/api",                 its path begins so
 *      "text":"\"event\":\"order_",   its body holds this (with "item": the event does)
 *      "item":true,                   only such events of a batch get the status, others are taken
 *      "status":503,                  0 or none = the events are taken
 *      "delay_ms":60000,              before the answer
 *      "retry_after_s":30,            in seconds, or with "as_date":true as a date
 *      "for_ms":60000,                from now on; then the rule is over
 *      "times":3}]}                   so many matches; then the rule is over
 *
 * Pure but for the clock of the caller. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SCRIPT_RULES = 16, SCRIPT_TOKENS = 8, SCRIPT_TEXT = 128, SCRIPT_CLIENTS = 200 };

struct script_rule {
    char path[SCRIPT_TEXT], text[SCRIPT_TEXT];
    bool item, as_date;
    int status;
    est_us delay, retry_after, until; /* until: EST_NEVER = always */
    uint64_t times;                   /* left */
};

struct script {
    struct script_rule rules[SCRIPT_RULES];
    size_t n_rules;
    char tokens[SCRIPT_TOKENS][SCRIPT_TEXT];
    size_t n_tokens;
    bool down;
    uint64_t limit; /* 0 = none */
    est_us window;
    struct {
        est_us since;
        uint64_t n;
    } clients[SCRIPT_CLIENTS]; /* by number of their token */
};

/* EST_ERR_JSON or EST_ERR_INVALID, and *s is as it was. Windows of the limit go on. */
est_err script_read(struct script *s, struct est_view json, est_us now, struct est_why *why);
/* The rule for a whole request, or NULL. Counts the match. */
struct script_rule *script_for_request(struct script *s, struct est_view path, struct est_view body,
                                       est_us now);
/* The rule for one event, or NULL. */
struct script_rule *script_for_event(struct script *s, struct est_view event, est_us now);
bool script_has_item_rules(const struct script *s, est_us now);
bool script_lets_in(const struct script *s, struct est_view token);

struct script_budget {
    bool allowed;
    uint64_t left;
    est_us reset; /* until the window ends */
};
/* One request of that client. */
struct script_budget script_spend(struct script *s, unsigned client, est_us now);
