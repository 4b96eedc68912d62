#include "drivers/serial.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/interrupts.h"
#include "kernel/arch/io.h"

enum {
    COM1 = 0x3f8,
    COM1_IRQ = 4,
    DATA = 0,
    INTERRUPT_ENABLE = 1,
    INTERRUPT_IDENTIFICATION = 2,
    FIFO_CONTROL = 2,
    LINE_CONTROL = 3,
    MODEM_CONTROL = 4,
    LINE_STATUS = 5,
    SCRATCH = 7,

    RECEIVED_DATA = 1 << 0,
    FIFO_ON_AND_CLEAR = 0x07,
    DIVISOR_LATCH = 1 << 7,
    EIGHT_BITS = 3,
    READY_AND_INTERRUPT_GATE = 0x0b, /* DTR, RTS, OUT2 */
    DATA_READY = 1 << 0,
    TRANSMITTER_EMPTY = 1 << 5,

    POLLS_MAX = 100000,
    CONTROL_C = 3,
};

/* Written by the interrupt handler at `end`, read at `first`; both count for ever. */
static struct {
    char text[1024];
    u32 first, end;
} input;

static bool present;

/* What does not fit is lost, but for ^C, which drops what was typed before it anyway. */
static void store(char character)
{
    if (input.end - input.first == sizeof input.text) {
        if (character != CONTROL_C)
            return;
        input.end--;
    }
    input.text[input.end++ % sizeof input.text] = character;
}

/* The loop is bounded, should the port claim for ever to have something. */
static void take_received(void)
{
    for (int i = 0; i < POLLS_MAX && inb(COM1 + LINE_STATUS) & DATA_READY; i++)
        store((char)inb(COM1 + DATA));
}

static void on_interrupt(void *context)
{
    (void)context;
    (void)inb(COM1 + INTERRUPT_IDENTIFICATION); /* or the line stays up */
    take_received();
}

void serial_init(void)
{
    outb(COM1 + SCRATCH, 0x5a);
    if (inb(COM1 + SCRATCH) != 0x5a)
        return;

    outb(COM1 + INTERRUPT_ENABLE, 0);
    outb(COM1 + LINE_CONTROL, DIVISOR_LATCH);
    outb(COM1 + DATA, 1); /* 115200 */
    outb(COM1 + INTERRUPT_ENABLE, 0);
    outb(COM1 + LINE_CONTROL, EIGHT_BITS);
    outb(COM1 + FIFO_CONTROL, FIFO_ON_AND_CLEAR);
    outb(COM1 + MODEM_CONTROL, READY_AND_INTERRUPT_GATE);

    present = true;
}

enum status serial_listen(void)
{
    if (!present)
        return ERR_NO_DEVICE;
    enum status status = interrupt_attach_isa(COM1_IRQ, on_interrupt, NULL);
    if (status == OK)
        outb(COM1 + INTERRUPT_ENABLE, RECEIVED_DATA);
    return status;
}

static void write_character(char character)
{
    for (int i = 0; i < POLLS_MAX && !(inb(COM1 + LINE_STATUS) & TRANSMITTER_EMPTY); i++)
        cpu_relax();
    outb(COM1 + DATA, (u8)character);
}

void serial_write(const char *text, size_t size)
{
    for (size_t i = 0; present && i < size; i++) {
        if (text[i] == '\n')
            write_character('\r');
        write_character(text[i]);
    }
}

bool serial_read(char *character)
{
    bool enabled = interrupts_save();
    bool found = input.first != input.end;

    if (found)
        *character = input.text[input.first++ % sizeof input.text];
    interrupts_restore(enabled);
    return found;
}

bool serial_take_interrupt(void)
{
    bool enabled = interrupts_save();
    bool found = false;

    for (u32 at = input.first; at != input.end; at++) {
        if (input.text[at % sizeof input.text] != CONTROL_C)
            continue;
        input.first = at + 1;
        found = true;
    }
    interrupts_restore(enabled);
    return found;
}
