#include "drivers/pci.h"

#include "kernel/arch/interrupts.h"
#include "kernel/arch/io.h"
#include "kernel/arch/mmio.h"
#include "kernel/arch/paging.h"

enum { CONFIG_ADDRESS = 0xcf8, CONFIG_DATA = 0xcfc };

/* Offsets in the configuration space. */
enum {
    VENDOR_ID = 0x00,
    DEVICE_ID = 0x02,
    COMMAND = 0x04,
    STATUS = 0x06,
    HEADER_TYPE = 0x0e,
    FIRST_BAR = 0x10,
    SUBSYSTEM_ID = 0x2e,
    CAPABILITIES = 0x34,
};

enum { COMMAND_MEMORY = 1 << 1, COMMAND_MASTER = 1 << 2, COMMAND_NO_INTX = 1 << 10 };
enum { STATUS_CAPABILITIES = 1 << 4 };
enum { BAR_COUNT = 6, BAR_IO = 1, BAR_64_BIT = 4 };
enum { CAPABILITIES_MAX = 48 }; /* 4 bytes each in 192: a longer list is a loop */
enum { MSIX_CONTROL = 2, MSIX_TABLE = 4, MSIX_ENABLE = 1 << 15, MSIX_MASK_ALL = 1 << 14 };
enum { MSIX_ENTRY_SIZE = 16 };
enum { FUNCTIONS = 256 * 32 * 8 };

static void select(const struct pci_function *function, u8 offset)
{
    outl(CONFIG_ADDRESS, 1u << 31 | (u32)function->bus << 16 |
                             (u32)function->device << 11 | (u32)function->function << 8 |
                             (offset & 0xfcu));
}

u32 pci_read32(const struct pci_function *function, u8 offset)
{
    select(function, offset);
    return inl(CONFIG_DATA);
}

u16 pci_read16(const struct pci_function *function, u8 offset)
{
    return (u16)(pci_read32(function, offset) >> (offset & 2) * 8);
}

u8 pci_read8(const struct pci_function *function, u8 offset)
{
    return (u8)(pci_read32(function, offset) >> (offset & 3) * 8);
}

void pci_write16(const struct pci_function *function, u8 offset, u16 value)
{
    select(function, offset);
    outw((u16)(CONFIG_DATA + (offset & 2)), value);
}

bool pci_next(u32 *cursor, struct pci_function *function)
{
    while (*cursor < FUNCTIONS) {
        u32 at = (*cursor)++;
        struct pci_function found = {
            .bus = (u8)(at >> 8),
            .device = (u8)(at >> 3 & 31),
            .function = (u8)(at & 7),
        };
        found.vendor_id = pci_read16(&found, VENDOR_ID);
        if (found.vendor_id == 0xffff) {
            if (found.function == 0)
                *cursor += 7; /* no function 0: no device */
            continue;
        }
        if (found.function == 0 && !(pci_read8(&found, HEADER_TYPE) & 0x80))
            *cursor += 7; /* one function only */
        found.device_id = pci_read16(&found, DEVICE_ID);
        found.subsystem_id = pci_read16(&found, SUBSYSTEM_ID);
        *function = found;
        return true;
    }
    return false;
}

u8 pci_find_capability(const struct pci_function *function, u8 id, u8 after)
{
    u8 offset;

    if (!(pci_read16(function, STATUS) & STATUS_CAPABILITIES))
        return 0;
    offset = pci_read8(function, after ? (u8)(after + 1) : CAPABILITIES) & 0xfc;
    for (int i = 0; i < CAPABILITIES_MAX && offset >= 0x40; i++) {
        if (pci_read8(function, offset) == id)
            return offset;
        offset = pci_read8(function, (u8)(offset + 1)) & 0xfc;
    }
    return 0;
}

void pci_enable(const struct pci_function *function)
{
    u16 command = pci_read16(function, COMMAND);

    pci_write16(function, COMMAND,
                command | COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX);
}

enum status pci_map_bar(const struct pci_function *function, u8 bar, u64 offset, u64 size,
                        volatile void **registers)
{
    if (bar >= BAR_COUNT)
        return ERR_CORRUPT;
    u8 at = (u8)(FIRST_BAR + bar * 4);
    u32 low = pci_read32(function, at);
    u64 base = low & ~0xfu;

    if (low & BAR_IO)
        return ERR_CORRUPT;
    if (low & BAR_64_BIT) {
        if (bar + 1 >= BAR_COUNT)
            return ERR_CORRUPT;
        base |= (u64)pci_read32(function, (u8)(at + 4)) << 32;
    }
    if (base == 0 || offset > UINT32_MAX || size == 0 || size > UINT32_MAX)
        return ERR_CORRUPT;
    return paging_map_device(base + offset, size, registers);
}

enum status pci_enable_msix(const struct pci_function *function, u8 vector)
{
    u8 capability = pci_find_capability(function, PCI_CAPABILITY_MSIX, 0);
    volatile void *table;
    u64 address;
    u32 data;

    if (capability == 0)
        return ERR_UNSUPPORTED;
    u32 place = pci_read32(function, (u8)(capability + MSIX_TABLE));
    enum status status =
        pci_map_bar(function, place & 7, place & ~7u, MSIX_ENTRY_SIZE, &table);
    if (status != OK)
        return status;

    volatile u8 *entry = table;
    interrupt_message(vector, &address, &data);
    u16 control = pci_read16(function, (u8)(capability + MSIX_CONTROL));
    pci_write16(function, (u8)(capability + MSIX_CONTROL),
                (u16)(control | MSIX_ENABLE | MSIX_MASK_ALL));
    mmio_write32(entry, (u32)address);
    mmio_write32(entry + 4, (u32)(address >> 32));
    mmio_write32(entry + 8, data);
    mmio_write32(entry + 12, 0); /* not masked */
    pci_write16(function, (u8)(capability + MSIX_CONTROL),
                (u16)((control | MSIX_ENABLE) & ~MSIX_MASK_ALL));
    return OK;
}
