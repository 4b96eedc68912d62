#include "kernel/arch/gdt.h"

struct task_state {
    u32 reserved_0;
    u64 ring_stacks[3];
    u64 interrupt_stacks[8]; /* [0] is reserved */
    u64 reserved_1;
    u16 reserved_2;
    u16 io_map_base; /* beyond the limit: no port is open to ring 3 */
} __attribute__((packed));

struct descriptor_pointer {
    u16 limit;
    u64 base;
} __attribute__((packed));

/* Present, long mode. Base and limit are ignored for code and data. */
#define CODE_RING_0 0x00209a0000000000ULL
#define DATA_RING_0 0x0000920000000000ULL
#define DATA_RING_3 0x0000f20000000000ULL
#define CODE_RING_3 0x0020fa0000000000ULL
#define TASK_AVAILABLE 0x0000890000000000ULL

enum { EARLY_STACK_SIZE = 4096 };

static struct task_state task;
static u64 descriptors[7] = { 0, CODE_RING_0, DATA_RING_0, DATA_RING_3, CODE_RING_3 };
static u8 early_stacks[EXCEPTION_STACKS_END][EARLY_STACK_SIZE]
    __attribute__((aligned(16)));

static void load_descriptors(void)
{
    struct descriptor_pointer pointer = { sizeof descriptors - 1, (u64)descriptors };

    __asm__ volatile("lgdt %0\n\t"
                     "pushq %1\n\t"
                     "leaq 1f(%%rip), %%rax\n\t"
                     "pushq %%rax\n\t"
                     "lretq\n"
                     "1:\n\t"
                     "movl %2, %%eax\n\t"
                     "movl %%eax, %%ds\n\t"
                     "movl %%eax, %%es\n\t"
                     "movl %%eax, %%ss\n\t"
                     "ltr %w3"
                     :
                     : "m"(pointer), "i"(SELECTOR_KERNEL_CODE), "i"(SELECTOR_KERNEL_DATA),
                       "r"(SELECTOR_TASK)
                     : "rax", "memory");
}

void gdt_init(void)
{
    u64 base = (u64)&task;
    u64 limit = sizeof task - 1;

    task.io_map_base = sizeof task;
    for (int i = EXCEPTION_STACK_NONE + 1; i < EXCEPTION_STACKS_END; i++)
        task.interrupt_stacks[i] = (u64)early_stacks[i] + EARLY_STACK_SIZE;

    descriptors[SELECTOR_TASK / 8] =
        TASK_AVAILABLE | limit | (base & 0xffffff) << 16 | (base >> 24 & 0xff) << 56;
    descriptors[SELECTOR_TASK / 8 + 1] = base >> 32;
    load_descriptors();
}

void gdt_set_kernel_stack(u64 top)
{
    task.ring_stacks[0] = top;
}

void gdt_set_exception_stack(enum exception_stack which, u64 top)
{
    task.interrupt_stacks[which] = top;
}
