/*
 * snapper create|list|show ...: the generations, seen from inside. What the host has too is in
 * snapper/verbs.h.
 */
#include "kernel/arch/interrupts.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "kernel/persist/persist.h"
#include "kernel/shell/command.h"
#include "kernel/shell/command_power.h"
#include "snapper/select.h"
#include "snapper/verbs.h"

static enum status say(const char *what, enum status status)
{
    if (status)
        shell_print("snapper: %s: %s\n", what, status_text(status));
    return status;
}

static void print_report(const struct capture_report *report)
{
    const struct snapper_commit_report *commit = &report->commit;

    shell_print("generation: %s\n", commit->name.text);
    shell_print("pages: %lu taken, %lu unchanged, %lu in the generation\n", commit->taken,
                commit->unchanged, commit->objects);
    shell_print("files: %lu written, %lu of them copies\n", commit->files_written,
                commit->copies);
    shell_print("disk: %lu bytes, %lu requests, %lu flushes, %u transactions\n",
                report->bytes, report->requests, report->flushes, commit->transactions);
    shell_print("pause: %lu us, mark %lu cycles, %lu table entries read\n",
                report->mark_cycles * 1000000 / cpu_timestamp_hertz(),
                report->mark_cycles, report->entries_read);
    shell_print("total: %lu us\n", report->total_microseconds);
}

/* The words from `first` on, joined by blanks; cut off at the length that Snapper takes. */
static void join_words(const struct shell_call *call, size_t first, char *to, size_t size)
{
    size_t length = 0;

    to[0] = '\0';
    for (size_t i = first; i < call->word_count && length < size; i++)
        length += format_text(to + length, size - length, "%s%s", i > first ? " " : "",
                              call->words[i]);
}

static enum status create(const struct shell_call *call)
{
    char description[SNAPPER_DESCRIPTION_MAX + 1] = "";
    struct capture_report report;

    if (call->word_count > 2) {
        if (!text_equal(call->words[2], "-d") || call->word_count < 4)
            return shell_usage(call);
        join_words(call, 3, description, sizeof description);
    }
    shell_command_done(); /* or the generation would show it as interrupted */
    enum status status = persist_capture(description[0] ? description : NULL, &report);
    if (status) {
        if (status == ERR_INVALID_STATE)
            shell_print("snapper: create: refused: %s\n", persist_summary());
        return status == ERR_INVALID_STATE ? status : say("create", status);
    }
    print_report(&report);
    return OK;
}

static enum status status_of(struct snapper *snapper, struct report *report)
{
    static const char *const modes[] = { "no store", "not resumed", "fresh", "resumed" };

    shell_print("memory: %s (%s)\n", modes[persist_mode()], persist_summary());
    shell_print("dirty pages: %lu\n", persist_dirty_pages());
    shell_print("boots: %lu\n", root_counters()->boots);
    shell_print("generations begun: %lu\n", root_counters()->generations);
    if (!snapper)
        return OK;
    return verb_status(snapper, report);
}

/* What is in memory is saved first, if the machine saves by itself: that ends a rollback. */
static enum status roll_back(struct snapper *snapper, const char *which,
                             struct report *report)
{
    struct generation_name name;

    enum status status = snapper_select(snapper, which, &name);
    if (status)
        return status;
    shell_command_done();
    status = persist_wind_up(PERSIST_AS_CONFIGURED);
    if (status == OK)
        status = verb_rollback(snapper, name.text, report);
    if (status)
        return status;
    command_power_restart();
}

static void print_line(void *context, const char *line)
{
    (void)context;
    shell_print("%s\n", line);
}

struct verb {
    const char *name;
    size_t arguments;
    enum status (*plain)(struct snapper *snapper, struct report *report);
    enum status (*of_one)(struct snapper *snapper, const char *which,
                          struct report *report);
};

static const struct verb verbs[] = {
    { "list", 0, verb_list, NULL },       { "show", 1, NULL, verb_show },
    { "cleanup", 0, verb_cleanup, NULL }, { "pin", 1, NULL, verb_pin },
    { "unpin", 1, NULL, verb_unpin },     { "rollback", 1, NULL, roll_back },
};

static bool tell_progress(void *context, u64 done, u64 total)
{
    (void)context;
    (void)done;
    (void)total;
    return shell_between_generations() == OK;
}

static enum status verify(struct snapper *snapper, bool repair, struct report *report)
{
    struct verb_verify how = { repair, tell_progress, NULL };
    bool clean;

    return verb_verify(snapper, &how, report, &clean);
}

/* What diff was asked: as on the host, options stand anywhere, and a page may be the third word. */
struct diff_words {
    const char *plain[3]; /* A, B, PAGE */
    size_t count;
    const char *page;
    bool summary;
};

static bool sort_words(const struct shell_call *call, struct diff_words *sorted)
{
    for (size_t i = 2; i < call->word_count; i++) {
        const char *word = call->words[i];

        if (text_equal(word, "--summary")) {
            sorted->summary = true;
        } else if (text_equal(word, "--page")) {
            if (sorted->page || ++i == call->word_count)
                return false;
            sorted->page = call->words[i];
        } else if (sorted->count == ARRAY_LENGTH(sorted->plain)) {
            return false;
        } else {
            sorted->plain[sorted->count++] = word;
        }
    }
    if (sorted->count == 3 && sorted->page)
        return false;
    if (sorted->count == 3)
        sorted->page = sorted->plain[2];
    return sorted->count >= 2 && !(sorted->summary && sorted->page);
}

static enum status diff(const struct shell_call *call, struct snapper *snapper,
                        struct report *report)
{
    struct diff_words words = { 0 };
    u64 id;

    if (!sort_words(call, &words))
        return shell_usage(call);
    if (words.summary)
        return verb_diff_summary(snapper, words.plain[0], words.plain[1], report);
    if (!words.page)
        return verb_diff(snapper, words.plain[0], words.plain[1], report);
    if (!verb_parse_id(words.page, &id))
        return shell_usage(call);
    return verb_diff_page(snapper, words.plain[0], words.plain[1], id, report);
}

static enum status run_verb(const struct shell_call *call, struct snapper *snapper,
                            struct report *report)
{
    const char *const *arguments = call->words + 2;
    size_t count = call->word_count - 2;

    if (text_equal(call->words[1], "delete") && count > 0) {
        if (!text_equal(arguments[0], "--force"))
            return verb_delete(snapper, arguments, count, report);
        return count > 1 ? verb_delete_forced(snapper, arguments + 1, count - 1, report)
                         : shell_usage(call);
    }
    if (text_equal(call->words[1], "diff"))
        return diff(call, snapper, report);
    if (text_equal(call->words[1], "verify") && count <= 1) {
        bool repair = count == 1 && text_equal(arguments[0], "--repair");
        return count == 0 || repair ? verify(snapper, repair, report) : shell_usage(call);
    }
    for (size_t i = 0; i < ARRAY_LENGTH(verbs); i++) {
        const struct verb *verb = &verbs[i];
        if (!text_equal(call->words[1], verb->name) || count != verb->arguments)
            continue;
        return verb->plain ? verb->plain(snapper, report)
                           : verb->of_one(snapper, arguments[0], report);
    }
    return shell_usage(call);
}

enum status command_snapper(const struct shell_call *call)
{
    struct snapper *snapper = persist_snapper();
    const char *verb = call->word_count > 1 ? call->words[1] : "";
    struct report_text text;

    report_text_init(&text, print_line, NULL);
    if (text_equal(verb, ""))
        return shell_usage(call);
    if (text_equal(verb, "create"))
        return create(call);
    if (text_equal(verb, "status"))
        return status_of(snapper, &text.report);
    if (text_equal(verb, "config")) {
        verb_config(persist_config(), persist_config_sources(), &text.report);
        return OK;
    }
    if (!snapper) {
        shell_print("snapper: %s\n", persist_summary());
        return ERR_INVALID_STATE;
    }
    enum status status = run_verb(call, snapper, &text.report);
    return status == ERR_INVALID_ARGUMENT ? status : say(verb, status);
}
