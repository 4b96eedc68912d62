/*
 * import --reference DIR: generations of the original program become ours, under the times that they
 * have, oldest first, each the child of the one before.
 */
#include "kernel/base/port.h"
#include "snapper/host/clock.h"
#include "snapper/host/messages.h"
#include "snapper/host/reference_tree.h"
#include "snapper/host/verb.h"

#include <stdio.h>

/* What one generation is made from; contents stay until its commit. */
struct conversion {
    struct call *call;
    const struct reference_tree *tree;
    struct reference_archive archive;
    u8 **contents;
    size_t content_count;
    u64 lost;
    struct generation_name base; /* of ours; empty: none */
};

/* Nothing may go to make room for what comes in, whatever the image's rules are. */
static void delete_nothing(struct snapper_config *config)
{
    config->max_snapshots = 0;
    config->expiration = 0;
    config->min_snapshots = UINT64_MAX;
    config->bufsize = UINT32_MAX;
}

/* --- one generation --- */

/* How many records from `index` on are of one key; 0: one leads nowhere, or keys do not ascend. */
static u64 records_of_key(const struct reference_archive *archive, u64 index, u64 *key)
{
    struct reference_record record;
    u64 count = 0, first = 0;

    for (; index + count < archive->count; count++) {
        if (reference_archive_record(archive, index + count, &record) != OK)
            return 0;
        if (count == 0)
            first = record.key;
        else if (record.key < first)
            return 0;
        else if (record.key > first)
            break;
    }
    *key = first;
    return count;
}

static bool is_well_formed(const struct reference_archive *archive)
{
    u64 key, count;

    for (u64 at = 0; at < archive->count; at += count)
        if ((count = records_of_key(archive, at, &key)) == 0)
            return false;
    return true;
}

/* A page that is lost is left out, and said: it must not be taken for the one before. */
static enum status take_page(struct conversion *conversion, u64 index, u64 count, u64 key)
{
    struct snapper *snapper = conversion->call->image.snapper;
    struct reference_file file;
    u8 *raw;

    enum status status = reference_tree_read(conversion->tree, &conversion->archive,
                                             index, count, &raw, &file);
    if (status == ERR_INTEGRITY) {
        complain("page %lu has no good copy: left out", key);
        conversion->lost++;
        return OK;
    }
    if (status != OK)
        return status;
    conversion->contents[conversion->content_count++] = raw;
    progress_step(conversion->content_count);
    return take_snapshot(snapper, file.data, file.size, key);
}

static enum status take_pages(struct conversion *conversion)
{
    const struct reference_archive *archive = &conversion->archive;
    u64 key, count;

    for (u64 at = 0; at < archive->count; at += count) {
        count = records_of_key(archive, at, &key);
        enum status status = take_page(conversion, at, count, key);
        if (status != OK)
            return status;
    }
    return OK;
}

/* The base's pages go first, so that what is taken again stays and all else is gone. */
static enum status forget_base(struct conversion *conversion)
{
    struct snapper *snapper = conversion->call->image.snapper;
    struct snapper_view *view;
    struct snapper_run run;
    u64 cursor = 0;

    if (generation_name_is_empty(&conversion->base))
        return OK;
    enum status status = view_open(snapper, conversion->base.text, &view);
    if (status != OK)
        return status;
    while (status == OK && view_next_run(view, &cursor, &run) == OK)
        for (u64 i = 0; i < run.count && status == OK; i++)
            status = forget(snapper, run.first_id + i);
    view_close(view);
    return status;
}

/* What was left out is told for as long as the generation lives, not only by the import. */
static void describe(const struct conversion *conversion, const char *name, char *to,
                     size_t size)
{
    int length = snprintf(to, size, "%s of the original program", name);

    if (conversion->lost > 0)
        snprintf(to + length, size - (size_t)length, ", %lu objects lost",
                 conversion->lost);
}

static enum status make_generation(struct conversion *conversion, const char *name,
                                   struct snapper_commit_report *done)
{
    const struct generation_name *base = &conversion->base;
    struct snapper *snapper = conversion->call->image.snapper;
    char description[96];

    enum status status =
        init_snapshot(snapper, generation_name_is_empty(base) ? NULL : base->text);
    if (status != OK)
        return status;
    status = forget_base(conversion);
    if (status == OK)
        status = take_pages(conversion);
    describe(conversion, name, description, sizeof description);
    if (status == OK)
        return commit_snapshot(snapper, description, done);
    (void)!abort_snapshot(snapper);
    return status;
}

static void answer(struct conversion *conversion, const char *original,
                   const struct snapper_commit_report *done)
{
    struct report *report = conversion->call->report;

    report_item_begin(report);
    if (report->for_people) {
        report_line(report, "%simported %s: %lu pages, %lu files written, %lu lost",
                    report->rehearsal ? "would have " : "", done->name.text,
                    done->objects, done->files_written, conversion->lost);
    } else {
        report_word(report, "name", done->name.text);
        report_word(report, "original", original);
        report_number(report, "pages", done->objects);
        report_number(report, "files", done->files_written);
        report_number(report, "lost", conversion->lost);
    }
    report_item_end(report);
}

/* Does the image have a generation of this name already, or one that is newer? */
static enum status check_order(struct snapper *snapper,
                               const struct generation_name *name, bool *is_here)
{
    struct snapper_generation_info info;
    size_t count = snapper_generation_count(snapper);

    *is_here = false;
    for (size_t i = 0; i < count; i++) {
        enum status status = snapper_generation_info(snapper, i, &info);
        if (status != OK)
            return status;
        *is_here = *is_here || generation_name_compare(&info.name, name) == 0;
    }
    if (*is_here || count == 0 || generation_name_compare(&info.name, name) < 0)
        return OK;
    complain("%s would come before %s, which is on the image: use a fresh one",
             name->text, info.name.text);
    return ERR_EXISTS;
}

static enum status convert_archive(struct conversion *conversion, const char *original)
{
    struct snapper_commit_report done;

    conversion->lost = 0;
    conversion->content_count = 0;
    conversion->contents =
        port_alloc((size_t)(conversion->archive.count + 1) * sizeof(u8 *));
    if (conversion->contents == NULL)
        return ERR_NO_MEMORY;
    progress_begin("import", "pages", conversion->archive.count);
    enum status status = make_generation(conversion, original, &done);
    progress_end();
    for (size_t i = 0; i < conversion->content_count; i++)
        port_free(conversion->contents[i]);
    port_free(conversion->contents);
    if (status != OK)
        return status;
    conversion->call->problems += conversion->lost;
    answer(conversion, original, &done);
    conversion->base = done.name;
    return OK;
}

/* An archive that is damaged is said and left out; the generations after it are still wanted. */
static enum status convert(struct conversion *conversion, size_t index)
{
    const struct reference_generation *original = &conversion->tree->generations[index];
    struct generation_name name;
    bool is_here;
    u8 *raw;

    enum status status = generation_name_encode(original->time, &name);
    if (status == OK)
        status = check_order(conversion->call->image.snapper, &name, &is_here);
    if (status != OK)
        return status;
    if (is_here) {
        note("%s is here already", name.text);
        conversion->base = name;
        return OK;
    }
    status = reference_tree_archive(conversion->tree, index, &raw, &conversion->archive);
    if (status == OK && !is_well_formed(&conversion->archive)) {
        complain("%s: its archive leads nowhere", original->name);
        port_free(raw);
        status = ERR_CORRUPT;
    }
    if (status == ERR_CORRUPT || status == ERR_UNSUPPORTED) {
        conversion->call->problems++;
        return OK;
    }
    if (status != OK)
        return status;
    clock_set(original->time);
    status = convert_archive(conversion, original->name);
    clock_set(0);
    port_free(raw);
    return status;
}

enum status run_import_reference(struct call *call)
{
    struct reference_tree tree;
    struct conversion conversion = { .call = call, .tree = &tree };

    enum status status = reference_tree_open(&tree, call->options->reference);
    if (status != OK)
        return status;
    delete_nothing(&call->image.config);
    if (tree.without_archive > 0)
        note("%s: %zu directories without an archive are no generations", tree.path,
             tree.without_archive);
    report_list_begin(call->report, "imported");
    for (size_t i = 0; i < tree.count && status == OK; i++)
        status = convert(&conversion, i);
    report_list_end(call->report);
    reference_tree_close(&tree);
    return status;
}
