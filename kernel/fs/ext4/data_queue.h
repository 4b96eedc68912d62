/*
 * File data on its way to the disk: pieces that follow each other on the disk are gathered into
 * large requests, several of which are in flight while the next one is being filled.
 *
 * Q1  A write is started at the latest by ext4_data_queue_drain(), which the commit calls first:
 *     data is on the disk before the transaction that makes it visible (ordered mode).
 * Q2  An error of any write is remembered until ext4_data_queue_reset() and returned by every
 *     drain, so it surfaces at the commit at the latest.
 * Q3  No two requests in flight overlap: a piece that touches one of them waits for it.
 *
 * Positions are bytes on the disk. A sequence of pieces starts at a sector boundary, goes on
 * without gaps and ends at a sector boundary.
 */
#pragma once

#include "kernel/fs/ext4/ext4_internal.h"

struct ext4_data_queue;

enum status ext4_data_queue_open(struct disk *disk, struct ext4_data_queue **queue);
/* Waits for what is in flight, forgets what is not. */
void ext4_data_queue_close(struct ext4_data_queue *queue);

/* The caller's memory itself is written; it stays untouched until the next drain. */
enum status ext4_data_queue_borrow(struct ext4_data_queue *queue, u64 position,
                                   const void *data, size_t size);
/* The bytes are copied. NULL: zeros. */
enum status ext4_data_queue_copy(struct ext4_data_queue *queue, u64 position,
                                 const void *data, size_t size);

/* Starts and awaits everything. */
enum status ext4_data_queue_drain(struct ext4_data_queue *queue);
/* Is any of it still on its way? */
bool ext4_data_queue_is_idle(const struct ext4_data_queue *queue);
/* Awaits what is in flight, forgets the rest and its errors: after a rollback. */
void ext4_data_queue_reset(struct ext4_data_queue *queue);
