/*
 * mem fill|check|touch: writes and verifies pages of the scratch area of the persistent window.
 */
#include "kernel/base/checked.h"
#include "kernel/base/string.h"
#include "kernel/mm/layout.h"
#include "kernel/persist/persist.h"
#include "kernel/persist/window.h"
#include "kernel/shell/command.h"
#include "kernel/shell/mem_pattern.h"

static u64 *scratch_memory(u64 number)
{
    return (u64 *)(SCRATCH_BASE + number * PAGE_SIZE);
}

static u64 scratch_page(u64 number)
{
    return window_page(SCRATCH_BASE) + number;
}

/* Ready to be written, or a line that says why not. */
static enum status prepare(u64 number, u64 done)
{
    enum status status = persist_touch(window_space(), scratch_page(number), PAGE_WRITE);

    if (status)
        shell_print("mem: page %lu: %s, after %lu pages\n", number, status_text(status),
                    done);
    return status;
}

/* Between two pages: the moment for a generation, and for ^C. */
static enum status between_pages(u64 done)
{
    if (shell_between_steps() == OK)
        return OK;
    shell_print("mem: interrupted after %lu pages\n", done);
    return ERR_INTERRUPTED;
}

static enum status fill(u64 seed, u64 first, u64 count)
{
    for (u64 i = 0; i < count; i++) {
        enum status status = prepare(first + i, i);
        if (status)
            return status;
        mem_pattern_fill(scratch_memory(first + i), seed, first + i);
        status = between_pages(i + 1);
        if (status)
            return status;
    }
    shell_print("mem: %lu pages filled\n", count);
    return OK;
}

/* Ready to be read, or a line that says why not. */
static enum status prepare_check(u64 number)
{
    if (!persist_has_page(window_space(), scratch_page(number))) {
        shell_print("mem: page %lu was never written\n", number);
        return ERR_NOT_FOUND;
    }
    enum status status = persist_touch(window_space(), scratch_page(number), PAGE_READ);
    if (status)
        shell_print("mem: page %lu: %s\n", number, status_text(status));
    return status;
}

static enum status check(u64 seed, u64 first, u64 count)
{
    for (u64 i = 0; i < count; i++) {
        size_t offset;

        enum status status = prepare_check(first + i);
        if (status)
            return status;
        if (!mem_pattern_check(scratch_memory(first + i), seed, first + i, &offset)) {
            shell_print("mem: page %lu is wrong at byte %zu\n", first + i, offset);
            return ERR_INTEGRITY;
        }
        status = between_pages(i + 1);
        if (status)
            return status;
    }
    shell_print("mem: %lu pages ok\n", count);
    return OK;
}

/* Adds one to the first word of each page. */
static enum status touch(u64 first, u64 count, u64 stride)
{
    for (u64 i = 0; i < count; i++) {
        u64 number = first + i * stride;
        enum status status = prepare(number, i);
        if (status)
            return status;
        ++*scratch_memory(number);
        status = between_pages(i + 1);
        if (status)
            return status;
    }
    shell_print("mem: %lu pages touched\n", count);
    return OK;
}

static enum status refuse_range(void)
{
    shell_print("mem: the scratch area has %llu pages\n",
                (unsigned long long)SCRATCH_PAGES);
    return ERR_INVALID_ARGUMENT;
}

enum status command_mem(const struct shell_call *call)
{
    u64 a, b, c, span;

    if (call->word_count != 5 || !text_to_u64(call->words[2], &a) ||
        !text_to_u64(call->words[3], &b) || !text_to_u64(call->words[4], &c))
        return shell_usage(call);

    const char *verb = call->words[1];
    if (text_equal(verb, "fill") || text_equal(verb, "check")) {
        if (!range_inside(b, c, SCRATCH_PAGES))
            return refuse_range();
        return text_equal(verb, "fill") ? fill(a, b, c) : check(a, b, c);
    }
    if (text_equal(verb, "touch")) {
        if (b && (!checked_multiply(b - 1, c, &span) || span >= SCRATCH_PAGES ||
                  !range_inside(a, span + 1, SCRATCH_PAGES)))
            return refuse_range();
        return touch(a, b, c);
    }
    return shell_usage(call);
}
