/*
 * export A[..B] [FILE], import [FILE]: generations between images.
 */
#include "kernel/base/string.h"
#include "snapper/generation_text.h"
#include "snapper/host/messages.h"
#include "snapper/host/verb.h"
#include "snapper/select.h"
#include "snapper/transfer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER_SIZE = 1 * MIB };

struct stream_file {
    struct stream_output output; /* one of both is used */
    struct stream_input input;
    FILE *stream; /* NULL: what is written goes nowhere */
    const char *path;
    u64 bytes;
};

static enum status write_stream(struct stream_output *output, const void *data,
                                size_t size)
{
    struct stream_file *file = CONTAINER_OF(output, struct stream_file, output);

    if (file->stream != NULL && fwrite(data, 1, size, file->stream) != size) {
        complain("%s: %s", file->path, strerror(errno));
        return errno == ENOSPC ? ERR_NO_SPACE : ERR_IO;
    }
    progress_step(file->bytes += size);
    return OK;
}

static enum status read_stream(struct stream_input *input, void *data, size_t size,
                               size_t *got)
{
    struct stream_file *file = CONTAINER_OF(input, struct stream_file, input);

    *got = fread(data, 1, size, file->stream);
    if (*got < size && ferror(file->stream)) {
        complain("%s: %s", file->path, strerror(errno));
        return ERR_IO;
    }
    progress_step(file->bytes += *got);
    return OK;
}

static bool is_standard(const char *path)
{
    return path == NULL || text_equal(path, "-");
}

/* --- export --- */

/* "A" or "A..B": what goes out, and the base it builds on (NULL text: none). */
static enum status find_range(struct snapper *snapper, const char *text,
                              struct generation_name *name, struct generation_name *base)
{
    const char *dots = strstr(text, "..");
    char first[64];

    *base = (struct generation_name){ 0 };
    if (dots == NULL)
        return snapper_select(snapper, text, name);
    if ((size_t)(dots - text) >= sizeof first)
        return ERR_INVALID_ARGUMENT;
    memcpy(first, text, (size_t)(dots - text));
    first[dots - text] = '\0';
    enum status status = snapper_select(snapper, first, base);
    return status != OK ? status : snapper_select(snapper, dots + 2, name);
}

static enum status open_output(struct call *call, const char *path, char *temporary,
                               size_t size, struct stream_file *file)
{
    if (call->options->dry_run)
        return OK;
    if (is_standard(path)) {
        file->stream = stdout;
        file->path = "standard output";
        if (!isatty(STDOUT_FILENO))
            return OK;
        complain("export: a stream is not for a terminal: name a file, or redirect it");
        return ERR_INVALID_ARGUMENT;
    }
    if ((size_t)snprintf(temporary, size, "%s.new", path) >= size)
        return ERR_TOO_LARGE;
    file->stream = fopen(temporary, "wb");
    if (file->stream != NULL)
        return OK;
    complain("%s: %s", temporary, strerror(errno));
    return ERR_IO;
}

/* A file appears under its name when all of it is on the disk. */
static enum status close_output(struct stream_file *file, const char *temporary,
                                enum status status)
{
    if (file->stream == NULL)
        return status;
    bool durable = fflush(file->stream) == 0 &&
                   (file->stream == stdout || fsync(fileno(file->stream)) == 0);
    if (file->stream != stdout) {
        durable = fclose(file->stream) == 0 && durable;
        if (status == OK && durable)
            durable = rename(temporary, file->path) == 0;
        else
            unlink(temporary);
    }
    if (status != OK || durable)
        return status;
    complain("%s: %s", file->path, strerror(errno));
    return ERR_IO;
}

static void answer_export(struct call *call, const struct snapper_transfer_report *done,
                          u64 bytes)
{
    struct report *report = call->report;
    char size[24];

    if (report->for_people) {
        size_text(bytes, size, sizeof size);
        report_line(report, "%sexported %s%s%s: %lu objects, %s",
                    report->rehearsal ? "would have " : "", done->name.text,
                    done->base.text[0] ? " on " : "", done->base.text, done->objects,
                    size);
        return;
    }
    report_word(report, "name", done->name.text);
    report_word(report, "base", done->base.text);
    report_number(report, "objects", done->objects);
    report_number(report, "bytes", bytes);
}

enum status run_export(struct call *call)
{
    const char *path = call->options->argument_count > 1 ? call_argument(call, 1) : NULL;
    struct stream_file file = { .output.write = write_stream, .path = path };
    struct snapper_transfer_report done;
    struct generation_name name, base;
    char temporary[4096];

    if (is_standard(path) && call->options->json && !call->options->dry_run) {
        complain("export: with --json the stream needs a FILE");
        return ERR_INVALID_ARGUMENT;
    }
    enum status status =
        find_range(call->image.snapper, call_argument(call, 0), &name, &base);
    if (status == OK)
        status = open_output(call, path, temporary, sizeof temporary, &file);
    if (status != OK)
        return status;
    progress_begin("export", "bytes", 0);
    status = snapper_export(call->image.snapper, name.text,
                            base.text[0] ? base.text : NULL, &file.output, &done);
    progress_end();
    status = close_output(&file, temporary, status);
    if (status == OK && file.stream != stdout)
        answer_export(call, &done, file.bytes);
    return status;
}

/* --- import --- */

static void answer_import(struct call *call, const struct snapper_transfer_report *done)
{
    struct report *report = call->report;

    if (!report->for_people) {
        report_word(report, "name", done->name.text);
        report_word(report, "base", done->base.text);
        report_number(report, "objects", done->objects);
        report_number(report, "files", done->files);
        report_number(report, "present", done->present);
        report_flag(report, "was_there", done->was_there);
    } else if (done->was_there) {
        report_line(report, "%s is here already: nothing changed", done->name.text);
    } else {
        report_line(report,
                    "%simported %s%s%s: %lu objects, %lu files written, %lu were here",
                    report->rehearsal ? "would have " : "", done->name.text,
                    done->base.text[0] ? " on " : "", done->base.text, done->objects,
                    done->files, done->present);
    }
}

enum status run_import(struct call *call)
{
    const char *path = call->options->argument_count > 0 ? call_argument(call, 0) : NULL;
    struct stream_file file = { .input.read = read_stream, .path = path };
    struct snapper_transfer_report done;

    if (call->options->given & OPTION_REFERENCE) {
        if (path == NULL)
            return run_import_reference(call);
        complain("import: either --reference DIR or a stream");
        return ERR_INVALID_ARGUMENT;
    }
    if (is_standard(path))
        file.path = "standard input";
    file.stream = is_standard(path) ? stdin : fopen(path, "rb");
    if (file.stream == NULL) {
        complain("%s: %s", path, strerror(errno));
        return ERR_NOT_FOUND;
    }
    setvbuf(file.stream, NULL, _IOFBF, BUFFER_SIZE);
    progress_begin("import", "bytes", 0);
    enum status status = snapper_import(call->image.snapper, &file.input, &done);
    progress_end();
    if (file.stream != stdin)
        fclose(file.stream);
    if (status == ERR_NO_SPACE)
        complain("import: no space left: make some and import again to go on, or run "
                 "cleanup to drop what came in");
    if (status == OK)
        answer_import(call, &done);
    return status;
}
