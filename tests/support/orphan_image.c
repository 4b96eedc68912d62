#include "tests/support/orphan_image.h"

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/fs/ext4/ext4_internal.h"
#include "tests/support/ext4_image.h"

void orphan_image_make(struct orphan_image *image, const char *name, const char *options)
{
    static u8 data[ORPHAN_FILE_SIZE];

    image->path = ext4_image_make(name, 16, options);
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (u8)(i * 7 + 1);
    for (u32 i = 0; i < ORPHAN_FILES; i++) {
        char file[16];
        format_text(file, sizeof file, "/file-%u", i);
        ext4_image_write(image->path, file + 1, data, sizeof data);
        image->inodes[i] = ext4_image_inode(image->path, file);
        ASSERT(image->inodes[i] != 0);
    }
}

static void debugfs(struct orphan_image *image, const char *format, u32 first, u64 second)
{
    char request[200], output[1000];

    format_text(request, sizeof request, format, first, second);
    ext4_image_debugfs(image->path, request, output, sizeof output);
}

void orphan_image_delete(struct orphan_image *image, u32 which, u32 next)
{
    u32 inode = image->inodes[which];

    debugfs(image, "unlink file-%u", which, 0);
    debugfs(image, "set_inode_field <%u> links_count 0", inode, 0);
    debugfs(image, "set_inode_field <%u> dtime @%lu", inode, next);
}

void orphan_image_cut(struct orphan_image *image, u32 which, u32 next)
{
    u32 inode = image->inodes[which];

    debugfs(image, "set_inode_field <%u> size %lu", inode, ORPHAN_CUT_SIZE);
    debugfs(image, "set_inode_field <%u> dtime @%lu", inode, next);
}

void orphan_image_set_head(struct orphan_image *image, u32 inode)
{
    debugfs(image, "set_super_value last_orphan %u", inode, 0);
}

enum { ORPHAN_PRESENT = 0x10000, ORPHAN_FILE_AT = 1024 + 0x280 };

void orphan_image_fill_file(struct ram_disk *ram, u32 first, u32 second, bool checksums)
{
    struct ext4_mount_options options = { .read_only = true };
    struct ext4_inode file;
    struct buffer *buffer;
    struct ext4 *fs;
    u8 address[8];

    ASSERT(ext4_mount(&ram->disk, &options, &fs) == OK);
    ASSERT(ext4_inode_load(fs, get_le32(ram->bytes + ORPHAN_FILE_AT), &file) == OK);
    ASSERT(ext4_inode_block(fs, &file, 0, &buffer) == OK);
    u32 size = fs->superblock.block_size;
    u8 *raw = ram->bytes + buffer->block * size;
    put_le32(raw + 4, first);
    put_le32(raw + 40, second);
    put_le64(address, buffer->block);
    if (checksums) {
        u32 crc = crc32c_update(file.checksum_seed, address, sizeof address);
        put_le32(raw + size - 4, crc32c_update(crc, raw, size - 8));
    }
    u8 *super = ram->bytes + 1024;
    put_le32(super + 0x64, get_le32(super + 0x64) | ORPHAN_PRESENT);
    if (checksums)
        put_le32(super + 0x3FC, crc32c_update(~0U, super, 0x3FC));
    cache_release(buffer);
    ext4_drop(fs);
}
