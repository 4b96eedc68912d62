/*
 * Commands of the shell: what they get, and what they may use.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

struct shell_command;

struct shell_call {
    const struct shell_command *command;
    const char *const *words; /* the first is the command's name */
    size_t word_count;
};

struct shell_command {
    const char *name;
    const char *usage;   /* the arguments; lines after the first are further forms */
    const char *summary; /* one line */
    enum status (*run)(const struct shell_call *call);
};

/* All of them, in the order of `help`. commands.c */
const struct shell_command *shell_commands(size_t *count);

void shell_print(const char *format, ...) PRINTF_LIKE(1, 2);
/* Prints how the command is used. ERR_INVALID_ARGUMENT. */
enum status shell_usage(const struct shell_call *call);

/*
 * Between two steps of a long command: lets the background work that is due happen, its messages kept
 * until the command has ended. ERR_INTERRUPTED: ^C was typed.
 */
enum status shell_between_steps(void);
/* The same; generations wait until the command has ended. */
enum status shell_between_generations(void);

/*
 * What the command has done is all it will do to memory: from here on, a generation shows it as
 * finished.
 */
void shell_command_done(void);

enum status command_bench(const struct shell_call *call);
enum status command_crash(const struct shell_call *call);
enum status command_fg(const struct shell_call *call);
enum status command_help(const struct shell_call *call);
enum status command_kill(const struct shell_call *call);
enum status command_lives(const struct shell_call *call);
enum status command_mem(const struct shell_call *call);
enum status command_programs(const struct shell_call *call);
enum status command_ps(const struct shell_call *call);
enum status command_reboot(const struct shell_call *call);
enum status command_resume(const struct shell_call *call);
enum status command_run(const struct shell_call *call);
enum status command_shutdown(const struct shell_call *call);
enum status command_snapper(const struct shell_call *call);
enum status command_stats(const struct shell_call *call);
enum status command_sync(const struct shell_call *call);
