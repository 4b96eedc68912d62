/*
 * The ways between ring 0 and ring 3 that the CPU does not build itself: SYSCALL, the first entry, the
 * way back to the kernel thread; and the copies that may meet a page that is not there.
 *
 * SYSCALL leaves rip in rcx and rflags in r11, and nothing else is saved. It is made to look like an
 * interrupt, so that there is one frame and one way back: IRETQ, because SYSRET with an address that
 * is not canonical would fault in ring 0, on the user's stack.
 */
        .set    SELECTOR_USER_DATA, 0x18 | 3
        .set    SELECTOR_USER_CODE, 0x20 | 3
        .set    VECTOR_SYSTEM_CALL, 256
        .set    FRAME_SIZE, 22 * 8

        .text
        .global syscall_entry
        .balign 16
syscall_entry:
        movq    %rsp, user_stack_pointer(%rip)
        movq    user_stack_top(%rip), %rsp
        pushq   $SELECTOR_USER_DATA
        pushq   user_stack_pointer(%rip)
        pushq   %r11
        pushq   $SELECTOR_USER_CODE
        pushq   %rcx
        pushq   $0
        pushq   $VECTOR_SYSTEM_CALL
        jmp     vector_common

        .global user_enter
        .balign 16
user_enter:
        pushq   %rbp
        pushq   %rbx
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        movq    %rsp, kernel_stack_pointer(%rip)
        movq    user_stack_top(%rip), %rsp
        subq    $FRAME_SIZE, %rsp
        jmp     vector_return

        .global user_leave
        .balign 16
user_leave:
        movq    kernel_stack_pointer(%rip), %rsp
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %rbx
        popq    %rbp
        ret

/*
 * bool user_copy(void *to, const void *from, size_t size)
 *
 * The one instruction of the kernel that reads or writes user memory. With SMAP it does so only
 * between STAC and CLAC.
 */
        .global user_copy
        .balign 16
user_copy:
        movq    %rdx, %rcx
        cmpb    $0, user_has_smap(%rip)
        je      1f
        stac
        .global user_copy_access
1:
user_copy_access:
        rep movsb
        movl    $1, %eax
        jmp     2f
        .global user_copy_failed
user_copy_failed:
        xorl    %eax, %eax
2:
        cmpb    $0, user_has_smap(%rip)
        je      3f
        clac
3:
        ret

        .section .bss
        .balign 8
user_stack_pointer:
        .quad   0
kernel_stack_pointer:
        .quad   0

        .section .note.GNU-stack, "", @progbits
