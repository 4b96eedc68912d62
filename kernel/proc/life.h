/*
 * How processes end, and who is told.
 */
#pragma once

#include "kernel/proc/process.h"

/*
 * It never runs again. Its parent, should it wait, is woken; its children become orphans. Its pages are
 * given back by the upkeep, its entry once the status was taken.
 */
void life_end(struct process *process, enum exit_kind kind, u32 code);

/* It and all that descend from it are killed: ^C, kill. */
void life_kill_tree(u32 id);

/* For what it has done at `frame`: one line in the log says what and where. `reason` may be NULL. */
void life_end_by_fault(struct process *process, const struct trap_frame *frame,
                       const char *reason, u64 address);

/* Does anybody still want the status of this one, which has ended? */
bool life_is_awaited(const struct process *process);

/* Is `process` a child of `ancestor`, or of a child of it ...? */
bool life_descends_from(const struct process *process, u32 ancestor);
