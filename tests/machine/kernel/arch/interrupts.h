/*
 * kernel/arch/interrupts.h for the hosted machine: what drivers use of it.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

enum status interrupt_allocate(void (*handler)(void *context), void *context, u8 *vector);
void interrupt_message(u8 vector, u64 *address, u32 *data);
bool interrupts_save(void);
void interrupts_restore(bool enabled);
void interrupts_wait(void);
u64 timer_microseconds(void);
