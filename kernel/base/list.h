/*
 * A doubly linked list whose links live in its members.
 *
 *   struct thing { struct list_link link; ... };
 *   LIST_FOR_EACH(struct thing, thing, &list, link) { ... }        (no removal inside)
 */
#pragma once

#include "kernel/base/types.h"

struct list_link {
    struct list_link *next;
    struct list_link *previous;
};

struct list {
    struct list_link head; /* next: first member, previous: last member */
};

static inline void list_init(struct list *list)
{
    list->head.next = list->head.previous = &list->head;
}

static inline bool list_is_empty(const struct list *list)
{
    return list->head.next == &list->head;
}

static inline void list_insert_after(struct list_link *position, struct list_link *link)
{
    link->previous = position;
    link->next = position->next;
    position->next->previous = link;
    position->next = link;
}

static inline void list_append(struct list *list, struct list_link *link)
{
    list_insert_after(list->head.previous, link);
}

static inline void list_prepend(struct list *list, struct list_link *link)
{
    list_insert_after(&list->head, link);
}

/* Removing a link leaves it unlinked: both pointers NULL. */
static inline void list_remove(struct list_link *link)
{
    link->previous->next = link->next;
    link->next->previous = link->previous;
    link->next = link->previous = NULL;
}

static inline bool list_is_linked(const struct list_link *link)
{
    return link->next != NULL;
}

/* The first link, or NULL. */
static inline struct list_link *list_first(const struct list *list)
{
    return list_is_empty(list) ? NULL : list->head.next;
}

#define LIST_FOR_EACH(type, name, list, member)                                          \
    for (type *name = CONTAINER_OF((list)->head.next, type, member);                     \
         &name->member != &(list)->head;                                                 \
         name = CONTAINER_OF(name->member.next, type, member))
