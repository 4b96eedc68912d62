/*
 * The interrupt controllers: local APIC (xAPIC), I/O APIC, and the 8259 PICs that are put to rest.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

/* Remaps and masks both PICs, maps and enables the local APIC, masks all I/O APIC inputs. */
void apic_init(void);

u32 apic_id(void);
void apic_end_of_interrupt(void);

/* Sends an edge-triggered, active-high ISA line to `vector`. ERR_NO_DEVICE: no I/O APIC. */
enum status io_apic_route(u8 line, u8 vector);

/* The local APIC's timer, divided by 16: counts down once without an interrupt, or repeats. */
void apic_timer_start_counting(void);
u32 apic_timer_counted(void); /* since then */
void apic_timer_start_periodic(u8 vector, u32 count);
