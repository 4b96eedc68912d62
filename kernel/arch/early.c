#include "kernel/arch/early.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/io.h"

enum { COM1_DATA = 0x3f8, COM1_LINE_STATUS = 0x3fd, TRANSMITTER_EMPTY = 0x20 };
enum { POLLS_MAX = 100000, DEBUG_EXIT_PORT = 0xf4 };

static void write_character(char character)
{
    for (int i = 0; i < POLLS_MAX && !(inb(COM1_LINE_STATUS) & TRANSMITTER_EMPTY); i++)
        cpu_relax();
    outb(COM1_DATA, (u8)character);
}

void early_write(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (text[i] == '\n')
            write_character('\r');
        write_character(text[i]);
    }
}

_Noreturn void early_exit(enum early_exit value)
{
    outl(DEBUG_EXIT_PORT, value);
    cpu_halt_forever();
}
