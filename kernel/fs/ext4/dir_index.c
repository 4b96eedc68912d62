#include "kernel/fs/ext4/dir_index.h"

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/checksum.h"

enum {
    DOT_SIZE = 12,
    RESERVED_AT = 24,
    HASH_VERSION_AT = 28,
    INFO_SIZE_AT = 29,
    LEVELS_AT = 30,
    FLAGS_AT = 31,
    ROOT_ENTRIES_AT = 32,
    NODE_ENTRIES_AT = 8,
    INFO_SIZE = 8,
    ENTRY_SIZE = 8,
    TAIL_SIZE = 8,
    TAIL_CHECKSUM_AT = 4,
    LIMIT_AT = 0,
    COUNT_AT = 2,
};

static const u32 block_mask = 0x0FFFFFFF; /* the upper bits are reserved */

static u8 *entry_at(const struct ext4_index_node *node, u32 position)
{
    return node->block.raw + node->entries_at + (size_t)position * ENTRY_SIZE;
}

u32 ext4_index_entry_hash(const struct ext4_index_node *node, u32 position)
{
    return position == 0 ? 0 : get_le32(entry_at(node, position));
}

u32 ext4_index_entry_block(const struct ext4_index_node *node, u32 position)
{
    return get_le32(entry_at(node, position) + 4) & block_mask;
}

void ext4_index_entry_encode(struct ext4_index_node *node, u32 position, u32 hash,
                             u32 block)
{
    u8 *raw = entry_at(node, position);
    if (position > 0) /* the first one's place holds limit and count */
        put_le32(raw, hash);
    put_le32(raw + 4, block);
}

void ext4_index_set_count(struct ext4_index_node *node, u32 count)
{
    node->count = count;
    put_le16(entry_at(node, 0) + COUNT_AT, (u16)count);
}

void ext4_index_root_set_levels(struct ext4_index_node *root, u32 levels)
{
    root->block.raw[LEVELS_AT] = (u8)levels;
}

static u32 limit_of(const struct ext4_dir_block *block, u32 entries_at)
{
    return (block->size - entries_at - (block->checksums ? TAIL_SIZE : 0)) / ENTRY_SIZE;
}

void ext4_index_node_init(const struct ext4_dir_block *block,
                          struct ext4_index_node *node)
{
    memset(block->raw, 0, block->size);
    put_le16(block->raw + 4, (u16)block->size);
    *node = (struct ext4_index_node){
        .block = *block,
        .entries_at = NODE_ENTRIES_AT,
        .limit = limit_of(block, NODE_ENTRIES_AT),
    };
    put_le16(entry_at(node, 0) + LIMIT_AT, (u16)node->limit);
}

/* Over the entries in use, and the tail with its checksum taken as zero. */
static u32 checksum_of(const struct ext4_index_node *node)
{
    const u8 *tail = entry_at(node, node->limit);
    static const u8 zeros[4];
    u32 crc = ext4_owned_block_checksum(node->block.checksum_seed, node->block.raw,
                                        node->entries_at + node->count * ENTRY_SIZE);
    crc = crc32c_update(crc, tail, TAIL_CHECKSUM_AT);
    return crc32c_update(crc, zeros, sizeof zeros);
}

void ext4_index_seal(const struct ext4_index_node *node)
{
    if (node->block.checksums)
        put_le32(entry_at(node, node->limit) + TAIL_CHECKSUM_AT, checksum_of(node));
}

enum status ext4_index_verify(const struct ext4_index_node *node)
{
    if (!node->block.checksums)
        return OK;
    u32 stored = get_le32(entry_at(node, node->limit) + TAIL_CHECKSUM_AT);
    return stored == checksum_of(node)
               ? OK
               : ext4_dir_block_refuse(&node->block, "bad index checksum", stored);
}

static enum status decode_entries(const struct ext4_dir_block *block, u32 entries_at,
                                  struct ext4_index_node *result)
{
    struct ext4_index_node node = { .block = *block, .entries_at = entries_at };
    node.limit = get_le16(entry_at(&node, 0) + LIMIT_AT);
    node.count = get_le16(entry_at(&node, 0) + COUNT_AT);
    if (node.limit != limit_of(block, entries_at))
        return ext4_dir_block_refuse(block, "index with limit", node.limit);
    if (node.count == 0 || node.count > node.limit)
        return ext4_dir_block_refuse(block, "index with entries", node.count);
    for (u32 i = 0; i < node.count; i++) {
        if (ext4_index_entry_block(&node, i) == 0)
            return ext4_dir_block_refuse(block, "index leads to its root, entry", i);
        if (i > 0 &&
            ext4_index_entry_hash(&node, i) < ext4_index_entry_hash(&node, i - 1))
            return ext4_dir_block_refuse(block, "index not in order, entry", i);
    }
    *result = node;
    return OK;
}

enum status ext4_index_node_decode(const struct ext4_dir_block *block,
                                   struct ext4_index_node *node)
{
    if (get_le32(block->raw) != 0 || get_le16(block->raw + 4) != block->size)
        return ext4_dir_block_refuse(block, "no index, but an entry of inode",
                                     get_le32(block->raw));
    return decode_entries(block, NODE_ENTRIES_AT, node);
}

enum status ext4_index_root_decode(const struct ext4_dir_block *block,
                                   struct ext4_index_node *root,
                                   enum ext4_hash_version *version, u32 *levels)
{
    const u8 *raw = block->raw;
    if (get_le16(raw + 4) != DOT_SIZE ||
        get_le16(raw + DOT_SIZE + 4) != block->size - DOT_SIZE)
        return ext4_dir_block_refuse(block, "index root without dots, length",
                                     get_le16(raw + DOT_SIZE + 4));
    if (get_le32(raw + RESERVED_AT) != 0 || raw[INFO_SIZE_AT] != INFO_SIZE)
        return ext4_dir_block_refuse(block, "index root with header of",
                                     raw[INFO_SIZE_AT]);
    if (raw[LEVELS_AT] >= EXT4_INDEX_MAX_DEPTH)
        return ext4_dir_block_refuse(block, "index with levels", raw[LEVELS_AT]);
    if (raw[HASH_VERSION_AT] > EXT4_HASH_TEA || raw[FLAGS_AT] != 0) {
        (void)ext4_dir_block_refuse(block, "index with unknown hash version",
                                    raw[HASH_VERSION_AT]);
        return ERR_UNSUPPORTED;
    }
    enum status status = decode_entries(block, ROOT_ENTRIES_AT, root);
    if (status != OK)
        return status;
    *version = raw[HASH_VERSION_AT];
    *levels = raw[LEVELS_AT];
    return OK;
}

enum status ext4_index_reseal_root(const struct ext4_dir_block *block)
{
    struct ext4_index_node root;
    enum ext4_hash_version version;
    u32 levels;
    enum status status = ext4_index_root_decode(block, &root, &version, &levels);
    if (status == OK)
        ext4_index_seal(&root);
    return status;
}

u32 ext4_index_search(const struct ext4_index_node *node, u32 hash)
{
    u32 low = 0;
    u32 high = node->count; /* entry low is not above hash, entry high is */
    while (high - low > 1) {
        u32 middle = low + (high - low) / 2;
        if (ext4_index_entry_hash(node, middle) > hash)
            high = middle;
        else
            low = middle;
    }
    return low;
}

static enum status read_root(struct ext4 *fs, const struct ext4_inode *directory,
                             struct ext4_index_path *path)
{
    struct ext4_dir_block block;
    u32 levels;
    struct ext4_index_node *root = &path->nodes[0];
    enum status status = ext4_dir_block_read(fs, directory, 0, &block);
    if (status != OK)
        return status;
    status = ext4_index_root_decode(&block, root, &path->method.version, &levels);
    if (status == OK && !block.buffer->checked)
        status = ext4_index_verify(root);
    if (status != OK) {
        ext4_dir_block_release(&block);
        root->block.buffer = NULL;
        return status;
    }
    block.buffer->checked = true;
    path->depth = levels + 1;
    path->method.is_unsigned = fs->superblock.hash_unsigned;
    memcpy(path->method.seed, fs->superblock.hash_seed, sizeof path->method.seed);
    return OK;
}

static enum status read_node(struct ext4 *fs, const struct ext4_inode *directory,
                             u32 number, struct ext4_index_node *node)
{
    struct ext4_dir_block block;
    enum status status = ext4_dir_block_read(fs, directory, number, &block);
    if (status != OK)
        return status;
    status = ext4_index_node_decode(&block, node);
    if (status == OK && !block.buffer->checked)
        status = ext4_index_verify(node);
    if (status != OK) {
        ext4_dir_block_release(&block);
        node->block.buffer = NULL;
        return status;
    }
    block.buffer->checked = true;
    return OK;
}

void ext4_index_path_release(struct ext4_index_path *path)
{
    for (u32 i = 0; i < path->depth; i++)
        ext4_dir_block_release(&path->nodes[i].block);
}

u32 ext4_index_path_leaf(const struct ext4_index_path *path)
{
    const struct ext4_index_node *last = &path->nodes[path->depth - 1];
    return ext4_index_entry_block(last, last->position);
}

/* From nodes[from - 1], whose position is set, down to the last node. */
static enum status descend(struct ext4 *fs, const struct ext4_inode *directory,
                           struct ext4_index_path *path, u32 from, u32 hash)
{
    for (u32 i = from; i < path->depth; i++) {
        struct ext4_index_node *above = &path->nodes[i - 1];
        struct ext4_index_node *node = &path->nodes[i];
        enum status status = read_node(
            fs, directory, ext4_index_entry_block(above, above->position), node);
        if (status != OK)
            return status;
        node->position = ext4_index_search(node, hash);
    }
    return OK;
}

enum status ext4_index_path_find(struct ext4 *fs, const struct ext4_inode *directory,
                                 const char *name, u32 length,
                                 struct ext4_index_path *path)
{
    *path = (struct ext4_index_path){ 0 };
    enum status status = read_root(fs, directory, path);
    if (status != OK)
        return status;
    path->hash = ext4_name_hash(&path->method, (const u8 *)name, length);
    path->nodes[0].position = ext4_index_search(&path->nodes[0], path->hash);
    status = descend(fs, directory, path, 1, path->hash);
    if (status != OK)
        ext4_index_path_release(path);
    return status;
}

/*
 * On to the next leaf if it continues the names of the hash looked for (H1): ERR_NOT_FOUND if
 * not. Each call moves forward in nodes already checked, so the search ends.
 */
static enum status advance(struct ext4 *fs, const struct ext4_inode *directory,
                           struct ext4_index_path *path)
{
    u32 level = path->depth;
    while (level > 0 &&
           path->nodes[level - 1].position + 1 >= path->nodes[level - 1].count)
        level--;
    if (level == 0)
        return ERR_NOT_FOUND;
    struct ext4_index_node *node = &path->nodes[level - 1];
    if (ext4_index_entry_hash(node, node->position + 1) != (path->hash | 1))
        return ERR_NOT_FOUND;
    node->position++;
    for (u32 i = level; i < path->depth; i++)
        ext4_dir_block_release(&path->nodes[i].block);
    return descend(fs, directory, path, level, 0);
}

static enum status find_in_leaf(struct ext4 *fs, const struct ext4_inode *directory,
                                u32 leaf, const struct ext4_dir_name *name,
                                struct ext4_dir_place *place)
{
    struct ext4_dir_block block;
    struct ext4_dir_entry entry;
    enum status status = ext4_dir_leaf_read(fs, directory, leaf, &block);
    if (status != OK)
        return status;
    status = ext4_dir_block_find(&block, name->text, name->length, &entry);
    ext4_dir_block_release(&block);
    if (status == OK)
        *place = (struct ext4_dir_place){ leaf, entry.offset, entry.inode, entry.type };
    return status;
}

enum status ext4_index_find(struct ext4 *fs, const struct ext4_inode *directory,
                            const char *name, u32 length, struct ext4_dir_place *place)
{
    struct ext4_index_path path;
    struct ext4_dir_name wanted = { .text = name, .length = length };
    enum status status = ext4_index_path_find(fs, directory, name, length, &path);
    if (status != OK)
        return status;
    do {
        status = find_in_leaf(fs, directory, ext4_index_path_leaf(&path), &wanted, place);
        if (status != ERR_NOT_FOUND)
            break;
        status = advance(fs, directory, &path);
    } while (status == OK);
    ext4_index_path_release(&path);
    return status;
}
