#include "snapper/generation_text.h"

#include "kernel/base/format.h"
#include "kernel/base/status.h"

static const char row[] = "%-27s %6s  %-27s %8s %8s %10s %10s %-6s  %s";

void age_text(u64 microseconds, char *to, size_t size)
{
    static const struct {
        u64 seconds;
        const char *name;
    } units[] = { { 86400, "d" }, { 3600, "h" }, { 60, "min" }, { 1, "s" } };
    u64 seconds = microseconds / 1000000;
    size_t unit = 0;

    while (unit + 1 < ARRAY_LENGTH(units) && seconds < 2 * units[unit].seconds)
        unit++;
    format_text(to, size, "%lu %s", seconds / units[unit].seconds, units[unit].name);
}

void size_text(u64 bytes, char *to, size_t size)
{
    static const char *const names[] = { "KiB", "MiB", "GiB", "TiB" };
    u64 tenths = bytes / KIB * 10 + bytes % KIB * 10 / KIB;
    size_t unit = 0;

    if (bytes < 10 * KIB) {
        format_text(to, size, "%lu B", bytes);
        return;
    }
    for (; tenths >= 10 * KIB && unit + 1 < ARRAY_LENGTH(names); unit++)
        tenths /= KIB;
    format_text(to, size, "%lu.%lu %s", tenths / 10, tenths % 10, names[unit]);
}

void generation_heading(char *to, size_t size)
{
    format_text(to, size, row, "time", "age", "parent", "pages", "files", "exclusive",
                "shared", "pinned", "description");
}

void generation_line(const struct snapper_generation_info *info,
                     const struct snapper_usage *usage, u64 now, char *to, size_t size)
{
    char age[24] = "-", pages[24], files[24], exclusive[24] = "?", shared[24] = "?";

    if (now >= info->time)
        age_text(now - info->time, age, sizeof age);
    if (info->status) {
        format_text(to, size, row, info->name.text, age, "?", "?", "?", "?", "?",
                    info->pinned ? "yes" : "no", status_text(info->status));
        return;
    }
    format_text(pages, sizeof pages, "%lu", info->objects);
    format_text(files, sizeof files, "%lu", info->files_written);
    if (usage != NULL) {
        size_text(usage->exclusive_bytes, exclusive, sizeof exclusive);
        size_text(usage->shared_bytes, shared, sizeof shared);
    }
    format_text(to, size, row, info->name.text, age,
                info->parent.text[0] ? info->parent.text : "-", pages, files, exclusive,
                shared, info->pinned ? "yes" : "no", info->description);
}
