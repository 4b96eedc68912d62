/*
 * The end of the machine: QEMU's debug exit if it is there, else ACPI, else a halt.
 */
#pragma once

#include "kernel/base/types.h"

/* Exit code 33 under isa-debug-exit. Everything that matters is on the disk. */
_Noreturn void power_off(void);
_Noreturn void power_reset(void);
/* Exit code 35, or a halt that leaves the screen as it is. Touches nothing else. */
_Noreturn void power_panic(void);
