/*
 * What the registers of ring 3 may hold, whoever has written them down.
 */
#include "kernel/arch/gdt.h"
#include "kernel/arch/user.h"
#include "kernel/base/endian.h"
#include "kernel/base/string.h"

enum { FX_CONTROL_WORD = 0x37f, FX_MXCSR = 0x1f80, FX_MASK_DEFAULT = 0xffbf };

u32 user_fx_control_mask = FX_MASK_DEFAULT;

void user_frame_begin(struct trap_frame *frame, u64 rip, u64 rsp)
{
    *frame = (struct trap_frame){
        .rip = rip,
        .cs = SELECTOR_USER_CODE,
        .rflags = USER_FLAGS_SET,
        .rsp = rsp,
        .ss = SELECTOR_USER_DATA,
    };
}

bool user_frame_is_safe(const struct trap_frame *frame)
{
    return frame->cs == SELECTOR_USER_CODE && frame->ss == SELECTOR_USER_DATA &&
           (frame->rflags & ~USER_FLAGS_FREE) == USER_FLAGS_SET &&
           frame->rip < USER_ADDRESS_END && frame->rsp < USER_ADDRESS_END;
}

void user_fx_begin(u8 *area)
{
    memset(area, 0, USER_FX_SIZE);
    put_le16(area, FX_CONTROL_WORD);
    put_le32(area + USER_FX_CONTROL_AT, FX_MXCSR);
}

bool user_fx_is_safe(const u8 *area)
{
    return (get_le32(area + USER_FX_CONTROL_AT) & ~user_fx_control_mask) == 0;
}
