/*
 * What the kernel and its programs agree on: the system calls, their structures, the map of a
 * program's memory. Programs include this file, so nothing else of the kernel is in it.
 *
 *   SYSCALL      number in rax; arguments in rdi, rsi, rdx; the answer in rax, negative: an error.
 *                rcx and r11 are lost, everything else is kept.
 *
 * A call either happens as a whole or, when it has to wait, not at all: the program stands in front
 * of the instruction again until it can be done. So a generation finds every process between two
 * instructions, and a power cut never sees half a call.
 *
 *   400000000 +-----------------+ USER_END
 *             | stack, grows    |
 *             | down            |
 *             +-----------------+ USER_STACK_LOWEST; never mapped below, down to the heap
 *             | heap, grows up  | by CALL_GROW, from the end of the image
 *             | program image   | from its ELF file
 *     400000  +-----------------+ USER_IMAGE_LOWEST; never mapped below
 */
#pragma once

#define USER_IMAGE_LOWEST 0x400000ULL
#define USER_END 0x400000000ULL
#define USER_STACK_SIZE 0x4000000ULL
#define USER_STACK_LOWEST (USER_END - USER_STACK_SIZE)

enum system_call {
    CALL_EXIT = 1, /* (code) does not return */
    CALL_YIELD,    /* () */
    CALL_SLEEP,    /* (microseconds) */
    CALL_TIME,     /* () microseconds, monotonic over all lives of this memory */
    CALL_READ,     /* (buffer, size, enum read_mode) bytes; waits for the foreground */
    CALL_WRITE,    /* (buffer, size) bytes taken, at least 1 */
    CALL_GROW,     /* (bytes) address where the heap ended before; zeroed, page by page */
    CALL_SPAWN,    /* (path, argument text, its size) process id of the child */
    CALL_WAIT,     /* (process id) exit status of a child, see enum exit_kind */
    CALL_KILL,     /* (process id) */
    CALL_LIST,     /* (struct process_info *, how many fit) how many there are */
    CALL_GENERATION, /* () 0 once a generation is durable; 1 in each life resumed from it */
    CALL_INFO,       /* (struct system_info *) */
    CALL_END
};

/* A line as the console's editor ends it, with its newline; or what keys were pressed. */
enum read_mode { READ_LINE, READ_KEYS, READ_KEYS_NOW /* 0 bytes if none wait */ };

enum { PROCESS_NAME_MAX = 31, ARGUMENTS_MAX = 1024 };

/*
 * The argument text: one argument after the other, each ends with a zero byte; the first is the
 * program's name. A program begins with the text as CALL_SPAWN got it, at the top of its stack: its
 * address in rdi, its size in rsi, rsp aligned to 16 bytes below it, all other registers zero.
 */

/* The answer of CALL_WAIT: kind << 8 | code. */
enum exit_kind { EXITED /* code: as given */, KILLED, FAULTED /* code: vector */ };

enum process_state {
    PROCESS_FREE,
    PROCESS_READY,
    PROCESS_WAITING,
    PROCESS_STOPPED,
    PROCESS_ENDED
};

struct process_info {
    unsigned int id, parent;
    enum process_state state;
    unsigned int exit_status; /* of PROCESS_ENDED */
    unsigned long pages;
    unsigned long cpu_microseconds;
    char name[PROCESS_NAME_MAX + 1];
};

struct system_info {
    unsigned int process; /* the caller */
    unsigned int reserved;
    unsigned long boots, generations;
    unsigned long memory_pages, memory_pages_free;
    unsigned int columns, rows; /* of the console */
};

/* Errors are negative numbers of enum status (kernel/base/status.h), with these meanings. */
