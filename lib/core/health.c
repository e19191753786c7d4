#include "health.h"

#include <string.h>

void est_health_init(struct est_health *h)
{
    *h = (struct est_health){0};
}

/* Cut at the length, but not inside a UTF-8 sequence. */
static void copy_text(char *out, size_t size, const char *text)
{
    size_t n = strnlen(text, size);

    if (n == size) {
        n--;
        while (n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80)
            n--;
    }
    memcpy(out, text, n);
    out[n] = '\0';
}

/* The place of the reason, or h->n. Codes are compared as they are stored: cut. */
static size_t find(const struct est_health *h, const char *code)
{
    size_t i = 0;

    while (i < h->n && strncmp(h->reasons[i].code, code, EST_HEALTH_CODE - 1) != 0)
        i++;
    return i;
}

est_err est_health_add(struct est_health *h, const char *code, const char *text, est_us now)
{
    size_t i = find(h, code);

    if (i == EST_HEALTH_REASONS)
        return EST_ERR_FULL;
    if (i == h->n) {
        copy_text(h->reasons[i].code, EST_HEALTH_CODE, code);
        h->reasons[i].since = now;
        h->n++;
    }
    copy_text(h->reasons[i].text, EST_HEALTH_TEXT, text);
    return EST_OK;
}

bool est_health_remove(struct est_health *h, const char *code)
{
    size_t i = find(h, code);

    if (i == h->n)
        return false;
    h->n--;
    memmove(&h->reasons[i], &h->reasons[i + 1], (h->n - i) * sizeof(h->reasons[0]));
    return true;
}

bool est_health_is_ready(const struct est_health *h)
{
    return h->n == 0;
}
