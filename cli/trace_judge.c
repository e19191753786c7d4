#include "trace.h"

#include <string.h>

const char *trace_state_name(enum trace_state state)
{
    static const char *const names[TRACE_STATES] = {
        [TRACE_NOWHERE] = "not_found",   [TRACE_BUFFERED] = "buffered",
        [TRACE_QUEUED] = "queued",       [TRACE_RETRYING] = "retrying",
        [TRACE_DELIVERED] = "delivered", [TRACE_DEAD] = "dead_lettered",
        [TRACE_PARKED] = "parked",       [TRACE_UNKNOWN] = "unknown"};

    return names[state];
}

/* Milliseconds are the first 48 bits, the version is the 13th digit (RFC 9562 §5.7). */
int64_t trace_time_of_id(const char *id)
{
    int64_t ms = 0;

    if (strlen(id) != EST_UUID_LEN || id[14] != '7')
        return -1;
    for (size_t i = 0; i < EST_UUID_LEN; i++) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        char c = id[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;
        if (dash ? c != '-' : digit < 0)
            return -1;
        if (i < 13 && !dash)
            ms = ms << 4 | digit;
    }
    return ms;
}

bool trace_attempt_delivered(const struct trace_attempt *a)
{
    if (a->is_own)
        return a->status >= 200 && a->status < 300;
    return strcmp(a->verdict, "delivered") == 0;
}

/* Of an answer for each event, what is neither taken nor to be sent again; of a whole request, the
 * one event that stood in it alone. */
bool trace_attempt_refused(const struct trace_attempt *a)
{
    if (a->is_own)
        return a->status >= 400 && a->status < 500 && a->status != 408 && a->status != 409 &&
               a->status != 424 && a->status != 425 && a->status != 429;
    return strcmp(a->verdict, "refused") == 0;
}

static const struct trace_letter *letter_of(const struct trace_destination *d, size_t copy)
{
    for (size_t i = 0; i < d->n_letters; i++)
        if (d->letters[i].copy == copy)
            return &d->letters[i];
    return NULL;
}

/* Attempts are in the order of time: the copy's last one counts, but for one that delivered. */
static const struct trace_attempt *last_of(const struct trace_destination *d, size_t copy)
{
    const struct trace_attempt *last = NULL;

    for (size_t i = 0; i < d->n_attempts; i++)
        if (d->attempts[i].copy == copy && (last == NULL || !trace_attempt_delivered(last)))
            last = &d->attempts[i];
    return last;
}

static enum trace_state state_of_letter(const struct trace_letter *l)
{
    return l->state == DLQ_PARKED ? TRACE_PARKED : TRACE_DEAD;
}

/* A dead letter whose DLQ has been emptied since is told by its last request alone. */
static enum trace_state state_of(const struct trace_destination *d, size_t copy)
{
    const struct trace_letter *letter = letter_of(d, copy);
    const struct trace_attempt *last = last_of(d, copy);
    enum trace_mark mark = d->marks[copy];

    if (letter != NULL)
        return state_of_letter(letter);
    if (mark == TRACE_MARK_DEAD)
        return TRACE_DEAD;
    if (mark == TRACE_MARK_DELIVERED || (last != NULL && trace_attempt_delivered(last)))
        return TRACE_DELIVERED;
    if (mark == TRACE_MARK_SETTLED)
        return last != NULL && trace_attempt_refused(last) ? TRACE_DEAD : TRACE_DELIVERED;
    if (last != NULL)
        return TRACE_RETRYING;
    return mark == TRACE_MARK_OPEN ? TRACE_QUEUED : TRACE_UNKNOWN;
}

static bool concerns(const struct trace_copy *c, const struct trace_destination *d)
{
    return c->put_back_for[0] == '\0' || strcmp(c->put_back_for, d->dest->name) == 0;
}

/* Of several copies the one that has got furthest speaks for the event: delivered once is
 * delivered; what still waits may yet be; only when all are dead it is dead. */
static unsigned rank(enum trace_state state)
{
    static const unsigned char ranks[TRACE_STATES] = {
        [TRACE_NOWHERE] = 0, [TRACE_PARKED] = 3,   [TRACE_DEAD] = 3,     [TRACE_UNKNOWN] = 4,
        [TRACE_QUEUED] = 5,  [TRACE_RETRYING] = 6, [TRACE_DELIVERED] = 7};

    return ranks[state];
}

static void judge(const struct trace *t, struct trace_destination *d)
{
    d->state = TRACE_NOWHERE;
    d->copy = 0;
    for (size_t i = 0; i < t->n_copies; i++) {
        enum trace_state state = concerns(&t->copies[i], d) ? state_of(d, i) : TRACE_NOWHERE;
        /* of equals the later one, but the first delivery */
        if (rank(state) > rank(d->state) ||
            (rank(state) == rank(d->state) && state != TRACE_DELIVERED)) {
            d->state = state;
            d->copy = i;
        }
    }
    if (d->state == TRACE_NOWHERE && d->n_letters > 0)
        d->state = state_of_letter(&d->letters[d->n_letters - 1]);
    if (d->state == TRACE_NOWHERE && t->n_waiting > 0)
        d->state = TRACE_BUFFERED;
}

void trace_judge(struct trace *t)
{
    for (size_t i = 0; i < t->n_dests; i++)
        judge(t, &t->dests[i]);
}
