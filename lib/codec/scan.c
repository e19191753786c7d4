#include "scan.h"

#include "text.h"

#include <string.h>

bool est_scan_string(struct est_scan *s, struct est_view *ret)
{
    if (!est_scan_char(s, '"'))
        return false;
    *ret = est_view(s->at, est_text_plain(est_view(s->at, (size_t)(s->end - s->at))));
    s->at += ret->len;
    return est_scan_char(s, '"');
}

bool est_scan_digits(struct est_scan *s)
{
    const char *from = s->at;

    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
    return s->at > from;
}

bool est_scan_word(struct est_scan *s, const char *word, size_t n)
{
    if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0)
        return false;
    s->at += n;
    return true;
}
