/* A lane of the load: one connection with ordering keys of its own and at most one request under
 * way, repeated until it is answered 202: within a key the next event waits for the one before. Ids
 * and keys are as tally.h says. */
#pragma once

#include "base/buf.h"
#include "base/clock.h"

#include <stdbool.h>
#include <stdint.h>

enum { LANE_MARK_SHIFT = 7919 };
enum lane_state { LANE_IDLE, LANE_BUSY, LANE_PAUSED };
enum lane_last { LANE_UNKNOWN, LANE_REFUSED }; /* of a request that was not accepted */

struct lane {
    uint32_t index;
    const char *event; /* name of all its events */
    int fd;
    enum lane_state state;
    enum lane_last last;
    uint64_t next; /* the first event of the request under way, or of the next one */
    uint64_t n;    /* its events */
    est_us due;
    est_us deadline; /* of the answer; paused: when it goes again */
    struct est_buf out;
    size_t out_at, in_n;
    bool writing; /* waits for room in the socket */
    char *in;
};

/* The same for all lanes. `accepted` is told of each 202, while next and n are still those of the
 * request; the lane is idle then. */
struct lane_options {
    int epoll_fd;
    uint16_t port;
    est_us timeout;
    const char *tag, *token; /* token "" = none is sent */
    uint64_t keys, bytes;    /* keys of each lane; bytes of one event, about */
    uint64_t mark;           /* 1 in so many of each lane is marked; 0 = none */
    void (*accepted)(struct lane *l, uint64_t buffered);
    uint64_t requests, repeats; /* counted here */
};

/* Once, before all others; borrowed. */
void lane_setup(struct lane_options *opt);
void lane_init(struct lane *l, uint32_t index, const char *event);
void lane_begin(struct lane *l, uint64_t n, est_us due);
/* What epoll tells of it (data.ptr is the lane). */
void lane_on_event(struct lane *l, uint32_t events);
/* Deadlines and pauses. */
void lane_look(struct lane *l, est_us now);

_Noreturn void load_die(const char *what, const char *why);
