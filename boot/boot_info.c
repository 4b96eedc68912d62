#include "boot/boot_info.h"

#include "kernel/base/checked.h"
#include "kernel/base/endian.h"
#include "kernel/base/string.h"

enum { FLAG_MEMORY_SIZES = 1 << 0, FLAG_COMMAND_LINE = 1 << 2, FLAG_MEMORY_MAP = 1 << 6 };
enum {
    FLAGS_AT = 0,
    MEMORY_UPPER_AT = 8,
    COMMAND_LINE_AT = 16,
    MAP_LENGTH_AT = 44,
    MAP_ADDRESS_AT = 48,
    INFORMATION_SIZE = 52
};
enum {
    ENTRY_SIZE_AT = 0,
    ENTRY_BASE_AT = 4,
    ENTRY_LENGTH_AT = 12,
    ENTRY_TYPE_AT = 20,
    ENTRY_SIZE = 24,
    ENTRY_SIZE_FIELD = 4,
    ENTRY_TYPE_USABLE = 1
};

/* More entries than any firmware has; a longer map is cut short. */
enum { MAP_ENTRIES_MAX = 1024 };

static void add_range(struct boot_info *info, u64 base, u64 size, bool usable)
{
    u64 end;
    if (size == 0 || !checked_add(base, size, &end) ||
        info->range_count == BOOT_RANGES_MAX) {
        info->ranges_refused++;
        return;
    }
    info->ranges[info->range_count++] = (struct memory_range){ base, size, usable };
}

static void decode_map(const u8 *map, u64 size, struct boot_info *info)
{
    u64 at = 0;

    for (u32 i = 0; i < MAP_ENTRIES_MAX && at < size; i++) {
        const u8 *entry = map + at;

        if (size - at < ENTRY_SIZE)
            break;
        u64 entry_size = (u64)get_le32(entry + ENTRY_SIZE_AT) + ENTRY_SIZE_FIELD;
        if (entry_size < ENTRY_SIZE || entry_size > size - at)
            break;
        add_range(info, get_le64(entry + ENTRY_BASE_AT),
                  get_le64(entry + ENTRY_LENGTH_AT),
                  get_le32(entry + ENTRY_TYPE_AT) == ENTRY_TYPE_USABLE);
        at += entry_size;
    }
    info->map_cut_short = at != size;
}

static void decode_command_line(const u8 *memory, u64 memory_size, u64 at,
                                struct boot_info *info)
{
    u64 room = at < memory_size ? memory_size - at : 0;

    for (u64 i = 0; i < room && i < BOOT_COMMAND_LINE_MAX; i++) {
        if (memory[at + i] != 0)
            continue;
        memcpy(info->command_line, memory + at, (size_t)i + 1);
        return;
    }
    info->command_line_lost = true;
}

enum status boot_info_decode(const u8 *memory, u64 memory_size, u64 at,
                             struct boot_info *info)
{
    if (!range_inside(at, INFORMATION_SIZE, memory_size))
        return ERR_CORRUPT;

    const u8 *raw = memory + at;
    u32 flags = get_le32(raw + FLAGS_AT);
    u64 map_at = get_le32(raw + MAP_ADDRESS_AT);
    u64 map_size = get_le32(raw + MAP_LENGTH_AT);

    memset(info, 0, sizeof *info);
    if (flags & FLAG_COMMAND_LINE)
        decode_command_line(memory, memory_size, get_le32(raw + COMMAND_LINE_AT), info);

    if (flags & FLAG_MEMORY_MAP && range_inside(map_at, map_size, memory_size))
        decode_map(memory + map_at, map_size, info);
    if (info->range_count == 0 && flags & FLAG_MEMORY_SIZES)
        add_range(info, MIB, (u64)get_le32(raw + MEMORY_UPPER_AT) * KIB, true);

    return info->range_count > 0 ? OK : ERR_CORRUPT;
}
