#include "kernel/base/checked.h"
#include "snapper/pending.h"
#include "snapper/run_crcs.h"

/*
 * The new mapping is the base cut at every id that changes, with the changes between:
 *
 *   base       [0 ............................. 99]
 *   pending          7n 8n        40f      60c 61c
 *   result     [0..6][7,8][9..39]    [41..59][60,61][62..99]
 *               older  own            older  own + older ranks
 */
struct builder {
    struct generation *own;
    struct mapping *result;
    const struct pending *next; /* pending entries not yet merged in */
    const struct pending *limit;
};

/* Generations that list it: one more, for each carried run. */
static u16 grown(u16 age)
{
    return age == UINT16_MAX ? age : (u16)(age + 1);
}

static enum status append_older(struct builder *builder, const struct mapping_run *run,
                                u32 offset, u32 count, u8 rank)
{
    struct mapping_run slice = mapping_slice(run, offset, count);

    slice.rank = rank;
    slice.age = grown(slice.age);
    return mapping_append(builder->result, &slice);
}

/* Can `next` lie in the same run as `previous`: neighbours in id and file, of one size and kind? */
static bool continues(const struct pending *previous, const struct pending *next)
{
    return next->kind == previous->kind && next->id == previous->id + 1 &&
           next->ordinal == previous->ordinal + 1 && next->size == previous->size;
}

/* The run of our own files for `count` entries from `first`. */
static enum status append_own(struct builder *builder, const struct pending *first,
                              u32 count)
{
    struct crc_block *crcs = crc_block_create(count);

    if (crcs == NULL)
        return ERR_NO_MEMORY;
    for (u32 i = 0; i < count; i++)
        crc_block_set(crcs, i, first[i].crc);
    struct mapping_run run = {
        .first_id = first->id,
        .count = count,
        .object_size = first->size,
        .generation = builder->own,
        .first_ordinal = first->ordinal,
        .age = 1,
        .crcs = crcs,
    };
    enum status status = mapping_append(builder->result, &run);
    crc_block_release(crcs);
    return status;
}

/* How many entries from builder->next on form one run, ids up to `last` at most. */
static u32 run_length(const struct builder *builder, u64 last)
{
    const struct pending *entry = builder->next;
    u32 length = 1;

    while (entry + length < builder->limit && entry[length].id <= last &&
           continues(&entry[length - 1], &entry[length]))
        length++;
    return length;
}

/* New objects whose ids lie before the base's next group. */
static enum status append_new_below(struct builder *builder, u64 limit, bool bounded)
{
    while (builder->next < builder->limit && (!bounded || builder->next->id < limit)) {
        u32 length = 1;
        if (builder->next->kind == PENDING_NEW) {
            length = run_length(builder, bounded ? limit - 1 : UINT64_MAX);
            enum status status = append_own(builder, builder->next, length);
            if (status != OK)
                return status;
        }
        builder->next += length;
    }
    return OK;
}

/* The next pending entries, inside the group at `runs`: new, copied or forgotten. */
static enum status append_change(struct builder *builder, const struct mapping_run *runs,
                                 size_t listed, u32 length)
{
    const struct pending *first = builder->next;
    u32 offset = (u32)(first->id - runs->first_id);

    builder->next += length;
    if (first->kind == PENDING_FORGOTTEN)
        return OK;
    enum status status = append_own(builder, first, length);
    if (first->kind == PENDING_NEW)
        return status;
    for (size_t rank = 0; rank < listed && status == OK; rank++)
        status = append_older(builder, &runs[rank], offset, length, (u8)(rank + 1));
    return status;
}

static enum status append_kept(struct builder *builder, const struct mapping_run *runs,
                               size_t listed, u32 offset, u32 count)
{
    enum status status = OK;

    for (size_t rank = 0; rank < listed && status == OK && count > 0; rank++)
        status = append_older(builder, &runs[rank], offset, count, (u8)rank);
    return status;
}

/* One group of the base with the changes inside it. */
static enum status merge_group(struct builder *builder, const struct mapping_run *runs,
                               size_t listed)
{
    u64 last = runs->first_id + (runs->count - 1);
    u32 kept = 0; /* ids of the group that are dealt with */

    while (builder->next < builder->limit && builder->next->id <= last) {
        if (builder->next->kind == PENDING_UNCHANGED) {
            builder->next++;
            continue;
        }
        u32 at = (u32)(builder->next->id - runs->first_id);
        u32 length =
            builder->next->kind == PENDING_FORGOTTEN ? 1 : run_length(builder, last);
        enum status status = append_kept(builder, runs, listed, kept, at - kept);
        if (status == OK)
            status = append_change(builder, runs, listed, length);
        if (status != OK)
            return status;
        kept = at + length;
    }
    return append_kept(builder, runs, listed, kept, runs->count - kept);
}

static enum status merge(struct builder *builder, const struct mapping *base)
{
    size_t listed;

    for (size_t at = 0; base != NULL && at < base->count; at += listed) {
        const struct mapping_run *runs = &base->runs[at];

        listed = mapping_group_size(base, at);
        enum status status = append_new_below(builder, runs->first_id, true);
        if (status == OK)
            status = merge_group(builder, runs, listed);
        if (status != OK)
            return status;
    }
    return append_new_below(builder, 0, false);
}

enum status snapshot_map(struct snapper *snapper, struct generation *own,
                         struct mapping **mapping)
{
    struct creation *creation = &snapper->creation;
    struct builder builder = {
        .own = own,
        .result = mapping_create(),
        .next = creation->pending,
        .limit = creation->pending + creation->count,
    };

    if (builder.result == NULL)
        return ERR_NO_MEMORY;
    enum status status = merge(&builder, creation->base);
    if (status != OK) {
        mapping_release(builder.result);
        return status;
    }
    *mapping = builder.result;
    return OK;
}
