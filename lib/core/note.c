#include "note.h"

#include "base/assert.h"
#include "base/base64.h"
#include "chain.h"
#include "base/leb128.h"
#include "murmur2.h"

#include <stdio.h>

enum { VERSION = 1, FRONT = 5, BYTES_MAX = EST_NOTE_MAX / 4 * 3, PLACE_MAX = 128, LONGEST = 65536 };

void est_note_init(struct est_note *note)
{
    note->tally = (struct est_tally){0};
    est_ledger_init(&note->ledger, true);
    est_ahead_init(&note->ahead);
}

void est_note_fini(struct est_note *note)
{
    est_ledger_clear(&note->ledger);
    est_ahead_fini(&note->ahead);
    note->tally = (struct est_tally){0};
}

/* --- the checksum --- */

static uint32_t sum_of(struct est_note_place at, struct est_view payload)
{
    char text[PLACE_MAX];
    int len = snprintf(text, sizeof(text), "%.*s/%u/%lld", (int)at.type.len, at.type.data,
                       at.partition, (long long)at.offset);

    EST_ASSERT(len > 0 && len < PLACE_MAX);
    return est_murmur2(payload) ^ est_murmur2(est_view(text, (size_t)len));
}

static void set_sum(char *front, uint32_t sum)
{
    for (unsigned i = 0; i < 4; i++)
        front[i] = (char)(sum >> (8 * i));
}

static bool is_sum(const char *front, uint32_t sum)
{
    char want[4];

    set_sum(want, sum);
    return memcmp(front, want, sizeof(want)) == 0;
}

/* --- the tally --- */

enum { COUNTS = 8 };

static uint64_t *count_at(struct est_tally *t, size_t i)
{
    uint64_t *const all[COUNTS] = {&t->fresh,   &t->repeats,   &t->marks,     &t->replays,
                                   &t->skipped, &t->unchained, &t->delivered, &t->dead};

    return all[i];
}

static void put_tally(struct est_buf *out, struct est_tally tally)
{
    for (size_t i = 0; i < COUNTS; i++)
        est_leb128_put(out, *count_at(&tally, i));
}

static bool take_tally(struct est_view *in, struct est_tally *ret)
{
    for (size_t i = 0; i < COUNTS; i++)
        if (!est_leb128_take(in, count_at(ret, i)))
            return false;
    return true;
}

/* --- the whole --- */

static est_err put_all(struct est_note *note, struct est_note_place at, size_t max,
                       struct est_buf *out)
{
    est_err err;

    put_tally(out, note->tally);
    if ((err = est_buf_err(out)) != EST_OK ||
        (err = est_ledger_save(&note->ledger, max - out->len, out)) != EST_OK)
        return err;
    est_ahead_save(&note->ahead, &note->ledger, at.offset, max - out->len, out);
    return est_buf_err(out);
}

est_err est_note_write(struct est_note *note, struct est_note_place at, size_t max,
                       struct est_buf *out)
{
    struct est_buf bytes;
    est_err err;

    EST_ASSERT(max >= EST_NOTE_MIN && max <= EST_NOTE_MAX);
    est_buf_init(&bytes, LONGEST);
    est_buf_putc(&bytes, VERSION);
    est_buf_put(&bytes, "\0\0\0\0", FRONT - 1);
    err = put_all(note, at, max / 4 * 3, &bytes);
    if (err == EST_OK) {
        set_sum(bytes.data + 1, sum_of(at, est_view(bytes.data + FRONT, bytes.len - FRONT)));
        est_base64_put(out, est_buf_view(&bytes));
        err = est_buf_err(out);
    }
    est_buf_fini(&bytes);
    return err;
}

static est_err take_all(struct est_note *note, struct est_note_place at, struct est_view bytes)
{
    struct est_view in;
    est_err err;

    if (bytes.len < FRONT || bytes.data[0] != VERSION)
        return EST_ERR_INVALID;
    in = est_view(bytes.data + FRONT, bytes.len - FRONT);
    if (!is_sum(bytes.data + 1, sum_of(at, in)) || !take_tally(&in, &note->tally))
        return EST_ERR_INVALID;
    if ((err = est_ledger_load(&note->ledger, &in)) != EST_OK)
        return err;
    return est_ahead_load(&note->ahead, &note->ledger, at.offset, in);
}

est_err est_note_read(struct est_note *note, struct est_note_place at, struct est_view text)
{
    struct est_buf bytes;
    est_err err = EST_ERR_INVALID;

    est_buf_init(&bytes, BYTES_MAX);
    if (text.len <= EST_NOTE_MAX && at.type.len <= EST_CHAIN_TYPE_MAX)
        err = est_base64_take(&bytes, text);
    if (err == EST_OK)
        err = take_all(note, at, est_buf_view(&bytes));
    est_buf_fini(&bytes);
    if (err == EST_OK)
        return EST_OK;
    note->tally = (struct est_tally){0};
    est_ledger_clear(&note->ledger);
    est_ahead_clear(&note->ahead);
    return err;
}

struct est_note_sum est_note_sum(const struct est_note *note)
{
    const struct est_tally *t = &note->tally;
    uint64_t missing = est_ledger_missing(&note->ledger);

    return (struct est_note_sum){
        .accepted = t->fresh + t->unchained + missing + note->ledger.expired,
        .delivered = t->delivered,
        .dead = t->dead > t->replays ? t->dead - t->replays : 0,
        .missing = missing,
        .expired = note->ledger.expired,
        .ahead = est_ahead_count(&note->ahead),
        .partial = note->ledger.partial,
    };
}
