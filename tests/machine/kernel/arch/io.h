/*
 * kernel/arch/io.h for the hosted machine, which has only the ports that lead to PCI's configuration.
 */
#pragma once

#include "kernel/base/types.h"

void outw(u16 port, u16 value);
void outl(u16 port, u32 value);
u32 inl(u16 port);
