/*
 * What each stage of a generation costs the kernel's thread: time stamp cycles that it has worked
 * itself, instructions under -icount. port_stage() leads here.
 */
#pragma once

#include "kernel/base/stage.h"
#include "kernel/base/types.h"

/* From here on work is done for this stage; what it was for until now. */
enum stage meter_switch(enum stage stage);
/* All counters to zero. */
void meter_start(void);
/* The counters since then. */
void meter_read(u64 cycles[STAGE_COUNT]);
