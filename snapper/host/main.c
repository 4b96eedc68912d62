/*
 * snapctl: Snapper's generations on an image, from the host. The man page is snapctl.1.
 */
#include "snapper/host/messages.h"
#include "snapper/host/report_json.h"
#include "snapper/host/verb.h"

#include <signal.h>
#include <stdio.h>

enum exit_code { EXIT_FINE = 0, EXIT_PROBLEMS = 1, EXIT_USAGE = 2, EXIT_FAILED = 3 };

static void print_line(void *context, const char *line)
{
    (void)context;
    progress_erase();
    for (const char *at = line; *at != '\0'; at++)
        putchar((u8)*at < ' ' || *at == '\x7f' ? '?' : *at);
    putchar('\n');
}

static void print_help(void)
{
    size_t count;
    const struct verb *verbs = verb_table(&count);

    puts("usage: snapctl -i IMAGE [OPTION...] VERB [ARGUMENT...]\n\nverbs:");
    for (size_t i = 0; i < count; i++) {
        char form[64];
        snprintf(form, sizeof form, "%s %s", verbs[i].name, verbs[i].usage);
        printf("  %-36s %s\n", form, verbs[i].summary);
    }
    puts("\nG is a generation: its time, a beginning of it that no other has, latest, "
         "oldest, latest~N.\n\n"
         "options:\n"
         "  -i, --image IMAGE   the image: a file with ext4, or a disk\n"
         "  -n, --dry-run       go through it all in memory; the image stays as it is\n"
         "      --json          answer in JSON\n"
         "  -o, --set KEY=VALUE instead of what /snapper.conf says\n"
         "  -v, --verbose       say what is done\n"
         "  -h, --help          this\n"
         "      --version       which formats\n\n"
         "exit codes: 0 fine, 1 finished but found problems, 2 usage, 3 failed");
}

/* --- the command line --- */

static bool check_arguments(const struct options *options, const struct verb *verb)
{
    bool fits =
        options->argument_count >= verb->least && options->argument_count <= verb->most;

    if (fits && (options->given & ~verb->options) == 0)
        return true;
    complain("usage: snapctl -i IMAGE %s %s", verb->name, verb->usage);
    return false;
}

/* NULL: wrong, and said in one line. */
static const struct verb *choose(const struct options *options)
{
    if (options->verb == NULL) {
        complain("no verb: snapctl --help names them");
        return NULL;
    }
    const struct verb *verb = verb_choose(options);
    if (verb == NULL) {
        if (verb_has_forms(options->verb))
            complain("%s: which form of it? snapctl --help names them", options->verb);
        else
            complain("%s: no such verb: snapctl --help names them", options->verb);
        return NULL;
    }
    if (!check_arguments(options, verb) ||
        (verb->check != NULL && !verb->check(options)) || !image_check_overrides(options))
        return NULL;
    if (options->image == NULL) {
        complain("which image? -i IMAGE");
        return NULL;
    }
    return verb;
}

/* --- the verb --- */

static enum status run_on_image(struct call *call, const struct verb *verb)
{
    bool writes = verb->writes || (call->options->given & OPTION_REPAIR) != 0;
    enum image_access access = !writes                  ? IMAGE_READ
                               : call->options->dry_run ? IMAGE_REHEARSE
                                                        : IMAGE_WRITE;
    u64 before = messages_complaints();

    if (access == IMAGE_WRITE)
        signal(SIGPIPE, SIG_IGN); /* who listens may go; the work is done to its end */
    enum status status = image_open(&call->image, call->options, access);
    if (status != OK)
        return status;
    if (access == IMAGE_REHEARSE)
        messages_set_rehearsal();
    if (access == IMAGE_REHEARSE && call->report->for_people)
        puts("dry run: the image stays as it is");
    progress_begin_requests(verb->name);
    status = verb->run(call);
    progress_end();
    if (status != OK && messages_complaints() == before)
        complain("%s: %s", verb->name, status_text(status));
    enum status closed = image_close(&call->image, true);
    if (status == OK && closed != OK)
        complain("%s: at the end: %s", verb->name, status_text(closed));
    call->problems += call->image.unsettled;
    return status != OK ? status : closed;
}

static enum exit_code run(const struct options *options, const struct verb *verb)
{
    struct call call = { .options = options };
    struct report_text text;
    struct report_json json;

    report_text_init(&text, print_line, NULL);
    call.report = options->json ? &json.report : &text.report;
    if (options->json && !report_json_open(&json, verb->answers_list)) {
        complain("no memory");
        return EXIT_FAILED;
    }
    call.report->rehearsal = options->dry_run;
    if (options->json && !verb->answers_list && verb->writes)
        report_flag(call.report, "dry_run", options->dry_run);
    enum status status = run_on_image(&call, verb);
    if (options->json)
        report_json_close(&json, status == OK);
    if (status != OK)
        return EXIT_FAILED;
    return call.problems > 0 ? EXIT_PROBLEMS : EXIT_FINE;
}

int main(int count, char **words)
{
    struct options options;

    if (!options_parse(count, words, &options))
        return EXIT_USAGE;
    if (options.help) {
        print_help();
        return EXIT_FINE;
    }
    if (options.version) {
        puts("snapctl: Snapper 2.0, archive layout 1, stream layout 1");
        return EXIT_FINE;
    }
    messages_set_verbose(options.verbose);
    const struct verb *verb = choose(&options);
    if (verb == NULL)
        return EXIT_USAGE;
    enum exit_code code = run(&options, verb);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        complain("standard output: cannot be written");
        return EXIT_FAILED;
    }
    return code;
}
