/* Any bytes as text, at speed and byte by byte: the same is UTF-8, and what is written as a JSON
 * string is read back as it was. First byte: where the text begins in its memory. */
#include "base/view.h"
#include "codec/json.h"
#include "codec/text.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct est_json *js;

static void require(bool ok)
{
    if (!ok)
        abort();
}

static void read_back(const struct est_buf *written, struct est_view text)
{
    const struct est_value *v;

    require(est_json_parse(js, est_buf_view(written), &v, NULL) == EST_OK);
    require(est_view_eq(est_json_string(v), text));
    est_json_clear(js);
}

static bool stands_as_it_is(unsigned char c)
{
    return c >= 0x20 && c != '"' && c != '\\';
}

/* The longest beginning that is UTF-8 and needs no escape. */
static size_t plain(struct est_view text)
{
    size_t n = 0;

    while (n < text.len && stands_as_it_is((unsigned char)text.data[n]))
        n++;
    while (!est_utf8_valid(est_view(text.data, n)))
        n--;
    return n;
}

/* Memory of the text's own size, so that a byte read behind its end is seen; and as much more as a
 * text with padding has, of other bytes. */
static void both(const uint8_t *bytes, size_t n, size_t skew, char padding)
{
    char *exact = malloc(skew + n > 0 ? skew + n : 1), *padded = malloc(skew + n + EST_BUF_SLACK);
    struct est_view text = est_view(exact + skew, n);
    struct est_buf out, also;
    bool is_utf8;

    require(exact != NULL && padded != NULL);
    memset(padded, padding, skew + n + EST_BUF_SLACK);
    if (n > 0) {
        memcpy(exact + skew, bytes, n);
        memcpy(padded + skew, bytes, n);
    }
    est_buf_init(&out, 1 << 22);
    est_buf_init(&also, 1 << 22);
    is_utf8 = est_utf8_valid(text);
    require(est_text_is_utf8(text) == is_utf8);
    require(est_text_plain(text) == plain(text));
    require(est_text_put(&out, text) == is_utf8);
    require(est_text_put_padded(&also, est_view(padded + skew, n)) == is_utf8);
    if (is_utf8) {
        require(est_view_eq(est_buf_view(&out), est_buf_view(&also)));
        read_back(&out, text);
    }
    est_buf_fini(&out);
    est_buf_fini(&also);
    free(exact);
    free(padded);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (js == NULL)
        require(est_json_new(NULL, &js) == EST_OK);
    if (size < 1)
        return 0;
    both(data + 1, size - 1, data[0] % 16, '"');
    both(data + 1, size - 1, data[0] % 16, (char)0x80);
    return 0;
}
