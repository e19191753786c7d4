#include "lang.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const texts[TEXTS][EST_LANGS] = {
#define TEXT(id, en, pt) [TEXT_##id] = {en, pt},
#include "texts.def"
#undef TEXT
};

static const char *variable(const char *const *names)
{
    for (; *names != NULL; names++) {
        const char *value = getenv(*names);
        if (value != NULL && value[0] != '\0')
            return value;
    }
    return "";
}

enum est_lang lang_pick(const char *option)
{
    static const char *const names[] = {"ESTEIRA_LANG", "LC_ALL", "LC_MESSAGES", "LANG", NULL};
    const char *value = option != NULL ? option : variable(names);

    return strncasecmp(value, "pt", 2) == 0 ? EST_LANG_PT : EST_LANG_EN;
}

bool lang_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG", NULL};
    const char *value = variable(names);

    return strcasestr(value, "utf-8") != NULL || strcasestr(value, "utf8") != NULL;
}

const char *lang_text(enum est_lang lang, enum text id)
{
    return texts[id][lang];
}

static const char *argument(const char *const *args, size_t place)
{
    for (size_t i = 0; args[i] != NULL; i++)
        if (i == place)
            return args[i];
    return "";
}

void lang_put(struct est_buf *out, enum est_lang lang, enum text id, const char *const *args)
{
    const char *text = texts[id][lang];

    for (const char *brace; (brace = strchr(text, '{')) != NULL; text = brace + 3) {
        est_buf_put(out, text, (size_t)(brace - text));
        est_buf_puts(out, argument(args, (size_t)(brace[1] - '1')));
    }
    est_buf_puts(out, text);
}

void lang_put_number(struct est_buf *out, enum est_lang lang, uint64_t n)
{
    char digits[32];
    int at = sizeof(digits), group = 0;

    do {
        if (group == 3) {
            digits[--at] = lang == EST_LANG_PT ? '.' : ',';
            group = 0;
        }
        digits[--at] = (char)('0' + n % 10);
        n /= 10;
        group++;
    } while (n != 0);
    est_buf_put(out, digits + at, sizeof(digits) - (size_t)at);
}
