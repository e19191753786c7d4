/* What a receiver under experiment writes down, as fixed records one behind the other, so that
 * millions of events cost little and a judge can count them afterwards. Machine order of bytes: it
 * is read where it was written.
 *
 *   TEXT     a tag, an event name or a token, once, before the first record that uses its number
 *   REQUEST  one request, when it has arrived whole
 *   EVENT    its events, directly behind it, in their order
 *   ANSWER   when the request of that number was answered (whether anybody still listened or not)
 *
 * Events are named TAG-LANE-N (tally.h). An event counts as taken when its request arrives: what
 * happens to the answer behind that is the sender's risk, as it is with a real receiver. */
#pragma once

#include "base/clock.h"
#include "base/view.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { JOURNAL_TEXT_MAX = 23, JOURNAL_TEXTS = 200, JOURNAL_NONE = 255 };

enum journal_kind { JOURNAL_TEXT = 1, JOURNAL_REQUEST, JOURNAL_EVENT, JOURNAL_ANSWER };
enum journal_route { JOURNAL_SINGLE, JOURNAL_BATCH, JOURNAL_STATUS, JOURNAL_OTHER };

struct journal_text {
    uint8_t len;
    char text[JOURNAL_TEXT_MAX];
};

struct journal_request {
    uint8_t route, token; /* number of its text, or JOURNAL_NONE */
    uint16_t status;      /* that it will be answered with; 0 = never answered */
    uint32_t seq, events;
    est_us mono;
};

struct journal_event {
    uint8_t tag, name;       /* numbers of their texts; tag JOURNAL_NONE = no id of ours */
    uint16_t status;         /* of the event itself: 201 new, 200 known, else not taken */
    uint32_t lane, delay_ms; /* since the shim received it */
    uint64_t n;
};

struct journal_answer {
    uint32_t seq;
    est_us mono;
    est_us until; /* before which the answer forbids another request; 0 = it does not */
};

struct journal_record {
    uint8_t kind, number; /* number: of a text */
    union {
        struct journal_text text;
        struct journal_request request;
        struct journal_event event;
        struct journal_answer answer;
    } u;
};

/* The texts met so far, by number. */
struct journal {
    FILE *file;
    unsigned n_texts;
    struct journal_text texts[JOURNAL_TEXTS];
};

/* False with errno. */
bool journal_create(struct journal *j, const char *path);
bool journal_open(struct journal *j, const char *path);
/* The number of a text, cut at its maximum; JOURNAL_NONE when there are too many. */
uint8_t journal_number(struct journal *j, struct est_view text);
void journal_put(struct journal *j, uint8_t kind, const void *part, size_t size);
/* False at the end; texts are kept by the journal and not returned. */
bool journal_next(struct journal *j, struct journal_record *ret);
/* Buffered records reach the file; false when it could not be written. */
bool journal_flush(struct journal *j);

/* Every answer, by the number of its request: answers come later than their requests. */
struct journal_answers {
    struct journal_answer *of; /* est_free */
    size_t n;
};
/* False with errno. */
bool journal_read_answers(struct journal_answers *ret, const char *path);
/* All zero when there was none. */
const struct journal_answer *journal_answer(const struct journal_answers *all, uint32_t seq);
