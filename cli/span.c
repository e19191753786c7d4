#include "span.h"

#include <stdio.h>
#include <time.h>

void span_text(enum est_lang lang, est_us d, char out[SPAN_TEXT])
{
    static const struct {
        est_us unit, part;
        const char *unit_name, *part_name;
    } rows[] = {{86400 * EST_SECOND, 3600 * EST_SECOND, "d", "h"},
                {3600 * EST_SECOND, 60 * EST_SECOND, "h", "min"},
                {60 * EST_SECOND, EST_SECOND, "min", "s"}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (d >= rows[i].unit) {
            (void)snprintf(out, SPAN_TEXT, "%lld %s %lld %s", (long long)(d / rows[i].unit),
                           rows[i].unit_name, (long long)(d % rows[i].unit / rows[i].part),
                           rows[i].part_name);
            return;
        }
    if (d >= EST_SECOND)
        (void)snprintf(out, SPAN_TEXT, "%lld%c%lld s", (long long)(d / EST_SECOND),
                       lang == EST_LANG_PT ? ',' : '.',
                       (long long)(d % EST_SECOND / (EST_SECOND / 10)));
    else
        (void)snprintf(out, SPAN_TEXT, "%lld ms", (long long)(d > 0 ? d / EST_MS : 0));
}

void span_time(enum est_lang lang, int64_t unix_ms, int64_t now_ms, char out[SPAN_TEXT])
{
    time_t at = (time_t)(unix_ms / 1000), now = (time_t)(now_ms / 1000);
    struct tm tm, today;
    bool is_today;
    size_t n;

    (void)localtime_r(&at, &tm);
    (void)localtime_r(&now, &today);
    is_today = tm.tm_yday == today.tm_yday && tm.tm_year == today.tm_year;
    n = strftime(out, SPAN_TEXT,
                 is_today              ? "%H:%M:%S"
                 : lang == EST_LANG_PT ? "%d/%m %H:%M:%S"
                                       : "%m-%d %H:%M:%S",
                 &tm);
    (void)snprintf(out + n, SPAN_TEXT - n, "%c%03d", lang == EST_LANG_PT ? ',' : '.',
                   (int)(unix_ms % 1000));
}
