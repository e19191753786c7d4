#include "config/message.h"

#include "config/line.h"

#include <string.h>

struct row {
    est_err code;
    const char *text[EST_LANGS];
};

static const struct row rows[] = {
    [EST_MESSAGE_NONE] = {EST_OK, {"", ""}},
#define EST_MESSAGE(name, code, en, pt) [EST_MESSAGE_##name] = {EST_ERR_##code, {en, pt}},
#include "config/messages.def"
#undef EST_MESSAGE
};

enum { QUOTE_MAX = 40 };

void est_message_arg(struct est_fault *f, unsigned place, const char *en, const char *pt)
{
    est_line_printf(f->args[EST_LANG_EN][place - 1], EST_MESSAGE_ARG_LEN, "%s", en);
    est_line_printf(f->args[EST_LANG_PT][place - 1], EST_MESSAGE_ARG_LEN, "%s", pt);
}

struct est_fault est_message_fault(enum est_message m, const char *arg1, const char *arg2)
{
    struct est_fault f = {.message = m};

    if (arg1 != NULL)
        est_message_arg(&f, 1, arg1, arg1);
    if (arg2 != NULL)
        est_message_arg(&f, 2, arg2, arg2);
    return f;
}

est_err est_message_code(enum est_message m)
{
    return rows[m].code;
}

void est_message_put(struct est_buf *out, const struct est_fault *f, enum est_lang lang)
{
    const char *text = rows[f->message].text[lang];

    for (const char *brace; (brace = strchr(text, '{')) != NULL; text = brace + 3) {
        est_buf_put(out, text, (size_t)(brace - text));
        est_buf_puts(out, f->args[lang][brace[1] - '1']);
    }
    est_buf_puts(out, text);
}

void est_message_quote(struct est_view found, char out[EST_MESSAGE_ARG_LEN])
{
    size_t n = found.len < QUOTE_MAX ? found.len : QUOTE_MAX;

    while (n < found.len && n > 0 && ((unsigned char)found.data[n] & 0xC0) == 0x80)
        n--;
    est_line_printf(out, EST_MESSAGE_ARG_LEN, "\"%.*s%s\"", (int)n, found.data ? found.data : "",
                    n < found.len ? "…" : "");
    for (char *c = out; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7F)
            *c = '?';
}
