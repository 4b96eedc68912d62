#include "snapper/audit.h"

#include "kernel/base/checked.h"
#include "kernel/base/crc.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/snapshot_file.h"

void audit_destroy(struct audit *audit)
{
    size_t cursor = 0;
    u64 key, block;

    while (map_next(&audit->blocks, &cursor, &key, &block))
        port_free((void *)(uintptr_t)block);
    map_destroy(&audit->blocks);
    port_free(audit->buffer);
}

static struct audit_block *block_of(const struct audit *audit,
                                    const struct generation *generation)
{
    return map_get_pointer(&audit->blocks, (u64)(uintptr_t)generation);
}

struct audit_file *audit_file_find(const struct audit *audit,
                                   const struct generation *generation, u32 ordinal)
{
    struct audit_block *block = block_of(audit, generation);

    if (block == NULL || ordinal >= block->capacity || block->files[ordinal].listed == 0)
        return NULL;
    return &block->files[ordinal];
}

static enum status grow(struct audit *audit, const struct generation *generation,
                        u32 ordinal)
{
    struct audit_block *old = block_of(audit, generation);
    u64 wanted = max_u64((u64)ordinal + 1, old ? (u64)old->capacity * 2 : 64);
    u32 capacity = (u32)min_u64(wanted, UINT32_MAX);
    struct audit_block *block =
        port_alloc(sizeof *block + capacity * sizeof block->files[0]);

    if (block == NULL)
        return ERR_NO_MEMORY;
    block->capacity = capacity;
    if (old != NULL)
        memcpy(block->files, old->files, old->capacity * sizeof old->files[0]);
    enum status status =
        map_set_pointer(&audit->blocks, (u64)(uintptr_t)generation, block);
    port_free(status == OK ? (void *)old : (void *)block);
    return status;
}

enum status audit_file(struct audit *audit, const struct generation *generation,
                       u32 ordinal, struct audit_file **file)
{
    struct audit_block *block = block_of(audit, generation);

    if (block == NULL || ordinal >= block->capacity) {
        enum status status = grow(audit, generation, ordinal);
        if (status != OK)
            return status;
        block = block_of(audit, generation);
    }
    *file = &block->files[ordinal];
    return OK;
}

static enum status reserve_buffer(struct audit *audit, size_t size)
{
    if (size <= audit->buffer_size)
        return OK;
    u8 *buffer = port_alloc(size);
    if (buffer == NULL)
        return ERR_NO_MEMORY;
    port_free(audit->buffer);
    audit->buffer = buffer;
    audit->buffer_size = size;
    return OK;
}

static enum status examine(const u8 *raw, size_t size, struct audit_file *file)
{
    struct snapshot_file_header header;

    enum status status = snapshot_file_header_decode(raw, size, &header);
    if (status != OK)
        return status;
    file->rc = header.rc;
    file->crc = header.crc;
    file->size = (u32)(size - SNAPSHOT_FILE_HEADER_SIZE);
    return crc32(raw + SNAPSHOT_FILE_HEADER_SIZE, file->size) == header.crc ? OK
                                                                            : ERR_CORRUPT;
}

enum status audit_read(struct audit *audit, const struct mapping_run *run, u64 id,
                       struct audit_file *file)
{
    struct store *store = audit->snapper->store;
    size_t room = (size_t)run->object_size + SNAPSHOT_FILE_HEADER_SIZE + 1;
    u32 ordinal = run->first_ordinal + (u32)(id - run->first_id);
    size_t size;
    u64 node;

    if (file->read)
        return OK;
    enum status status = reserve_buffer(audit, room);
    if (status != OK)
        return status;
    status = generation_file(run->generation, store, ordinal, &node);
    if (status == OK)
        status = store->operations->read(store, node, 0, audit->buffer, room, &size);
    if (status == OK)
        status = examine(audit->buffer, size, file);
    if (status == ERR_NO_MEMORY)
        return status;
    file->read = true;
    file->status = (i8)status;
    audit->report->files++;
    if (status == OK)
        audit->report->bytes += file->size;
    return OK;
}

enum status audit_status(const struct audit_file *file, const struct mapping_run *run)
{
    if (file->status == OK && file->size != run->object_size)
        return ERR_CORRUPT;
    return (enum status)file->status;
}

void audit_tell(struct audit *audit, const struct snapper_finding *finding)
{
    if (audit->hooks != NULL && audit->hooks->finding != NULL)
        audit->hooks->finding(audit->hooks->context, finding);
}
