/*
 * The 256 entry points. Each pushes an error code where the CPU does not, and its vector, so
 * that all meet in one frame (struct trap_frame).
 */
        .text
        .altmacro

        .macro  vector_stub number
        .balign 16
vector_stub_\number:
        .if     !(\number == 8 || (\number >= 10 && \number <= 14) || \number == 17 || \number == 21 || \number == 29 || \number == 30)
        pushq   $0
        .endif
        pushq   $\number
        jmp     vector_common
        .endm

        .set    number, 0
        .rept   256
        vector_stub %number
        .set    number, number + 1
        .endr

        .global vector_common, vector_return
        .balign 16
vector_common:
        pushq   %rax
        pushq   %rbx
        pushq   %rcx
        pushq   %rdx
        pushq   %rsi
        pushq   %rdi
        pushq   %rbp
        pushq   %r8
        pushq   %r9
        pushq   %r10
        pushq   %r11
        pushq   %r12
        pushq   %r13
        pushq   %r14
        pushq   %r15
        cld
        cmpb    $0, user_has_smap(%rip)
        je      1f
        clac                            /* ring 3 may have set AC */
1:
        movq    %rsp, %rdi
        movq    %rsp, %rbx
        andq    $-16, %rsp
        call    trap_dispatch
        movq    %rbx, %rsp
vector_return:
        popq    %r15
        popq    %r14
        popq    %r13
        popq    %r12
        popq    %r11
        popq    %r10
        popq    %r9
        popq    %r8
        popq    %rbp
        popq    %rdi
        popq    %rsi
        popq    %rdx
        popq    %rcx
        popq    %rbx
        popq    %rax
        addq    $16, %rsp
        iretq

        .section .rodata
        .global vector_stubs
        .balign 8
vector_stubs:
        .macro  vector_address number
        .quad   vector_stub_\number
        .endm
        .set    number, 0
        .rept   256
        vector_address %number
        .set    number, number + 1
        .endr

        .section .note.GNU-stack, "", @progbits
