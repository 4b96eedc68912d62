/* Directories looked over: their entries, and how they hang together. */
#include "kernel/base/crc.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/check_internal.h"
#include "kernel/fs/ext4/dir_index.h"

enum { LINKS_LIMIT = 65000, LINKS_UNCOUNTED = 1 };

/* One directory on its way. */
struct visit {
    struct ext4_check *check;
    struct ext4_inode inode;
    struct map names; /* by two checksums of each name */
};

static enum status check_dots(struct visit *visit)
{
    struct ext4_check *check = visit->check;
    struct ext4_dir_place dot, dots;
    u32 number = visit->inode.number;
    enum status status = ext4_dir_find(check->fs, &visit->inode, ".", 1, &dot);
    if (status == OK)
        status = ext4_dir_find(check->fs, &visit->inode, "..", 2, &dots);
    if (status != OK)
        return status;
    if (dot.inode != number)
        ext4_check_problem(check, "directory %u: \".\" is %u", number, dot.inode);
    check->links[number]++;
    check->links[dots.inode]++;
    check->stated_parents[number] = dots.inode;
    return OK;
}

static enum status check_is_new(struct visit *visit, const struct ext4_dir_entry *entry)
{
    u64 ignored;
    u64 key = (u64)crc32(entry->name, entry->name_length) << 32 |
              crc32c_update(~0U, entry->name, entry->name_length);
    if (map_get(&visit->names, key, &ignored))
        ext4_check_problem(visit->check, "directory %u: a name twice: %.*s",
                           visit->inode.number, (int)entry->name_length, entry->name);
    return map_set(&visit->names, key, 1);
}

/* The index must lead to each name, or else nobody finds it. */
static enum status check_is_found(struct visit *visit, const struct ext4_dir_block *block,
                                  const struct ext4_dir_entry *entry)
{
    struct ext4_dir_place place;
    if (!ext4_dir_is_indexed(visit->check->fs, &visit->inode))
        return OK;
    enum status status =
        ext4_index_find(visit->check->fs, &visit->inode, (const char *)entry->name,
                        entry->name_length, &place);
    if (status == ERR_NOT_FOUND || (status == OK && (place.block != block->number ||
                                                     place.offset != entry->offset))) {
        ext4_check_problem(visit->check, "directory %u: the index does not find %.*s",
                           visit->inode.number, (int)entry->name_length, entry->name);
        return OK;
    }
    return status;
}

static void check_target(struct visit *visit, const struct ext4_dir_block *block,
                         const struct ext4_dir_entry *entry)
{
    struct ext4_check *check = visit->check;
    u8 kind = check->kinds[entry->inode];
    check->links[entry->inode]++;
    if (kind == EXT4_KIND_FREE || kind == EXT4_KIND_RESERVED)
        ext4_check_problem(check, "directory %u: %.*s is inode %u, not in use",
                           visit->inode.number, (int)entry->name_length, entry->name,
                           entry->inode);
    else if (block->file_types && kind != EXT4_KIND_BROKEN && kind != entry->type)
        ext4_check_problem(check, "directory %u: %.*s has type %u, its inode %u",
                           visit->inode.number, (int)entry->name_length, entry->name,
                           entry->type, kind);
    if (kind != EXT4_ENTRY_DIRECTORY)
        return;
    if (check->parents[entry->inode] != 0 || entry->inode == EXT4_ROOT_INODE)
        ext4_check_problem(check, "directory %u: has a second name in %u", entry->inode,
                           visit->inode.number);
    check->parents[entry->inode] = visit->inode.number;
}

static enum status check_entry(struct visit *visit, const struct ext4_dir_block *block,
                               const struct ext4_dir_entry *entry)
{
    if (ext4_name_is_dots(entry->name, entry->name_length)) {
        if (block->number != 0 || entry->offset > 12)
            ext4_check_problem(visit->check, "directory %u: dots in block %llu",
                               visit->inode.number, (unsigned long long)block->number);
        return OK;
    }
    visit->check->report->names++;
    check_target(visit, block, entry);
    enum status status = check_is_new(visit, entry);
    return status == OK ? check_is_found(visit, block, entry) : status;
}

static enum status check_entries(struct visit *visit)
{
    u64 cursor = 0;
    enum status status = ext4_dir_check(visit->check->fs, &visit->inode);
    if (status == OK)
        status = check_dots(visit);
    while (status == OK) {
        struct ext4_dir_block block;
        struct ext4_dir_entry entry;
        status =
            ext4_dir_next_entry(visit->check->fs, &visit->inode, &cursor, &block, &entry);
        if (status != OK)
            break;
        status = check_entry(visit, &block, &entry);
        ext4_dir_block_release(&block);
        cursor += 1;
    }
    return status == ERR_NOT_FOUND ? OK : status;
}

enum status ext4_check_directories(struct ext4_check *check)
{
    enum status status = OK;
    for (u32 i = 1; i <= check->fs->superblock.inode_count && status == OK; i++) {
        struct visit visit = { .check = check };
        if (check->kinds[i] != EXT4_ENTRY_DIRECTORY)
            continue;
        check->report->directories++;
        map_init(&visit.names);
        status = ext4_inode_load(check->fs, i, &visit.inode);
        if (status == OK && visit.inode.links > 0)
            status = check_entries(&visit);
        map_destroy(&visit.names);
        status = ext4_check_settle(check, status, "broken directory", i);
    }
    return status;
}

static void compare_links(struct ext4_check *check, const struct ext4_inode *inode)
{
    u32 found = check->links[inode->number];
    bool directory = ext4_inode_is(inode, EXT4_MODE_DIRECTORY);
    if (directory && inode->links == LINKS_UNCOUNTED && found > LINKS_LIMIT)
        return;
    if (found != inode->links)
        ext4_check_problem(check, "inode %u: counts %u links, has %u", inode->number,
                           inode->links, found);
}

/* From each directory up: whoever does not arrive at the root in as many steps as there are
 * directories goes round in circles. */
static void check_connection(struct ext4_check *check, u32 number)
{
    u32 at = number;
    for (u32 steps = 0; at != EXT4_ROOT_INODE && at != 0; steps++) {
        if (steps > check->report->directories) {
            at = 0;
            break;
        }
        at = check->parents[at];
    }
    if (at == 0)
        ext4_check_problem(check, "directory %u: not connected to the root", number);
}

static void compare_parent(struct ext4_check *check, u32 number)
{
    u32 found = number == EXT4_ROOT_INODE ? number : check->parents[number];
    if (check->stated_parents[number] != found)
        ext4_check_problem(check, "directory %u: \"..\" is %u, not %u", number,
                           check->stated_parents[number], found);
    check_connection(check, number);
}

enum status ext4_check_links(struct ext4_check *check)
{
    const struct ext4_superblock *superblock = &check->fs->superblock;
    for (u32 i = EXT4_ROOT_INODE; i <= superblock->inode_count; i++) {
        struct ext4_inode inode;
        u8 kind = check->kinds[i];
        bool reserved = i != EXT4_ROOT_INODE && i < superblock->first_inode;
        if (kind == EXT4_KIND_FREE || kind >= EXT4_KIND_RESERVED || reserved ||
            i == superblock->orphan_file_inode)
            continue;
        enum status status = ext4_inode_load(check->fs, i, &inode);
        if (status != OK)
            return ext4_check_settle(check, status, "broken inode", i);
        compare_links(check, &inode);
        if (kind == EXT4_ENTRY_DIRECTORY && inode.links > 0)
            compare_parent(check, i);
    }
    return OK;
}
