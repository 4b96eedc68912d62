#include "snapper/run_crcs.h"

#include "kernel/base/checked.h"
#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "snapper/snapshot_file.h"

static u8 *bits_of(struct crc_block *block)
{
    return (u8 *)(block->values + block->count);
}

static bool is_known(struct crc_block *block, u32 index)
{
    return bits_of(block)[index / 8] >> index % 8 & 1;
}

struct crc_block *crc_block_create(u32 count)
{
    struct crc_block *block = port_alloc(sizeof *block + (size_t)count * sizeof(u32) +
                                         (size_t)divide_up(count, 8));

    if (block != NULL) {
        block->references = 1;
        block->count = count;
    }
    return block;
}

void crc_block_release(struct crc_block *block)
{
    if (block != NULL && --block->references == 0)
        port_free(block);
}

void crc_block_set(struct crc_block *block, u32 index, u32 crc)
{
    block->values[index] = crc;
    bits_of(block)[index / 8] |= (u8)(1u << index % 8);
}

static u32 index_of(const struct mapping_run *run, u64 id)
{
    return run->crc_at + (u32)(id - run->first_id);
}

bool run_crc_get(const struct mapping_run *run, u64 id, u32 *crc)
{
    if (run->crcs == NULL || !is_known(run->crcs, index_of(run, id)))
        return false;
    *crc = run->crcs->values[index_of(run, id)];
    return true;
}

static bool knows_all(const struct mapping_run *run)
{
    for (u32 i = 0; i < run->count; i++)
        if (!is_known(run->crcs, run->crc_at + i))
            return false;
    return true;
}

static u32 checksum(const struct mapping_run *run)
{
    u32 crc = 0;

    for (u32 i = 0; i < run->count; i++) {
        u8 field[4];
        put_le32(field, run->crcs->values[run->crc_at + i]);
        crc = crc32_update(crc, field, sizeof field);
    }
    return crc;
}

/* Once per run: all files have been seen. */
static void judge(struct mapping_run *run)
{
    run->judged = true;
    run->suspect = checksum(run) != run->crc;
    if (run->suspect)
        log_error("snapper: /snapper/%s: files number %u to %u are valid, but not those "
                  "that were saved",
                  run->generation->name.text, run->first_ordinal,
                  run->first_ordinal + (run->count - 1));
}

/* Without memory for it nothing is remembered, and nothing is found out. */
enum status run_crc_learn(struct mapping_run *run, u64 id, u32 crc)
{
    u32 known;

    if (run->suspect)
        return ERR_CORRUPT;
    if (run_crc_get(run, id, &known))
        return known == crc ? OK : ERR_CORRUPT;
    if (run->crcs == NULL) {
        run->crcs = crc_block_create(run->count);
        run->crc_at = 0;
    }
    if (run->crcs == NULL)
        return OK;
    crc_block_set(run->crcs, index_of(run, id), crc);
    run->learned++;
    if (run->crc_known && !run->judged && run->learned >= run->count && knows_all(run))
        judge(run);
    return run->suspect ? ERR_CORRUPT : OK;
}

static enum status read_crc(const struct mapping_run *run, struct store *store, u32 i,
                            u32 *crc)
{
    u8 raw[SNAPSHOT_FILE_HEADER_SIZE];
    struct snapshot_file_header header;
    size_t size;
    u64 node;

    enum status status =
        generation_file(run->generation, store, run->first_ordinal + i, &node);
    if (status == OK)
        status = store->operations->read(store, node, 0, raw, sizeof raw, &size);
    if (status == OK)
        status = snapshot_file_header_decode(raw, size, &header);
    if (status == OK)
        *crc = header.crc;
    return status;
}

static void say_unreadable(const struct mapping_run *run, u32 i, enum status status)
{
    log_warning("snapper: /snapper/%s: file number %u cannot be read: %s",
                run->generation->name.text, run->first_ordinal + i, status_text(status));
}

enum status run_crc_of_all(struct mapping_run *run, struct store *store, u32 *crc,
                           u32 *unreadable)
{
    if (run->crcs == NULL) {
        run->crcs = crc_block_create(run->count);
        run->crc_at = 0;
    }
    if (run->crcs == NULL)
        return ERR_NO_MEMORY;
    *unreadable = run->count;
    for (u32 i = 0; i < run->count; i++) {
        u32 value;

        if (is_known(run->crcs, run->crc_at + i))
            continue;
        enum status status = read_crc(run, store, i, &value);
        if (status == ERR_NO_MEMORY)
            return status;
        if (status == OK) {
            crc_block_set(run->crcs, run->crc_at + i, value);
            continue;
        }
        say_unreadable(run, i, status);
        *unreadable = (u32)min_u64(*unreadable, i);
    }
    *crc = checksum(run);
    return OK;
}
