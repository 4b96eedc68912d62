#include "kernel/main.h"

#include "boot/boot_info.h"
#include "boot/multiboot.h"
#include "drivers/power.h"
#include "drivers/rtc.h"
#include "drivers/serial.h"
#include "kernel/arch/bulk.h"
#include "kernel/arch/cpu.h"
#include "kernel/arch/crash.h"
#include "kernel/arch/gdt.h"
#include "kernel/arch/interrupts.h"
#include "kernel/arch/paging.h"
#include "kernel/arch/panic.h"
#include "kernel/arch/trap.h"
#include "kernel/base/command_line.h"
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "kernel/mm/frame.h"
#include "kernel/mm/heap.h"
#include "kernel/persist/persist.h"
#include "kernel/persist/window.h"
#include "kernel/port_kernel.h"
#include "kernel/proc/scheduler.h"
#include "kernel/proc/upkeep.h"
#include "kernel/shell/command_bench.h"
#include "kernel/shell/command_power.h"
#include "kernel/shell/console.h"
#include "kernel/shell/shell.h"
#include "kernel/storage.h"

/* What the boot page tables show of physical memory, from DIRECT_MAP_BASE on. */
#define BOOT_REACH (4 * GIB)

extern u64 __stack_chk_guard; /* panic.c */

static struct boot_info boot_info;

static void read_boot_info(u32 magic, u32 information)
{
    const u8 *memory = physical_to_virtual(0);

    if (magic != MULTIBOOT_LOADER_MAGIC)
        panic("boot: not loaded by a multiboot loader (magic 0x%x)", magic);
    if (boot_info_decode(memory, BOOT_REACH, information, &boot_info) != OK)
        panic("boot: the loader's information at 0x%x names no memory", information);
}

static void report_boot_info(void)
{
    if (boot_info.ranges_refused > 0)
        log_warning("boot: %u memory ranges are empty, wrap around or are too many",
                    boot_info.ranges_refused);
    if (boot_info.map_cut_short)
        log_warning("boot: the memory map contradicts itself, its rest is ignored");
    if (boot_info.command_line_lost)
        log_warning("boot: the command line is too long or out of reach, it is ignored");
    if (boot_info.command_line[0])
        log_info("boot: command line: %s", boot_info.command_line);
}

static void report_memory(void)
{
    log_info("boot: memory %lu MiB, %zu ranges, kernel heap ready",
             frame_total() * PAGE_SIZE / MIB, boot_info.range_count);
    for (size_t i = 0; i < boot_info.range_count; i++)
        log_debug("boot: range %016lx size %016lx %s", boot_info.ranges[i].base,
                  boot_info.ranges[i].size,
                  boot_info.ranges[i].usable ? "usable" : "reserved");
}

static void report_paging(void)
{
    struct paging_report report = {};

    paging_check(paging_root(), &report);
    if (report.writable_executable > 0 || report.writable_constants > 0 ||
        report.open_kernel > 0)
        panic("boot: %lu pages are writable and executable, %lu make constants writable, "
              "%lu are open to ring 3",
              report.writable_executable, report.writable_constants, report.open_kernel);
    log_info("boot: paging: %lu pages, none writable and executable", report.pages);
}

static void report_cpu(void)
{
    const struct cpu_features *features = cpu_features();

    log_info("boot: cpu %s: NX, WP%s%s%s", features->brand,
             features->smep ? ", SMEP" : "", features->smap ? ", SMAP" : "",
             features->umip ? ", UMIP" : "");
    if (!features->smep || !features->smap || !features->umip)
        log_info("boot: this cpu lacks%s%s%s", features->smep ? "" : " SMEP",
                 features->smap ? "" : " SMAP", features->umip ? "" : " UMIP");
}

/* The words and keys that someone here listens to; snapper.KEY is checked by Snapper. */
static bool is_known_option(const struct command_line_item *item)
{
    static const char *const words[] = { "fresh", "hold" };
    static const char *const keys[] = { "run", "generation", "interval", "crash",
                                        "output" };

    if (item->has_value && text_starts_with(item->key, "snapper."))
        return true;
    for (size_t i = 0; !item->has_value && i < ARRAY_LENGTH(words); i++)
        if (text_equal(item->key, words[i]))
            return true;
    for (size_t i = 0; item->has_value && i < ARRAY_LENGTH(keys); i++)
        if (text_equal(item->key, keys[i]))
            return true;
    return false;
}

/* One line for all of them. */
static void report_unknown_options(void)
{
    struct command_line_item item;
    char names[160] = "";
    size_t cursor = 0, length = 0;

    while (command_line_next(boot_info.command_line, &cursor, &item)) {
        if (is_known_option(&item) || length >= sizeof names)
            continue;
        length += format_text(names + length, sizeof names - length, " %s", item.key);
    }
    if (length > 0)
        log_warning("boot: unknown on the command line, ignored:%s", names);
}

/* crash=KIND: for the tests of the panic path. */
static void crash_if_asked(void)
{
    char kind[32];

    if (!command_line_get(boot_info.command_line, "crash", kind, sizeof kind))
        return;
    if (crash(kind) == OK)
        log_error("boot: crash=%s went unnoticed", kind);
    else
        log_warning("boot: crash=%s is not known", kind);
}

static void set_clock(void)
{
    u64 now;
    enum status status = rtc_read(&now);

    if (status)
        log_warning("boot: the clock shows no time: %s", status_text(status));
    else
        kernel_clock_set(now);
}

static void open_console(void)
{
    if (serial_listen() != OK)
        log_warning("boot: no input from the console");
    kernel_log_set_writer(console_log);
}

/* The kernel's objects in the window, in their order there. */
enum { OBJECT_SHELL, OBJECT_PROCESSES, OBJECT_TERMINAL, OBJECT_COUNT };

static const struct root_object_type object_types[OBJECT_COUNT] = {
    [OBJECT_SHELL] = { "shell", SHELL_STATE_LAYOUT, sizeof(struct shell_state),
                       shell_state_initialize, shell_state_validate, false },
    [OBJECT_PROCESSES] = { "processes", PROCESS_TABLE_LAYOUT,
                           sizeof(struct process_table), process_table_initialize,
                           process_table_check, true },
    [OBJECT_TERMINAL] = { "terminal", TERMINAL_LAYOUT, sizeof(struct terminal),
                          terminal_initialize, terminal_check, true },
};
static const struct root_types root_types = { object_types, OBJECT_COUNT };

/* Memory as the newest generation holds it, or the one asked for. */
static void resume_memory(void)
{
    char generation[64];
    const char *line = boot_info.command_line;
    bool asked = command_line_get(line, "generation", generation, sizeof generation);
    struct persist_choice choice = { .fresh = command_line_has(line, "fresh"),
                                     .held = command_line_has(line, "hold"),
                                     .generation = asked ? generation : NULL };
    struct persist_store store = { storage_snapper(), storage_disk(), storage_config(),
                                   storage_config_sources(), storage_relieve };

    window_init();
    persist_start(&root_types, &store, &choice);
    window_resumed();
}

/* output=commit: what programs write is shown once a generation holds it. */
static void choose_output(void)
{
    enum persist_mode mode = persist_mode();
    char when[16];

    if (!command_line_get(boot_info.command_line, "output", when, sizeof when))
        return;
    if (!text_equal(when, "commit"))
        log_warning("boot: output=%s is not known", when);
    else if ((mode != PERSIST_FRESH && mode != PERSIST_RESUMED) || storage_is_read_only())
        log_warning("boot: output=commit: there are no generations here, all is shown");
    else
        terminal_hold();
}

static void start_processes(void)
{
    static const struct program_files files = { storage_read_file, storage_next_file };
    bool hold = command_line_has(boot_info.command_line, "hold");

    upkeep_start(root_object(OBJECT_PROCESSES), root_object(OBJECT_TERMINAL), &files,
                 hold ? UPKEEP_HOLD : UPKEEP_RUN);
    choose_output();
    scheduler_init();
}

/* What the machine does whenever nothing is typed. */
static void do_background_work(void)
{
    upkeep_step();
    persist_poll();
}

static void close_storage(void)
{
    persist_close();
    storage_close();
}

static void start_shell(void)
{
    static const struct power_hooks hooks = { storage_sync, close_storage };

    struct bench_target bench = { storage_fs(), storage_disk() };

    command_power_set_hooks(&hooks);
    command_bench_set_target(&bench);
    shell_start(root_object(OBJECT_SHELL), do_background_work);
}

static void run_commands(void)
{
    static char commands[COMMAND_LINE_VALUE_MAX + 1];

    if (command_line_get(boot_info.command_line, "run", commands, sizeof commands))
        shell_execute(commands);
}

/* From here on the stack has a guard page, and everything may fault, wait and allocate. */
static _Noreturn void run(void)
{
    interrupts_init();
    timer_init();
    set_clock();
    open_console();
    report_boot_info();
    report_cpu();
    report_memory();
    report_paging();
    report_unknown_options();
    bulk_choose();
    interrupts_enable();

    crash_if_asked();
    storage_open(boot_info.command_line);
    resume_memory();
    start_processes();
    start_shell();
    run_commands();
    shell_run();
}

/* Switches stacks, so nothing of this frame may be used afterwards; it has no way back. */
static _Noreturn void continue_on(u64 stack_top, void (*next)(void))
{
    __asm__ volatile("movq %0, %%rsp\n\t"
                     "xorl %%ebp, %%ebp\n\t"
                     "call *%1\n\t"
                     "ud2"
                     :
                     : "r"(stack_top), "r"(next)
                     : "memory");
    __builtin_unreachable();
}

__attribute__((no_stack_protector)) _Noreturn void kernel_main(u32 magic, u32 information)
{
    u64 stack_top;

    serial_init();
    gdt_init();
    idt_init();
    cpu_init();
    __stack_chk_guard = cpu_random() & ~0xffULL; /* a zero byte stops string overruns */
    read_boot_info(magic, information);
    frame_init(boot_info.ranges, boot_info.range_count);
    paging_init(boot_info.ranges, boot_info.range_count, &stack_top);
    heap_init();
    continue_on(stack_top, run);
}
