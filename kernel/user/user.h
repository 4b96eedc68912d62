/*
 * What a program can use: the system calls (described in kernel/proc/abi.h), the console, a heap,
 * and the texts of kernel/base. A program is a main() in kernel/user/programs; nothing in it ever
 * saves anything.
 *
 * Calls that can fail answer a negative number of enum status. On the host system.c has a
 * substitute (tests/support/user_host.c), so that logic can be tested there.
 */
#pragma once

#include "kernel/base/format.h"
#include "kernel/base/status.h"
#include "kernel/base/string.h"
#include "kernel/base/types.h"
#include "kernel/proc/abi.h"

enum { ARGUMENT_COUNT_MAX = 32, LINE_SIZE = 1024, MICROSECONDS = 1000000 };

/* --- system calls: system.c -------------------------------------------------------------- */

/* Any call with any arguments: for those that test the kernel. */
long system_call(u64 number, u64 first, u64 second, u64 third);

_Noreturn void process_exit(int code);
void process_yield(void);
void process_sleep(u64 microseconds);
u64 time_now(void); /* in microseconds */

long console_read(char *buffer, size_t size, enum read_mode mode);
long console_write(const char *bytes, size_t size); /* may take fewer */
long memory_grow(size_t bytes);

/* `text` and `size`: the argument text. */
long process_spawn(const char *path, const char *text, size_t size);
long process_wait(long process);
long process_kill(long process);
long process_list(struct process_info *list, size_t fit);

long generation_create(void);
long system_info(struct system_info *info);

/* --- the console: console.c -------------------------------------------------------------- */

/* All of it, as often as that takes. */
void print_bytes(const char *bytes, size_t size);
void print_text(const char *text);
/* format.h's subset of printf; what is longer than LINE_SIZE is cut off. */
void print(const char *format, ...) PRINTF_LIKE(1, 2);
/* A line without its newline, cut off to fit; false: there is no more input. */
[[nodiscard]] bool read_line(char *line, size_t size);

/* --- arguments: start.c ------------------------------------------------------------------ */

extern const char *program_name; /* as it was called */

/* Words of a line, which is cut up; at most `fit` of them. */
int split_words(char *line, char **words, int fit);
/* argument number `at` as a number; `otherwise` if there is none. Ends the program with a line if
 * it is no number. */
u64 argument_number(int count, char **arguments, int at, u64 otherwise);
/* Starts /bin/PROGRAM (a path stays as it is) with these words, arguments[0] first. */
long program_spawn(int count, char **arguments);

/* --- memory: heap.c ---------------------------------------------------------------------- */

/* Aligned to 16 bytes, zeroed; NULL when the kernel grants no more. */
void *heap_allocate(size_t size);
void heap_release(void *memory); /* NULL is fine */

/* --- chance: random.c -------------------------------------------------------------------- */

/* The same numbers for the same seed, which moves on. */
u64 random_draw(u64 *seed);
