/*
 * The meter of a generation's stages, on a clock in software.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/persist/meter.h"
#include "tests/support/window_host.h"

static void work(enum stage stage, u64 cycles)
{
    (void)meter_switch(stage);
    window_host_pass(cycles);
}

static void meter_switch__one_stage_in_another__each_has_its_own(void **state)
{
    u64 cycles[STAGE_COUNT];

    (void)state;
    work(STAGE_NONE, 100);
    meter_start();
    work(STAGE_CAPTURE, 7);
    assert_int_equal(meter_switch(STAGE_CRC), STAGE_CAPTURE);
    window_host_pass(20);
    assert_int_equal(meter_switch(STAGE_CAPTURE), STAGE_CRC);
    window_host_pass(3);
    meter_read(cycles);
    assert_int_equal(cycles[STAGE_NONE], 0);
    assert_int_equal(cycles[STAGE_CAPTURE], 10);
    assert_int_equal(cycles[STAGE_CRC], 20);
}

static void meter_start__amid_a_stage__counts_from_there(void **state)
{
    u64 cycles[STAGE_COUNT];

    (void)state;
    work(STAGE_JOURNAL, 50);
    meter_start();
    window_host_pass(4);
    meter_read(cycles);
    assert_int_equal(cycles[STAGE_JOURNAL], 4);
    window_host_pass(1);
    meter_read(cycles);
    assert_int_equal(cycles[STAGE_JOURNAL], 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(meter_switch__one_stage_in_another__each_has_its_own),
        cmocka_unit_test(meter_start__amid_a_stage__counts_from_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
