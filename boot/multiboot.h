/*
 * Multiboot 1, as far as this kernel speaks it; for C and the assembler.
 */
#pragma once

#define MULTIBOOT_HEADER_MAGIC 0x1badb002
#define MULTIBOOT_HEADER_FLAGS 3 /* modules on pages, memory map wanted */
#define MULTIBOOT_LOADER_MAGIC 0x2badb002
