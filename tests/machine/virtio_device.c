/* A virtio block device as the standard has it, which lies when it is told to (LIE_COMPLETION below). */
#include "kernel/base/checked.h"
#include "kernel/base/endian.h"
#include "kernel/block/disk.h"
#include "tests/machine/machine.h"

#include <sanitizer/asan_interface.h>
#include <string.h>

/* Where the structures lie in the BAR, and the capabilities that say so. */
enum { COMMON_AT = 0, NOTIFY_AT = 0x1000, CONFIG_AT = 0x2000, TABLE_AT = 0x3000 };
enum { COMMON_SIZE = 56, CONFIG_SIZE = 64, QUEUE_SIZE = 256 };

#define FEATURES_OFFERED                                                                 \
    (1ULL << 32 | 1ULL << 28 | 1ULL << 9 | 1ULL << 6 | 1ULL << 2 | 1ULL << 1)

/* What a lie about a completion does. */
enum {
    ANSWER_NEVER,
    ANSWER_TWICE,
    ANSWER_AS_ANOTHER,
    ANSWER_FAILED,
    ANSWER_RUN_AHEAD,
    ANSWERS
};

static struct device {
    u8 pci[256];
    u8 config[CONFIG_SIZE];
    u8 disk[MACHINE_SECTORS * SECTOR_SIZE];
    u32 feature_select, status;
    u16 queue_size;
    bool enabled;
    u32 addresses[6]; /* descriptors, available, used: low and high halves */
    u16 seen, used;   /* indexes */
    u32 requests, polls;
    bool broken;
} device;

/* --- configuration --- */

static void put_capability(u8 at, u8 next, u8 type, u32 offset, u32 size)
{
    u8 *raw = device.pci + at;

    raw[0] = 0x09;
    raw[1] = next;
    raw[2] = 20;
    raw[3] = type;
    put_le32(raw + 8, offset);
    put_le32(raw + 12, size);
    put_le32(raw + 16, 4);
}

void device_start(void)
{
    u8 *pci = device.pci, *config = device.config;

    memset(&device, 0, sizeof device);
    device.queue_size = QUEUE_SIZE;
    put_le32(pci, 0x10421AF4);
    put_le16(pci + 6, 0x10); /* has capabilities */
    put_le32(pci + 0x10, DEVICE_BAR | 4);
    pci[0x34] = 0x40;
    put_capability(0x40, 0x58, 1, COMMON_AT, COMMON_SIZE);
    put_capability(0x58, 0x70, 2, NOTIFY_AT, 0x1000);
    put_capability(0x70, 0x88, 4, CONFIG_AT, CONFIG_SIZE);
    pci[0x88] = 0x11;
    put_le32(pci + 0x8C, TABLE_AT);
    put_le64(config, MACHINE_SECTORS);
    put_le32(config + 8, 0x10000);
    put_le32(config + 12, 62);
    put_le32(config + 20, SECTOR_SIZE);
}

u32 device_pci_read(u8 offset)
{
    return get_le32(device.pci + (offset & 0xFC));
}

void device_pci_write(u8 offset, u16 value)
{
    put_le16(device.pci + (offset & 0xFE), value);
}

/* --- registers --- */

static u32 read_common(u32 offset)
{
    switch (offset) {
    case 4:
        return (u32)(FEATURES_OFFERED >> (device.feature_select & 1) * 32);
    case 20:
        return device.status | (device.broken ? 64 : 0);
    case 24:
        return device.queue_size;
    default:
        return 0;
    }
}

u32 device_read(u64 offset)
{
    if (offset < COMMON_SIZE) {
        u32 at = (u32)offset | (offset == 4 ? (device.feature_select & 1) << 7 : 0);
        return (u32)machine_lie_about(LIE_REGISTER, at, read_common((u32)offset));
    }
    if (offset >= CONFIG_AT && offset + 4 <= CONFIG_AT + CONFIG_SIZE) {
        u32 at = (u32)offset - CONFIG_AT;
        return (u32)machine_lie_about(LIE_CONFIG, at, get_le32(device.config + at));
    }
    return 0;
}

static void write_common(u32 offset, u32 value)
{
    switch (offset) {
    case 0:
        device.feature_select = value;
        return;
    case 20:
        device.status = value;
        if (value == 0)
            device.enabled = device.broken = false;
        return;
    case 24:
        device.queue_size = (u16)value;
        return;
    case 28:
        device.enabled = true;
        device.seen = device.used = 0;
        return;
    default:
        if (offset >= 32 && offset < COMMON_SIZE)
            device.addresses[(offset - 32) / 4] = value;
    }
}

void device_write(u64 offset, u32 value)
{
    if (offset < COMMON_SIZE)
        write_common((u32)offset, value);
}

/* --- requests --- */

/* A build for coverage has no sanitizer to ask. */
#pragma weak __asan_region_is_poisoned

static bool is_poisoned(u64 address, u64 size)
{
    return __asan_region_is_poisoned &&
           __asan_region_is_poisoned((void *)address, size) != NULL;
}

/* What the driver hands over must be there, all of it. */
static u8 *memory(u64 address, u64 size)
{
    if (address == 0 || size > 16 * MIB || is_poisoned(address, size))
        machine_found("the device is given memory that is not there");
    return (u8 *)address;
}

static u64 queue_address(u32 which)
{
    return device.addresses[2 * which] | (u64)device.addresses[2 * which + 1] << 32;
}

/* One descriptor's part of the data. False: it lies outside the disk. */
static bool move(u8 *data, u64 size, u64 at, bool device_writes)
{
    if (!range_inside(at, size, sizeof device.disk))
        return false;
    if (device_writes)
        memcpy(data, device.disk + at, size);
    else
        memcpy(device.disk + at, data, size);
    return true;
}

/* Follows an indirect table: header, data, status byte. */
static void carry_out(const u8 *table, u32 count, const struct lie *lie)
{
    const u8 *header = memory(get_le64(table), get_le32(table + 8));
    u32 type = get_le32(header);
    u64 at = get_le64(header + 8);
    bool good = at < MACHINE_SECTORS || type == 4;

    if (get_le32(table + 8) != 16 || count < 2 || count > device.queue_size)
        machine_found("a request without a header, or longer than the queue");
    at *= SECTOR_SIZE;
    for (u32 i = 1; i < count; i++) {
        const u8 *descriptor = table + 16ULL * i;
        u32 size = get_le32(descriptor + 8);
        bool last = i + 1 == count, device_writes = get_le16(descriptor + 12) & 2;
        u8 *data = memory(get_le64(descriptor), size);

        if (size == 0 || (!last && get_le16(descriptor + 14) != i + 1) ||
            (get_le16(descriptor + 12) & 1) == last)
            machine_found("a chain that is none");
        if (last && (size != 1 || !device_writes))
            machine_found("a request without room for its status");
        if (!last && device_writes != (type == 0))
            machine_found("data that goes the wrong way");
        if (last)
            data[0] = lie != NULL ? (u8)lie->value : good ? 0 : 1;
        else if (good && (good = move(data, size, at, device_writes)))
            at += size;
    }
}

static void put_used(u32 id)
{
    u8 *used = memory(queue_address(2), 6 + 8ULL * device.queue_size);

    put_le32(used + 4 + 8 * (device.used & (device.queue_size - 1u)), id);
    put_le16(used + 2, ++device.used);
}

static void answer(u16 slot)
{
    u8 *descriptor = memory(queue_address(0), 16ULL * device.queue_size) + 16ULL * slot;
    u32 size = get_le32(descriptor + 8);
    const struct lie *lie = machine_lie(LIE_COMPLETION, device.requests++);
    u32 manner = lie != NULL ? lie->manner % ANSWERS : ANSWERS;

    if (get_le16(descriptor + 12) != 4 || size % 16 != 0 || size < 32)
        machine_found("a request that is no table");
    if (manner == ANSWER_NEVER) {
        device.broken = lie->value & 1;
        return;
    }
    carry_out(memory(get_le64(descriptor), size), size / 16,
              manner == ANSWER_FAILED ? lie : NULL);
    put_used(manner == ANSWER_AS_ANOTHER ? (u32)lie->value : slot);
    if (manner == ANSWER_TWICE)
        put_used(slot);
    if (manner == ANSWER_RUN_AHEAD)
        device.used = (u16)(device.used + lie->value);
}

void device_run(void)
{
    bool lied = device.queue_size == 0 || (device.queue_size & (device.queue_size - 1));

    /* Who was told of registers that are elsewhere has not written to these. */
    if (!device.enabled || device.status == 0 || lied || machine_has_lied_about(LIE_PCI))
        return;
    const u8 *available = memory(queue_address(1), 6 + 2ULL * device.queue_size);
    while (device.seen != get_le16(available + 2) && device.enabled) {
        u16 slot = get_le16(available + 4 + 2 * (device.seen & (device.queue_size - 1u)));
        device.seen++;
        if (slot >= device.queue_size)
            machine_found("a slot that the queue does not have");
        answer(slot);
    }
}
