#include "kernel/base/crc.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/run_crcs.h"
#include "snapper/session.h"
#include "snapper/snapshot_file.h"

static u32 ordinal_of(const struct mapping_run *run, u64 id)
{
    return run->first_ordinal + (u32)(id - run->first_id);
}

/* Version, size, checksum, and the checksum that the archive's maker saw, as far as that is known. */
static enum status check_copy(struct mapping_run *run, u64 id, const u8 *raw, size_t size)
{
    struct snapshot_file_header header;

    enum status status = snapshot_file_header_decode(raw, size, &header);
    if (status != OK)
        return status;
    if (size != (size_t)run->object_size + SNAPSHOT_FILE_HEADER_SIZE)
        return ERR_CORRUPT;
    if (crc32(raw + SNAPSHOT_FILE_HEADER_SIZE, run->object_size) != header.crc)
        return ERR_CORRUPT;
    return run_crc_learn(run, id, header.crc);
}

enum status object_read_copy(struct snapper *snapper, struct mapping_run *run, u64 id,
                             void *buffer)
{
    size_t room = (size_t)run->object_size + SNAPSHOT_FILE_HEADER_SIZE;
    size_t size;
    u64 node;

    enum status status =
        generation_file(run->generation, snapper->store, ordinal_of(run, id), &node);
    if (status != OK)
        return status;
    u8 *raw = port_alloc(room + 1); /* one more, to see that the file is not longer */
    if (raw == NULL)
        return ERR_NO_MEMORY;
    status =
        snapper->store->operations->read(snapper->store, node, 0, raw, room + 1, &size);
    if (status == OK)
        status = check_copy(run, id, raw, size);
    if (status == OK)
        memcpy(buffer, raw + SNAPSHOT_FILE_HEADER_SIZE, run->object_size);
    port_free(raw);
    return status;
}

static void report_damage(const struct mapping_run *run, u64 id, enum status status)
{
    char name[SNAPSHOT_NAME_SIZE];
    u32 ordinal = ordinal_of(run, id);
    u32 threshold = run->generation->threshold;

    snapshot_file_name(threshold ? ordinal % threshold : ordinal, name);
    log_error(
        "snapper: object 0x%lx: /snapper/%s/snapshot, %u levels of ext, file %s: %s", id,
        run->generation->name.text, threshold ? ordinal / threshold : 0, name,
        status_text(status));
}

/* Spec 4.2: copies before the good one that were found damaged are rewritten from it. */
static void repair_copies(struct snapper *snapper, struct mapping_run *runs,
                          const u8 *damaged, size_t good, u64 id, const void *content)
{
    for (size_t rank = 0; rank < good; rank++) {
        if (damaged[rank / 8] >> rank % 8 & 1)
            (void)!repair_copy(snapper, &runs[rank], id, content);
    }
}

enum status object_read(struct snapper *snapper, struct mapping_run *runs, size_t count,
                        u64 id, void *buffer)
{
    u8 damaged[ARCHIVE_RANK_MAX / 8 + 1] = { 0 };

    for (size_t rank = 0; rank < count; rank++) {
        enum status status = object_read_copy(snapper, &runs[rank], id, buffer);
        if (status == OK)
            repair_copies(snapper, runs, damaged, rank, id, buffer);
        if (status == OK || status == ERR_NO_MEMORY)
            return status;
        report_damage(&runs[rank], id, status);
        if (is_repairable(status) && !runs[rank].suspect)
            damaged[rank / 8] |= (u8)(1u << rank % 8);
    }
    return ERR_INTEGRITY;
}

enum status object_restore(struct snapper *snapper, const struct mapping *mapping,
                           void *buffer, size_t size, u64 id, size_t *restored)
{
    struct mapping_run *runs;
    size_t count = mapping_find(mapping, id, &runs);

    if (count == 0)
        return ERR_NOT_FOUND;
    if (size < runs->object_size)
        return ERR_BUFFER_TOO_SMALL;
    enum status status = object_read(snapper, runs, count, id, buffer);
    if (status == OK)
        *restored = runs->object_size;
    return status;
}

enum status object_newest_crc(struct snapper *snapper, const struct mapping_run *run,
                              u64 id, u32 *crc)
{
    struct store *store = snapper->store;
    u8 raw[SNAPSHOT_FILE_HEADER_SIZE];
    struct snapshot_file_header header;
    size_t size;
    u64 node;

    if (run_crc_get(run, id, crc))
        return OK;
    enum status status =
        generation_file(run->generation, store, ordinal_of(run, id), &node);
    if (status == OK)
        status = store->operations->read(store, node, 0, raw, sizeof raw, &size);
    if (status == OK)
        status = snapshot_file_header_decode(raw, size, &header);
    if (status == OK)
        *crc = header.crc;
    return status;
}
