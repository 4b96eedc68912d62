/*
 * The root object: the first page of the window, which says what else is in it.
 *
 *   page 0            magic, layout, counters, a directory of the kernel's objects
 *   page 1 ...        the objects, each on pages of its own, in the order of their types
 *
 * What a generation holds is not trusted: root_check() compares the root with the types that this
 * kernel knows and lets each type look over its object before anything uses it. A kernel with
 * another layout does not resume.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

enum { ROOT_OBJECT_TYPES_MAX = 16, ROOT_NAME_MAX = 15 };

/* A kind of persistent kernel object; there is one of each. Bound together in kernel/main.c. */
struct root_object_type {
    const char *name; /* at most ROOT_NAME_MAX bytes */
    u32 layout;       /* changes whenever the structure does */
    size_t size_bytes;
    void (*initialize)(void *object); /* zeroed memory */
    /* ERR_CORRUPT after a log line if it cannot be used; bounds, indices, terminators. */
    enum status (*validate)(void *object);
    bool sparse; /* pages that were never written are in no generation, and zero */
};

struct root_types {
    const struct root_object_type *of;
    size_t count; /* at most ROOT_OBJECT_TYPES_MAX */
};

struct root_counters {
    u64 boots;       /* of machines that ran this memory, the first included */
    u64 generations; /* that were begun in it */
};

/* Pages of the window, from the first on, that root and objects take. */
u64 root_pages(const struct root_types *types);
/* Makes a root and its objects in an empty window. ERR_NO_MEMORY. */
enum status root_create(const struct root_types *types);

/*
 * The root page alone, when it has just come back: ERR_UNSUPPORTED: another kernel's layout, with a
 * log line that says how it differs; ERR_CORRUPT: no root at all.
 */
enum status root_check(const struct root_types *types);
/* All objects, once their pages are back. ERR_CORRUPT. */
enum status root_check_objects(const struct root_types *types);

/* By index of its type. Valid after root_create() or both checks. */
void *root_object(size_t index);
struct root_counters *root_counters(void);
