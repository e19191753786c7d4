#include "window.h"

#include "base/assert.h"

void est_window_init(struct est_window *w, unsigned initial, unsigned max)
{
    EST_ASSERT(initial > 0 && max > 0);
    *w = (struct est_window){.max = max, .size = initial < max ? initial : max};
}

bool est_window_allow(struct est_window *w)
{
    if (w->in_flight >= w->size)
        return false;
    w->in_flight++;
    return true;
}

static void grow(struct est_window *w)
{
    if (++w->good < w->size)
        return;
    w->good = 0;
    if (w->size < w->max)
        w->size++;
}

/* Every request still in flight was sent under the window that proved too wide. */
static void shrink(struct est_window *w)
{
    w->size = w->size > 1 ? w->size / 2 : 1;
    w->good = 0;
    w->stale = w->in_flight;
}

/* Requests may end in any order, so the stale ones are counted and not told apart: the first
 * `stale` ends after a decrease are taken for them. */
void est_window_observe(struct est_window *w, enum est_window_outcome outcome)
{
    bool stale = w->stale > 0;

    EST_ASSERT(w->in_flight > 0);
    w->in_flight--;
    if (stale)
        w->stale--;
    if (outcome == EST_WINDOW_OVERLOAD && !stale)
        shrink(w);
    else if (outcome == EST_WINDOW_GOOD && !stale)
        grow(w);
}
