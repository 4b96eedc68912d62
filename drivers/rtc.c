#include "drivers/rtc.h"

#include "kernel/arch/io.h"
#include "kernel/base/string.h"

enum { CMOS_INDEX = 0x70, CMOS_DATA = 0x71 };
enum {
    SECONDS = 0,
    MINUTES = 2,
    HOURS = 4,
    DAY = 7,
    MONTH = 8,
    YEAR = 9,
    STATUS_A = 10,
    STATUS_B = 11,
    CENTURY = 0x32,
    UPDATE_IN_PROGRESS = 1 << 7,
};
enum { ATTEMPTS = 1000, UPDATE_POLLS = 100000 };

static u8 cmos_read(u8 index)
{
    outb(CMOS_INDEX, index);
    return inb(CMOS_DATA);
}

static struct rtc_registers read_registers(void)
{
    for (int i = 0; i < UPDATE_POLLS && cmos_read(STATUS_A) & UPDATE_IN_PROGRESS; i++)
        ;
    return (struct rtc_registers){
        .second = cmos_read(SECONDS),
        .minute = cmos_read(MINUTES),
        .hour = cmos_read(HOURS),
        .day = cmos_read(DAY),
        .month = cmos_read(MONTH),
        .year = cmos_read(YEAR),
        .century = cmos_read(CENTURY),
        .status_b = cmos_read(STATUS_B),
    };
}

/* An update may fall between two registers: only what was read twice alike counts. */
enum status rtc_read(u64 *microseconds)
{
    struct rtc_registers last = read_registers();

    for (int i = 0; i < ATTEMPTS; i++) {
        struct rtc_registers again = read_registers();
        if (memcmp(&again, &last, sizeof again) == 0)
            return rtc_decode(&again, microseconds);
        last = again;
    }
    return ERR_NO_DEVICE;
}
