#include "drivers/acpi.h"

#include "kernel/arch/paging.h"
#include "kernel/base/checked.h"
#include "kernel/base/endian.h"
#include "kernel/base/string.h"
#include "kernel/mm/frame.h"

enum {
    BIOS_AREA = 0xe0000,
    BIOS_AREA_SIZE = 0x20000,
    ROOT_SIZE = 20,
    ROOT_TABLE_AT = 16,
    HEADER_SIZE = 36,
    LENGTH_AT = 4,
    DSDT_AT = 40,
    CONTROL_A_AT = 64,
    CONTROL_B_AT = 68,
    FADT_SIZE_MIN = 72,
    TABLE_SIZE_MAX = MIB,
};

static bool sums_to_zero(const u8 *bytes, size_t size)
{
    u8 sum = 0;

    for (size_t i = 0; i < size; i++)
        sum = (u8)(sum + bytes[i]);
    return sum == 0;
}

/* Tables lie in RAM or just above it, always in what the direct map shows. */
static bool is_visible(u64 address, u64 size)
{
    u64 last = address + size - 1;
    u64 page_size;

    for (u64 at = address; at <= last; at = align_down(at, PAGE_SIZE) + PAGE_SIZE)
        if (!paging_lookup((u64)physical_to_virtual(at), &page_size))
            return false;
    return true;
}

/* The table at this address, if it is whole and has the signature. */
static const u8 *table_at(u64 address, const char *signature, u32 *size)
{
    if (!address || !is_visible(address, HEADER_SIZE))
        return NULL;

    const u8 *table = physical_to_virtual(address);
    *size = get_le32(table + LENGTH_AT);
    if (memcmp(table, signature, 4) != 0 || *size < HEADER_SIZE ||
        *size > TABLE_SIZE_MAX || !is_visible(address, *size) ||
        !sums_to_zero(table, *size))
        return NULL;
    return table;
}

static const u8 *find_fadt(u32 *size)
{
    const u8 *bios = physical_to_virtual(BIOS_AREA);

    for (u32 at = 0; at + ROOT_SIZE <= BIOS_AREA_SIZE; at += 16) {
        if (memcmp(bios + at, "RSD PTR ", 8) != 0 || !sums_to_zero(bios + at, ROOT_SIZE))
            continue;

        u32 root_size;
        const u8 *root =
            table_at(get_le32(bios + at + ROOT_TABLE_AT), "RSDT", &root_size);
        for (u32 i = HEADER_SIZE; root && i + 4 <= root_size; i += 4) {
            const u8 *fadt = table_at(get_le32(root + i), "FACP", size);
            if (fadt && *size >= FADT_SIZE_MIN)
                return fadt;
        }
    }
    return NULL;
}

/* One small integer of AML: ZeroOp, OneOp, or BytePrefix and a byte. */
static bool take_integer(const u8 **at, const u8 *end, u8 *value)
{
    enum { BYTE_PREFIX = 0x0a };

    if (*at < end && **at <= 1) {
        *value = *(*at)++;
        return true;
    }
    if (end - *at < 2 || **at != BYTE_PREFIX)
        return false;
    *value = (*at)[1];
    *at += 2;
    return true;
}

/* "_S5_" names a package: op, length (1 to 4 bytes), count, then the sleep types. */
static bool decode_sleep_types(const u8 *at, const u8 *end, struct acpi_soft_off *off)
{
    enum { PACKAGE_OP = 0x12 };

    if (end - at < 4 || *at++ != PACKAGE_OP)
        return false;
    at += 1 + (*at >> 6);
    if (at >= end || *at++ < 2)
        return false;
    return take_integer(&at, end, &off->type_a) && take_integer(&at, end, &off->type_b);
}

enum status acpi_find_soft_off(struct acpi_soft_off *off)
{
    u32 fadt_size, dsdt_size;
    struct acpi_soft_off found = {};

    const u8 *fadt = find_fadt(&fadt_size);
    if (!fadt)
        return ERR_NO_DEVICE;
    found.control_a = (u16)get_le32(fadt + CONTROL_A_AT);
    found.control_b = (u16)get_le32(fadt + CONTROL_B_AT);

    const u8 *dsdt = table_at(get_le32(fadt + DSDT_AT), "DSDT", &dsdt_size);
    for (u32 at = HEADER_SIZE; dsdt && at + 4 <= dsdt_size; at++) {
        if (memcmp(dsdt + at, "_S5_", 4) == 0 && found.control_a &&
            decode_sleep_types(dsdt + at + 4, dsdt + dsdt_size, &found)) {
            *off = found;
            return OK;
        }
    }
    return ERR_NO_DEVICE;
}
