#include "kernel/arch/user.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/gdt.h"
#include "kernel/arch/paging.h"
#include "kernel/arch/panic.h"
#include "kernel/base/endian.h"
#include "kernel/base/string.h"

enum {
    EFER_SYSTEM_CALL = 1 << 0,
    MSR_STAR = 0xc0000081,
    MSR_LSTAR = 0xc0000082,
    MSR_SFMASK = 0xc0000084,
    PROCESS_STACK_SIZE = 32 * KIB,
};
/* Cleared by SYSCALL: T, I, D, IOPL, NT, AC. */
#define FLAGS_MASKED 0x47700ULL

enum { FX_MASK_AT = 28 };

/* For syscall.S. */
extern void syscall_entry(void);
extern bool user_copy(void *to, const void *from, size_t size);
extern const u8 user_copy_access[], user_copy_failed[];
u64 user_stack_top;
bool user_has_smap;

void user_fx_init(void)
{
    static u8 area[USER_FX_SIZE] __attribute__((aligned(16)));

    user_fx_save(area);
    u32 mask = get_le32(area + FX_MASK_AT);
    if (mask)
        user_fx_control_mask = mask;
}

void user_init(void (*handler)(struct trap_frame *frame))
{
    if (paging_stack_create(PROCESS_STACK_SIZE, &user_stack_top) != OK)
        panic("user: no memory for the process stack");
    gdt_set_kernel_stack(user_stack_top);
    user_has_smap = cpu_features()->smap;

    /* SYSCALL loads SS from the selector behind the kernel's code. */
    cpu_write_msr(MSR_STAR,
                  (u64)SELECTOR_KERNEL_CODE << 32 | (u64)(SELECTOR_USER_DATA - 8) << 48);
    cpu_write_msr(MSR_LSTAR, (u64)syscall_entry);
    cpu_write_msr(MSR_SFMASK, FLAGS_MASKED);
    cpu_write_msr(MSR_EFER, cpu_read_msr(MSR_EFER) | EFER_SYSTEM_CALL);
    trap_set_user_handler(handler);
}

struct trap_frame *user_frame(void)
{
    return (struct trap_frame *)(user_stack_top - sizeof(struct trap_frame));
}

static bool is_user_range(u64 address, size_t size)
{
    return address <= USER_ADDRESS_END && size <= USER_ADDRESS_END - address;
}

bool user_copy_in(void *to, u64 from, size_t size)
{
    return is_user_range(from, size) && user_copy(to, (const void *)from, size);
}

bool user_copy_out(u64 to, const void *from, size_t size)
{
    return is_user_range(to, size) && user_copy((void *)to, from, size);
}

u64 user_copy_fixup(u64 rip)
{
    return rip == (u64)user_copy_access ? (u64)user_copy_failed : 0;
}
