#include "tests/crash/judge.h"

#include "kernel/base/format.h"
#include "kernel/fs/ext4/check.h"
#include "snapper/verify.h"

struct session {
    const struct lab *lab;
    struct ext4 *fs;
    struct ext4_store store;
    struct snapper *snapper;
    struct verdict *verdict;
};

static bool fail(struct session *session, const char *what, const char *why)
{
    format_text(session->verdict->why, sizeof session->verdict->why, "%s: %s", what, why);
    return false;
}

static bool expect(struct session *session, const char *what, enum status status)
{
    return status == OK || fail(session, what, status_text(status));
}

static bool open_image(struct session *session, struct disk *disk)
{
    struct ext4_mount_options options = { .cache_capacity = 512 };

    if (!expect(session, "mount", ext4_mount(disk, &options, &session->fs)))
        return false;
    ext4_store_init(&session->store, session->fs);
    return expect(
        session, "open",
        snapper_open(&session->store.store, &session->lab->config, &session->snapper));
}

static bool close_image(struct session *session)
{
    snapper_close(session->snapper);
    session->snapper = NULL;
    enum status status = ext4_unmount(session->fs);
    session->fs = NULL;
    return expect(session, "unmount", status);
}

static bool find_state(struct session *session, const struct lab_state *const *allowed,
                       size_t count)
{
    const char *why = "";
    for (size_t i = 0; i < count; i++) {
        session->verdict->state = i;
        if (lab_state_matches(session->snapper, allowed[i], &why))
            return true;
    }
    return fail(session, "generations", why);
}

static bool finish_recovery(struct session *session)
{
    struct snapper_cleanup_report cleaned;
    struct snapper_verify_report repaired;
    u64 changed;

    if (session->lab->rotten &&
        !expect(session, "repair", snapper_repair(session->snapper, NULL, &repaired)))
        return false;
    return expect(session, "clean up", snapper_cleanup(session->snapper, &cleaned)) &&
           expect(session, "settle", snapper_settle(session->snapper, &changed));
}

/* Every archive, file, checksum and count; nothing left over. */
static bool check_snapper(struct session *session)
{
    struct snapper_verify_report report;

    if (!expect(session, "verify", snapper_verify(session->snapper, NULL, &report)))
        return false;
    if (snapper_verify_is_clean(&report) && report.settled)
        return true;
    format_text(session->verdict->why, sizeof session->verdict->why,
                "verify: %u archives unreadable, %lu copies damaged, %lu wrong rc, "
                "%lu orphans, %u incomplete%s",
                report.unreadable, report.damaged, report.wrong_rc, report.orphans,
                report.incomplete, report.settled ? "" : ", not settled");
    return false;
}

static bool check_file_system(struct session *session)
{
    struct ext4_check_report report;

    return expect(session, "check", ext4_check(session->fs, &report)) &&
           (report.problems == 0 || fail(session, "check", report.first));
}

static bool judge_image(struct session *session, struct disk *disk,
                        const struct lab_state *const *allowed, size_t count)
{
    if (!open_image(session, disk) || !check_file_system(session) ||
        !find_state(session, allowed, count) || !finish_recovery(session) ||
        !close_image(session))
        return false;
    const struct lab_state *found = allowed[session->verdict->state];
    size_t index = session->verdict->state;
    bool same = open_image(session, disk) && find_state(session, &found, 1) &&
                check_snapper(session) && check_file_system(session) &&
                close_image(session);
    session->verdict->state = index;
    return same;
}

bool judge(const struct lab *lab, struct disk *disk,
           const struct lab_state *const *allowed, size_t allowed_count,
           struct verdict *verdict)
{
    struct session session = { .lab = lab, .verdict = verdict };
    bool right = judge_image(&session, disk, allowed, allowed_count);

    if (session.snapper)
        snapper_close(session.snapper);
    if (session.fs)
        ext4_drop(session.fs);
    return right;
}
