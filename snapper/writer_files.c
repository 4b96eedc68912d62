#include "snapper/writer.h"

#include "kernel/base/checked.h"
#include "kernel/base/port.h"
#include "snapper/snapshot_file.h"

/* Files that one call hands to the store; their memory lives until the transaction ends. */
enum { BURST_MAX = 512 };

struct burst_names {
    char name[SNAPSHOT_NAME_SIZE];
    u8 header[SNAPSHOT_FILE_HEADER_SIZE];
};

struct burst {
    struct burst *next;
    u32 count;
    struct burst_names *names; /* behind the files, as many */
    struct store_new_file files[];
};

static struct burst *burst_create(u32 room)
{
    struct burst *burst =
        port_alloc(sizeof *burst + room * (sizeof *burst->files + sizeof *burst->names));
    if (burst != NULL)
        burst->names = (struct burst_names *)(burst->files + room);
    return burst;
}

void writer_free_bursts(struct writer *writer)
{
    while (writer->bursts != NULL) {
        struct burst *burst = writer->bursts;
        writer->bursts = burst->next;
        port_free(burst);
    }
}

/* Metadata blocks that `files` new files may take: inode table, directory, and the rest. */
static u64 room_for_files(const struct writer *writer, u64 files)
{
    return divide_up(files * 256, writer_block_size(writer)) * 2 +
           divide_up(files * 24, writer_block_size(writer)) + STORE_STEP_ROOM;
}

static void describe_file(struct burst *burst, const struct pending *entry, u32 number)
{
    u32 at = burst->count++;
    struct snapshot_file_header header = { entry->crc, 1 };

    snapshot_file_name(number, burst->names[at].name);
    snapshot_file_header_encode(&header, burst->names[at].header);
    burst->files[at] = (struct store_new_file){
        .name = burst->names[at].name,
        .header = burst->names[at].header,
        .header_size = SNAPSHOT_FILE_HEADER_SIZE,
        .payload = entry->payload,
        .payload_size = entry->size,
    };
}

static bool has_file(const struct pending *entry)
{
    return entry->kind == PENDING_NEW || entry->kind == PENDING_COPY;
}

/* Where the estimate was too low: in a transaction of its own, then in smaller pieces. */
static enum status create_files(struct writer *writer, u64 directory, struct burst *burst)
{
    struct store *store = writer->snapper->store;
    u32 done = 0, piece = burst->count;
    bool fresh = false; /* nothing is in the transaction yet */

    while (done < burst->count) {
        u32 count = (u32)min_u64(piece, burst->count - done);
        enum status status =
            store->operations->create_files(store, directory, burst->files + done, count);

        if (status == OK) {
            done += count;
            fresh = false;
        } else if (status != ERR_TRANSACTION_FULL || (fresh && piece == 1)) {
            return status;
        } else if (fresh) {
            piece = (piece + 1) / 2;
        } else {
            status = writer_commit_part(writer);
            if (status != OK)
                return status;
            fresh = true;
        }
    }
    return OK;
}

/* Up to BURST_MAX files of one level, beginning with `ordinal`; moves on both. */
static enum status write_burst(struct writer *writer, struct pending **entry,
                               const struct pending *limit, u32 *ordinal)
{
    u32 threshold = writer->generation->threshold;
    u32 room = (u32)min_u64(threshold - *ordinal % threshold, BURST_MAX);
    u64 directory;

    enum status status = writer_make_level(writer, *ordinal / threshold, &directory);
    if (status == OK)
        status = writer_make_room(writer, room_for_files(writer, room));
    if (status != OK)
        return status;
    struct burst *burst = burst_create(room);
    if (burst == NULL)
        return ERR_NO_MEMORY;
    for (; *entry < limit && burst->count < room; (*entry)++) {
        if (!has_file(*entry))
            continue;
        (*entry)->ordinal = *ordinal;
        describe_file(burst, *entry, (*ordinal)++ % threshold);
    }
    status = create_files(writer, directory, burst);
    burst->next =
        writer->bursts; /* its memory is the store's until the transaction ends */
    writer->bursts = burst;
    return status;
}

enum status writer_write_files(struct writer *writer, u32 *files)
{
    struct creation *creation = &writer->snapper->creation;
    struct pending *entry = creation->pending;
    const struct pending *limit = entry + creation->count;

    *files = 0;
    for (;;) {
        while (entry < limit && !has_file(entry))
            entry++;
        if (entry == limit)
            return OK;
        enum status status = write_burst(writer, &entry, limit, files);
        if (status != OK)
            return status;
    }
}
