#include "config/nearest.h"

#include <stdint.h>

enum { LONGEST = 64, PREFIX_LEAST = 4 };

static unsigned char folded(char c)
{
    unsigned char u = (unsigned char)c;

    if (u == '-')
        return '_';
    return u >= 'A' && u <= 'Z' ? (unsigned char)(u + ('a' - 'A')) : u;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t est_nearest_distance(struct est_view a, struct est_view b)
{
    size_t rows[3]
               [LONGEST + 1]; /* the row that is filled, the one before it, the one before that */

    if (a.len > LONGEST || b.len > LONGEST)
        return SIZE_MAX;
    for (size_t j = 0; j <= b.len; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t *row = rows[i % 3];
        const size_t *before = rows[(i + 2) % 3], *second = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            unsigned char ca = folded(a.data[i - 1]), cb = folded(b.data[j - 1]);
            row[j] = least(before[j - 1] + (ca != cb), least(before[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && ca == folded(b.data[j - 2]) && cb == folded(a.data[i - 2]))
                row[j] = least(row[j], second[j - 2] + 1);
        }
    }
    return rows[a.len % 3][b.len];
}

void est_nearest_init(struct est_nearest *near, struct est_view name)
{
    *near = (struct est_nearest){.name = name, .distance = SIZE_MAX};
}

static bool begins_with_the_other(struct est_view a, struct est_view b)
{
    return least(a.len, b.len) >= PREFIX_LEAST &&
           (est_view_istarts(a, b) || est_view_istarts(b, a));
}

void est_nearest_offer(struct est_nearest *near, struct est_view known)
{
    size_t longer = near->name.len > known.len ? near->name.len : known.len;
    size_t d = est_nearest_distance(near->name, known);

    if (d >= near->distance)
        return;
    if (d > (longer + 2) / 3 && !begins_with_the_other(near->name, known))
        return;
    near->best = known;
    near->distance = d;
}
