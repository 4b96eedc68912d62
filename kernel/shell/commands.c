/*
 * The table of commands, and those that need no file of their own.
 */
#include "kernel/arch/crash.h"
#include "kernel/base/string.h"
#include "kernel/shell/command.h"

static const struct shell_command commands[] = {
    { "help", "", "what there is", command_help },
    { "run", "[--memory MIB] PROGRAM [ARGUMENTS] [&]",
      "start a program of /bin; & leaves it in the background", command_run },
    { "programs", "", "what is in /bin", command_programs },
    { "ps", "", "processes", command_ps },
    { "fg", "PROCESS", "give it the console", command_fg },
    { "kill", "PROCESS|all", "end it, and those that it has started", command_kill },
    { "resume", "", "let processes run that the boot word hold has stopped",
      command_resume },
    { "lives", "", "boots, crashes and generations of this memory, and time lost",
      command_lives },
    { "mem",
      "fill SEED FIRST COUNT\n"
      "check SEED FIRST COUNT\n"
      "touch FIRST COUNT STRIDE",
      "write or verify pages of the scratch area", command_mem },
    { "snapper",
      "create [-d TEXT]\n"
      "list\n"
      "show GENERATION\n"
      "status\n"
      "diff [--summary|--page ID] A B [ID]\n"
      "delete [--force] GENERATION...\n"
      "cleanup\n"
      "pin GENERATION\n"
      "unpin GENERATION\n"
      "rollback GENERATION\n"
      "verify [--repair]\n"
      "config",
      "take and look at generations (a time, its beginning, latest, oldest, latest~N)",
      command_snapper },
    { "stats", "", "counters, one a line", command_stats },
    { "sync", "", "everything committed, and reference counts exact", command_sync },
    { "shutdown", "[--save]", "switch off; --save takes a generation first",
      command_shutdown },
    { "exit", "[--save]", "the same", command_shutdown },
    { "reboot", "[--save]", "start again", command_reboot },
    { "bench",
      "files create|read|delete COUNT\n"
      "limits BYTES",
      "files through ext4 alone; raw writes, CRC and copy of so much", command_bench },
    { "crash", "panic|triple|hang|...", "break down, to see what is left",
      command_crash },
};

const struct shell_command *shell_commands(size_t *count)
{
    *count = ARRAY_LENGTH(commands);
    return commands;
}

/* Each form of the usage on a line of its own, the summary behind the first. */
static void print_usage(const struct shell_command *command, const char *summary)
{
    const char *form = command->usage;

    do {
        const char *end = strchr(form, '\n');
        int length = (int)(end ? (size_t)(end - form) : strlen(form));
        int width = 34 - (int)strlen(command->name);

        shell_print("%s %-*.*s%s%s\n", command->name, summary ? width : 0, length, form,
                    summary ? " " : "", summary ? summary : "");
        form = end ? end + 1 : NULL;
        if (summary)
            summary = "";
    } while (form);
}

enum status shell_usage(const struct shell_call *call)
{
    shell_print("usage:\n");
    print_usage(call->command, NULL);
    return ERR_INVALID_ARGUMENT;
}

enum status command_help(const struct shell_call *call)
{
    if (call->word_count != 1)
        return shell_usage(call);
    for (size_t i = 0; i < ARRAY_LENGTH(commands); i++)
        print_usage(&commands[i], commands[i].summary);
    shell_print("keys: arrows, home, end, ^U ^K ^W, up and down for the history, ^C;\n"
                "in a program ^C ends it, ^Z leaves it in the background\n");
    return OK;
}

enum status command_crash(const struct shell_call *call)
{
    if (call->word_count != 2)
        return shell_usage(call);

    enum status status = crash(call->words[1]);
    if (status == ERR_NOT_FOUND)
        return shell_usage(call);
    shell_print("crash: %s went unnoticed\n", call->words[1]);
    return status;
}
