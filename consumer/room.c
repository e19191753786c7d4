#include "room.h"

enum { FEW = 32 }; /* below that, holding back costs more than it saves */

static size_t share(size_t limit, size_t used, size_t parts)
{
    size_t fair = limit / (parts ? parts : 1), half = used < limit ? (limit - used) / 2 : 0;

    return fair > half ? fair : half;
}

bool room_is_above(const struct room *r, size_t records, size_t bytes, unsigned quarters)
{
    return records > share(r->records_max, r->records, r->parts) * quarters / 4 ||
           bytes > share(r->bytes_max, r->bytes, r->parts) * quarters / 4;
}

bool room_is_plenty_of_slow(const struct room *r, size_t ready, size_t round)
{
    size_t half = r->records_max / 2;

    return ready >= (half > round * 3 ? half : round * 3);
}

static size_t few(size_t request)
{
    return request > FEW ? request : FEW;
}

bool room_is_plenty(size_t ready, size_t request, bool is_held)
{
    return ready >= few(request) * (is_held ? 1 : 2);
}

bool room_is_little(size_t ready, size_t request)
{
    return ready < few(request) / 2;
}
