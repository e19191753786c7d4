#include "receiver_events.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

static const uint64_t N_MAX = 1ULL << 32;

struct received_lane {
    unsigned char *seen;
    size_t bytes;
};

/* --- reading --- */

struct est_view received_member(struct est_view text, const char *name)
{
    char mark[48];
    int len = snprintf(mark, sizeof(mark), "\"%s\":\"", name);
    const char *at = memmem(text.data, text.len, mark, (size_t)len), *end;
    size_t rest;

    if (at == NULL)
        return EST_VIEW_NONE;
    at += len;
    rest = (size_t)(text.data + text.len - at);
    end = memchr(at, '"', rest);
    return end == NULL ? EST_VIEW_NONE : est_view(at, (size_t)(end - at));
}

static const char *last_dash(struct est_view v)
{
    return v.len == 0 ? NULL : memrchr(v.data, '-', v.len);
}

bool received_split_id(struct received_event *ev)
{
    const char *second = last_dash(ev->id), *first, *end = ev->id.data + ev->id.len;
    unsigned long long lane, n;

    if (second == NULL)
        return false;
    first = last_dash(est_view(ev->id.data, (size_t)(second - ev->id.data)));
    if (first == NULL ||
        !est_view_u64(est_view(first + 1, (size_t)(second - first - 1)), EVENTS_LANES - 1, &lane) ||
        !est_view_u64(est_view(second + 1, (size_t)(end - second - 1)), N_MAX - 1, &n))
        return false;
    ev->tag = est_view(ev->id.data, (size_t)(first - ev->id.data));
    ev->lane = (uint32_t)lane;
    ev->n = n;
    return true;
}

static uint32_t delay_of(struct est_view text, est_us wall)
{
    est_us received;

    if (!est_rfc3339_parse(received_member(text, "received_at"), &received) || wall <= received)
        return 0;
    return (uint32_t)((wall - received) / EST_MS);
}

bool received_next(struct est_view body, size_t *at, est_us wall, struct received_event *ret)
{
    static const char mark[] = "{\"id\":\"";
    const char *end = body.data + body.len, *from, *next;

    if (*at >= body.len)
        return false;
    from = memmem(body.data + *at, body.len - *at, mark, sizeof(mark) - 1);
    if (from == NULL)
        return false;
    next = memmem(from + 1, (size_t)(end - from - 1), mark, sizeof(mark) - 1);
    *at = (size_t)((next != NULL ? next : end) - body.data);
    *ret = (struct received_event){.text = est_view(from, (size_t)(body.data + *at - from))};
    ret->id = received_member(ret->text, "id");
    ret->name = received_member(ret->text, "event");
    ret->ours = received_split_id(ret);
    ret->delay_ms = delay_of(ret->text, wall);
    return true;
}

/* --- what was taken --- */

static bool make_room(struct received_lane *l, size_t byte)
{
    size_t bytes = byte + byte / 2 + 64;
    unsigned char *seen;

    if (byte < l->bytes)
        return true;
    seen = est_realloc(l->seen, bytes);
    if (seen == NULL)
        return false;
    memset(seen + l->bytes, 0, bytes - l->bytes);
    l->seen = seen;
    l->bytes = bytes;
    return true;
}

est_err received_take(struct received_set *set, unsigned tag, uint32_t lane, uint64_t n,
                      bool *ret_known)
{
    struct received_lane *l;
    unsigned char bit = (unsigned char)(1U << (n % 8));

    if (tag >= EVENTS_TAGS || lane >= EVENTS_LANES || n >= N_MAX)
        return EST_ERR_INVALID;
    if (set->lanes[tag] == NULL)
        set->lanes[tag] = est_calloc(EVENTS_LANES, sizeof(struct received_lane));
    if (set->lanes[tag] == NULL || !make_room(&set->lanes[tag][lane], (size_t)(n / 8)))
        return EST_ERR_NOMEM;
    l = &set->lanes[tag][lane];
    *ret_known = (l->seen[n / 8] & bit) != 0;
    l->seen[n / 8] |= bit;
    if (*ret_known)
        set->repeats++;
    else
        set->distinct++;
    return EST_OK;
}

void received_forget(struct received_set *set)
{
    for (size_t t = 0; t < EVENTS_TAGS; t++) {
        for (size_t i = 0; set->lanes[t] != NULL && i < EVENTS_LANES; i++)
            est_free(set->lanes[t][i].seen);
        est_free(set->lanes[t]);
    }
    memset(set, 0, sizeof(*set));
}
