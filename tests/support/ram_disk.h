/*
 * A disk in memory that keeps the contract of kernel/block/disk.h and can break on demand.
 *
 * Requests are carried out when they complete, in an order drawn from `order_seed`, so code that
 * touches a buffer in flight or relies on an order is found out; two overlapping requests in
 * flight (D2) or a flush with requests in flight (D3) stop the program.
 *
 * With recording on, completed writes and flushes are kept with their data, and ram_disk_cut()
 * gives the content that a power cut could have left: after record N, with F the last flush
 * before it, all up to F is there; of the records since F each 512-byte sector independently
 * holds any version.
 */
#pragma once

#include "kernel/block/disk.h"

struct ram_disk_fault {
    u64 countdown; /* the request that fails: 1 is the next; 0: none */
    bool for_good; /* and all after it */
    u64 struck;    /* how often it has */
};

struct ram_disk_record {
    enum disk_operation operation;
    u64 sector;
    size_t size_bytes;
    u8 *data;
};

struct ram_disk {
    struct disk disk; /* hand out &ram->disk */
    u8 *bytes;
    size_t size_bytes;
    struct list queue;
    size_t queue_limit; /* requests in flight before submit waits */
    u64 order_seed;     /* 0: requests complete in the order of their submission */
    struct ram_disk_fault faults[3]; /* by enum disk_operation */
    /*
     * Not 0: a write that fails leaves some of its sectors behind, a flush that fails while a
     * recording runs loses for ever some of what it should have kept; which is drawn from here.
     */
    u64 harm_seed;

    bool recording;
    u8 *base; /* content when recording started */
    struct ram_disk_record *records;
    size_t record_count, record_capacity;
};

/* Zeroed. Failures of the host (memory, files) end the program with a message. */
void ram_disk_open(struct ram_disk *ram, u64 sector_count);
/* The content of a file; false if it cannot be read. ram_disk_close() as after open. */
[[nodiscard]] bool ram_disk_load(struct ram_disk *ram, const char *path);
[[nodiscard]] bool ram_disk_save(const struct ram_disk *ram, const char *path);
void ram_disk_close(struct ram_disk *ram);

/* The `nth` request of this kind from now on fails with ERR_IO (1: the next; 0: heals). */
void ram_disk_fail(struct ram_disk *ram, enum disk_operation operation, u64 nth,
                   bool for_good);

/* Starts a fresh recording from the present content. */
void ram_disk_record(struct ram_disk *ram);
/*
 * Into `to` (size_bytes): what may be on the platter after a cut behind `records` records. Seed 0:
 * everything completed arrived; else a subset of unflushed sectors that the seed determines.
 */
void ram_disk_cut(const struct ram_disk *ram, size_t records, u64 seed, u8 *to);

/* A small generator of pseudo-random numbers; *state must not be 0. */
u64 random_next(u64 *state);
