/*
 * What processes ask of the kernel's thread: programs to be loaded, generations, the memory of those
 * that have ended to be taken back.
 */
#pragma once

#include "kernel/proc/load.h"
#include "kernel/proc/terminal.h"

/*
 * Takes over the table and the terminal of the root, which were checked; from a resumed generation
 * or new. Processes may run from now on. With UPKEEP_HOLD not before
 * scheduler_release().
 */
enum upkeep_start { UPKEEP_RUN, UPKEEP_HOLD };
void upkeep_start(struct process_table *table, struct terminal *terminal,
                  const struct program_files *files, enum upkeep_start start);

/* In the idle loop, where everything may be waited for. */
void upkeep_step(void);

/* A program for the shell, loaded before it returns. `page_limit` 0: the usual one. */
enum status upkeep_run(const struct program_request *request, u64 page_limit,
                       struct process **process);
/* For the shell, which has told what became of it. */
void upkeep_dismiss(struct process *process);
