/*
 * extract G ID|all DIR: objects of a generation as files of the host.
 */
#include "kernel/base/checked.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/host/host_file.h"
#include "snapper/host/messages.h"
#include "snapper/host/verb.h"
#include "snapper/object_id.h"
#include "snapper/verbs.h"

#include <stdio.h>

struct extraction {
    struct call *call;
    struct snapper_view *view;
    const char *directory;
    u8 *buffer;
    size_t capacity;
    u64 files, bytes;
    u64 lost; /* objects without a good copy */
};

/* A page is named by its space and number in it, so that names sort as ids do. */
static void object_path(const struct extraction *extraction, u64 id, char *to,
                        size_t size)
{
    snprintf(to, size, "%s/%06lx-%010lx", extraction->directory, object_space(id),
             object_page(id));
}

static enum status make_room(struct extraction *extraction, u64 size)
{
    if (size <= extraction->capacity)
        return OK;
    port_free(extraction->buffer);
    extraction->buffer = port_alloc((size_t)size);
    extraction->capacity = extraction->buffer != NULL ? (size_t)size : 0;
    return extraction->buffer != NULL ? OK : ERR_NO_MEMORY;
}

/* An object that is lost is one problem; the others are still wanted. */
static enum status extract_one(struct extraction *extraction, u64 id, u64 size)
{
    char path[HOST_PATH_MAX];
    size_t got = 0;

    enum status status = make_room(extraction, size);
    if (status == OK)
        status = view_restore(extraction->view, extraction->buffer, extraction->capacity,
                              id, &got);
    if (status == ERR_INTEGRITY) {
        extraction->lost++;
        return OK;
    }
    if (status != OK)
        return status;
    object_path(extraction, id, path, sizeof path);
    if (!extraction->call->options->dry_run)
        status = host_file_write(path, extraction->buffer, got);
    if (status != OK)
        return status;
    extraction->files++;
    extraction->bytes += got;
    progress_step(extraction->files);
    return OK;
}

static enum status extract_all(struct extraction *extraction)
{
    struct snapper_run run;
    u64 cursor = 0;

    while (view_next_run(extraction->view, &cursor, &run) == OK)
        for (u64 i = 0; i < run.count; i++) {
            enum status status =
                extract_one(extraction, run.first_id + i, run.size_bytes);
            if (status != OK)
                return status;
        }
    return OK;
}

/* ERR_NOT_FOUND: the generation has no such object. */
static enum status extract_id(struct extraction *extraction, u64 id)
{
    struct snapper_run run;
    u64 cursor = 0;

    while (view_next_run(extraction->view, &cursor, &run) == OK)
        if (range_inside(id - run.first_id, 1, run.count))
            return extract_one(extraction, id, run.size_bytes);
    complain("extract: the generation has no object %lu", id);
    return ERR_NOT_FOUND;
}

static void answer(const struct extraction *extraction, const char *name)
{
    struct report *report = extraction->call->report;

    if (report->for_people) {
        report_line(report, "%sextracted %lu objects, %lu bytes, to %s",
                    report->rehearsal ? "would have " : "", extraction->files,
                    extraction->bytes, extraction->directory);
        return;
    }
    report_word(report, "name", name);
    report_number(report, "objects", extraction->files);
    report_number(report, "bytes", extraction->bytes);
    report_number(report, "lost", extraction->lost);
    report_word(report, "directory", extraction->directory);
}

bool check_extract(const struct options *options)
{
    const char *which = options->arguments[1];
    u64 id;

    if (text_equal(which, "all") || verb_parse_id(which, &id))
        return true;
    complain("extract: %s: all, the number of an object, or SPACE:PAGE", which);
    return false;
}

enum status run_extract(struct call *call)
{
    struct extraction extraction = { .call = call, .directory = call_argument(call, 2) };
    struct snapper_generation_info info;
    bool all = text_equal(call_argument(call, 1), "all");
    u64 id = 0;

    if (!all && !verb_parse_id(call_argument(call, 1), &id))
        return ERR_INVALID_ARGUMENT;
    enum status status = verb_find(call->image.snapper, call_argument(call, 0), &info);
    if (status == OK)
        status = view_open(call->image.snapper, info.name.text, &extraction.view);
    if (status != OK)
        return status;
    if (!call->options->dry_run)
        status = host_directory_make(extraction.directory);
    progress_begin("extract", "objects", all ? info.objects : 1);
    if (status == OK)
        status = all ? extract_all(&extraction) : extract_id(&extraction, id);
    progress_end();
    view_close(extraction.view);
    port_free(extraction.buffer);
    if (status != OK)
        return status;
    call->problems += extraction.lost;
    answer(&extraction, info.name.text);
    return OK;
}
