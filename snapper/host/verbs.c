#include "snapper/verbs.h"
#include "kernel/base/string.h"
#include "snapper/host/messages.h"
#include "snapper/host/verb.h"

/* Archives that cannot be read are problems, also for who only looks. */
static void count_unreadable(struct call *call)
{
    struct snapper *snapper = call->image.snapper;
    struct snapper_generation_info info;

    for (size_t i = 0; i < snapper_generation_count(snapper); i++)
        if (snapper_generation_info(snapper, i, &info) == OK && info.status != OK)
            call->problems++;
}

static enum status run_list(struct call *call)
{
    count_unreadable(call);
    return verb_list(call->image.snapper, call->report);
}

static enum status run_show(struct call *call)
{
    return verb_show(call->image.snapper, call_argument(call, 0), call->report);
}

static enum status run_status(struct call *call)
{
    count_unreadable(call);
    return verb_status(call->image.snapper, call->report);
}

static enum status run_config(struct call *call)
{
    verb_config(&call->image.config, &call->image.sources, call->report);
    call->problems = call->image.config_problems;
    return OK;
}

static enum status run_delete(struct call *call)
{
    const struct options *options = call->options;
    bool force = options->given & OPTION_FORCE;

    return (force ? verb_delete_forced : verb_delete)(
        call->image.snapper, options->arguments, options->argument_count, call->report);
}

static enum status run_cleanup(struct call *call)
{
    return verb_cleanup(call->image.snapper, call->report);
}

static enum status run_pin(struct call *call)
{
    return verb_pin(call->image.snapper, call_argument(call, 0), call->report);
}

static enum status run_unpin(struct call *call)
{
    return verb_unpin(call->image.snapper, call_argument(call, 0), call->report);
}

static enum status run_rollback(struct call *call)
{
    return verb_rollback(call->image.snapper, call_argument(call, 0), call->report);
}

/* NULL: none was asked for. A page is an option, or the third word. */
static const char *diff_page(const struct options *options)
{
    return options->argument_count == 3 ? options->arguments[2] : options->page;
}

static bool check_diff(const struct options *options)
{
    const char *page = diff_page(options);
    u64 id;

    if (page == NULL)
        return true;
    if (options->given & OPTION_SUMMARY) {
        complain("diff: --summary or --page, not both");
        return false;
    }
    if (options->argument_count == 3 && (options->given & OPTION_PAGE)) {
        complain("diff: one page, not two");
        return false;
    }
    if (verb_parse_id(page, &id))
        return true;
    complain("--page %s: the number of an object, or SPACE:PAGE", page);
    return false;
}

static enum status run_diff(struct call *call)
{
    const struct options *options = call->options;
    struct snapper *snapper = call->image.snapper;
    const char *a = call_argument(call, 0), *b = call_argument(call, 1);
    u64 id;

    if (options->given & OPTION_SUMMARY)
        return verb_diff_summary(snapper, a, b, call->report);
    if (diff_page(options) == NULL)
        return verb_diff(snapper, a, b, call->report);
    if (!verb_parse_id(diff_page(options), &id))
        return ERR_INVALID_ARGUMENT;
    return verb_diff_page(snapper, a, b, id, call->report);
}

enum { MANY = 10000 };

static const struct verb verbs[] = {
    { .name = "list",
      .usage = "",
      .summary = "all generations, the newest last",
      .answers_list = true,
      .run = run_list },
    { .name = "show",
      .usage = "G",
      .summary = "one generation and the runs of its pages",
      .least = 1,
      .most = 1,
      .run = run_show },
    { .name = "status",
      .usage = "",
      .summary = "where the space has gone, and what deleting would free",
      .run = run_status },
    { .name = "config",
      .usage = "",
      .summary = "the values in effect, and where each comes from",
      .run = run_config },
    { .name = "ls",
      .usage = "[PATH]",
      .summary = "files of the image",
      .most = 1,
      .answers_list = true,
      .run = run_ls },
    { .name = "cat",
      .usage = "PATH",
      .summary = "the content of a file of the image",
      .least = 1,
      .most = 1,
      .run = run_cat },
    { .name = "extract",
      .usage = "G ID|all DIR",
      .summary = "objects of a generation, a file each",
      .least = 3,
      .most = 3,
      .check = check_extract,
      .run = run_extract },
    { .name = "diff",
      .usage = "[--summary|--page ID] A B [ID]",
      .summary = "pages added, changed, removed from A to B",
      .least = 2,
      .most = 3,
      .options = OPTION_SUMMARY | OPTION_PAGE,
      .check = check_diff,
      .run = run_diff },
    { .name = "verify",
      .usage = "[--repair]",
      .summary = "every archive and file looked at; --repair: and mended",
      .options = OPTION_REPAIR,
      .run = run_verify },
    { .name = "export",
      .usage = "A[..B] [FILE]",
      .summary = "generation A, or what B has beyond A, as one stream",
      .least = 1,
      .most = 2,
      .run = run_export },
    { .name = "import",
      .usage = "[FILE]|--reference DIR",
      .summary = "what was exported, or a tree of the original program",
      .most = 1,
      .writes = true,
      .options = OPTION_REFERENCE,
      .run = run_import },
    { .name = "archive",
      .form = "save",
      .usage = "save G FILE",
      .summary = "a backup of the archive of G",
      .least = 3,
      .most = 3,
      .run = run_archive_save },
    { .name = "archive",
      .form = "restore",
      .usage = "restore [--force] G FILE",
      .summary = "put it back; --force: though files are missing",
      .least = 3,
      .most = 3,
      .writes = true,
      .options = OPTION_FORCE,
      .run = run_archive_restore },
    { .name = "delete",
      .usage = "[--force] G...",
      .summary = "delete generations; --force: also one that cannot be read",
      .least = 1,
      .most = MANY,
      .writes = true,
      .options = OPTION_FORCE,
      .run = run_delete },
    { .name = "cleanup",
      .usage = "",
      .summary = "apply the rules of retention, finish what a crash left",
      .writes = true,
      .run = run_cleanup },
    { .name = "pin",
      .usage = "G",
      .summary = "never delete it",
      .least = 1,
      .most = 1,
      .writes = true,
      .run = run_pin },
    { .name = "unpin",
      .usage = "G",
      .summary = "it may be deleted again",
      .least = 1,
      .most = 1,
      .writes = true,
      .run = run_unpin },
    { .name = "rollback",
      .usage = "G",
      .summary = "the next boot runs on from it",
      .least = 1,
      .most = 1,
      .writes = true,
      .run = run_rollback },
};

const struct verb *verb_table(size_t *count)
{
    *count = ARRAY_LENGTH(verbs);
    return verbs;
}

bool verb_has_forms(const char *name)
{
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++)
        if (verbs[i].form != NULL && text_equal(verbs[i].name, name))
            return true;
    return false;
}

static bool is_meant(const struct verb *verb, const struct options *options)
{
    if (!text_equal(verb->name, options->verb))
        return false;
    return verb->form == NULL ||
           (options->argument_count > 0 && text_equal(verb->form, options->arguments[0]));
}

const struct verb *verb_choose(const struct options *options)
{
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++)
        if (is_meant(&verbs[i], options))
            return &verbs[i];
    return NULL;
}
