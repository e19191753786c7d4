/* The words that people see, in two languages, by table (texts.def, help.def). Logs and --json
 * speak English only. */
#pragma once

#include "base/buf.h"
#include "config/report.h"

#include <stdint.h>

enum text {
#define TEXT(id, en, pt) TEXT_##id,
#include "texts.def"
#undef TEXT
    TEXTS
};

/* option: what --lang said, or NULL. Then ESTEIRA_LANG, LC_ALL, LC_MESSAGES, LANG: what begins with
 * "pt" is Portuguese. English for all else. */
enum est_lang lang_pick(const char *option);
/* True when the locale's characters are UTF-8, so that ✓ and █ can be shown. */
bool lang_is_utf8(void);
const char *lang_text(enum est_lang lang, enum text id);
/* The text with {1} … {4} filled in; args ends with NULL. */
void lang_put(struct est_buf *out, enum est_lang lang, enum text id, const char *const *args);
/* 12.480 in Portuguese, 12,480 in English. */
void lang_put_number(struct est_buf *out, enum est_lang lang, uint64_t n);
