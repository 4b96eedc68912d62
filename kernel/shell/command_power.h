/*
 * What sync, shutdown and reboot want of the file system, which the shell does not know; bound in
 * kernel/main.c.
 */
#pragma once

#include "kernel/base/status.h"

struct power_hooks {
    enum status (*sync)(void); /* the file system's changes, durable */
    void (*close)(void); /* Snapper and the file system; what goes wrong is logged */
};

void command_power_set_hooks(const struct power_hooks *of_machine);

/* The file system is closed and the machine starts again; memory is not saved. */
_Noreturn void command_power_restart(void);
