/* Any bytes as the text of `extra`: what is read without the parser is what the parser reads. A
 * space in front, which the encoder never writes, sends the same text to the parser. */
#include "codec/extra.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static est_err read_and_put(struct est_view text, struct est_buf *out)
{
    struct est_extra x = {0};
    struct est_json *js;
    est_err err;

    if (est_json_new(NULL, &js) != EST_OK)
        abort();
    err = est_extra_read(js, text, &x);
    for (size_t i = 0; err == EST_OK && i < x.n; i++) {
        est_buf_put_view(out, x.objects[i].pointer);
        for (size_t k = 0; k < x.objects[i].n; k++) {
            est_buf_putc(out, ' ');
            est_extra_put(out, &x.objects[i].members[k]);
        }
        est_buf_putc(out, '\n');
    }
    est_json_free(js);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct est_buf ours, theirs, spaced;

    est_buf_init(&ours, 1 << 22);
    est_buf_init(&theirs, 1 << 22);
    est_buf_init(&spaced, 1 << 22);
    est_buf_putc(&spaced, ' ');
    est_buf_put(&spaced, data, size);
    if (read_and_put(est_view((const char *)data, size), &ours) !=
            read_and_put(est_buf_view(&spaced), &theirs) ||
        !est_view_eq(est_buf_view(&ours), est_buf_view(&theirs)))
        abort();
    est_buf_fini(&ours);
    est_buf_fini(&theirs);
    est_buf_fini(&spaced);
    return 0;
}
