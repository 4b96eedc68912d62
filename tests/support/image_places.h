/*
 * Where the structures of an image lie, so that they can be damaged on purpose and their checksums be
 * made right again.
 *
 * The image is one that we made ourselves and is trusted. If its journal is live, structures are
 * found as a replay leaves them, the journal's own blocks as they are.
 */
#pragma once

#include "kernel/fs/ext4/ext4_internal.h"
#include "kernel/fs/jbd2/journal_format.h"
#include "tests/support/ram_disk.h"

enum place_kind {
    PLACE_SUPERBLOCK,
    PLACE_DESCRIPTOR,
    PLACE_BLOCK_BITMAP,
    PLACE_INODE_BITMAP,
    PLACE_INODE,
    PLACE_EXTENT_NODE, /* a block of its own; the root is part of the inode */
    PLACE_POINTERS,    /* a block of pointers of the old block map */
    PLACE_DIRECTORY,
    PLACE_INDEX_ROOT,
    PLACE_INDEX_NODE,
    PLACE_SYMLINK,
    PLACE_ORPHAN_FILE,
    PLACE_JOURNAL_SUPERBLOCK,
    PLACE_JOURNAL_DESCRIPTOR,
    PLACE_JOURNAL_REVOKE,
    PLACE_JOURNAL_COMMIT,
    PLACE_JOURNAL_DATA, /* a block that waits in the log */
    PLACE_ARCHIVE,
    PLACE_SNAPSHOT_FILE,
    PLACE_STATE,
    PLACE_CONFIG,
    PLACE_KINDS
};

struct place {
    enum place_kind kind;
    u64 at; /* in the image, bytes */
    u32 size;
    u32 owner;      /* the inode, or the group */
    u32 generation; /* of that inode */
    u32 detail;     /* journal data: tag in the descriptor at `seal_at` */
    u64 seal_at; /* where a checksum lies that is not in the place itself; 0: nowhere */
};

struct image_places {
    struct ram_disk image; /* as it is */
    struct ram_disk clean; /* the same with its journal replayed */
    struct ext4 *fs;       /* of `clean`, mounted for reading */
    struct journal_layout layout;
    struct place *items; /* by kind */
    size_t count, capacity;
    size_t first[PLACE_KINDS + 1];
};

/* Takes over `image`. Whatever cannot be found out ends the program. */
void image_places_open(struct image_places *places, struct ram_disk *image);
void image_places_close(struct image_places *places);

size_t image_places_count(const struct image_places *places, enum place_kind kind);
const struct place *image_place(const struct image_places *places, enum place_kind kind,
                                size_t index);
const char *place_kind_name(enum place_kind kind);
