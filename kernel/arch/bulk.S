/*
 * Routines over many bytes that need the vector registers. They keep them: the kernel's C code does not
 * use them, and programs' contents stay where they are.
 */
        .text

        .macro  save_vectors
        subq    $128, %rsp
        movdqu  %xmm0, (%rsp)
        movdqu  %xmm1, 16(%rsp)
        movdqu  %xmm2, 32(%rsp)
        movdqu  %xmm3, 48(%rsp)
        movdqu  %xmm4, 64(%rsp)
        movdqu  %xmm5, 80(%rsp)
        movdqu  %xmm6, 96(%rsp)
        movdqu  %xmm7, 112(%rsp)
        .endm

        .macro  restore_vectors
        movdqu  (%rsp), %xmm0
        movdqu  16(%rsp), %xmm1
        movdqu  32(%rsp), %xmm2
        movdqu  48(%rsp), %xmm3
        movdqu  64(%rsp), %xmm4
        movdqu  80(%rsp), %xmm5
        movdqu  96(%rsp), %xmm6
        movdqu  112(%rsp), %xmm7
        addq    $128, %rsp
        .endm

/* state := state times x^n for the pair of constants in xmm7; xmm6 is lost. */
        .macro  fold state
        movdqa  \state, %xmm6
        pclmulqdq $0x00, %xmm7, %xmm6
        pclmulqdq $0x11, %xmm7, \state
        pxor    %xmm6, \state
        .endm

        .macro  fold_next state, offset
        fold    \state
        movdqu  \offset(%rdi), %xmm5
        pxor    %xmm5, \state
        .endm

/*
 * void crc_fold(const u8 *data, size_t size, u32 crc, const u64 constants[4], u8 remainder[16])
 *
 * 16 bytes that have the checksum that `data` has behind `crc`; `size` is a multiple of 64, not 0.
 * Four lanes of 128 bits are folded over 512 bits each, then into one.
 */
        .global crc_fold
crc_fold:
        save_vectors
        movdqu  (%rdi), %xmm0
        movdqu  16(%rdi), %xmm1
        movdqu  32(%rdi), %xmm2
        movdqu  48(%rdi), %xmm3
        movd    %edx, %xmm6
        pxor    %xmm6, %xmm0
        movdqu  (%rcx), %xmm7
1:
        addq    $64, %rdi
        subq    $64, %rsi
        jz      2f
        fold_next %xmm0, 0
        fold_next %xmm1, 16
        fold_next %xmm2, 32
        fold_next %xmm3, 48
        jmp     1b
2:
        movdqu  16(%rcx), %xmm7
        fold    %xmm0
        pxor    %xmm0, %xmm1
        fold    %xmm1
        pxor    %xmm1, %xmm2
        fold    %xmm2
        pxor    %xmm2, %xmm3
        movdqu  %xmm3, (%r8)
        restore_vectors
        ret

/* void copy_page_by_vectors(void *to, const void *from): 4 KiB, both aligned to 16. */
        .global copy_page_by_vectors
copy_page_by_vectors:
        save_vectors
        movl    $32, %eax
1:
        movdqa  (%rsi), %xmm0
        movdqa  16(%rsi), %xmm1
        movdqa  32(%rsi), %xmm2
        movdqa  48(%rsi), %xmm3
        movdqa  64(%rsi), %xmm4
        movdqa  80(%rsi), %xmm5
        movdqa  96(%rsi), %xmm6
        movdqa  112(%rsi), %xmm7
        movdqa  %xmm0, (%rdi)
        movdqa  %xmm1, 16(%rdi)
        movdqa  %xmm2, 32(%rdi)
        movdqa  %xmm3, 48(%rdi)
        movdqa  %xmm4, 64(%rdi)
        movdqa  %xmm5, 80(%rdi)
        movdqa  %xmm6, 96(%rdi)
        movdqa  %xmm7, 112(%rdi)
        subq    $-128, %rsi
        subq    $-128, %rdi
        decl    %eax
        jnz     1b
        restore_vectors
        ret

        .section .note.GNU-stack, "", @progbits
