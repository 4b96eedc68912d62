/*
 * A machine on the host for drivers: memory, a clock, PCI, and one virtio block device that does what it
 * ought to, but for the lies that it is told to tell.
 *
 * The drivers are compiled against the headers under tests/machine, so that each access to a register
 * or to memory that is shared with the device comes by here. What breaks a promise of the driver ends
 * the program: registers outside what was mapped, memory handed over that is not there, descriptors
 * that a device of this kind must not be given, no end after 300,000 accesses.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"
#include "tests/support/damage.h"

/* What a lie is about, and what its `at` counts or names. */
enum lie_kind {
    LIE_PCI, /* a word of the configuration space, by offset */
    LIE_REGISTER, /* the common registers, by offset; with the half of features that is selected */
    LIE_CONFIG,     /* the block device's configuration, by offset */
    LIE_SHARED,     /* what the driver reads in memory, the nth time */
    LIE_COMPLETION, /* the nth request: what is answered, see virtio_device.c */
    LIE_MEMORY,     /* the nth allocation fails */
    LIE_KINDS
};

enum { LIES_MAX = 12, MACHINE_SECTORS = 64 };

struct lie {
    enum lie_kind kind;
    u32 at;
    u64 limit;  /* how often it is told */
    u32 manner; /* how the value comes about */
    u64 value;
};

/* A machine that tells these lies, or what the source has it tell. */
void machine_start(const struct lie *lies, size_t count);
void machine_start_drawn(struct damage_source *source);
/* All memory that drivers took is given back. */
void machine_stop(void);
bool machine_has_lied(void);
bool machine_has_lied_about(enum lie_kind kind);
/* The lie to be told here, one time less from now on; NULL: none. */
const struct lie *machine_lie(enum lie_kind kind, u32 at);
/* `value` as the lie has it. */
u64 machine_lie_about(enum lie_kind kind, u32 at, u64 value);
_Noreturn void machine_found(const char *what);

/* --- the device, for the machine --- */

enum { DEVICE_BAR = 0xFE000000, DEVICE_BAR_SIZE = 0x4000 };

void device_start(void);
/* Its configuration space. */
u32 device_pci_read(u8 offset);
void device_pci_write(u8 offset, u16 value);
/* Registers, by offset in its BAR. */
u32 device_read(u64 offset);
void device_write(u64 offset, u32 value);
/* It finishes what it can: on each poll of shared memory, and when the CPU sleeps. */
void device_run(void);
