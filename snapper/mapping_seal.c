#include "snapper/run_crcs.h"

/* Where a group must be cut because a file of it cannot be read; the group's count: nowhere. */
static enum status seal_group(struct mapping_run *runs, size_t listed,
                              struct store *store, u32 *cut)
{
    *cut = runs->count;
    for (size_t rank = 0; rank < listed; rank++) {
        struct mapping_run *run = &runs[rank];
        u32 unreadable;

        if (run->crc_known)
            continue;
        enum status status = run_crc_of_all(run, store, &run->crc, &unreadable);
        if (status != OK)
            return status;
        run->crc_known = unreadable == run->count;
        if (unreadable < *cut)
            *cut = unreadable;
    }
    return OK;
}

/* Seals all groups; does one hold, among others, a file that cannot be read? */
static enum status seal_all(struct mapping *mapping, struct store *store, bool *needs_cut)
{
    size_t listed;
    u32 cut;

    *needs_cut = false;
    for (size_t at = 0; at < mapping->count; at += listed) {
        struct mapping_run *runs = &mapping->runs[at];

        listed = mapping_group_size(mapping, at);
        enum status status = seal_group(runs, listed, store, &cut);
        if (status != OK)
            return status;
        *needs_cut |= cut < runs->count && runs->count > 1;
    }
    return OK;
}

/* The group at `at`, the last of the mapping, keeps its first `count` ids. */
static void shrink_last(struct mapping *mapping, size_t at, u32 count)
{
    mapping->objects -= mapping->runs[at].count - count;
    for (; at < mapping->count; at++)
        mapping->runs[at] = mapping_slice(&mapping->runs[at], 0, count);
}

/* Appends a group of `from` in pieces: what can be read together, and what cannot be read, alone. */
static enum status append_cut(struct mapping *to, const struct mapping_run *runs,
                              size_t listed, struct store *store)
{
    for (u32 offset = 0, cut; offset < runs->count; offset += cut) {
        size_t at = to->count;
        enum status status = OK;

        for (size_t rank = 0; rank < listed && status == OK; rank++) {
            struct mapping_run rest =
                mapping_slice(&runs[rank], offset, runs->count - offset);
            status = mapping_append(to, &rest);
        }
        if (status == OK)
            status = seal_group(&to->runs[at], listed, store, &cut);
        if (status != OK)
            return status;
        if (cut == 0)
            cut = 1;
        if (cut < to->runs[at].count)
            shrink_last(to, at, cut);
    }
    return OK;
}

static enum status cut_groups(const struct mapping *mapping, struct store *store,
                              struct mapping *result)
{
    enum status status = OK;
    size_t listed;

    for (size_t at = 0; at < mapping->count && status == OK; at += listed) {
        listed = mapping_group_size(mapping, at);
        status = append_cut(result, &mapping->runs[at], listed, store);
    }
    return status;
}

enum status mapping_seal(struct mapping **mapping, struct store *store)
{
    bool needs_cut;

    enum status status = seal_all(*mapping, store, &needs_cut);
    if (status != OK || !needs_cut)
        return status;
    struct mapping *result = mapping_create();
    if (result == NULL)
        return ERR_NO_MEMORY;
    status = cut_groups(*mapping, store, result);
    if (status == OK)
        status = seal_all(result, store, &needs_cut);
    if (status != OK) {
        mapping_release(result);
        return status;
    }
    mapping_release(*mapping);
    *mapping = result;
    return OK;
}
