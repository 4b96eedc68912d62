#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/base/string.h"
#include "snapper/state_file.h"
#include "tests/support/port_host.h"

static const char example[] = "writing = 2026-11-21T07:30:00.000003Z\n"
                              "target = 2026-11-21T07:30:00.000001Z\n"
                              "boots = 12\n" /* more than there can be */
                              "pin = 2026-11-21T07:30:00.000002Z\n"
                              "pin = 2026-11-21T07:30:00.000001Z\n"
                              "settled = 2026-11-21T07:30:00.000001Z\n";

static void state_file_encode__what_was_decoded__comes_back(void **state)
{
    (void)state;
    struct state_file file, again;
    char *text;
    size_t size;

    assert_int_equal(state_file_decode(example, sizeof example - 1, &file), OK);
    assert_string_equal(file.writing.text, "2026-11-21T07:30:00.000003Z");
    assert_string_equal(file.target.text, "2026-11-21T07:30:00.000001Z");
    assert_int_equal(file.boots, STATE_FILE_BOOTS_MAX);
    assert_int_equal(file.pins.count, 2);
    assert_string_equal(file.pins.names[0].text, "2026-11-21T07:30:00.000001Z");
    assert_int_equal(state_file_encode(&file, &text, &size), OK);
    assert_int_equal(strlen(text), size);
    assert_int_equal(state_file_decode(text, size, &again), OK);
    assert_int_equal(again.pins.count, 2);
    assert_int_equal(again.settled.count, 1);
    assert_string_equal(again.writing.text, file.writing.text);
    assert_int_equal(again.boots, STATE_FILE_BOOTS_MAX);
    state_file_destroy(&again);
    state_file_destroy(&file);
    port_free(text);
}

static void state_file_decode__lines_without_sense__are_reported_and_skipped(void **state)
{
    (void)state;
    static const char text[] = "pin = yesterday\nnonsense\nboots = 3\nbotos = 4\n";
    struct state_file file;

    port_host_clear_log();
    assert_int_equal(state_file_decode(text, sizeof text - 1, &file), OK);
    assert_int_equal(file.pins.count, 0);
    assert_int_equal(file.boots, 3);
    assert_true(port_host_logged("line 1"));
    assert_true(port_host_logged("line 2"));
    assert_true(port_host_logged("line 4"));
    state_file_destroy(&file);
}

static void
state_file_decode__every_truncation_and_flipped_bit__does_no_harm(void **state)
{
    (void)state;
    for (size_t cut = 0; cut < sizeof example; cut++) {
        struct state_file file;
        char *piece = malloc(cut ? cut : 1);
        memcpy(piece, example, cut);
        assert_int_equal(state_file_decode(piece, cut, &file), OK);
        assert_true(file.pins.count <= 2);
        state_file_destroy(&file);
        free(piece);
    }
    for (size_t bit = 0; bit < 8 * (sizeof example - 1); bit++) {
        struct state_file file;
        char text[sizeof example];
        memcpy(text, example, sizeof text);
        text[bit / 8] ^= (char)(1 << bit % 8);
        assert_int_equal(state_file_decode(text, sizeof text - 1, &file), OK);
        assert_true(file.pins.count <= 2);
        state_file_destroy(&file);
    }
}

static void state_file_decode__without_memory__says_so_and_leaks_nothing(void **state)
{
    (void)state;
    struct state_file file;
    u64 failures = 0;

    for (u64 nth = 1;; nth++, failures++) {
        port_host_fail_allocation(nth, true);
        enum status status = state_file_decode(example, sizeof example - 1, &file);
        port_host_fail_allocation(0, false);
        if (status == OK)
            break;
        assert_int_equal(status, ERR_NO_MEMORY);
    }
    assert_true(failures >= 2);
    state_file_destroy(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(state_file_encode__what_was_decoded__comes_back),
        cmocka_unit_test(
            state_file_decode__lines_without_sense__are_reported_and_skipped),
        cmocka_unit_test(
            state_file_decode__every_truncation_and_flipped_bit__does_no_harm),
        cmocka_unit_test(state_file_decode__without_memory__says_so_and_leaks_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
