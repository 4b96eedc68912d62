/* Directory blocks from disk: walked, searched and changed, they stay a chain that fills the block. */
#include <stdlib.h>
#include <string.h>

#include "kernel/fs/ext4/dir_block.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static bool is_chain(const struct ext4_dir_block *block)
{
    struct ext4_dir_entry entry;
    u32 offset = 0;
    enum status status;

    while ((status = ext4_dir_block_entry(block, offset, &entry)) == OK)
        offset += entry.size;
    return status == ERR_NOT_FOUND;
}

/* A whole chain must still be one after names came and went. */
static void change(const struct ext4_dir_block *block, const char *text)
{
    struct ext4_dir_name name = { text, (u32)strlen(text), 12, EXT4_ENTRY_FILE };
    struct ext4_dir_entry entry;

    if (ext4_dir_block_insert(block, &name) != OK)
        return;
    if (!is_chain(block) || ext4_dir_block_find(block, text, name.length, &entry) != OK)
        abort();
    if (ext4_dir_block_remove(block, entry.offset) != OK || !is_chain(block))
        abort();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct ext4_dir_block block = {
        .size = 1024,
        .inode_count = 1000,
        .first_inode = 11,
        .directory = 12,
    };

    if (size == 0)
        return 0;
    block.checksums = data[0] & 1;
    block.file_types = data[0] & 2;
    block.raw = calloc(1, block.size);
    if (block.raw == NULL)
        abort();
    ext4_dir_block_init(&block);
    memcpy(block.raw, data + 1, size - 1 < block.size ? size - 1 : block.size);
    if (is_chain(&block)) {
        change(&block, "a");
        change(&block, "a name of some more length than others have");
    }
    free(block.raw);
    return 0;
}
