#include "kernel/persist/root.h"

#include "kernel/base/checked.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/persist/window.h"

/* "snapper2" as bytes. */
#define ROOT_MAGIC 0x3272657070616e73ULL
enum { ROOT_LAYOUT = 1 };

struct root_entry {
    char name[ROOT_NAME_MAX + 1];
    u32 layout;
    u32 unused;
    u64 first_page;
    u64 size_bytes;
};

struct root {
    u64 magic;
    u32 layout;
    u32 entry_count;
    struct root_counters counters;
    struct root_entry entries[ROOT_OBJECT_TYPES_MAX];
};

_Static_assert(sizeof(struct root) <= PAGE_SIZE, "the root is one page");

static struct root *root_page(void)
{
    return window_address(0);
}

/* The entry that the type of this index has in a root of ours; all follow from the types. */
static struct root_entry entry_for(const struct root_types *types, size_t index)
{
    struct root_entry entry = { .first_page = 1 };

    for (size_t i = 0; i < index; i++)
        entry.first_page += divide_up(types->of[i].size_bytes, PAGE_SIZE);
    if (!text_copy(entry.name, sizeof entry.name, types->of[index].name))
        port_panic(__FILE__, __LINE__, "name of an object type is too long");
    entry.layout = types->of[index].layout;
    entry.size_bytes = types->of[index].size_bytes;
    return entry;
}

u64 root_pages(const struct root_types *types)
{
    u64 pages = 1;

    for (size_t i = 0; i < types->count; i++)
        pages += divide_up(types->of[i].size_bytes, PAGE_SIZE);
    return pages;
}

enum status root_create(const struct root_types *types)
{
    u64 pages = root_pages(types);

    ASSERT(types->count <= ROOT_OBJECT_TYPES_MAX);
    ASSERT(pages <= PERSISTENT_OBJECTS_SIZE / PAGE_SIZE);
    for (u64 page = 0; page < pages; page++) {
        enum status status = page_space_touch(window_space(), page, PAGE_WRITE);
        if (status)
            return status;
    }

    struct root *root = root_page();
    root->magic = ROOT_MAGIC;
    root->layout = ROOT_LAYOUT;
    root->entry_count = (u32)types->count;
    root->counters.boots = 1;
    for (size_t i = 0; i < types->count; i++) {
        root->entries[i] = entry_for(types, i);
        types->of[i].initialize(root_object(i));
    }
    return OK;
}

/* What we would have written, byte for byte; the entries behind the last are zero. */
static enum status check_entry(const struct root_entry *entry,
                               const struct root_types *types, size_t index)
{
    struct root_entry expected = entry_for(types, index);

    if (memcmp(entry, &expected, sizeof expected) == 0)
        return OK;
    log_error("persist: root object %zu: layout %u, %lu bytes; this kernel's is %s, "
              "layout %u, %lu bytes",
              index, entry->layout, entry->size_bytes, expected.name, expected.layout,
              expected.size_bytes);
    return ERR_UNSUPPORTED;
}

enum status root_check(const struct root_types *types)
{
    const struct root *root = page_space_peek(window_space(), 0);

    if (!root || root->magic != ROOT_MAGIC) {
        log_error("persist: root: magic %016lx is not a root's", root ? root->magic : 0);
        return ERR_CORRUPT;
    }
    if (root->layout != ROOT_LAYOUT || root->entry_count != types->count) {
        log_error(
            "persist: root: layout %u with %u objects; this kernel's is %u with %zu",
            root->layout, root->entry_count, ROOT_LAYOUT, types->count);
        return ERR_UNSUPPORTED;
    }
    for (size_t i = 0; i < types->count; i++) {
        enum status status = check_entry(&root->entries[i], types, i);
        if (status)
            return status;
    }
    return OK;
}

static enum status check_pages(const struct root_entry *entry, bool sparse)
{
    u64 end = entry->first_page + divide_up(entry->size_bytes, PAGE_SIZE);

    for (u64 page = entry->first_page; page < end; page++) {
        if (page_space_has(window_space(), page))
            continue;
        if (!sparse) {
            log_error("persist: root object %s: page %lu is missing", entry->name, page);
            return ERR_CORRUPT;
        }
        enum status status = page_space_touch(window_space(), page, PAGE_READ);
        if (status)
            return status;
    }
    return OK;
}

enum status root_check_objects(const struct root_types *types)
{
    for (size_t i = 0; i < types->count; i++) {
        const struct root_entry *entry = &root_page()->entries[i];
        enum status status = check_pages(entry, types->of[i].sparse);
        if (status)
            return status;
        status = types->of[i].validate(root_object(i));
        if (status) {
            log_error("persist: root object %s cannot be used", entry->name);
            return status;
        }
    }
    return OK;
}

void *root_object(size_t index)
{
    return window_address(root_page()->entries[index].first_page);
}

struct root_counters *root_counters(void)
{
    return &root_page()->counters;
}
