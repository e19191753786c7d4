/* The inside of deliver.h, for deliver*.c: what is sent when (deliver.c), what a request says
 * (deliver_body.c), what its answer means (deliver_answer.c), and where each event goes from there
 * (deliver_end.c). */
#pragma once

#include "base/buf.h"
#include "bulletin.h"
#include "core/batch.h"
#include "core/bisect.h"
#include "core/turns.h"
#include "core/verdict.h"
#include "deliver.h"
#include "endpoint.h"
#include "io/loop.h"
#include "line.h"
#include "pauses.h"
#include "parcel.h"
#include "worker.h"

struct attempts;
struct est_gzip;
struct est_results;
struct est_series;

enum { DELIVER_KEY_MAX = 400 }; /* bytes of an Idempotency-Key, the NUL included */

enum { DELIVER_TRACEPARENT_MAX = 128, DELIVER_TRACESTATE_MAX = 1024 };

/* W3C trace context of a request. */
struct deliver_trace {
    char parent[DELIVER_TRACEPARENT_MAX + 1], state[DELIVER_TRACESTATE_MAX + 1]; /* "" = none */
};

/* What a batch under way waits for until the endpoint lets it start. */
enum shipment_hold { HOLD_NOTHING, HOLD_RANGE, HOLD_HEALTH };

/* One batch under way: a request, or several one after the other when it is being halved. */
struct shipment {
    struct deliver *dv;
    struct line *line;
    bool busy;
    struct est_batch batch;
    struct est_bisect bisect;
    struct est_range range;      /* of the request that is out */
    struct est_buf body, packed; /* packed: the body in gzip, where it goes out so */
    bool single;                 /* goes to the route of one event */
    size_t sent;                 /* events in the body */
    struct est_http_call *call;
    uint32_t ticket, line_ticket;
    est_us started_at;                    /* the request that is out */
    enum est_verdict_class refused_class; /* why the one event of the last request was refused: */
    int refused_status;                   /* kept while the endpoint is asked for its health */
    char key[DELIVER_KEY_MAX];            /* Idempotency-Key of the last request */
    bool asking_health; /* the request that is out asks whether the endpoint works at all */
    enum est_verdict_class failed_class; /* of the last answer, for an event that is given up */
    int failed_status;
    enum shipment_hold hold;
    bool doubted; /* refused as the endpoint may be: it keeps its place also while that is down, and
                     the probes, one by one, find out which */
};

struct deliver {
    struct worker *w;
    struct endpoint endpoint;
    struct attempts *attempts;
    struct bulletin bulletin;
    struct pauses pauses;
    struct line *lines; /* one a type */
    size_t n_lines;
    struct est_turns turns;
    struct est_gzip *gzip; /* NULL = bodies go as they are */
    struct est_results *results;
    struct est_view *ids; /* of the batch whose answer is read: the answers must be in its order */
    struct shipment *shipments; /* max_in_flight of them, and as many for types that wait */
    size_t n, busy, held;
    size_t out;      /* requests */
    size_t request;  /* events in one request, as large as they are at present */
    size_t round;    /* events in all requests that may be out, as large as they are at present */
    uint64_t passed; /* events delivered; from 1 */
    struct est_timer wake, token;
    struct est_series **delivered, **duplicates; /* by type */
    struct est_series *retried, *seconds;
};

/* The parcel at i of the batch; NULL where it has gone its way. */
static inline struct parcel *deliver_parcel(const struct shipment *s, size_t i)
{
    struct est_lane_item *item = s->batch.items[i];

    return item ? EST_CONTAINER(item, struct parcel, item) : NULL;
}

/* --- deliver.c --- */

/* The next range that still has events, or the end of the batch. */
void deliver_send_next(struct shipment *s);
/* Its next request, of this kind, may not start yet: it is tried again when one may. False when the
 * endpoint is down, and nobody knows for how long, unless the batch is doubted. */
bool deliver_hold(struct shipment *s, enum shipment_hold hold);
/* The batch is over; what is left of it waits again, blamed for nothing. */
void deliver_finish(struct shipment *s);

/* --- deliver_pick.c: may a request start, and whose --- */

enum deliver_answer {
    DELIVER_GO,
    DELIVER_NOT_THIS, /* its type may not, or all places are taken */
    DELIVER_NOBODY    /* the endpoint lets none start */
};
enum deliver_answer deliver_allow(struct shipment *s);
/* It did not start after all, or was broken off. */
void deliver_forgo(struct shipment *s);
/* What came of it; fills o->is_apart. */
void deliver_observe(struct shipment *s, struct endpoint_outcome *o);
/* How batches of the line are filled at present. */
struct est_batch_limits deliver_limits(const struct deliver *dv, const struct line *ln);
/* The place of the line whose turn it is; dv->n_lines when none waits that may start. Fills `waits`
 * for est_turns_take. */
size_t deliver_pick(const struct deliver *dv, bool waits[EST_TURNS_MAX]);
/* When something may start that may not now; EST_NEVER = when something else happens first. */
est_us deliver_wake_at(const struct deliver *dv);

/* --- deliver_body.c --- */

/* The body of a new batch, cut to what the body may hold; returns the number of events in it. */
size_t deliver_load(struct shipment *s);
/* The body of s->range, once more; returns the number of events in it. */
size_t deliver_load_range(struct shipment *s);
/* One event: its id, quoted as the field wants it. Several: a digest of their ids in order. */
void deliver_key(const struct shipment *s, char out[DELIVER_KEY_MAX]);
/* The trace that the request belongs to: of its one event. False: none, or several events, which
 * carry theirs as members of their own. */
bool deliver_trace_of(const struct shipment *s, struct deliver_trace *ret);

/* --- deliver_answer.c --- */

/* Before the first event is condemned the endpoint must show that it works. */
void deliver_ask_health(struct shipment *s);
void deliver_on_answer(void *shipment, const struct est_http_result *res);

/* --- deliver_end.c: the parcel at i leaves the batch --- */

void deliver_settle(struct shipment *s, size_t i, bool duplicate);
/* To the DLQ: refused by the destination, or damaged, for which `reason` is one sentence. */
void deliver_condemn(struct shipment *s, size_t i, enum est_verdict_class class, int status);
void deliver_condemn_damaged(struct shipment *s, size_t i, enum est_verdict_class class,
                             const char *reason);
/* To its lane, until its failures let it be sent again. blamed: it failed while the path was well,
 * so it counts. floor: it waits at least so long. */
void deliver_give_back(struct shipment *s, size_t i, bool blamed, est_us floor);
/* All that are left of the range, and the batch is over. */
void deliver_retry_all(struct shipment *s, bool blamed, est_us floor);
