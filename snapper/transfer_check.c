#include "snapper/transfer_check.h"

#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "snapper/run_crcs.h"

enum { ARCHIVE_CRC_AT = 1, ARCHIVE_SIZE_LEAST = 5 };

enum status transfer_archive_crc(struct snapper *snapper, struct generation *generation,
                                 u32 *crc)
{
    size_t size;
    u8 *raw;

    enum status status =
        generation_read_archive_bytes(generation, snapper->store, &raw, &size);
    if (status != OK)
        return status;
    if (size < ARCHIVE_SIZE_LEAST)
        status = ERR_CORRUPT;
    else
        *crc = get_le32(raw + ARCHIVE_CRC_AT);
    port_free(raw);
    return status;
}

enum status transfer_check_presence(struct snapper *snapper,
                                    const struct generation_name *name, const u8 *archive,
                                    size_t size, bool *was_there)
{
    struct generation *known;
    size_t known_size;
    u8 *raw;

    enum status status = snapper_find(snapper, name->text, &known);
    if (status == ERR_NOT_FOUND)
        return OK;
    if (status == OK)
        status = generation_read_archive_bytes(known, snapper->store, &raw, &known_size);
    if (status != OK)
        return status;
    *was_there = known_size == size && memcmp(raw, archive, size) == 0;
    port_free(raw);
    if (*was_there)
        return OK;
    log_error(
        "import: there is another %s on this image, or a damaged one (then: archive "
        "restore)",
        name->text);
    return ERR_EXISTS;
}

enum status transfer_check_base(struct snapper *snapper,
                                const struct stream_header *header,
                                const struct generation_name *name,
                                struct generation_name *base)
{
    struct generation *generation;
    u32 crc = 0;

    if (header->base == STREAM_NO_BASE)
        return OK;
    if (generation_name_encode(header->base, base) != OK) {
        log_error("stream: its base has no possible name");
        return ERR_CORRUPT;
    }
    enum status status = snapper_find(snapper, base->text, &generation);
    if (status == OK)
        status = transfer_archive_crc(snapper, generation, &crc);
    if (status == ERR_NOT_FOUND) {
        log_error("import: %s builds on %s, which is not on this image", name->text,
                  base->text);
    } else if (status == OK && crc != header->base_crc) {
        log_error("import: the %s on this image is not the one that %s builds on",
                  base->text, name->text);
        status = ERR_NOT_FOUND;
    }
    return status;
}

enum status transfer_ask_named(struct snapper *snapper, const struct archive *archive)
{
    for (u32 i = 1; i < archive->generation_count; i++) {
        struct generation *generation;
        struct mapping *mapping;

        enum status status =
            snapper_find(snapper, archive->generations[i].name.text, &generation);
        if (status == OK)
            status = snapper_load_mapping(snapper, generation, &mapping);
        if (status == OK)
            mapping_release(mapping);
        if (status == ERR_NO_MEMORY || status == ERR_IO)
            return status;
    }
    return OK;
}

static enum status check_claims_on(const struct mapping *claims,
                                   const struct generation *generation,
                                   const struct rc_table *own)
{
    u32 limit = rc_table_limit(own, generation);

    for (size_t at = 0; at < claims->count; at++) {
        const struct mapping_run *run = &claims->runs[at];
        u32 i = 0;

        if (run->generation != generation)
            continue;
        while (i < run->count && run->first_ordinal + i < limit &&
               rc_table_get(own, generation, run->first_ordinal + i) > 0)
            i++;
        if (i < run->count) {
            log_error(
                "import: file number %u of %s, which is here, is not a file that it "
                "lists",
                run->first_ordinal + i, generation->name.text);
            return ERR_EXISTS;
        }
    }
    return OK;
}

static enum status check_claims_of(struct snapper *snapper, const struct mapping *claims,
                                   const struct generation_name *name)
{
    struct rc_table own = { 0 };
    struct generation *generation;
    struct mapping *mapping;

    enum status status = snapper_find(snapper, name->text, &generation);
    if (status == OK)
        status = snapper_load_mapping(snapper, generation, &mapping);
    if (status != OK) /* it has no archive here that could speak for it */
        return status == ERR_NO_MEMORY || status == ERR_IO ? status : OK;
    status = rc_table_count(&own, mapping);
    if (status == OK)
        status = check_claims_on(claims, generation, &own);
    rc_table_destroy(&own);
    mapping_release(mapping);
    return status;
}

enum status transfer_check_claims(struct snapper *snapper, const struct archive *archive,
                                  const struct mapping *claims)
{
    enum status status = OK;

    for (u32 i = 1; i < archive->generation_count && status == OK; i++)
        status = check_claims_of(snapper, claims, &archive->generations[i].name);
    return status;
}

enum status transfer_check_files(struct snapper *snapper, const struct archive *archive)
{
    struct mapping *mapping;

    enum status status = mapping_from_archive(archive, &snapper->generations, &mapping);
    if (status != OK)
        return status;
    for (size_t i = 0; i < mapping->count && status == OK; i++) {
        struct mapping_run *run = &mapping->runs[i];
        u32 crc, unreadable;

        status = run_crc_of_all(run, snapper->store, &crc, &unreadable);
        if (status != OK ||
            (unreadable == run->count && (!run->crc_known || crc == run->crc)))
            continue;
        log_error("snapper: of %u files from number %u of %s not all are what the "
                  "archive lists",
                  run->count, run->first_ordinal, run->generation->name.text);
        status = ERR_INTEGRITY;
    }
    mapping_release(mapping);
    return status;
}
