/*
 * What the parts of the check share: what was found, to be compared with what is stated.
 *
 * A damaged structure is a problem, not an error: ext4_check_settle() counts it and goes on.
 */
#pragma once

#include "kernel/fs/ext4/check.h"
#include "kernel/fs/ext4/dir_access.h"

struct ext4_check {
    struct ext4 *fs;
    struct ext4_check_report *report;
    u8 *used;            /* a bit a block, from first_data_block on */
    u8 *kinds;           /* of each inode: its type as in entries, or one of the below */
    u32 *links;          /* found */
    u32 *parents;        /* of directories: where its name is */
    u32 *stated_parents; /* of directories: ".." */
    struct map
        attributes; /* blocks of extended attributes, with the inodes that use them */
    struct map orphans;
};

/* Kinds beside the types of entries, which end at 7. */
enum { EXT4_KIND_FREE = 0, EXT4_KIND_RESERVED = 0xFE, EXT4_KIND_BROKEN = 0xFF };

void ext4_check_problem(struct ext4_check *check, const char *format, ...)
    PRINTF_LIKE(2, 3);
/* Damage was logged where it was found: it counts, OK comes back. Other errors pass. */
enum status ext4_check_settle(struct ext4_check *check, enum status status,
                              const char *what, u64 where);
/* Marks blocks as used; false (and a problem) if one is used already or outside. */
bool ext4_check_take(struct ext4_check *check, u64 first, u64 count, u32 inode);

/* --- check_inode.c --- */

/* The inode itself, its blocks, its kind. */
enum status ext4_check_inode(struct ext4_check *check, u32 number);
enum status ext4_check_attributes(struct ext4_check *check);

/* --- check_directory.c --- */

/* Every entry of every directory; links and parents are found. */
enum status ext4_check_directories(struct ext4_check *check);
/* Links and parents compared with those stated. */
enum status ext4_check_links(struct ext4_check *check);
