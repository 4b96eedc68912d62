/*
 * A process table as a generation might hold it, for those that damage it.
 */
#pragma once

#include "kernel/proc/process.h"

/* A child that reads in the foreground, its parent that waits for it, and one that runs. */
void process_image_make(struct process_table *table);
