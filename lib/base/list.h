/* Intrusive doubly linked list. A node is in at most one list; an unlinked one points to itself. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct est_node {
    struct est_node *prev, *next;
};

/* The struct of `type` whose member `member` is the node `ptr`. */
#define EST_CONTAINER(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void est_list_init(struct est_node *head)
{
    head->prev = head->next = head;
}

static inline bool est_list_empty(const struct est_node *head)
{
    return head->next == head;
}

static inline void est_list_append(struct est_node *head, struct est_node *n)
{
    n->prev = head->prev;
    n->next = head;
    head->prev->next = n;
    head->prev = n;
}

static inline void est_list_prepend(struct est_node *head, struct est_node *n)
{
    est_list_append(head->next, n);
}

static inline void est_list_remove(struct est_node *n)
{
    n->prev->next = n->next;
    n->next->prev = n->prev;
    n->prev = n->next = n;
}

/* The first node, or NULL. */
static inline struct est_node *est_list_first(const struct est_node *head)
{
    return est_list_empty(head) ? NULL : head->next;
}

#define EST_LIST_EACH(it, head)                                                   \
    for (struct est_node *it = (head)->next, *it##_next = it->next; it != (head); \
         it = it##_next, it##_next = it->next)
