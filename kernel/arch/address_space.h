/*
 * The top-level table of a program: its upper half is the kernel's, the same for all; of its lower half
 * only slot 0 is used, whose table (`top`, 1 GiB an entry) belongs to whoever manages the pages.
 */
#pragma once

#include "kernel/arch/paging.h"

struct address_space {
    physical_address root;
};

/* ERR_NO_MEMORY. */
enum status address_space_create(struct address_space *space, physical_address top);
/* Before the tables under `top` go. If it is loaded, the kernel's own is from now on. */
void address_space_destroy(struct address_space *space);
/* Forgets all translations that are not global. Nothing happens if it is loaded. */
void address_space_load(const struct address_space *space);
/* From then on no program's memory is reachable. */
void address_space_load_kernel(void);
/* For paging_check(). */
const page_entry *address_space_root(const struct address_space *space);
