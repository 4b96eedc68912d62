#include "tests/support/ext4_odd.h"

#include "kernel/base/endian.h"
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/check.h"
#include "kernel/fs/ext4/checksum.h"
#include "kernel/fs/ext4/ext4_internal.h"
#include "kernel/fs/jbd2/journal.h"
#include "tests/support/ext4_image.h"

enum { REFERENCES_AT = 4, CHECKSUM_AT = 16, MANY = 8 };

static u8 content[20000];

/* --- the image --- */

static void debugfs(const char *path, const char *request)
{
    char output[1000];

    ext4_image_debugfs(path, request, output, sizeof output);
}

/* Too large for the inode itself. */
static void set_attribute(const char *path, const char *file)
{
    char request[400], value[300];

    memset(value, 'x', sizeof value - 1);
    value[sizeof value - 1] = '\0';
    format_text(request, sizeof request, "ea_set %s user.x %s", file, value);
    debugfs(path, request);
}

static enum status load(struct ext4 *fs, const char *path, struct ext4_inode *inode)
{
    u32 number;
    enum status status = ext4_resolve(fs, path, &number);

    return status == OK ? ext4_inode_load(fs, number, inode) : status;
}

/* The block of /owner becomes that of /shared-1 and /shared-2, which have none. */
static enum status share_attributes(struct ext4 *fs)
{
    struct ext4_inode owner, first, second;
    struct buffer *buffer;
    enum status status = load(fs, "/shared-1", &first);

    if (status == OK)
        status = load(fs, "/shared-2", &second);
    if (status == OK)
        status = load(fs, "/owner", &owner);
    if (status == OK)
        status = cache_get(&fs->cache, owner.attribute_block, &buffer);
    if (status != OK)
        return status;
    status = journal_modify(fs->journal, buffer);
    put_le32(buffer->data + REFERENCES_AT, 3);
    if (ext4_has_checksums(fs))
        put_le32(buffer->data + CHECKSUM_AT,
                 ext4_attribute_block_checksum(fs, buffer->block, buffer->data));
    cache_release(buffer);
    first.attribute_block = second.attribute_block = owner.attribute_block;
    first.blocks_512 += fs->superblock.block_size / SECTOR_SIZE;
    second.blocks_512 += fs->superblock.block_size / SECTOR_SIZE;
    if (status == OK)
        status = ext4_inode_store(fs, &first);
    if (status == OK)
        status = ext4_inode_store(fs, &second);
    return status == OK ? ext4_commit(fs) : status;
}

void ext4_odd_image(const char *name, const char *options, struct ram_disk *ram)
{
    static const char *const files[] = { "/owner", "/shared-1", "/shared-2",
                                         "/alone", "/hard",     "/reserved" };
    struct ext4_mount_options mount = { .cache_capacity = 64 };
    struct ext4 *fs;
    const char *path = ext4_image_make(name, 8, options);

    for (size_t i = 0; i < ARRAY_LENGTH(files); i++)
        ext4_image_write(path, files[i] + 1, content, 5000);
    set_attribute(path, "/owner");
    set_attribute(path, "/alone");
    debugfs(path, "ln /hard /harder");
    debugfs(path, "set_inode_field /hard links_count 2");
    debugfs(path, "fallocate /reserved 10 99");
    debugfs(path, "mknod pipe p");
    debugfs(path, "mknod line c 1 3");
    debugfs(path, "mknod disk b 8 0");
    ASSERT(ram_disk_load(ram, path));
    ASSERT(ext4_mount(&ram->disk, &mount, &fs) == OK);
    ASSERT(share_attributes(fs) == OK);
    ASSERT(ext4_unmount(fs) == OK);
}

/* --- the operations --- */

static enum status check(struct ext4 *fs)
{
    struct ext4_check_report report;
    enum status status = ext4_check(fs, &report);

    return status == OK && report.problems > 0 ? ERR_CORRUPT : status;
}

static enum status unlink_sharer(struct ext4 *fs)
{
    return ext4_unlink(fs, EXT4_ROOT_INODE, "shared-1");
}

static enum status unlink_all_sharers(struct ext4 *fs)
{
    enum status status = ext4_unlink(fs, EXT4_ROOT_INODE, "shared-1");
    if (status == OK)
        status = ext4_unlink(fs, EXT4_ROOT_INODE, "owner");
    return status == OK ? ext4_unlink(fs, EXT4_ROOT_INODE, "shared-2") : status;
}

static enum status unlink_owner(struct ext4 *fs)
{
    return ext4_unlink(fs, EXT4_ROOT_INODE, "alone");
}

static enum status unlink_both_names(struct ext4 *fs)
{
    enum status status = ext4_unlink(fs, EXT4_ROOT_INODE, "hard");
    return status == OK ? ext4_unlink(fs, EXT4_ROOT_INODE, "harder") : status;
}

static enum status write_reserved(struct ext4 *fs)
{
    u32 inode;
    enum status status = ext4_resolve(fs, "/reserved", &inode);
    if (status == OK)
        status = ext4_write(fs, inode, 50 * 1024, content, 3000);
    return status == OK ? ext4_write(fs, inode, 10 * 1024, content, 12000) : status;
}

static enum status truncate_reserved(struct ext4 *fs)
{
    u32 inode;
    enum status status = write_reserved(fs);
    if (status == OK)
        status = ext4_resolve(fs, "/reserved", &inode);
    return status == OK ? ext4_truncate(fs, inode, 30 * 1024 + 5) : status;
}

static enum status read_reserved(struct ext4 *fs)
{
    size_t got;
    u32 inode;
    enum status status = ext4_resolve(fs, "/reserved", &inode);
    return status == OK ? ext4_read(fs, inode, 0, content, sizeof content, &got) : status;
}

/* Pipes and devices among them. */
static enum status list_and_stat(struct ext4 *fs)
{
    struct ext4_directory_entry entry;
    struct ext4_stat stat;
    u64 cursor = 0;
    enum status status;

    while ((status = ext4_directory_next(fs, EXT4_ROOT_INODE, &cursor, &entry)) == OK) {
        status = ext4_stat(fs, entry.inode, &stat);
        if (status != OK)
            return status;
    }
    return status == ERR_NOT_FOUND ? OK : status;
}

static enum status replace_file(struct ext4 *fs)
{
    return ext4_rename(fs, EXT4_ROOT_INODE, "hard", EXT4_ROOT_INODE, "alone");
}

/* Enough for groups that nobody has used yet. */
static enum status make_many(struct ext4 *fs)
{
    enum status status = OK;

    for (u32 i = 0; i < MANY && status == OK; i++) {
        char name[16];
        u32 directory, inode;
        format_text(name, sizeof name, "d%u", i);
        status = ext4_make_directory(fs, EXT4_ROOT_INODE, name, &directory);
        for (u32 k = 0; k < 3 && status == OK; k++) {
            format_text(name, sizeof name, "f%u", k);
            status = ext4_create(fs, directory, name, &inode);
            if (status == OK)
                status = ext4_write(fs, inode, 0, content, sizeof content);
        }
    }
    return status;
}

const struct ext4_operation ext4_odd_operations[] = {
    { "check", check, false },
    { "unlink sharer", unlink_sharer, true },
    { "unlink all sharers", unlink_all_sharers, true },
    { "unlink owner", unlink_owner, true },
    { "unlink both names", unlink_both_names, true },
    { "write reserved", write_reserved, true },
    { "truncate reserved", truncate_reserved, true },
    { "read reserved", read_reserved, false },
    { "list and stat", list_and_stat, false },
    { "replace file", replace_file, true },
    { "make many", make_many, true },
};
const size_t ext4_odd_operation_count = ARRAY_LENGTH(ext4_odd_operations);
