/*
 * The file operations that Snapper demands of whatever keeps its files.
 *
 * snapper/store/ binds them to ext4; tests bind a model in RAM. A node is a file or directory by
 * number (ext4: the inode). All changes since the last commit are one transaction, with the
 * contract of kernel/fs/ext4/ext4.h: ERR_TRANSACTION_FULL asks the caller to commit where a crash
 * is harmless; after any other error the caller rolls back.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

struct store;

enum { STORE_NAME_MAX = 255 };

struct store_entry {
    u64 node;
    bool is_directory;
    char name[STORE_NAME_MAX + 1];
};

struct store_stat {
    u64 node;
    u32 generation; /* of the node number, for location hints */
    bool is_directory;
    u64 size_bytes;
    u64 allocated_bytes;
};

struct store_space {
    u64 block_size;
    u64 total_blocks, free_blocks, reserved_blocks;
    u64 total_nodes, free_nodes;
    u8 uuid[16];
    bool read_only;
};

/* One file of a burst: header bytes, then the payload; both untouched until commit or rollback. */
struct store_new_file {
    const char *name;
    const void *header;
    const void *payload;
    u32 header_size;
    u32 payload_size;
    u64 node;        /* result */
    u64 first_block; /* result */
};

struct store_operations {
    enum status (*root)(struct store *store, u64 *node); /* the directory "/" */
    enum status (*lookup)(struct store *store, u64 directory, const char *name,
                          u64 *node);
    enum status (*stat)(struct store *store, u64 node, struct store_stat *stat);
    enum status (*next_entry)(struct store *store, u64 directory, u64 *cursor,
                              struct store_entry *entry); /* ERR_NOT_FOUND at the end */
    enum status (*make_directory)(struct store *store, u64 directory, const char *name,
                                  u64 *node);
    enum status (*create_files)(struct store *store, u64 directory,
                                struct store_new_file *files, size_t count);
    /* A small file made or replaced as a whole, within the running transaction; data is copied. */
    enum status (*replace_file)(struct store *store, u64 directory, const char *name,
                                const void *data, size_t size);
    enum status (*read)(struct store *store, u64 node, u64 offset, void *data,
                        size_t size, size_t *read);
    /* One byte in place, outside the transaction; durable after flush or commit. */
    enum status (*poke)(struct store *store, u64 node, u64 offset, u8 value);
    enum status (*remove_file)(struct store *store, u64 directory, const char *name);
    enum status (*remove_directory)(struct store *store, u64 directory, const char *name);

    enum status (*commit)(struct store *store);
    void (*rollback)(struct store *store);
    enum status (*flush)(struct store *store);
    u32 (*transaction_room)(
        const struct store *store); /* metadata blocks, a lower bound */
    void (*space)(const struct store *store, struct store_space *space);
};

/* Embedded as first member by each implementation. */
struct store {
    const struct store_operations *operations;
};
