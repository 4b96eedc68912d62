#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/port.h"
#include "snapper/audit.h"

/* One group of runs: the same objects, in one copy or several. */
struct group {
    struct audit *audit;
    const struct generation *generation; /* whose archive it is */
    struct mapping_run *runs;
    size_t listed;
    u8 misplaced[ARCHIVE_RANK_MAX / 8 + 1]; /* a bit for each run */
};

static struct audit_file *file_of(const struct group *group, size_t rank, u32 i)
{
    const struct mapping_run *run = &group->runs[rank];

    return audit_file_find(group->audit, run->generation, run->first_ordinal + i);
}

static bool is_misplaced(const struct group *group, size_t rank)
{
    return group->misplaced[rank / 8] >> rank % 8 & 1;
}

static enum status copy_status(const struct group *group, size_t rank, u32 i)
{
    return audit_status(file_of(group, rank, i), &group->runs[rank]);
}

static enum status read_run(const struct group *group, size_t rank)
{
    const struct mapping_run *run = &group->runs[rank];

    for (u32 i = 0; i < run->count; i++) {
        struct audit_file *file;

        enum status status =
            audit_file(group->audit, run->generation, run->first_ordinal + i, &file);
        if (status != OK)
            return status;
        file->listed++;
        status = audit_read(group->audit, run, run->first_id + i, file);
        if (status != OK)
            return status;
    }
    return OK;
}

/* All files are good by themselves: are they those that the archive means? */
static bool fits_checksum(const struct group *group, size_t rank)
{
    const struct mapping_run *run = &group->runs[rank];
    u32 crc = 0;

    for (u32 i = 0; i < run->count; i++) {
        u8 field[4];

        if (copy_status(group, rank, i) != OK)
            return true; /* nobody can tell */
        put_le32(field, file_of(group, rank, i)->crc);
        crc = crc32_update(crc, field, sizeof field);
    }
    return !run->crc_known || crc == run->crc;
}

static void judge_run(struct group *group, size_t rank)
{
    const struct mapping_run *run = &group->runs[rank];
    bool told = true;

    if (fits_checksum(group, rank))
        return;
    group->misplaced[rank / 8] |= (u8)(1u << rank % 8);
    for (u32 i = 0; i < run->count; i++) {
        told &= file_of(group, rank, i)->told;
        file_of(group, rank, i)->told = true;
    }
    if (told)
        return;
    group->audit->report->damaged++;
    audit_tell(group->audit, &(struct snapper_finding){
                                 .kind = FINDING_MISPLACED,
                                 .generation = run->generation->name,
                                 .id = run->first_id,
                                 .count = run->count,
                                 .ordinal = run->first_ordinal,
                                 .status = ERR_CORRUPT,
                             });
}

/* The first good copy of the `i`th object; group->listed: there is none. */
static size_t good_rank(const struct group *group, u32 i)
{
    for (size_t rank = 0; rank < group->listed; rank++)
        if (!is_misplaced(group, rank) && copy_status(group, rank, i) == OK)
            return rank;
    return group->listed;
}

static enum status heal_copy(const struct group *group, size_t rank, size_t good, u32 i)
{
    struct mapping_run *from = &group->runs[good];
    struct audit_file *file = file_of(group, rank, i);
    u64 id = from->first_id + i;
    u8 *content = port_alloc(from->object_size);

    if (content == NULL)
        return ERR_NO_MEMORY;
    enum status status = object_read_copy(group->audit->snapper, from, id, content);
    if (status == OK)
        status = repair_copy(group->audit->snapper, &group->runs[rank], id, content);
    port_free(content);
    if (status != OK)
        return status;
    file->status = OK;
    file->crc = file_of(group, good, i)->crc;
    file->size = from->object_size;
    file->healed = true;
    return OK;
}

/* A copy that is damaged, or good but another one than its siblings in a run that does not fit. */
static bool is_wrong(const struct group *group, size_t rank, size_t good, u32 i)
{
    if (copy_status(group, rank, i) != OK)
        return true;
    return is_misplaced(group, rank) && good < group->listed &&
           file_of(group, rank, i)->crc != file_of(group, good, i)->crc;
}

static void treat_copy(const struct group *group, size_t rank, size_t good, u32 i)
{
    const struct mapping_run *run = &group->runs[rank];
    struct audit_file *file = file_of(group, rank, i);
    enum status found = copy_status(group, rank, i);
    bool healed = false;

    if (group->audit->repair && good < group->listed &&
        (found == OK || is_repairable(found))) {
        enum status status = heal_copy(group, rank, good, i);
        healed = status == OK;
        if (group->audit->unhealed == OK)
            group->audit->unhealed = status;
    }
    group->audit->report->repaired += healed;
    if (found == OK || file->told)
        return; /* told with its run, or with an earlier archive */
    file->told = true;
    group->audit->report->damaged++;
    audit_tell(group->audit, &(struct snapper_finding){
                                 .kind = FINDING_COPY,
                                 .generation = run->generation->name,
                                 .id = run->first_id + i,
                                 .count = 1,
                                 .ordinal = run->first_ordinal + i,
                                 .status = found,
                                 .repaired = healed,
                             });
}

static void tell_lost(const struct group *group, u64 id, u64 count)
{
    if (count == 0)
        return;
    group->audit->report->lost += count;
    audit_tell(group->audit, &(struct snapper_finding){
                                 .kind = FINDING_OBJECTS,
                                 .generation = group->generation->name,
                                 .id = id,
                                 .count = count,
                                 .status = ERR_INTEGRITY,
                             });
}

static void treat_objects(const struct group *group)
{
    u64 first = group->runs->first_id, lost = 0;

    for (u32 i = 0; i < group->runs->count; i++) {
        size_t good = good_rank(group, i);

        for (size_t rank = 0; rank < group->listed; rank++)
            if (is_wrong(group, rank, good, i))
                treat_copy(group, rank, good, i);
        if (good == group->listed) {
            lost++;
            continue;
        }
        tell_lost(group, first + i - lost, lost);
        lost = 0;
    }
    tell_lost(group, first + group->runs->count - lost, lost);
}

enum status verify_mapping(struct audit *audit, const struct generation *generation,
                           struct mapping *mapping)
{
    struct group group;

    for (size_t at = 0; at < mapping->count; at += group.listed) {
        group = (struct group){
            .audit = audit,
            .generation = generation,
            .runs = &mapping->runs[at],
            .listed = mapping_group_size(mapping, at),
        };
        for (size_t rank = 0; rank < group.listed; rank++) {
            enum status status = read_run(&group, rank);
            if (status != OK)
                return status;
        }
        for (size_t rank = 0; rank < group.listed; rank++)
            judge_run(&group, rank);
        treat_objects(&group);
    }
    audit->report->archives++;
    audit->report->objects += mapping->objects;
    return OK;
}
