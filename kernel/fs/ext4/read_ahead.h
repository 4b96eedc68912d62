/*
 * Reads from the disk that foresee the next ones: whoever reads blocks in order gets many of them
 * with one request, the more the longer. A reader in random order causes no extra reads.
 *
 * File data is kept in one window, which every change of the file system empties; metadata goes
 * into the cache.
 */
#pragma once

#include "kernel/fs/ext4/ext4_internal.h"

/*
 * Called before cache_get() of a block of the inode table or of a directory, with its kind's
 * reader in struct ext4_read_ahead: if it continues the last such read, it and the blocks behind
 * it (up to `end`) are read into the cache together.
 */
void ext4_read_ahead_metadata(struct ext4 *fs, struct ext4_reader *reader, u64 block,
                              u64 end);

/*
 * `size` bytes of file data from byte `offset` of consecutive disk blocks that start at `block`.
 * None of them is in the cache (E4) and no write to them is on its way.
 */
enum status ext4_read_data(struct ext4 *fs, u64 block, u64 offset, void *data,
                           size_t size);

/* The content of these blocks, if it is here; who changes it writes the same to the disk. */
u8 *ext4_read_ahead_find(struct ext4 *fs, u64 block, u64 count);
/* File data on the disk is about to change. */
void ext4_read_ahead_forget(struct ext4 *fs);
