/*
 * snapper create|list|show|status|config: the generations, seen from inside.
 */
#include "kernel/base/format.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "kernel/persist/persist.h"
#include "kernel/shell/command.h"
#include "snapper/generation_text.h"
#include "snapper/select.h"

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
    shell_print("pause: %lu us, mark %lu instructions, %lu table entries read\n",
                report->pause_microseconds, report->mark_instructions,
                report->entries_read);
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

static enum status list(struct snapper *snapper)
{
    char line[GENERATION_LINE_MAX];
    size_t count = snapper_generation_count(snapper);

    if (!count) {
        shell_print("no generations\n");
        return OK;
    }
    generation_heading(line, sizeof line);
    shell_print("%s\n", line);
    for (size_t i = 0; i < count; i++) {
        struct snapper_generation_info info;
        enum status status = snapper_generation_info(snapper, i, &info);
        if (status)
            return say("list", status);
        generation_line(&info, port_now_microseconds(), line, sizeof line);
        shell_print("%s\n", line);
    }
    return OK;
}

static enum status find(struct snapper *snapper, const struct generation_name *name,
                        struct snapper_generation_info *info)
{
    for (size_t i = 0; i < snapper_generation_count(snapper); i++) {
        enum status status = snapper_generation_info(snapper, i, info);
        if (status)
            return status;
        if (text_equal(info->name.text, name->text))
            return OK;
    }
    return ERR_NOT_FOUND;
}

static void print_runs(struct snapper *snapper, const struct generation_name *name)
{
    enum { SHOWN = 16 };
    struct snapper_view *view;
    struct snapper_run run;
    u64 cursor = 0, runs = 0;

    if (say("show", view_open(snapper, name->text, &view)))
        return;
    for (; view_next_run(view, &cursor, &run) == OK; runs++)
        if (runs < SHOWN)
            shell_print("run: space %lu, pages %lu to %lu, %lu bytes each\n",
                        object_space(run.first_id), object_page(run.first_id),
                        object_page(run.first_id) + run.count - 1, run.size_bytes);
    if (runs > SHOWN)
        shell_print("run: %lu more\n", runs - SHOWN);
    view_close(view);
}

static enum status show(struct snapper *snapper, const char *text)
{
    struct snapper_generation_info info;
    struct generation_name name;

    enum status status = snapper_select(snapper, text, &name);
    if (status == OK)
        status = find(snapper, &name, &info);
    if (status)
        return say(text, status);

    shell_print("generation: %s\n", info.name.text);
    if (info.status) {
        shell_print("archive: %s\n", status_text(info.status));
        return info.status;
    }
    shell_print("parent: %s\n", info.parent.text[0] ? info.parent.text : "-");
    shell_print("pages: %lu\n", info.objects);
    shell_print("files: %lu\n", info.files_written);
    shell_print("archive: %lu bytes\n", info.archive_bytes);
    shell_print("pinned: %s\n", info.pinned ? "yes" : "no");
    shell_print("description: %s\n", info.description);
    print_runs(snapper, &info.name);
    return OK;
}

static enum status status_of(struct snapper *snapper)
{
    static const char *const modes[] = { "no store", "not resumed", "fresh", "resumed" };

    shell_print("memory: %s (%s)\n", modes[persist_mode()], persist_summary());
    shell_print("dirty pages: %lu\n", persist_dirty_pages());
    shell_print("boots: %lu\n", root_counters()->boots);
    shell_print("generations begun: %lu\n", root_counters()->generations);
    if (!snapper)
        return OK;
    shell_print("generations: %zu\n", snapper_generation_count(snapper));
    struct generation_name current = snapper_current(snapper);
    shell_print("current: %s\n", current.text[0] ? current.text : "-");
    shell_print("reference counts: %s\n",
                snapper_is_settled(snapper) ? "settled" : "to settle");
    return OK;
}

static enum status config(void)
{
    const struct snapper_config *values = persist_config();

    for (size_t i = 0; i < CONFIG_KEY_COUNT; i++) {
        char text[64];
        config_value_text(values, i, text, sizeof text);
        shell_print("%s = %s\n", config_key_name(i), text);
    }
    return OK;
}

enum status command_snapper(const struct shell_call *call)
{
    struct snapper *snapper = persist_snapper();
    const char *verb = call->word_count > 1 ? call->words[1] : "";

    if (text_equal(verb, "create"))
        return create(call);
    if (text_equal(verb, "status"))
        return status_of(snapper);
    if (text_equal(verb, "config"))
        return config();

    bool is_list = text_equal(verb, "list") && call->word_count == 2;
    if (!is_list && !(text_equal(verb, "show") && call->word_count == 3))
        return shell_usage(call);
    if (!snapper) {
        shell_print("snapper: %s\n", persist_summary());
        return ERR_INVALID_STATE;
    }
    return is_list ? list(snapper) : show(snapper, call->words[2]);
}
