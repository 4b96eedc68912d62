/*
 * What a page fault in ring 0 means, in this order: the persistent window's business (its hook), a copy
 * from or to user space whose page may yet come (its hook) or which then fails, or fatal.
 */
#include "kernel/arch/paging.h"
#include "kernel/arch/trap.h"
#include "kernel/arch/user.h"

static bool (*window_fault)(u64 address, u64 error_code);
static bool (*user_fault)(u64 address, u64 error_code);

void paging_set_window_fault(bool (*hook)(u64 address, u64 error_code))
{
    window_fault = hook;
}

void paging_set_user_fault(bool (*hook)(u64 address, u64 error_code))
{
    user_fault = hook;
}

static bool is_canonical(u64 address)
{
    return (u64)((i64)(address << 16) >> 16) == address;
}

const char *page_fault_explain(u64 address, u64 error_code)
{
    if (address < PAGE_SIZE)
        return "null pointer";
    if (!is_canonical(address))
        return "no such address";
    if (paging_is_stack_guard(address))
        return "kernel stack overflow";
    if (error_code & FAULT_RESERVED)
        return "reserved bit set in a page table";
    if (error_code & FAULT_FETCH)
        return "instruction fetch from data or nowhere";
    if (error_code & FAULT_PRESENT)
        return error_code & FAULT_WRITE ? "write to read-only memory"
                                        : "forbidden access to mapped memory";
    if (address >= PERSISTENT_BASE && address - PERSISTENT_BASE < PERSISTENT_SIZE)
        return "persistent window, not resolved";
    return error_code & FAULT_WRITE ? "write to unmapped memory"
                                    : "read of unmapped memory";
}

/* Only where the kernel means to touch user memory; anywhere else it is the kernel's mistake. */
static bool resolve_copy(struct trap_frame *frame, u64 address)
{
    u64 fixup = user_copy_fixup(frame->rip);

    if (!fixup || address >= DIRECT_MAP_BASE)
        return false;
    if (!user_fault || !user_fault(address, frame->error_code))
        frame->rip = fixup;
    return true;
}

bool page_fault_resolve(struct trap_frame *frame, u64 address, const char **reason)
{
    if (window_fault && address >= PERSISTENT_BASE &&
        address - PERSISTENT_BASE < PERSISTENT_SIZE &&
        window_fault(address, frame->error_code))
        return true;
    if (resolve_copy(frame, address))
        return true;

    *reason = page_fault_explain(address, frame->error_code);
    return false;
}
