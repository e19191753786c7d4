/* The inside of intake.h, for intake*.c: what a record is and which lane it goes to (intake.c), how
 * much may be read (intake_room.c), and what waits for its schema or for room in the account
 * (intake_held.c). */
#pragma once

#include "base/buf.h"
#include "config/config.h"
#include "intake.h"
#include "io/kafka_msg.h"
#include "io/loop.h"
#include "part.h"
#include "worker.h"

struct est_schemas;
struct est_series;
struct est_wire;
struct inquiry;

struct intake {
    struct worker *w;
    struct est_schemas *schemas;
    struct est_buf name;
    struct est_series **records, **repeats, **completed, **unchained; /* by type */
    struct inquiry *inquiry;
    bool held;                          /* all records are held back for a moment */
    bool was_held;                      /* were, since it was last looked at what waits */
    bool is_slow[EST_CONFIG_TYPES_MAX]; /* was held back for it for long: see relieve() */
    struct est_timer watch;
};

static inline size_t intake_type(const struct intake *in, const struct part *p)
{
    return (size_t)(p->type - in->w->cfg->types);
}

/* --- intake.c --- */

/* There is no memory for that record, which stays unsettled. */
void intake_no_memory(struct intake *in, const struct part *p, const struct est_kafka_msg *msg,
                      est_err err);
/* The account is asked about it, and it is taken unless that settles it. Takes msg. */
void intake_read(struct intake *in, struct part *p, struct est_kafka_msg *msg);
/* Into its lane, behind what waits for its schema, if anything does. Takes msg. */
void intake_take_in_order(struct intake *in, struct part *p, struct est_kafka_msg *msg);

/* --- intake_room.c --- */

void intake_pause(struct intake *in, struct part *p, bool paused);
/* It is judged who holds up the others, while everything is held back or was a moment ago. */
void intake_on_watch(void *arg);
/* Hold everything back if there is enough. To be asked after each record: one turn of the loop may
 * bring a thousand. */
void intake_hold_back(struct intake *in, const struct part *p);

/* --- intake_held.c: in their partition's order, which is paused. Each takes msg. --- */

/* It waits for its schema; wire NULL: behind another that does. */
void held_put(struct intake *in, struct part *p, struct est_kafka_msg *msg,
              const struct est_wire *wire);
/* The account has no room for it: it waits unread until the commit point rises. */
void held_put_unread(struct intake *in, struct part *p, struct est_kafka_msg *msg);
/* What waits in the partition, or in all of them, is taken again. */
void held_release(struct intake *in, struct part *p);
void held_release_all(void *arg);
