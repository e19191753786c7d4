/* The events in a request's body, as our consumer writes them, and which of them came before. A
 * receiver that is to keep up with everything else on the same machine does not parse JSON: it
 * looks for the marks that the loads' events carry. */
#pragma once

#include "base/clock.h"
#include "base/err.h"
#include "base/view.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { EVENTS_TAGS = 200, EVENTS_LANES = 65536 };

struct received_event {
    struct est_view text; /* all of it */
    struct est_view id, name, tag;
    bool ours; /* its id is TAG-LANE-N */
    uint32_t lane;
    uint64_t n;
    uint32_t delay_ms; /* since the shim received it */
};

/* The next event at or behind *at; false when there is none. wall: now. */
bool received_next(struct est_view body, size_t *at, est_us wall, struct received_event *ret);
/* Fills tag, lane and n from ev->id; false when that is not TAG-LANE-N. */
bool received_split_id(struct received_event *ev);
/* The member's text as it stands, absent when it is not there. */
struct est_view received_member(struct est_view text, const char *name);

/* Which events were taken: bits by tag, lane and number. */
struct received_set {
    struct received_lane *lanes[EVENTS_TAGS]; /* EVENTS_LANES each, or NULL */
    uint64_t distinct, repeats;
};
/* *ret_known: it had been taken before. EST_ERR_NOMEM, EST_ERR_INVALID (outside the bounds). */
est_err received_take(struct received_set *set, unsigned tag, uint32_t lane, uint64_t n,
                      bool *ret_known);
void received_forget(struct received_set *set);
