/*
 * archive save|restore G FILE: the paper's backups of archives (section 11).
 */
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "snapper/archive.h"
#include "snapper/host/host_file.h"
#include "snapper/host/messages.h"
#include "snapper/host/verb.h"
#include "snapper/select.h"
#include "snapper/transfer.h"

enum { ARCHIVE_FILE_MAX = 1 << 30 };

static const char *would(const struct call *call)
{
    return call->report->rehearsal ? "would have " : "";
}

static void answer(struct call *call, const char *what, const char *name, size_t size,
                   const char *path)
{
    if (call->report->for_people) {
        report_line(call->report, "%s%s the archive of %s, %zu bytes, %s %s", would(call),
                    what, name, size, text_equal(what, "saved") ? "to" : "from", path);
        return;
    }
    report_word(call->report, "name", name);
    report_number(call->report, "bytes", size);
    report_word(call->report, what, path);
}

static enum status save(struct call *call, const char *which, const char *path)
{
    struct generation_name name;
    size_t size;
    bool good;
    u8 *raw;

    enum status status = snapper_select(call->image.snapper, which, &name);
    if (status == OK)
        status = snapper_archive_save(call->image.snapper, name.text, &raw, &size, &good);
    if (status != OK)
        return status;
    call->problems += !good;
    if (!call->options->dry_run)
        status = host_file_replace(path, raw, size);
    port_free(raw);
    if (status == OK)
        answer(call, "saved", name.text, size, path);
    return status;
}

/* The archive knows which generation it is of, which may be gone; G is what the user believes. */
static enum status check_name(struct snapper *snapper, const u8 *raw, size_t size,
                              const char *which)
{
    struct generation_name meant;
    struct archive archive;
    const char *why = "";

    enum status status = archive_decode(raw, size, &archive, &why);
    if (status != OK) {
        complain("archive: not one that can be put back: %s", why);
        return status;
    }
    struct generation_name name = archive.generations[0].name;
    archive_destroy(&archive);
    if (text_equal(which, name.text))
        return OK;
    status = snapper_select(snapper, which, &meant);
    if (status == OK && generation_name_compare(&meant, &name) != 0) {
        complain("archive: it is of %s, not of %s", name.text, meant.text);
        return ERR_INVALID_ARGUMENT;
    }
    return status;
}

static enum status put_back(struct call *call, const char *which, const char *path)
{
    bool force = call->options->given & OPTION_FORCE;
    struct snapper *snapper = call->image.snapper;
    struct generation_name name;
    size_t size;
    u8 *raw;

    enum status status = host_file_read(path, ARCHIVE_FILE_MAX, &raw, &size);
    if (status != OK)
        return status;
    status = check_name(snapper, raw, size, which);
    if (status == OK)
        status = (force ? snapper_archive_force : snapper_archive_restore)(snapper, raw,
                                                                           size, &name);
    port_free(raw);
    if (status == OK)
        answer(call, "restored", name.text, size, path);
    return status;
}

enum status run_archive_save(struct call *call)
{
    return save(call, call_argument(call, 1), call_argument(call, 2));
}

enum status run_archive_restore(struct call *call)
{
    return put_back(call, call_argument(call, 1), call_argument(call, 2));
}
