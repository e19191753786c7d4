#include "heap.h"

#include "mem.h"

void est_heap_init(struct est_heap *h)
{
    *h = (struct est_heap){0};
}

void est_heap_fini(struct est_heap *h)
{
    est_free(h->slots);
    *h = (struct est_heap){0};
}

static void place(struct est_heap *h, struct est_heap_slot what, size_t slot)
{
    h->slots[slot] = what;
    what.node->slot = slot;
}

static void sift_up(struct est_heap *h, struct est_heap_slot what, size_t slot)
{
    while (slot > 1 && h->slots[slot / 2].at > what.at) {
        place(h, h->slots[slot / 2], slot);
        slot /= 2;
    }
    place(h, what, slot);
}

static void sift_down(struct est_heap *h, struct est_heap_slot what, size_t slot)
{
    for (size_t child; (child = slot * 2) <= h->n; slot = child) {
        if (child < h->n && h->slots[child + 1].at < h->slots[child].at)
            child++;
        if (h->slots[child].at >= what.at)
            break;
        place(h, h->slots[child], slot);
    }
    place(h, what, slot);
}

est_err est_heap_reserve(struct est_heap *h, size_t n)
{
    size_t cap = h->cap ? h->cap : 32;
    struct est_heap_slot *slots;

    while (cap <= n)
        cap *= 2;
    if (cap == h->cap)
        return EST_OK;
    slots = est_realloc(h->slots, cap * sizeof(*slots));
    if (slots == NULL)
        return EST_ERR_NOMEM;
    h->slots = slots;
    h->cap = cap;
    return EST_OK;
}

est_err est_heap_set(struct est_heap *h, struct est_heap_node *n, est_us at)
{
    if (n->slot == 0) {
        if (est_heap_reserve(h, h->n + 1) != EST_OK)
            return EST_ERR_NOMEM;
        n->slot = ++h->n;
    }
    n->at = at;
    sift_up(h, (struct est_heap_slot){at, n}, n->slot);
    sift_down(h, (struct est_heap_slot){at, n}, n->slot);
    return EST_OK;
}

void est_heap_remove(struct est_heap *h, struct est_heap_node *n)
{
    size_t slot = n->slot;
    struct est_heap_slot last;

    if (slot == 0)
        return;
    last = h->slots[h->n--];
    n->slot = 0;
    if (last.node == n)
        return;
    sift_up(h, last, slot);
    sift_down(h, last, last.node->slot);
}

struct est_heap_node *est_heap_first(const struct est_heap *h)
{
    return h->n ? h->slots[1].node : NULL;
}
