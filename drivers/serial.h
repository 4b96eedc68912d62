/*
 * The serial console: COM1, 115200 8N1. Output waits for the transmitter; input arrives by interrupt
 * in a ring of its own, so that nothing typed is lost while a command runs.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

/* First of all in the kernel: needs nothing. Without a COM1 output goes nowhere. */
void serial_init(void);
/* From here on input is taken. After interrupts_init(). ERR_NO_DEVICE: there is no COM1. */
enum status serial_listen(void);

/* "\n" becomes "\r\n". */
void serial_write(const char *text, size_t size);

/* The next character typed; false: none. */
[[nodiscard]] bool serial_read(char *character);

/* Was ^C typed since the last call? Then it and all that was typed before it is gone. */
[[nodiscard]] bool serial_take_interrupt(void);
