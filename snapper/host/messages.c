#include "snapper/host/messages.h"

#include "kernel/base/port.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_SHOWN = 1000000, EVERY = 100000 }; /* microseconds */
enum { SAID_MAX = 64, SAID_SIZE = 256 };

static struct {
    bool verbose;
    bool rehearsal;
    u64 complaints;
    const char *what, *unit; /* of the progress; NULL: none */
    u64 total;
    bool of_requests;
    u64 requests;
    u64 next_shown;
    bool is_shown;
    char said[SAID_MAX][SAID_SIZE]; /* warnings, each shown once */
    size_t said_count;
} messages;

bool messages_set_verbose(bool verbose)
{
    bool before = messages.verbose;

    messages.verbose = verbose;
    return before;
}

void messages_set_rehearsal(void)
{
    messages.rehearsal = true;
}

bool messages_are_verbose(void)
{
    return messages.verbose;
}

u64 messages_complaints(void)
{
    return messages.complaints;
}

static u64 uptime(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (u64)now.tv_sec * 1000000 + (u64)now.tv_nsec / 1000;
}

void progress_erase(void)
{
    if (messages.is_shown)
        fputs("\r\033[K", stderr);
    messages.is_shown = false;
}

static void PRINTF_LIKE(1, 0) say(const char *format, va_list arguments)
{
    progress_erase();
    fputs("snapctl: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
}

void complain(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
    messages.complaints++;
}

void note(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(format, arguments);
    va_end(arguments);
}

/* A verb comes to the same damage more than once, and says it each time. */
static bool is_said(const char *line)
{
    for (size_t i = 0; i < messages.said_count; i++)
        if (strcmp(messages.said[i], line) == 0)
            return true;
    if (messages.said_count < SAID_MAX && strlen(line) < SAID_SIZE)
        strcpy(messages.said[messages.said_count++], line);
    return false;
}

void port_log_line(enum log_level level, const char *line)
{
    if (level >= LOG_WARNING && is_said(line))
        messages.complaints++;
    else if (level >= LOG_WARNING)
        complain("%s%s", messages.rehearsal ? "in the dry run: " : "", line);
    else if (messages.verbose)
        note("%s", line);
}

void progress_begin(const char *what, const char *unit, u64 total)
{
    if (!isatty(STDERR_FILENO))
        return;
    messages.what = what;
    messages.unit = unit;
    messages.total = total;
    messages.of_requests = false;
    messages.next_shown = uptime() + FIRST_SHOWN;
}

void progress_step(u64 done)
{
    u64 now;

    if (messages.what == NULL || (now = uptime()) < messages.next_shown)
        return;
    messages.next_shown = now + EVERY;
    messages.is_shown = true;
    if (messages.total > 0)
        fprintf(stderr, "\r%s: %lu of %lu %s\033[K", messages.what, done, messages.total,
                messages.unit);
    else
        fprintf(stderr, "\r%s: %lu %s\033[K", messages.what, done, messages.unit);
    fflush(stderr);
}

void progress_end(void)
{
    progress_erase();
    messages.what = NULL;
}

void progress_begin_requests(const char *what)
{
    progress_begin(what, "disk requests", 0);
    messages.of_requests = true;
}

void progress_request(void)
{
    messages.requests++;
    if (messages.of_requests)
        progress_step(messages.requests);
}
