/* What the outcome of a request to a destination means for its events: one table for whole
 * requests, one for the entries of `results[]`, one for the error classes. An outage or a bad token
 * is a pause and never condemns an event; only an answer that blames the event itself does. */
#pragma once

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>

enum est_verdict_act {
    EST_VERDICT_DELIVERED, /* every event of the request is settled */
    EST_VERDICT_PER_ITEM,  /* read results[] and ask est_verdict_of_item; unreadable = retry */
    EST_VERDICT_RETRY,     /* the same events again, later */
    EST_VERDICT_PAUSE,     /* the endpoint: hold everything, read the token again, probe */
    EST_VERDICT_SPLIT,     /* one event of several is refused: bisect until it stands alone */
    EST_VERDICT_POISON     /* the one event of the request is refused: dead-letter it */
};

/* The class names the cause in DLQ headers, metrics and the log; class.def holds the names. */
enum est_verdict_class {
#define EST_CLASS(name, text, err) EST_CLASS_##name,
#include "core/class.def"
#undef EST_CLASS
    EST_CLASS__COUNT
};

struct est_verdict {
    enum est_verdict_act act;
    enum est_verdict_class class;
    bool infra; /* the path failed, not the event: the circuit breaker counts it */
    bool alert; /* nothing but a person's act will mend it */
};

struct est_outcome {
    est_err transport; /* EST_OK when a complete response came */
    int status;        /* HTTP status, read only then */
    size_t events;     /* in the request; at least 1 */
    bool itemized;     /* sent to a route whose 200 and 207 answer per event in results[] */
};

struct est_verdict est_verdict_of(const struct est_outcome *outcome);

/* 403 and 404 speak of the token or the route, or of what was sent: which of them, only other
 * requests show. */
bool est_verdict_is_doubtful(int status);

/* The verdict for the event of one results[] entry: delivered, retry (424: behind the failed one of
 * its key; also what is no answer about an event, such as 302) or poison; never split or pause. */
struct est_verdict est_verdict_of_item(int status);

/* The class of a record that never reached a request: it could not be decoded, has no value, … */
enum est_verdict_class est_verdict_class_of(est_err err);
/* "http_4xx", "timeout", …; lower case, stable once released. Never NULL. */
const char *est_verdict_class_name(enum est_verdict_class class);
/* The error that the class stands for: code and sentence of base/err.def. */
est_err est_verdict_class_err(enum est_verdict_class class);
