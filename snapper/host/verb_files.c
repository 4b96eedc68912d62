/*
 * ls, cat: raw files of the image, whatever they are.
 */
#include "kernel/base/port.h"
#include "snapper/host/messages.h"
#include "snapper/host/verb.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { PIECE = 1 * MIB, JSON_FILE_MAX = 64 * MIB };

static enum status find_file(const struct call *call, const char *path, u32 *inode,
                             struct ext4_stat *stat)
{
    if (path[0] != '/') {
        complain("%s: a path begins with /", path);
        return ERR_INVALID_ARGUMENT;
    }
    enum status status = ext4_resolve(call->image.fs, path, inode);
    if (status == OK)
        status = ext4_stat(call->image.fs, *inode, stat);
    if (status != OK)
        complain("%s: %s", path, status_text(status));
    return status;
}

static void report_file(struct report *report, const char *name,
                        const struct ext4_stat *stat)
{
    static const char *const types[] = { "file", "directory", "link", "other" };
    static const char letters[] = "-dl?";
    time_t modified = (time_t)stat->modified;
    struct tm when;
    char text[32] = "?";

    if (gmtime_r(&modified, &when) != NULL)
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &when);
    report_item_begin(report);
    if (report->for_people) {
        report_line(report, "%c %10lu %s %s", letters[stat->type], stat->size_bytes, text,
                    name);
    } else {
        report_word(report, "name", name);
        report_word(report, "type", types[stat->type]);
        report_number(report, "size", stat->size_bytes);
        report_number(report, "inode", stat->inode);
        report_number(report, "modified", stat->modified);
    }
    report_item_end(report);
}

static enum status list_directory(struct call *call, u32 directory)
{
    struct ext4_directory_entry entry;
    struct ext4_stat stat;
    u64 cursor = 0;
    enum status status;

    while ((status = ext4_directory_next(call->image.fs, directory, &cursor, &entry)) ==
           OK) {
        status = ext4_stat(call->image.fs, entry.inode, &stat);
        if (status != OK) {
            complain("inode %u (%s): %s", entry.inode, entry.name, status_text(status));
            call->problems++;
            continue;
        }
        report_file(call->report, entry.name, &stat);
    }
    return status == ERR_NOT_FOUND ? OK : status;
}

enum status run_ls(struct call *call)
{
    const char *path = call->options->argument_count > 0 ? call_argument(call, 0) : "/";
    struct ext4_stat stat;
    u32 inode;

    enum status status = find_file(call, path, &inode, &stat);
    if (status != OK)
        return status;
    report_list_begin(call->report, "files");
    if (stat.type == EXT4_DIRECTORY)
        status = list_directory(call, inode);
    else
        report_file(call->report, path, &stat);
    report_list_end(call->report);
    return status;
}

static enum status copy_out(struct call *call, u32 inode, u64 size, u8 *buffer)
{
    u64 offset = 0;

    progress_begin("cat", "bytes", size);
    while (offset < size) {
        size_t done = 0;
        enum status status =
            ext4_read(call->image.fs, inode, offset, buffer, PIECE, &done);
        if (status != OK || done == 0)
            return status;
        if (fwrite(buffer, 1, done, stdout) != done)
            return ERR_IO;
        offset += done;
        progress_step(offset);
    }
    progress_end();
    return OK;
}

static void encode_base64(const u8 *data, size_t size, char *to)
{
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t at = 0; at < size; at += 3, to += 4) {
        u32 bits = (u32)data[at] << 16;
        bits |= at + 1 < size ? (u32)data[at + 1] << 8 : 0;
        bits |= at + 2 < size ? data[at + 2] : 0;
        to[0] = digits[bits >> 18];
        to[1] = digits[bits >> 12 & 63];
        to[2] = at + 1 < size ? digits[bits >> 6 & 63] : '=';
        to[3] = at + 2 < size ? digits[bits & 63] : '=';
    }
    *to = '\0';
}

/* JSON has no bytes: the content in base64. */
static enum status cat_json(struct call *call, u32 inode, u64 size)
{
    size_t got = 0;

    if (size > JSON_FILE_MAX) {
        complain("%s: too large for JSON", call_argument(call, 0));
        return ERR_TOO_LARGE;
    }
    u8 *data = port_alloc((size_t)size);
    char *text = port_alloc((size_t)size / 3 * 4 + 8);
    enum status status = data != NULL && text != NULL ? OK : ERR_NO_MEMORY;
    if (status == OK)
        status = ext4_read(call->image.fs, inode, 0, data, (size_t)size, &got);
    if (status == OK) {
        encode_base64(data, got, text);
        report_word(call->report, "path", call_argument(call, 0));
        report_number(call->report, "size", got);
        report_word(call->report, "base64", text);
    }
    port_free(text);
    port_free(data);
    return status;
}

enum status run_cat(struct call *call)
{
    struct ext4_stat stat;
    u32 inode;

    enum status status = find_file(call, call_argument(call, 0), &inode, &stat);
    if (status != OK)
        return status;
    if (stat.type != EXT4_FILE) {
        complain("%s: not a file", call_argument(call, 0));
        return ERR_IS_DIRECTORY;
    }
    if (call->options->json)
        return cat_json(call, inode, stat.size_bytes);
    u8 *buffer = port_alloc(PIECE);
    if (buffer == NULL)
        return ERR_NO_MEMORY;
    status = copy_out(call, inode, stat.size_bytes, buffer);
    port_free(buffer);
    return status;
}
