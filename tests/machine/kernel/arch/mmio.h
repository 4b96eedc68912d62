/*
 * kernel/arch/mmio.h for the hosted machine: each access is one that the device knows of.
 */
#pragma once

#include "kernel/base/types.h"

u8 mmio_read8(const volatile void *at);
u16 mmio_read16(const volatile void *at);
u32 mmio_read32(const volatile void *at);
void mmio_write8(volatile void *at, u8 value);
void mmio_write16(volatile void *at, u16 value);
void mmio_write32(volatile void *at, u32 value);
