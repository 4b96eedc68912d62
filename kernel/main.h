/*
 * The boot stages in their order. kernel_main() is entered by boot/start.S.
 */
#pragma once

#include "kernel/base/types.h"

_Noreturn void kernel_main(u32 magic, u32 information);
