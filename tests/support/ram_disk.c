#include "tests/support/ram_disk.h"

#include "kernel/base/checked.h"
#include "kernel/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must_alloc(size_t size)
{
    void *memory = calloc(1, size ? size : 1);
    if (!memory) {
        fprintf(stderr, "ram_disk: out of memory (%zu bytes)\n", size);
        abort();
    }
    return memory;
}

u64 random_next(u64 *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state * 0x2545F4914F6CDD1DULL;
}

static struct ram_disk *ram_of(struct disk *disk)
{
    return CONTAINER_OF(disk, struct ram_disk, disk);
}

static size_t request_size(const struct disk_request *request)
{
    size_t size = 0;
    for (size_t i = 0; i < request->segment_count; i++)
        size += request->segments[i].size_bytes;
    return size;
}

/* --- the recording --- */

static void record_append(struct ram_disk *ram, const struct disk_request *request)
{
    if (ram->record_count == ram->record_capacity) {
        ram->record_capacity = ram->record_capacity ? 2 * ram->record_capacity : 256;
        ram->records =
            realloc(ram->records, ram->record_capacity * sizeof ram->records[0]);
        ASSERT(ram->records);
    }
    size_t size = request->operation == DISK_WRITE ? request_size(request) : 0;
    struct ram_disk_record *record = &ram->records[ram->record_count++];
    *record = (struct ram_disk_record){ request->operation, request->sector, size,
                                        must_alloc(size) };
    if (size)
        memcpy(record->data, ram->bytes + request->sector * SECTOR_SIZE, size);
}

static void record_clear(struct ram_disk *ram)
{
    for (size_t i = 0; i < ram->record_count; i++)
        free(ram->records[i].data);
    free(ram->records);
    free(ram->base);
    ram->records = NULL;
    ram->base = NULL;
    ram->record_count = ram->record_capacity = 0;
    ram->recording = false;
}

void ram_disk_record(struct ram_disk *ram)
{
    record_clear(ram);
    ram->base = must_alloc(ram->size_bytes);
    memcpy(ram->base, ram->bytes, ram->size_bytes);
    ram->recording = true;
}

/* Each sector of an unflushed write arrives with a chance of `chance` in 8. */
static void cut_apply(const struct ram_disk_record *record, u64 *state, u64 chance,
                      u8 *to)
{
    for (size_t at = 0; at < record->size_bytes; at += SECTOR_SIZE)
        if (random_next(state) >> 32 & 7 ? (random_next(state) >> 33) % 8 < chance
                                         : chance > 3)
            memcpy(to + record->sector * SECTOR_SIZE + at, record->data + at,
                   SECTOR_SIZE);
}

void ram_disk_cut(const struct ram_disk *ram, size_t records, u64 seed, u8 *to)
{
    ASSERT(ram->recording && records <= ram->record_count);
    size_t durable = records;
    while (seed && durable && ram->records[durable - 1].operation != DISK_FLUSH)
        durable--;

    memcpy(to, ram->base, ram->size_bytes);
    for (size_t i = 0; i < durable; i++) {
        const struct ram_disk_record *record = &ram->records[i];
        if (record->size_bytes)
            memcpy(to + record->sector * SECTOR_SIZE, record->data, record->size_bytes);
    }
    u64 state = seed * 0x9E3779B97F4A7C15ULL | 1;
    u64 chance = 1 + (random_next(&state) >> 32) % 7;
    for (size_t i = durable; i < records; i++)
        cut_apply(&ram->records[i], &state, chance, to);
}

/* --- the disk --- */

static bool fault_strikes(struct ram_disk_fault *fault)
{
    if (fault->countdown == 0 || --fault->countdown > 0)
        return false;
    fault->countdown = fault->for_good;
    fault->struck++;
    return true;
}

static void carry_out(struct ram_disk *ram, const struct disk_request *request)
{
    u8 *place = ram->bytes + request->sector * SECTOR_SIZE;
    for (size_t i = 0; i < request->segment_count; i++) {
        const struct disk_segment *segment = &request->segments[i];
        if (request->operation == DISK_WRITE)
            memcpy(place, segment->data, segment->size_bytes);
        else
            memcpy(segment->data, place, segment->size_bytes);
        place += segment->size_bytes;
    }
}

static void carry_out_and_record(struct ram_disk *ram, const struct disk_request *request)
{
    carry_out(ram, request);
    if (ram->recording && request->operation != DISK_READ)
        record_append(ram, request);
}

/* Half of the sectors arrive although the request fails. */
static void carry_out_in_part(struct ram_disk *ram, const struct disk_request *request)
{
    size_t size = request_size(request);
    u8 *place = ram->bytes + request->sector * SECTOR_SIZE;
    u8 *old = must_alloc(size);

    memcpy(old, place, size);
    carry_out(ram, request);
    for (size_t at = 0; at < size; at += SECTOR_SIZE)
        if (random_next(&ram->harm_seed) >> 32 & 1)
            memcpy(place + at, old + at, SECTOR_SIZE);
    if (ram->recording)
        record_append(ram, request);
    free(old);
}

/* As Linux may do it: the cache is clean from now on, and what was in it has not arrived. */
static void lose_unflushed(struct ram_disk *ram)
{
    u8 *content = must_alloc(ram->size_bytes);
    ram_disk_cut(ram, ram->record_count, random_next(&ram->harm_seed) | 1, content);
    memcpy(ram->bytes, content, ram->size_bytes);
    free(content);
    ram_disk_record(ram);
}

static void do_harm(struct ram_disk *ram, const struct disk_request *request)
{
    if (request->operation == DISK_WRITE)
        carry_out_in_part(ram, request);
    else if (request->operation == DISK_FLUSH && ram->recording)
        lose_unflushed(ram);
}

static void complete(struct ram_disk *ram, struct disk_request *request)
{
    bool fails = fault_strikes(&ram->faults[request->operation]);

    list_remove(&request->link);
    if (!fails)
        carry_out_and_record(ram, request);
    else if (ram->harm_seed)
        do_harm(ram, request);
    disk_complete(&ram->disk, request, fails ? ERR_IO : OK);
}

static void wait_any(struct disk *disk)
{
    struct ram_disk *ram = ram_of(disk);
    if (list_is_empty(&ram->queue))
        return;

    size_t length = 0;
    LIST_FOR_EACH (struct disk_request, request, &ram->queue, link) {
        length++;
    }
    size_t pick = ram->order_seed ? random_next(&ram->order_seed) % length : 0;
    struct list_link *link = list_first(&ram->queue);
    while (pick--)
        link = link->next;
    complete(ram, CONTAINER_OF(link, struct disk_request, link));
}

static void check_against_queue(struct ram_disk *ram, const struct disk_request *request)
{
    if (request->operation == DISK_FLUSH)
        ASSERT(list_is_empty(&ram->queue)); /* D3 */
    u64 sectors = request_size(request) / SECTOR_SIZE;
    LIST_FOR_EACH (struct disk_request, other, &ram->queue, link) {
        u64 other_sectors = request_size(other) / SECTOR_SIZE;
        ASSERT(request->sector >= other->sector + other_sectors ||
               other->sector >= request->sector + sectors); /* D2 */
    }
}

static enum status submit(struct disk *disk, struct disk_request *request)
{
    struct ram_disk *ram = ram_of(disk);
    size_t length = 0;
    check_against_queue(ram, request);
    LIST_FOR_EACH (struct disk_request, other, &ram->queue, link) {
        length++;
    }
    if (length >= ram->queue_limit)
        wait_any(disk);
    list_append(&ram->queue, &request->link);
    return OK;
}

static const struct disk_operations ram_operations = { submit, wait_any };

void ram_disk_open(struct ram_disk *ram, u64 sector_count)
{
    *ram = (struct ram_disk){
        .disk = { .operations = &ram_operations,
                  .name = "ram0",
                  .sector_count = sector_count,
                  .max_pieces = 72,
                  .max_bytes = 256 * KIB },
        .size_bytes = (size_t)sector_count * SECTOR_SIZE,
        .queue_limit = 16,
    };
    ram->bytes = must_alloc(ram->size_bytes);
    list_init(&ram->queue);
}

void ram_disk_close(struct ram_disk *ram)
{
    while (!list_is_empty(&ram->queue))
        wait_any(&ram->disk);
    record_clear(ram);
    free(ram->bytes);
    ram->bytes = NULL;
}

void ram_disk_fail(struct ram_disk *ram, enum disk_operation operation, u64 nth,
                   bool for_good)
{
    ram->faults[operation] = (struct ram_disk_fault){ nth, for_good, 0 };
}

bool ram_disk_load(struct ram_disk *ram, const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    bool sized = fseek(file, 0, SEEK_END) == 0;
    long size = sized ? ftell(file) : -1;
    if (size < SECTOR_SIZE || fseek(file, 0, SEEK_SET) != 0) {
        fclose(file);
        return false;
    }
    ram_disk_open(ram, (u64)size / SECTOR_SIZE);
    bool whole = fread(ram->bytes, 1, ram->size_bytes, file) == ram->size_bytes;
    fclose(file);
    if (!whole)
        ram_disk_close(ram);
    return whole;
}

bool ram_disk_save(const struct ram_disk *ram, const char *path)
{
    FILE *file = fopen(path, "wb");
    if (!file)
        return false;
    bool whole = fwrite(ram->bytes, 1, ram->size_bytes, file) == ram->size_bytes;
    return fclose(file) == 0 && whole;
}
