/*
 * From the multiboot loader (32-bit protected mode, paging off, EAX = magic, EBX = information)
 * to kernel_main(magic, information) in long mode, at its linked address, on the boot stack.
 *
 * The page tables made here last until paging_init(): the first 4 GiB at 0 and in the direct map,
 * the first GiB at KERNEL_BASE, all of it writable and executable.
 */
#include "boot/multiboot.h"

        .set    KERNEL_BASE, 0xffffffff80000000
        .set    TABLE_PRESENT_WRITABLE, 0x3
        .set    PAGE_LARGE_PRESENT_WRITABLE, 0x83
        .set    COM1, 0x3f8
        .set    PANIC_EXIT_PORT, 0xf4
        .set    PANIC_EXIT_VALUE, 0x11

        .section .boot.header, "a"
        .balign 4
multiboot_header:
        .long   MULTIBOOT_HEADER_MAGIC
        .long   MULTIBOOT_HEADER_FLAGS
        .long   -(MULTIBOOT_HEADER_MAGIC + MULTIBOOT_HEADER_FLAGS)

        .section .boot.text, "ax"
        .code32
        .global boot_start
boot_start:
        cli
        cld
        movl    $(boot_stack_top - KERNEL_BASE), %esp
        movl    %eax, %ebp              /* the magic survives cpuid in ebp, */
        movl    %ebx, %edi              /* the information's address in edi */

        pushfl                          /* CPUID exists if EFLAGS.ID can be changed */
        popl    %eax
        movl    %eax, %ecx
        xorl    $1 << 21, %eax
        pushl   %eax
        popfl
        pushfl
        popl    %eax
        cmpl    %eax, %ecx
        je      no_long_mode

        movl    $0x80000000, %eax
        cpuid
        cmpl    $0x80000001, %eax
        jb      no_long_mode
        movl    $0x80000001, %eax
        cpuid
        testl   $1 << 29, %edx
        jz      no_long_mode
        testl   $1 << 20, %edx
        jz      no_execute_disable

        /* Tables: one PDPT for both the identity map and the direct map. */
        movl    $(boot_pdpt + TABLE_PRESENT_WRITABLE), boot_pml4
        movl    $(boot_pdpt + TABLE_PRESENT_WRITABLE), boot_pml4 + 256 * 8
        movl    $(boot_high_pdpt + TABLE_PRESENT_WRITABLE), boot_pml4 + 511 * 8
        movl    $(boot_directories + TABLE_PRESENT_WRITABLE), boot_high_pdpt + 510 * 8
        movl    $(boot_directories + 0x0000 + TABLE_PRESENT_WRITABLE), boot_pdpt
        movl    $(boot_directories + 0x1000 + TABLE_PRESENT_WRITABLE), boot_pdpt + 8
        movl    $(boot_directories + 0x2000 + TABLE_PRESENT_WRITABLE), boot_pdpt + 16
        movl    $(boot_directories + 0x3000 + TABLE_PRESENT_WRITABLE), boot_pdpt + 24
        movl    $PAGE_LARGE_PRESENT_WRITABLE, %eax
        xorl    %ecx, %ecx
1:      movl    %eax, boot_directories(, %ecx, 8)
        addl    $0x200000, %eax
        incl    %ecx
        cmpl    $4 * 512, %ecx
        jb      1b

        movl    %cr4, %eax
        orl     $1 << 5, %eax           /* PAE */
        movl    %eax, %cr4
        movl    $boot_pml4, %eax
        movl    %eax, %cr3
        movl    $0xc0000080, %ecx       /* EFER */
        rdmsr
        orl     $(1 << 8 | 1 << 11), %eax /* LME, NXE */
        wrmsr
        movl    %cr0, %eax
        orl     $(1 << 31 | 1 << 16), %eax /* PG, WP */
        movl    %eax, %cr0
        lgdt    boot_gdt_pointer
        ljmp    $8, $boot_long_mode

no_long_mode:
        movl    $no_long_mode_text, %esi
        jmp     refuse
no_execute_disable:
        movl    $no_execute_disable_text, %esi

/* Says the line at ESI on COM1, then stops: by the debug exit device if there is one. */
refuse:
        movb    (%esi), %al
        testb   %al, %al
        jz      2f
        movb    %al, %bl
        movl    $0x10000, %ecx          /* bounded, there may be no such port */
        movw    $(COM1 + 5), %dx
1:      inb     %dx, %al
        testb   $0x20, %al
        loopz   1b
        movw    $COM1, %dx
        movb    %bl, %al
        outb    %al, %dx
        incl    %esi
        jmp     refuse
2:      movl    $PANIC_EXIT_VALUE, %eax
        outl    %eax, $PANIC_EXIT_PORT
3:      cli
        hlt
        jmp     3b

        .code64
boot_long_mode:
        xorl    %eax, %eax
        movl    %eax, %ds
        movl    %eax, %es
        movl    %eax, %ss
        movl    %eax, %fs
        movl    %eax, %gs
        movl    %edi, %esi              /* kernel_main(magic, information) */
        movl    %ebp, %edi
        xorl    %ebp, %ebp              /* the end of every backtrace */
        movq    $boot_stack_top, %rsp
        movabsq $kernel_main, %rax
        call    *%rax
4:      cli
        hlt
        jmp     4b

        .section .boot.data, "aw"
        .balign 8
boot_gdt:
        .quad   0
        .quad   0x00209a0000000000      /* 64-bit code, ring 0 */
boot_gdt_pointer:
        .word   . - boot_gdt - 1
        .quad   boot_gdt
no_long_mode_text:
        .asciz  "boot: this CPU has no long mode, a 64-bit one is needed\r\n"
no_execute_disable_text:
        .asciz  "boot: this CPU has no execute-disable (NX) bit, which is needed\r\n"

        .section .boot.bss, "aw", @nobits
        .balign 4096
boot_pml4:
        .skip   4096
boot_pdpt:
        .skip   4096
boot_high_pdpt:
        .skip   4096
boot_directories:
        .skip   4 * 4096

        .bss                            /* in the image: in use beyond paging_init() */
        .balign 16
        .skip   16384
boot_stack_top:

        .section .note.GNU-stack, "", @progbits
