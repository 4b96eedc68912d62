/*
 * verify [--repair]: Snapper's files, and the file system under them.
 */
#include "kernel/fs/ext4/check.h"
#include "snapper/host/messages.h"
#include "snapper/host/verb.h"
#include "snapper/verbs.h"

static bool tell_progress(void *context, u64 done, u64 total)
{
    (void)context;
    (void)total;
    progress_step(done);
    return true;
}

static enum status check_file_system(struct call *call)
{
    struct ext4_check_report found;

    enum status status = ext4_check(call->image.fs, &found);
    if (status == ERR_UNSUPPORTED) {
        report_word(call->report, "file_system", "not checked");
        return OK;
    }
    if (status != OK)
        return status;
    call->problems += found.problems;
    report_number(call->report, "file_system_problems", found.problems);
    report_word(call->report, "file_system", found.problems == 0 ? "clean" : found.first);
    return OK;
}

enum status run_verify(struct call *call)
{
    struct verb_verify how = { .repair = (call->options->given & OPTION_REPAIR) != 0,
                               .progress = tell_progress };
    size_t generations = snapper_generation_count(call->image.snapper);
    bool clean;

    progress_begin("verify", "generations", generations);
    enum status status = verb_verify(call->image.snapper, &how, call->report, &clean);
    progress_end();
    if (status != OK)
        return status;
    call->problems += !clean;
    return check_file_system(call);
}
