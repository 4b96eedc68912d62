/*
 * Attacks the kernel and its neighbours. What has to happen is an end by an exception, with one line
 * from the kernel; whoever survives an attack says so and ends with 1.
 *
 *   crasher read|write|run ADDRESS    memory that is not the program's
 *   crasher list                      the other attacks
 *   crasher ATTACK
 *   crasher all                       each of them in a process of its own: do they end as they have to?
 *
 * Some have to go unharmed, and leave the kernel so, too: they end with 0.
 */
#include "kernel/user/user.h"

enum vector {
    HARMLESS =
        0, /* shares its number with DIVIDE, which no attack but divisions may end with */
    DIVIDE = 0,
    DEBUG = 1,
    OPCODE = 6,
    PROTECTION = 13,
    PAGE = 14,
    X87 = 16,
};

struct attack {
    const char *name;
    enum vector vector; /* of the exception that it has to end with */
    void (*run)(void);
    bool harmless;
    bool or_page_fault;
};

/* An attack of a few instructions. */
#define ATTACK(name, text)                                                               \
    void name(void);                                                                     \
    __asm__(".text; " #name ": " text "; ret")

ATTACK(port_read, "mov $0x3f8, %edx; in %dx, %al");
ATTACK(port_write, "mov $0xf4, %edx; mov $0x10, %eax; out %eax, %dx");
ATTACK(port_string, "mov $0x3f8, %edx; lea 0(%rip), %rsi; outsb");
ATTACK(interrupts_off, "cli");
ATTACK(interrupts_on, "sti");
ATTACK(halt, "hlt");
ATTACK(msr_read, "mov $0xc0000080, %ecx; rdmsr");
ATTACK(msr_write, "mov $0xc0000082, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr");
ATTACK(cr0_write, "xor %eax, %eax; mov %rax, %cr0");
ATTACK(cr2_read, "mov %cr2, %rax");
ATTACK(cr3_read, "mov %cr3, %rax");
ATTACK(cr3_write, "xor %eax, %eax; mov %rax, %cr3");
ATTACK(cr4_write, "xor %eax, %eax; mov %rax, %cr4");
ATTACK(cr8_write, "xor %eax, %eax; mov %rax, %cr8");
ATTACK(debug_register, "mov %rax, %db7");
ATTACK(table_of_interrupts, "sub $16, %rsp; lidt (%rsp)");
ATTACK(table_of_segments, "sub $16, %rsp; lgdt (%rsp)");
ATTACK(local_table, "xor %eax, %eax; lldt %ax");
ATTACK(task_register, "mov $0x28, %eax; ltr %ax");
ATTACK(task_flag, "clts");
ATTACK(status_word, "mov $0, %eax; lmsw %ax");
ATTACK(table_shown, "sub $16, %rsp; sgdt (%rsp)");
ATTACK(interrupts_shown, "sub $16, %rsp; sidt (%rsp)");
ATTACK(task_shown, "str %eax");
ATTACK(status_shown, "smsw %eax");
ATTACK(page_dropped, "invlpg (%rsp)");
ATTACK(cache_dropped, "invd");
ATTACK(cache_written, "wbinvd");
ATTACK(base_swapped, "swapgs");
ATTACK(return_of_kernel, "xor %ecx, %ecx; sysretq");
ATTACK(counter_read, "mov $0x40000000, %ecx; rdpmc");
ATTACK(virtual_machine, "vmcall");
ATTACK(management_return, "rsm");
ATTACK(undefined, "ud2");
ATTACK(kernel_data, "mov $0x10, %eax; mov %eax, %ds");
ATTACK(kernel_stack_segment, "mov $0x10, %eax; mov %eax, %ss");
ATTACK(far_segment, "mov $0xfff8, %eax; mov %eax, %fs");
ATTACK(kernel_return, "mov %rsp, %rax; push $0x10; push %rax; pushf; push $8;"
                      "lea 1f(%rip), %rax; push %rax; iretq; 1:");
ATTACK(kernel_far_return, "push $8; lea 1f(%rip), %rax; push %rax; lretq; 1:");
ATTACK(fault_pretended, "int $14");
ATTACK(double_fault_pretended, "int $8");
ATTACK(timer_pretended, "int $32");
ATTACK(old_system_call, "int $0x80");
ATTACK(breakpoint, "int3");
ATTACK(one_step, "pushf; orl $0x100, (%rsp); popf; nop; nop");
ATTACK(division, "xor %ecx, %ecx; xor %edx, %edx; mov $1, %eax; div %ecx");
ATTACK(division_beyond, "mov $0x80000000, %eax; cdq; mov $-1, %ecx; idiv %ecx");
ATTACK(x87_exception, "sub $8, %rsp; movw $0x0300, (%rsp); fldcw (%rsp); fldz; fldz;"
                      "fdivrp; fwait");
ATTACK(far_jump, "mov $0x800000000000, %rax; jmp *%rax");
ATTACK(far_read, "mov $0x8000000000000000, %rax; mov (%rax), %rax");
ATTACK(text_write, "lea 0(%rip), %rax; movb $0x90, (%rax)");
ATTACK(stack_run, "movb $0xc3, -8(%rsp); lea -8(%rsp), %rax; call *%rax");
ATTACK(endless_prefixes, ".rept 15; .byte 0x66; .endr; nop");

/* --- those that have to go unharmed --- */

/* Flags that would trip the kernel: direction, nested task, alignment, and its own stack pointer. */
ATTACK(flags_in_call, "pushf; orl $0x44400, (%rsp); popf; mov $2, %eax; syscall;"
                      "pushf; andl $~0x44400, (%rsp); popf");
ATTACK(flags_in_fault,
       "pushf; orl $0x44400, (%rsp); popf; sub $0x100000, %rsp; orl $0, (%rsp);"
       "add $0x100000, %rsp; pushf; andl $~0x44400, (%rsp); popf");
ATTACK(kernel_stack_in_call, "mov %rsp, %r8; mov $0xffffffff80100000, %rsp; mov $2, %eax;"
                             "syscall; mov %r8, %rsp");
ATTACK(far_stack_in_call, "mov %rsp, %r8; mov $0x8000000000000000, %rsp; mov $2, %eax;"
                          "syscall; mov %r8, %rsp");
ATTACK(null_segments, "xor %eax, %eax; mov %eax, %ds; mov %eax, %es; mov %eax, %fs;"
                      "mov %eax, %gs; mov $2, %eax; syscall");

static void interrupts_off_by_flags(void)
{
    u64 flags;

    __asm__ volatile("pushf; andl $~0x200, (%%rsp); popf; pushf; pop %0"
                     : "=r"(flags)::"cc");
    if (!(flags & 0x200))
        process_exit(1);
}

static void privilege_by_flags(void)
{
    u64 flags;

    __asm__ volatile("pushf; orl $0x3000, (%%rsp); popf; pushf; pop %0"
                     : "=r"(flags)::"cc");
    if (flags & 0x3000)
        process_exit(1);
}

static const u64 foreign[] = { 0,
                               1,
                               0xfff,
                               USER_IMAGE_LOWEST - 8,
                               USER_STACK_LOWEST - 8,
                               USER_END,
                               0x7ffffffffff8,
                               0x800000000000,
                               0xffff800000000000,
                               0xffffc00000000000,
                               0xffffffff80100000,
                               0xfffffffffffffff8 };

/* Every call with every foreign address: refused, and nothing is read or written there. */
static void foreign_pointers(void)
{
    char own[8] = "own";

    for (size_t at = 0; at < ARRAY_LENGTH(foreign); at++) {
        u64 address = foreign[at];
        long sum = 0;
        sum += system_call(CALL_WRITE, address, 64, 0) < 0;
        sum += system_call(CALL_SPAWN, address, (u64)own, sizeof own) < 0;
        sum += system_call(CALL_SPAWN, (u64) "/bin/hello", address, 16) < 0;
        sum += system_call(CALL_LIST, address, 4, 0) < 0;
        sum += system_call(CALL_INFO, address, 0, 0) < 0;
        if (sum != 5) {
            print("crasher: an address of 0x%lx was taken\n", address);
            process_exit(1);
        }
    }
}

static void foreign_lengths(void)
{
    u64 stack = (u64)__builtin_frame_address(0);
    long sum = 0;

    sum += system_call(CALL_LIST, stack, UINT64_MAX, 0) < 0;
    sum += system_call(CALL_LIST, stack, UINT64_MAX / sizeof(struct process_info) + 2,
                       0) < 0;
    sum += system_call(CALL_SPAWN, (u64) "/bin/hello", stack, UINT64_MAX) < 0;
    sum += system_call(CALL_SPAWN, (u64) "/bin/hello", stack, ARGUMENTS_MAX + 1) < 0;
    sum += system_call(CALL_GROW, UINT64_MAX, 0, 0) < 0;
    sum += system_call(CALL_GROW, USER_END, 0, 0) < 0;
    if (sum != 6) {
        print("crasher: %ld of 6 lengths were refused\n", sum);
        process_exit(1);
    }
}

static void stack_overflow(void)
{
    volatile char page[PAGE_SIZE];

    page[0] = 1;
    if (page[0] == 1)
        stack_overflow();
    page[1] = page[0];
}

#define FAULTS(name, vector)                                                             \
    {                                                                                    \
#name, vector, name, false, false                                                \
    }
#define PASSES(name)                                                                     \
    {                                                                                    \
#name, DIVIDE, name, true, false                                                 \
    }
/* QEMU reads the stack of such a return as the kernel would; SMAP forbids that. */
#define RETURNS(name)                                                                    \
    {                                                                                    \
#name, PROTECTION, name, false, true                                             \
    }

static const struct attack attacks[] = {
    FAULTS(port_read, PROTECTION),
    FAULTS(port_write, PROTECTION),
    FAULTS(port_string, PROTECTION),
    FAULTS(interrupts_off, PROTECTION),
    FAULTS(interrupts_on, PROTECTION),
    FAULTS(halt, PROTECTION),
    FAULTS(msr_read, PROTECTION),
    FAULTS(msr_write, PROTECTION),
    FAULTS(cr0_write, PROTECTION),
    FAULTS(cr2_read, PROTECTION),
    FAULTS(cr3_read, PROTECTION),
    FAULTS(cr3_write, PROTECTION),
    FAULTS(cr4_write, PROTECTION),
    FAULTS(cr8_write, PROTECTION),
    FAULTS(debug_register, PROTECTION),
    FAULTS(table_of_interrupts, PROTECTION),
    FAULTS(table_of_segments, PROTECTION),
    FAULTS(local_table, PROTECTION),
    FAULTS(task_register, PROTECTION),
    FAULTS(task_flag, PROTECTION),
    FAULTS(status_word, PROTECTION),
    FAULTS(table_shown, PROTECTION),
    FAULTS(interrupts_shown, PROTECTION),
    FAULTS(task_shown, PROTECTION),
    FAULTS(status_shown, PROTECTION),
    FAULTS(page_dropped, PROTECTION),
    FAULTS(cache_dropped, PROTECTION),
    FAULTS(cache_written, PROTECTION),
    FAULTS(base_swapped, PROTECTION),
    FAULTS(return_of_kernel, PROTECTION),
    FAULTS(counter_read, PROTECTION),
    FAULTS(virtual_machine, OPCODE),
    FAULTS(management_return, OPCODE),
    FAULTS(undefined, OPCODE),
    FAULTS(kernel_data, PROTECTION),
    FAULTS(kernel_stack_segment, PROTECTION),
    FAULTS(far_segment, PROTECTION),
    RETURNS(kernel_return),
    RETURNS(kernel_far_return),
    FAULTS(fault_pretended, PROTECTION),
    FAULTS(double_fault_pretended, PROTECTION),
    FAULTS(timer_pretended, PROTECTION),
    FAULTS(old_system_call, PROTECTION),
    FAULTS(breakpoint, PROTECTION),
    FAULTS(one_step, DEBUG),
    FAULTS(division, DIVIDE),
    FAULTS(division_beyond, DIVIDE),
    FAULTS(x87_exception, X87),
    FAULTS(far_jump, PROTECTION),
    FAULTS(far_read, PROTECTION),
    FAULTS(text_write, PAGE),
    FAULTS(stack_run, PAGE),
    FAULTS(stack_overflow, PAGE),
    FAULTS(endless_prefixes, PROTECTION),
    PASSES(flags_in_call),
    PASSES(flags_in_fault),
    PASSES(kernel_stack_in_call),
    PASSES(far_stack_in_call),
    PASSES(null_segments),
    PASSES(interrupts_off_by_flags),
    PASSES(privilege_by_flags),
    PASSES(foreign_pointers),
    PASSES(foreign_lengths),
};

static void touch(const char *how, u64 address)
{
    if (text_equal(how, "run"))
        ((void (*)(void))address)();
    else if (text_equal(how, "write"))
        *(volatile char *)address = 1;
    else
        (void)*(volatile char *)address;
}

static void list(void)
{
    for (size_t at = 0; at < ARRAY_LENGTH(attacks); at++)
        print("%s\n", attacks[at].name);
}

/* An attack by a child: did it end as it has to? */
static bool ends_with(int count, char **arguments, long expected, long or_else)
{
    long child = program_spawn(count, arguments);
    long status = child < 0 ? child : process_wait(child);

    if (status == expected || status == or_else)
        return true;
    print("crasher: wrong: %s %s ended with %ld, not %ld\n", arguments[1],
          count > 2 ? arguments[2] : "", status, expected);
    return false;
}

static int all_attacks(void)
{
    static char *const ways[] = { "read", "write", "run" };
    int wrong = 0;

    for (size_t at = 0; at < ARRAY_LENGTH(attacks); at++) {
        char *words[] = { "crasher", (char *)attacks[at].name };
        long end =
            attacks[at].harmless ? EXITED << 8 : FAULTED << 8 | (long)attacks[at].vector;
        wrong += !ends_with(2, words, end,
                            attacks[at].or_page_fault ? FAULTED << 8 | PAGE : end);
    }
    for (size_t at = 0; at < ARRAY_LENGTH(foreign); at++) {
        for (size_t way = 0; way < ARRAY_LENGTH(ways); way++) {
            char address[20];
            char *words[] = { "crasher", ways[way], address };
            bool canonical = foreign[at] + (1UL << 47) < 1UL << 48;
            format_text(address, sizeof address, "0x%lx", foreign[at]);
            long end = FAULTED << 8 | (canonical ? PAGE : PROTECTION);
            wrong += !ends_with(3, words, end, end);
        }
    }
    print("crasher: %zu attacks, %d wrong\n",
          ARRAY_LENGTH(attacks) + ARRAY_LENGTH(foreign) * ARRAY_LENGTH(ways), wrong);
    return wrong > 0;
}

int main(int count, char **arguments)
{
    const char *name = count > 1 ? arguments[1] : "list";

    if (text_equal(name, "list")) {
        list();
        return 0;
    }
    if (text_equal(name, "all"))
        return all_attacks();
    if (count > 2) {
        touch(name, argument_number(count, arguments, 2, 0));
        print("crasher: %s of %s survived\n", name, arguments[2]);
        return 1;
    }
    for (size_t at = 0; at < ARRAY_LENGTH(attacks); at++) {
        if (!text_equal(name, attacks[at].name))
            continue;
        attacks[at].run();
        if (!attacks[at].harmless)
            print("crasher: %s survived\n", name);
        return !attacks[at].harmless;
    }
    print("crasher: no attack %s (crasher list)\n", name);
    return 2;
}
