#include "kernel/fs/ext4/dir_block.h"

#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/checksum.h"

enum {
    INODE_AT = 0,
    SIZE_AT = 4,
    NAME_LENGTH_AT = 6,
    TYPE_AT = 7,
    NAME_AT = 8,
    SMALLEST_ENTRY = 12,
    TAIL_SIZE = 12,
    TAIL_TYPE = 0xDE,
    TAIL_CHECKSUM_AT = 8,
};

enum status ext4_dir_block_refuse(const struct ext4_dir_block *block, const char *what,
                                  u64 value)
{
    log_error("ext4: directory %u: block %llu: %s: %llu", block->directory,
              (unsigned long long)block->number, what, (unsigned long long)value);
    return ERR_CORRUPT;
}

u32 ext4_dir_block_end(const struct ext4_dir_block *block)
{
    return block->checksums ? block->size - TAIL_SIZE : block->size;
}

enum status ext4_dir_block_verify(const struct ext4_dir_block *block)
{
    if (!block->checksums)
        return OK;
    const u8 *tail = block->raw + ext4_dir_block_end(block);
    if (get_le32(tail + INODE_AT) != 0 || get_le16(tail + SIZE_AT) != TAIL_SIZE ||
        tail[NAME_LENGTH_AT] != 0 || tail[TYPE_AT] != TAIL_TYPE)
        return ext4_dir_block_refuse(block, "no checksum, but type", tail[TYPE_AT]);
    u32 stored = get_le32(tail + TAIL_CHECKSUM_AT);
    u32 checksum = ext4_owned_block_checksum(block->checksum_seed, block->raw,
                                             ext4_dir_block_end(block));
    return stored == checksum ? OK : ext4_dir_block_refuse(block, "bad checksum", stored);
}

void ext4_dir_block_seal(const struct ext4_dir_block *block)
{
    if (!block->checksums)
        return;
    u32 end = ext4_dir_block_end(block);
    u8 *tail = block->raw + end;
    put_le32(tail + INODE_AT, 0);
    put_le16(tail + SIZE_AT, TAIL_SIZE);
    tail[NAME_LENGTH_AT] = 0;
    tail[TYPE_AT] = TAIL_TYPE;
    put_le32(tail + TAIL_CHECKSUM_AT,
             ext4_owned_block_checksum(block->checksum_seed, block->raw, end));
}

void ext4_dir_block_init(const struct ext4_dir_block *block)
{
    memset(block->raw, 0, block->size);
    put_le16(block->raw + SIZE_AT, (u16)ext4_dir_block_end(block));
}

static bool is_possible_inode(const struct ext4_dir_block *block, u32 inode)
{
    return inode == EXT4_ROOT_INODE ||
           (inode >= block->first_inode && inode <= block->inode_count);
}

static bool is_possible_name(const u8 *name, u32 length)
{
    for (u32 i = 0; i < length; i++)
        if (name[i] == '/' || name[i] == '\0')
            return false;
    return length > 0 && length <= EXT4_NAME_MAX;
}

enum status ext4_dir_block_entry(const struct ext4_dir_block *block, u32 offset,
                                 struct ext4_dir_entry *result)
{
    u32 end = ext4_dir_block_end(block);
    if (offset == end)
        return ERR_NOT_FOUND;
    if (offset > end || end - offset < SMALLEST_ENTRY)
        return ext4_dir_block_refuse(block, "entry too near the end", offset);

    const u8 *raw = block->raw + offset;
    u32 size = get_le16(raw + SIZE_AT);
    struct ext4_dir_entry entry = {
        .offset = offset,
        .size = size,
        .inode = get_le32(raw + INODE_AT),
        .type = block->file_types ? raw[TYPE_AT] : EXT4_ENTRY_UNKNOWN,
        .name_length =
            block->file_types ? raw[NAME_LENGTH_AT] : get_le16(raw + NAME_LENGTH_AT),
        .name = raw + NAME_AT,
    };
    if (size < SMALLEST_ENTRY || size % 4 != 0)
        return ext4_dir_block_refuse(block, "impossible entry length", size);
    if (size > end - offset ||
        (end - offset - size > 0 && end - offset - size < SMALLEST_ENTRY))
        return ext4_dir_block_refuse(block, "entry reaches beyond the block", size);
    if (entry.inode != 0) {
        if (ext4_dir_entry_size(entry.name_length) > size)
            return ext4_dir_block_refuse(block, "name longer than its entry",
                                         entry.name_length);
        if (!is_possible_name(entry.name, entry.name_length))
            return ext4_dir_block_refuse(block, "impossible name at", offset);
        if (!is_possible_inode(block, entry.inode))
            return ext4_dir_block_refuse(block, "impossible inode", entry.inode);
    }
    *result = entry;
    return OK;
}

enum status ext4_dir_block_find(const struct ext4_dir_block *block, const char *name,
                                u32 length, struct ext4_dir_entry *result)
{
    struct ext4_dir_entry entry;
    enum status status;

    for (u32 offset = 0; (status = ext4_dir_block_entry(block, offset, &entry)) == OK;
         offset += entry.size) {
        if (entry.inode == 0 || entry.name_length != length ||
            memcmp(entry.name, name, length) != 0)
            continue;
        *result = entry;
        return OK;
    }
    return status;
}

static void encode(const struct ext4_dir_block *block, u32 offset, u32 size,
                   const struct ext4_dir_name *name)
{
    u8 *raw = block->raw + offset;
    put_le32(raw + INODE_AT, name->inode);
    put_le16(raw + SIZE_AT, (u16)size);
    raw[NAME_LENGTH_AT] = (u8)name->length;
    raw[TYPE_AT] = block->file_types ? name->type : 0;
    memcpy(raw + NAME_AT, name->text, name->length);
    memset(raw + NAME_AT + name->length, 0,
           ext4_dir_entry_size(name->length) - NAME_AT - name->length);
}

static u32 used_size(const struct ext4_dir_entry *entry)
{
    return entry->inode != 0 ? ext4_dir_entry_size(entry->name_length) : 0;
}

static enum status find_room(const struct ext4_dir_block *block, u32 from, u32 length,
                             struct ext4_dir_entry *result)
{
    struct ext4_dir_entry entry;
    enum status status;

    for (u32 offset = from; (status = ext4_dir_block_entry(block, offset, &entry)) == OK;
         offset += entry.size) {
        if (entry.size - used_size(&entry) < ext4_dir_entry_size(length))
            continue;
        *result = entry;
        return OK;
    }
    return status == ERR_NOT_FOUND ? ERR_NO_SPACE : status;
}

enum status ext4_dir_block_find_room(const struct ext4_dir_block *block, u32 length,
                                     u32 *offset)
{
    struct ext4_dir_entry entry;
    enum status status = find_room(block, 0, length, &entry);
    if (status == OK)
        *offset = entry.offset;
    return status;
}

enum status ext4_dir_block_insert(const struct ext4_dir_block *block,
                                  const struct ext4_dir_name *name)
{
    u32 from = 0;

    return ext4_dir_block_insert_from(block, &from, name);
}

enum status ext4_dir_block_insert_from(const struct ext4_dir_block *block, u32 *from,
                                       const struct ext4_dir_name *name)
{
    struct ext4_dir_entry entry;
    enum status status = find_room(block, *from, name->length, &entry);
    if (status != OK)
        return status;
    u32 used = used_size(&entry);
    if (used > 0)
        put_le16(block->raw + entry.offset + SIZE_AT, (u16)used);
    *from = entry.offset + used;
    encode(block, *from, entry.size - used, name);
    return OK;
}

enum status ext4_dir_block_remove(const struct ext4_dir_block *block, u32 offset)
{
    struct ext4_dir_entry entry;
    u32 before = offset;
    u32 at = 0;
    while (at <= offset) {
        enum status status = ext4_dir_block_entry(block, at, &entry);
        if (status != OK)
            return status == ERR_NOT_FOUND ? ERR_CORRUPT : status;
        if (at == offset)
            break;
        before = at;
        at += entry.size;
    }
    if (at != offset)
        return ext4_dir_block_refuse(block, "no entry starts at", offset);

    u8 *raw = block->raw + offset;
    memset(raw + NAME_LENGTH_AT, 0, entry.size - NAME_LENGTH_AT);
    put_le32(raw + INODE_AT, 0);
    if (before == offset)
        return OK;
    put_le16(raw + SIZE_AT, 0);
    put_le16(block->raw + before + SIZE_AT, (u16)(offset + entry.size - before));
    return OK;
}

void ext4_dir_block_redirect(const struct ext4_dir_block *block, u32 offset, u32 inode,
                             u8 type)
{
    put_le32(block->raw + offset + INODE_AT, inode);
    if (block->file_types)
        block->raw[offset + TYPE_AT] = type;
}

void ext4_dir_block_init_dots(const struct ext4_dir_block *block, u32 self, u32 parent)
{
    struct ext4_dir_name dot = { ".", 1, self, EXT4_ENTRY_DIRECTORY };
    struct ext4_dir_name dots = { "..", 2, parent, EXT4_ENTRY_DIRECTORY };
    ext4_dir_block_init(block);
    encode(block, 0, SMALLEST_ENTRY, &dot);
    encode(block, SMALLEST_ENTRY, ext4_dir_block_end(block) - SMALLEST_ENTRY, &dots);
}
