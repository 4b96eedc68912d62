# Where a program begins: rdi and rsi tell its arguments (kernel/proc/abi.h), rsp is aligned.

.section .text.start, "ax"
.globl _start
_start:
    xorl %ebp, %ebp             # the outermost frame
    call program_start          # does not return
    ud2

.section .note.GNU-stack, "", @progbits
