/* JSON looked over from left to right without the parser: for text that is nearly always plain,
 * where the parser would cost more than all that is done with what it finds. Every function returns
 * false for what does not stand there, or not as plainly as this; then the parser is asked for all
 * of it, and has the last word. */
#pragma once

#include "base/view.h"

#include <stdbool.h>

struct est_scan {
    const char *at, *end;
};

static inline struct est_scan est_scan_of(struct est_view text)
{
    return (struct est_scan){text.data, text.data + text.len};
}

static inline bool est_scan_char(struct est_scan *s, char c)
{
    if (s->at == s->end || *s->at != c)
        return false;
    s->at++;
    return true;
}

/* The inside of a string without escapes: it stands for itself. */
bool est_scan_string(struct est_scan *s, struct est_view *ret);
/* One or more digits. */
bool est_scan_digits(struct est_scan *s);
bool est_scan_word(struct est_scan *s, const char *word, size_t n);
/* What JSON may have between its parts. */
static inline void est_scan_space(struct est_scan *s)
{
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\r' || *s->at == '\t'))
        s->at++;
}
