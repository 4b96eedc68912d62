/*
 * The battery clock (CMOS), taken as UTC.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

/* The registers as read, before anybody believed them. */
struct rtc_registers {
    u8 second, minute, hour, day, month, year, century;
    u8 status_b; /* bit 2: binary instead of BCD; bit 1: 24 hours */
};

/* Microseconds since 1970. ERR_CORRUPT: no such date. */
enum status rtc_decode(const struct rtc_registers *registers, u64 *microseconds);

/* ERR_CORRUPT: the clock shows no date; ERR_NO_DEVICE: it does not hold still. */
enum status rtc_read(u64 *microseconds);
