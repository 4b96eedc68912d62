/*
 * Ring 3 as a function call: user_enter() runs the program whose registers lie in user_frame() until
 * somebody, on the stack of the traps from there, calls user_leave().
 *
 *     kernel thread                     process stack, empty before and after
 *     user_enter() ---- IRETQ ---->  ring 3
 *                                      | SYSCALL, exception, interrupt
 *                                    handler(user_frame()) --- returns ---> ring 3, as the frame says
 *     ... goes on  <---------------  user_leave()
 *
 * All entries from ring 3 start at the top of one stack, so the frame is always at the same place, and
 * nothing of it is kept between two entries. Interrupts are off in all of this.
 */
#pragma once

#include "kernel/arch/trap.h"

/* The frame's vector for the SYSCALL instruction, which has none. */
enum { VECTOR_SYSTEM_CALL = 256 };

enum { USER_FX_SIZE = 512, USER_FX_CONTROL_AT = 24 /* MXCSR */ };

/* RFLAGS: what a program may change, and what is always set. */
#define USER_FLAGS_FREE 0x250dd5ULL /* C P A Z S T D O RF AC ID */
#define USER_FLAGS_SET 0x202ULL     /* interrupts enabled; bit 1 */

/* Where user addresses end; canonical ones. */
#define USER_ADDRESS_END 0x800000000000ULL

/* Gives processes a stack and switches SYSCALL on. After paging_init(). */
void user_init(void (*handler)(struct trap_frame *frame));

/* The registers of ring 3; written before user_enter(), or by the handler to change programs. */
struct trap_frame *user_frame(void);

/* The time stamp of the last entry from ring 3. trap.c */
extern u64 user_entered;

/* With interrupts off, from a kernel thread; comes back by user_leave(), with interrupts off. */
void user_enter(void);
/* Only from the handler. Does not return to it. */
_Noreturn void user_leave(void);

/* A program's first registers: all zero but these. */
void user_frame_begin(struct trap_frame *frame, u64 rip, u64 rsp);
/* Would IRETQ take it to ring 3 and nowhere else, with interrupts on? */
bool user_frame_is_safe(const struct trap_frame *frame);

/* x87 and SSE registers as FXSAVE keeps them; 16-byte aligned. */
void user_fx_begin(u8 *area);
/* Bits that MXCSR may have; user_fx_init() asks the CPU, which has FXSAVE enabled. */
void user_fx_init(void);
extern u32 user_fx_control_mask;
/* Would FXRSTOR take it? It faults on other bits of MXCSR. */
bool user_fx_is_safe(const u8 *area);

static inline void user_fx_save(u8 *area)
{
    __asm__ volatile("fxsave64 (%0)" ::"r"(area) : "memory");
}

static inline void user_fx_load(const u8 *area)
{
    __asm__ volatile("fxrstor64 (%0)" ::"r"(area) : "memory");
}

/*
 * Copies between the kernel and the loaded user space. False: some page was not there or not
 * permitted, and nobody could change that; a part may have been copied.
 */
[[nodiscard]] bool user_copy_in(void *to, u64 from, size_t size);
[[nodiscard]] bool user_copy_out(u64 to, const void *from, size_t size);

/*
 * Where a kernel-mode fault at `rip` goes on, or 0: one of the copies above has an answer for it.
 */
u64 user_copy_fixup(u64 rip);
