#include "loans.h"

#include "core/lanes.h"
#include "parcel.h"

void loans_init(struct loans *l, struct est_lanes *lanes, size_t window)
{
    *l = (struct loans){.lanes = lanes, .window = window};
    est_list_init(&l->list);
}

void loans_add(struct loans *l, struct parcel *pc)
{
    struct est_node *first;

    pc->read_before = l->read;
    l->read += pc->bytes;
    est_list_append(&l->list, &pc->loan);
    while ((first = est_list_first(&l->list)) != NULL) {
        struct parcel *oldest = EST_CONTAINER(first, struct parcel, loan);
        if (l->read - oldest->read_before <= l->window || parcel_own(oldest) != EST_OK)
            return;
        est_list_remove(first);
        if (oldest->item.lane != NULL)
            est_lanes_resize(l->lanes, &oldest->item, oldest->bytes);
    }
}
