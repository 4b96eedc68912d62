/*
 * The virtual map. User space (later) is slot 0 of the PML4; the kernel owns the upper half.
 *
 *   ffffffff'80000000 +------------------------------+  slot 511
 *                     | kernel image: text RX,       |  linked here, loaded at 1 MiB
 *                     | rodata R, data and bss RW    |
 *   ffffd000'00000000 +------------------------------+  slot 416
 *                     | stacks: one per kernel       |  an unmapped guard page below each
 *                     | thread, guard pages between  |
 *   ffffc800'00000000 +------------------------------+  slot 400
 *                     | device memory, uncached      |  PCI BARs, local APIC
 *   ffffc000'00000000 +------------------------------+  slot 384, its one PDPT shared by all spaces
 *                     | persistent window            |  4 KiB pages, demand zero, captured by
 *                     | 64 GiB of addresses          |  Snapper; the only memory that survives
 *   ffff8000'00000000 +------------------------------+  slot 256
 *                     | direct map of all RAM        |  RW, NX; the frames that hold kernel text
 *                     |                              |  and rodata are read-only here too
 *                     +------------------------------+
 *   00007fff'ffffffff | user space                   |  slot 0 only
 *   00000000'00000000 +------------------------------+
 *
 * No page is both writable and executable.
 */
#pragma once

#include "kernel/base/types.h"

#define DIRECT_MAP_BASE 0xffff800000000000ULL
#define PERSISTENT_BASE 0xffffc00000000000ULL
#define PERSISTENT_SIZE (64 * GIB)
#define DEVICE_BASE 0xffffc80000000000ULL
#define STACK_BASE 0xffffd00000000000ULL
#define KERNEL_BASE 0xffffffff80000000ULL

/* The persistent window: kernel objects first, then the scratch area of `mem`. */
#define PERSISTENT_OBJECTS_SIZE (64 * MIB)
#define SCRATCH_BASE (PERSISTENT_BASE + PERSISTENT_OBJECTS_SIZE)
#define SCRATCH_PAGES ((PERSISTENT_SIZE - PERSISTENT_OBJECTS_SIZE) / PAGE_SIZE)
