#include "kernel/proc/lives.h"

#include "kernel/base/port.h"
#include "kernel/proc/process.h"

const struct lives *lives(void)
{
    return &process_table()->lives;
}

/* Wall clocks may be set back. */
static u64 time_since(u64 then)
{
    u64 now = port_now_microseconds();

    return now > then ? now - then : 0;
}

void lives_begin(void)
{
    struct lives *lives = &process_table()->lives;

    lives->crashes += lives->closing ? 0 : 1;
    lives->closing = 0;
    lives->gap = lives->line_at ? time_since(lives->line_at) : 0;
    lives->gaps += lives->gap;
}

void lives_note_line(void)
{
    process_table()->lives.line_at = port_now_microseconds();
}

void lives_close(void)
{
    process_table()->lives.closing = 1;
}

void lives_reopen(void)
{
    process_table()->lives.closing = 0;
}
