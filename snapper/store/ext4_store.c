#include "snapper/store/ext4_store.h"

#include "kernel/base/port.h"
#include "kernel/base/string.h"

enum { BURST_PIECE = 512 };

static struct ext4 *fs_of(const struct store *store)
{
    return ((const struct ext4_store *)store)->fs;
}

/* Nodes come back from Snapper as it got them; inode numbers have 32 bits. */
static u32 inode_of(u64 node)
{
    return (u32)node;
}

static enum status store_root(struct store *store, u64 *node)
{
    (void)store;
    *node = EXT4_ROOT_INODE;
    return OK;
}

static enum status store_lookup(struct store *store, u64 directory, const char *name,
                                u64 *node)
{
    u32 inode;

    enum status status = ext4_lookup(fs_of(store), inode_of(directory), name, &inode);
    if (status == OK)
        *node = inode;
    return status;
}

static enum status store_stat(struct store *store, u64 node, struct store_stat *stat)
{
    struct ext4_stat found;

    enum status status = ext4_stat(fs_of(store), inode_of(node), &found);
    if (status != OK)
        return status;
    *stat = (struct store_stat){
        .node = found.inode,
        .generation = found.generation,
        .is_directory = found.type == EXT4_DIRECTORY,
        .size_bytes = found.size_bytes,
        .allocated_bytes = found.blocks_512 * 512,
    };
    return OK;
}

static enum status store_next_entry(struct store *store, u64 directory, u64 *cursor,
                                    struct store_entry *entry)
{
    struct ext4_directory_entry found;

    enum status status =
        ext4_directory_next(fs_of(store), inode_of(directory), cursor, &found);
    if (status != OK)
        return status;
    entry->node = found.inode;
    entry->is_directory = found.type == EXT4_DIRECTORY;
    return text_copy(entry->name, sizeof entry->name, found.name) ? OK : ERR_CORRUPT;
}

static enum status store_make_directory(struct store *store, u64 directory,
                                        const char *name, u64 *node)
{
    enum stage outer = port_stage(STAGE_FILES);
    u32 inode;

    enum status status =
        ext4_make_directory(fs_of(store), inode_of(directory), name, &inode);
    (void)port_stage(outer);
    if (status == OK)
        *node = inode;
    return status;
}

static enum status create_piece(struct store *store, u64 directory,
                                struct store_new_file *files, size_t count,
                                struct ext4_burst_file *burst)
{
    for (size_t i = 0; i < count; i++)
        burst[i] = (struct ext4_burst_file){
            .name = files[i].name,
            .head = files[i].header,
            .body = files[i].payload,
            .head_size = files[i].header_size,
            .body_size = files[i].payload_size,
        };
    enum status status =
        ext4_create_burst(fs_of(store), inode_of(directory), burst, count);
    for (size_t i = 0; i < count && status == OK; i++) {
        files[i].node = burst[i].inode;
        files[i].first_block = burst[i].first_block;
    }
    return status;
}

static enum status store_create_files(struct store *store, u64 directory,
                                      struct store_new_file *files, size_t count)
{
    enum stage outer = port_stage(STAGE_FILES);
    size_t piece = count < BURST_PIECE ? count : BURST_PIECE;
    struct ext4_burst_file *burst = port_alloc(piece * sizeof *burst);
    enum status status = burst != NULL || count == 0 ? OK : ERR_NO_MEMORY;

    for (size_t at = 0; at < count && status == OK; at += piece)
        status = create_piece(store, directory, files + at,
                              count - at < piece ? count - at : piece, burst);
    port_free(burst);
    (void)port_stage(outer);
    return status;
}

static enum status store_replace_file(struct store *store, u64 directory,
                                      const char *name, const void *data, size_t size)
{
    enum stage outer = port_stage(STAGE_FILES);
    struct ext4 *fs = fs_of(store);
    u32 inode;

    enum status status = ext4_lookup(fs, inode_of(directory), name, &inode);
    if (status == ERR_NOT_FOUND)
        status = ext4_create(fs, inode_of(directory), name, &inode);
    else if (status == OK)
        status = ext4_truncate(fs, inode, size);
    if (status == OK)
        status = ext4_write(fs, inode, 0, data, size);
    (void)port_stage(outer);
    return status;
}

static enum status store_read(struct store *store, u64 node, u64 offset, void *data,
                              size_t size, size_t *read)
{
    return ext4_read(fs_of(store), inode_of(node), offset, data, size, read);
}

static enum status store_poke(struct store *store, u64 node, u64 offset, u8 value)
{
    return ext4_poke(fs_of(store), inode_of(node), offset, value);
}

static enum status store_remove_file(struct store *store, u64 directory, const char *name)
{
    return ext4_unlink(fs_of(store), inode_of(directory), name);
}

static enum status store_remove_directory(struct store *store, u64 directory,
                                          const char *name)
{
    return ext4_remove_directory(fs_of(store), inode_of(directory), name);
}

static enum status store_commit(struct store *store)
{
    enum stage outer = port_stage(STAGE_DATA); /* the journal says when it begins */
    enum status status = ext4_commit(fs_of(store));

    (void)port_stage(outer);
    return status;
}

static void store_rollback(struct store *store)
{
    ext4_rollback(fs_of(store));
}

static enum status store_flush(struct store *store)
{
    return ext4_flush(fs_of(store));
}

static u32 store_transaction_room(const struct store *store)
{
    return ext4_transaction_room(fs_of(store));
}

static void store_space(const struct store *store, struct store_space *space)
{
    struct ext4_space found;

    ext4_space(fs_of(store), &found);
    *space = (struct store_space){
        .block_size = found.block_size,
        .total_blocks = found.blocks,
        .free_blocks = found.free_blocks,
        .reserved_blocks = found.reserved_blocks,
        .total_nodes = found.inodes,
        .free_nodes = found.free_inodes,
        .read_only = found.read_only,
    };
    memcpy(space->uuid, found.uuid, sizeof space->uuid);
}

void ext4_store_init(struct ext4_store *store, struct ext4 *fs)
{
    static const struct store_operations operations = {
        .root = store_root,
        .lookup = store_lookup,
        .stat = store_stat,
        .next_entry = store_next_entry,
        .make_directory = store_make_directory,
        .create_files = store_create_files,
        .replace_file = store_replace_file,
        .read = store_read,
        .poke = store_poke,
        .remove_file = store_remove_file,
        .remove_directory = store_remove_directory,
        .commit = store_commit,
        .rollback = store_rollback,
        .flush = store_flush,
        .transaction_room = store_transaction_room,
        .space = store_space,
    };

    store->store.operations = &operations;
    store->fs = fs;
}
