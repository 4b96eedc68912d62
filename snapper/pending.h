/*
 * The objects that a generation in creation takes, copies or forgets.
 */
#pragma once

#include "snapper/session.h"

/* The entry of this id, or NULL. Valid until the next pending_set(). */
struct pending *pending_find(struct creation *creation, u64 id);
/* Adds the entry, or replaces the one of the same id. ERR_NO_MEMORY: nothing changed. */
enum status pending_set(struct creation *creation, const struct pending *entry);
/* By id, ascending. Afterwards pending_find() must not be used. */
void pending_sort(struct creation *creation);
/* Frees the payload if it is owned. */
void pending_drop_payload(struct pending *entry);
/* Frees what the creation holds; it is empty again. */
void creation_clear(struct creation *creation);
