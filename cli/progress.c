#include "progress.h"

enum { BAR = 20, TERMINAL_STEP_MS = 100, PIPE_STEP_S = 10, FIRST_AFTER_S = 1 };

/* Eighths of a cell in UTF-8, whole cells without. */
static void put_bar(struct out *o, uint64_t n, uint64_t total)
{
    static const char *const eighths[] = {"░", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
    uint64_t filled = total > 0 ? n * BAR * 8 / total : 0;

    for (uint64_t cell = 0; cell < BAR; cell++) {
        uint64_t part = filled > cell * 8 ? filled - cell * 8 : 0;
        if (!o->utf8)
            est_buf_putc(&o->line, part >= 8 ? '#' : '.');
        else
            est_buf_puts(&o->line, part >= 8 ? "█" : eighths[part]);
    }
}

static void put_rate(struct out *o, est_us elapsed, uint64_t n, uint64_t total, uint64_t units)
{
    uint64_t seconds = (uint64_t)(elapsed / EST_SECOND);

    est_buf_puts(&o->line, "  ");
    lang_put_number(&o->line, o->lang, elapsed > 0 ? units * EST_SECOND / (uint64_t)elapsed : 0);
    est_buf_puts(&o->line, "/s");
    if (total > n && n > 0) {
        char left[24];
        (void)snprintf(left, sizeof(left), "%llu", (unsigned long long)(seconds * (total - n) / n));
        est_buf_puts(&o->line, "  ");
        lang_put(&o->line, o->lang, TEXT_LEFT, OUT_ARGS(left));
    }
}

static bool is_due(const struct progress *p, const struct out *o, est_us now)
{
    est_us last = p->shown_at > p->started ? p->shown_at : p->started;

    if (o->quiet || o->json)
        return false;
    if (!o->tty_err)
        return now - last >= PIPE_STEP_S * EST_SECOND;
    return now - p->started >= FIRST_AFTER_S * EST_SECOND &&
           now - last >= TERMINAL_STEP_MS * EST_MS;
}

void progress_show(struct progress *p, struct out *o, est_us now, uint64_t done, uint64_t units)
{
    if (!is_due(p, o, now))
        return;
    p->shown_at = now;
    est_buf_clear(&o->line);
    est_buf_puts(&o->line, lang_text(o->lang, p->what != 0 ? p->what : TEXT_SENDING));
    est_buf_puts(&o->line, "  ");
    if (p->total > 0) {
        if (o->tty_err)
            put_bar(o, done, p->total);
        est_buf_printf(&o->line, "  %llu %%  ", (unsigned long long)(done * 100 / p->total));
    }
    lang_put_number(&o->line, o->lang, units);
    put_rate(o, now - p->started, done, p->total, units);
    (void)fprintf(stderr, o->tty_err ? "\r\033[K%.*s" : "%.*s\n", (int)o->line.len,
                  est_buf_view(&o->line).data);
    o->line_open = o->tty_err;
    est_buf_clear(&o->line);
}
