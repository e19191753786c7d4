/* Any bytes as a commit's metadata. As they are, the checksum refuses them; behind a right one they
 * are refused or are a note, which is written and read again to the same. */
#include "base/base64.h"
#include "core/murmur2.h"
#include "core/note.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct est_note_place here = {{"order", 5}, 3, 1000};

static void must(bool ok)
{
    if (!ok)
        abort();
}

static void put_framed(struct est_buf *text, struct est_view payload)
{
    uint32_t sum = est_murmur2(payload) ^ est_murmur2(EST_VIEW_LIT("order/3/1000"));
    struct est_buf bytes;

    est_buf_init(&bytes, EST_NOTE_MAX);
    est_buf_putc(&bytes, 1);
    for (unsigned i = 0; i < 4; i++)
        est_buf_putc(&bytes, (char)(sum >> (8 * i)));
    est_buf_put_view(&bytes, payload);
    est_base64_put(text, est_buf_view(&bytes));
    est_buf_fini(&bytes);
}

static void again(struct est_note *note)
{
    struct est_note got;
    struct est_buf text;
    struct est_note_sum before = est_note_sum(note), after;

    est_note_init(&got);
    est_buf_init(&text, EST_NOTE_MAX);
    must(est_note_write(note, here, EST_NOTE_MAX, &text) == EST_OK);
    must(est_note_read(&got, here, est_buf_view(&text)) == EST_OK);
    after = est_note_sum(&got);
    must(after.accepted == before.accepted && after.missing == before.missing &&
         after.ahead <= before.ahead);
    est_note_fini(&got);
    est_buf_fini(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct est_view in = est_view((const char *)data, size);
    struct est_note note;
    struct est_buf text;

    est_note_init(&note);
    est_buf_init(&text, EST_NOTE_MAX * 2);
    (void)est_note_read(&note, here, in);
    if (size <= EST_NOTE_MAX / 4 * 3 - 5)
        put_framed(&text, in);
    if (est_note_read(&note, here, est_buf_view(&text)) == EST_OK)
        again(&note);
    est_note_fini(&note);
    est_buf_fini(&text);
    return 0;
}
