/*
 * The generations under /snapper: what directories there are, and where their files lie.
 *
 * A generation stays in the list while anything refers to it, also when it is dead (its archive is
 * gone, but other generations list its files).
 */
#pragma once

#include "snapper/archive.h"
#include "snapper/store.h"

struct generation {
    struct generation_name name;
    u64 time;
    u64 node;         /* its directory; 0: not there any more */
    u64 unlocated_in; /* where to look for it once more: an error hid it; 0: node holds */
    u32 threshold;    /* files per directory; 0: not known yet */
    bool has_archive; /* meaningful once looked_up */
    bool looked_up;   /* for the archive */
    bool counted;     /* its archive, in the session's `listed` */
    bool touched;     /* a purge removes files of it */
    u32 views;        /* readers that hold it */
    u64 *levels;      /* nodes of snapshot, snapshot/ext ... as far as they were walked */
    u32 level_count;
    u32 level_capacity;
};

enum { GENERATION_LEVELS_MAX = 1 << 20 }; /* a longer chain of directories is not ours */

struct generation_list {
    struct generation **items; /* ascending by name */
    size_t count;
    size_t capacity;
    u32 references; /* directories that the original program made */
    u64 newest_time; /* of all names ever seen, those of foreign files and removed ones too */
};

/* Every directory under `root` with a generation's name. Others are left alone. */
enum status generation_list_read(struct generation_list *list, struct store *store,
                                 u64 root);
void generation_list_destroy(struct generation_list *list);

/* NULL: no such generation. */
struct generation *generation_find(const struct generation_list *list,
                                   const struct generation_name *name);
/* Where it stands in the list, or would. */
size_t generation_position(const struct generation_list *list,
                           const struct generation_name *name);
/* The one of this name, made if need be (node 0). ERR_NO_MEMORY. */
enum status generation_add(struct generation_list *list,
                           const struct generation_name *name,
                           struct generation **generation);
void generation_remove(struct generation_list *list, struct generation *generation);

/*
 * Looks for its directory in `home` (0: there is none) again, and forgets what was known of it: after
 * a rollback, or a removal, that may or may not have taken it. On error nothing is known, and whoever
 * asks next looks again: a directory that an error hid must not pass for one that is gone.
 */
enum status generation_locate(struct generation *generation, struct store *store,
                              u64 home);

/* Is there a file "archive"? Looked up once. */
enum status generation_has_archive(struct generation *generation, struct store *store,
                                   bool *has_archive);

/*
 * Reads and decodes the archive; freed by archive_destroy(). ERR_NOT_FOUND: it has none; ERR_CORRUPT,
 * ERR_UNSUPPORTED with a line in the log.
 */
enum status generation_read_archive(struct generation *generation, struct store *store,
                                    struct archive *archive, u64 *archive_size);

/*
 * Each listed file is one inode: what counts more of them than there are would cost without end. Says
 * what is wrong, or NULL.
 */
const char *generation_archive_obstacle(const struct archive *archive,
                                        struct store *store);
/* The archive's bytes as they are, freed by port_free(). */
enum status generation_read_archive_bytes(struct generation *generation,
                                          struct store *store, u8 **raw, size_t *size);

/* The directory `level` levels down the chain: 0 is "snapshot", each next is an "ext" in it. */
enum status generation_level(struct generation *generation, struct store *store,
                             u32 level, u64 *node);
/* All of them, level_count in number then. */
enum status generation_find_levels(struct generation *generation, struct store *store);
/* Remembers the next level, just made. ERR_NO_MEMORY. */
enum status generation_add_level(struct generation *generation, u64 node);

/* The node of the snapshot file with this ordinal. */
enum status generation_file(struct generation *generation, struct store *store,
                            u32 ordinal, u64 *node);

enum { SNAPSHOT_NAME_SIZE = 12 };
/* The name of file `number` of a level: hexadecimal, four digits or more. */
void snapshot_file_name(u32 number, char name[SNAPSHOT_NAME_SIZE]);
/* The number back; false: not a name of ours. */
[[nodiscard]] bool snapshot_file_number(const char *name, u32 *number);
