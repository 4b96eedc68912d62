/*
 * bench: loads for measuring by hand, and what this machine could do at best (make bench does more).
 */
#include "kernel/shell/command_bench.h"

#include "kernel/base/string.h"
#include "kernel/shell/command.h"

static struct bench_target target;

void command_bench_set_target(const struct bench_target *of_machine)
{
    target = *of_machine;
}

static void print_cost(const char *what, const struct bench_cost *cost)
{
    shell_print("%s: %lu us, %lu reads of %lu bytes, %lu writes of %lu bytes, "
                "%lu flushes\n",
                what, cost->microseconds, cost->disk.reads, cost->disk.bytes_read,
                cost->disk.writes, cost->disk.bytes_written, cost->disk.flushes);
}

/* --- bench files --- */

struct file_load {
    const char *name;
    enum status (*run)(const struct bench_target *target, u32 count,
                       struct bench_cost *cost);
    const char *done;
};

static const struct file_load file_loads[] = {
    { "create", bench_create_files, "files created" },
    { "read", bench_read_files, "files read" },
    { "delete", bench_delete_files, "files deleted" },
};

static enum status run_files(const struct shell_call *call)
{
    u64 count;

    if (call->word_count != 4 || !text_to_u64(call->words[3], &count) || count == 0 ||
        count > BENCH_FILES_MAX)
        return shell_usage(call);
    for (size_t i = 0; i < ARRAY_LENGTH(file_loads); i++) {
        const struct file_load *load = &file_loads[i];
        struct bench_cost cost;

        if (!text_equal(call->words[2], load->name))
            continue;
        enum status status = load->run(&target, (u32)count, &cost);
        if (status)
            shell_print("bench: files %s: %s\n", load->name, status_text(status));
        else
            print_cost(load->done, &cost);
        return status;
    }
    return shell_usage(call);
}

/* --- bench limits --- */

static enum status run_limits(const struct shell_call *call)
{
    struct bench_limits limits;
    u64 bytes;

    if (call->word_count != 3 || !text_to_u64(call->words[2], &bytes))
        return shell_usage(call);
    enum status status = bench_measure_limits(&target, bytes, &limits);
    if (status) {
        shell_print("bench: limits: %s\n", status_text(status));
        return status;
    }
    print_cost("raw write", &limits.raw_write);
    shell_print("crc: %lu us\n", limits.crc_microseconds);
    shell_print("copy: %lu us\n", limits.copy_microseconds);
    return OK;
}

enum status command_bench(const struct shell_call *call)
{
    if (!target.fs) {
        shell_print("bench: there is no image\n");
        return ERR_NO_DEVICE;
    }
    if (call->word_count > 2 && text_equal(call->words[1], "files"))
        return run_files(call);
    if (call->word_count > 2 && text_equal(call->words[1], "limits"))
        return run_limits(call);
    return shell_usage(call);
}
