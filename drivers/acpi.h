/*
 * As much of ACPI as it takes to switch a PC off: the FADT's control registers and the sleep types
 * of state S5 out of the DSDT. The tables come from the firmware and are read with bounds.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

struct acpi_soft_off {
    u16 control_a, control_b; /* I/O ports; control_b may be 0: none */
    u8 type_a, type_b;
};

/* ERR_NO_DEVICE: no ACPI, or none that says how. */
enum status acpi_find_soft_off(struct acpi_soft_off *off);
