/*
 * PCI by configuration mechanism 1: finding functions, their capabilities and registers.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

struct pci_function {
    u8 bus, device, function;
    u16 vendor_id, device_id;
    u16 subsystem_id;
};

enum { PCI_CAPABILITY_VENDOR = 0x09, PCI_CAPABILITY_MSIX = 0x11 };

/* The next function after *cursor (start with 0), in order of bus, device, function; false: no more. */
[[nodiscard]] bool pci_next(u32 *cursor, struct pci_function *function);

u8 pci_read8(const struct pci_function *function, u8 offset);
u16 pci_read16(const struct pci_function *function, u8 offset);
u32 pci_read32(const struct pci_function *function, u8 offset);
void pci_write16(const struct pci_function *function, u8 offset, u16 value);

/* Offset of the next capability with this id behind `after` (0: the first); 0: none. */
u8 pci_find_capability(const struct pci_function *function, u8 id, u8 after);

/* Lets the function answer in memory space and write to memory by itself. */
void pci_enable(const struct pci_function *function);

/*
 * Maps [offset, offset + size) of a memory BAR. ERR_CORRUPT: not a memory BAR, no address, or a BAR
 * number that does not exist.
 */
enum status pci_map_bar(const struct pci_function *function, u8 bar, u64 offset, u64 size,
                        volatile void **registers);

/* Directs entry 0 of the MSI-X table to an interrupt vector. ERR_UNSUPPORTED: no MSI-X. */
enum status pci_enable_msix(const struct pci_function *function, u8 vector);
