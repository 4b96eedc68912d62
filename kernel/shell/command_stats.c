/*
 * stats: counters since boot, one `key: value` a line.
 */
#include "kernel/arch/bulk.h"
#include "kernel/arch/interrupts.h"
#include "kernel/arch/paging.h"
#include "kernel/base/types.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/heap.h"
#include "kernel/persist/persist.h"
#include "kernel/persist/window.h"
#include "kernel/proc/scheduler.h"
#include "kernel/proc/space.h"
#include "kernel/shell/command.h"

static void print_routines(void)
{
    struct bulk_names names = bulk_names();

    shell_print("crc-32: by %s\n", names.crc32);
    shell_print("crc-32c: by %s\n", names.crc32c);
    shell_print("short crc-32c: by %s\n", names.crc32c_short);
    shell_print("page copies: by %s\n", names.copy);
}

static void print_disk(const struct disk *disk)
{
    const struct disk_statistics *statistics = &disk->statistics;

    shell_print("disk: %s, %lu sectors\n", disk->name, disk->sector_count);
    shell_print("disk reads: %lu\n", statistics->reads);
    shell_print("disk read bytes: %lu\n", statistics->bytes_read);
    shell_print("disk writes: %lu\n", statistics->writes);
    shell_print("disk written bytes: %lu\n", statistics->bytes_written);
    shell_print("disk flushes: %lu\n", statistics->flushes);
}

static void print_window(const struct page_space *space)
{
    shell_print("window pages: %lu\n", space->counters.pages);
    shell_print("window dirty pages: %lu\n", page_space_count_dirty(space));
    shell_print("window pages left: %lu\n", window_frames_left());
    shell_print("window faults: %lu\n", space->counters.faults);
    shell_print("window spurious faults: %lu\n", space->counters.spurious);
    shell_print("window pages copied in flight: %lu\n", space->counters.copied);
    shell_print("table entries read for the last generation: %lu\n",
                space->counters.entries_read);
}

/* Its own work by stage; what was left to the background is not in it. */
static void print_generation(const struct capture_report *report)
{
    static const struct {
        const char *name;
        enum stage stage;
    } stages[] = {
        { "prepare", STAGE_PREPARE }, { "harvest", STAGE_HARVEST },
        { "capture", STAGE_CAPTURE }, { "crc", STAGE_CRC },
        { "files", STAGE_FILES },     { "data", STAGE_DATA },
        { "journal", STAGE_JOURNAL }, { "checkpoint", STAGE_CHECKPOINT },
        { "flush", STAGE_FLUSH },     { "finish", STAGE_FINISH },
    };

    shell_print("last generation pages: %lu\n", report->commit.taken);
    shell_print("last generation requests: %lu\n", report->requests);
    shell_print("last generation bytes: %lu\n", report->bytes);
    shell_print("last generation flushes: %lu\n", report->flushes);
    shell_print("last generation table entries: %lu\n", report->entries_read);
    shell_print("last generation cycles of the line: %lu\n", report->mark_cycles);
    for (size_t i = 0; i < ARRAY_LENGTH(stages); i++)
        shell_print("last generation cycles of %s: %lu\n", stages[i].name,
                    report->cycles[stages[i].stage]);
}

static void print_pager(const struct persist_memory *memory)
{
    shell_print("pages in memory: %lu\n", memory->pages);
    shell_print("pages brought when touched: %lu\n", memory->asked);
    shell_print("pages brought in advance: %lu\n", memory->advance);
    shell_print("pages brought in the background: %lu\n", memory->fetched);
    shell_print("pages evicted: %lu\n", memory->evicted);
    shell_print("pages lost: %lu\n", memory->failed);
    shell_print("disk bytes read until resumed: %lu\n", memory->bytes_until_resumed);
}

static void print_processes(const struct scheduler_counters *counters)
{
    shell_print("process switches: %lu\n", counters->switches);
    shell_print("process faults: %lu\n", counters->faults);
    shell_print("pause cycles of the last generation: %lu\n", counters->line_cycles);
    shell_print("longest pause cycles: %lu\n", counters->line_cycles_most);
    shell_print("longest write fault cycles: %lu\n", counters->fault_cycles_most);
}

/* X3: what is mapped now, for the kernel and all processes. */
static void print_paging(void)
{
    struct paging_report report = {};

    paging_check(paging_root(), &report);
    space_check_all(&report);
    shell_print("pages mapped: %lu\n", report.pages);
    shell_print("pages writable and executable: %lu\n", report.writable_executable);
    shell_print("pages that make constants writable: %lu\n", report.writable_constants);
    shell_print("pages on the wrong side of ring 3: %lu\n", report.open_kernel);
}

enum status command_stats(const struct shell_call *call)
{
    if (call->word_count != 1)
        return shell_usage(call);

    shell_print("uptime ms: %lu\n", timer_microseconds() / 1000);
    shell_print("cycles: %lu\n", cpu_timestamp());
    shell_print("frames: %lu\n", frame_total());
    shell_print("frames free: %lu\n", frame_available());
    shell_print("heap bytes: %lu\n", heap_used_bytes());
    shell_print("heap bytes at most: %lu\n", heap_most_bytes());
    print_routines();
    struct persist_memory memory = persist_memory();
    if (persist_last_generation())
        print_generation(persist_last_generation());
    print_window(window_space());
    print_pager(&memory);
    print_processes(scheduler_counters());
    print_paging();
    if (persist_disk())
        print_disk(persist_disk());
    return OK;
}
