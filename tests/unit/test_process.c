/* The process table: entries, regions, and what is refused of a restored one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/arch/gdt.h"
#include "tests/support/process_image.h"

static struct process_table table;

static int given_a_table(void **state)
{
    (void)state;
    process_image_make(&table);
    process_table_use(&table);
    return 0;
}

static struct program_request a_request(void)
{
    return (struct program_request){ "/bin/x", 4, "x\0y" };
}

/* --- entries --- */

static void process_create__request__waits_to_be_loaded_under_its_name(void **state)
{
    struct program_request request = a_request();
    struct process *process;

    (void)state;
    assert_int_equal(process_create(&request, 1, &process), OK);
    assert_int_equal(process->state, PROCESS_WAITING);
    assert_int_equal(process->wait, WAIT_LOAD);
    assert_int_equal(process->parent, 1);
    assert_string_equal(process->name, "x");
    assert_ptr_equal(process_find(process->id), process);
}

static void process_create__full_table__is_refused(void **state)
{
    struct program_request request = a_request();
    struct process *process;
    u32 made = 0;

    (void)state;
    while (process_create(&request, 0, &process) == OK)
        made++;
    assert_int_equal(made, PROCESSES_MAX - 3);
    assert_int_equal(process_create(&request, 0, &process), ERR_NO_SPACE);
}

static void process_create__numbers__are_never_used_twice(void **state)
{
    struct program_request request = a_request();
    struct process *first, *second;

    (void)state;
    assert_int_equal(process_create(&request, 0, &first), OK);
    u32 id = first->id, space = first->space;
    process_free(first);
    assert_null(process_find(id));
    assert_int_equal(process_create(&request, 0, &second), OK);
    assert_int_not_equal(second->id, id);
    assert_int_not_equal(second->space, space);
}

static void process_create__space_numbers_used_up__is_refused(void **state)
{
    struct program_request request = a_request();
    struct process *process;

    (void)state;
    table.next_space = PROCESS_SPACE_END;
    assert_int_equal(process_create(&request, 0, &process), ERR_NO_SPACE);
}

static void process_create__bad_requests__are_refused(void **state)
{
    struct program_request bad[] = {
        { "bin/x", 2, "x" },   { "/bin/x", 0, "x" },    { "/bin/x", 1, "x" },
        { "/bin/x", 2, "\0" }, { "/bin/x", 1025, "x" },
    };
    struct process *process;

    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(bad); i++)
        assert_int_equal(process_create(&bad[i], 0, &process), ERR_INVALID_ARGUMENT);
    struct program_request endless = a_request();
    memset(endless.path, '/', sizeof endless.path);
    assert_int_equal(process_create(&endless, 0, &process), ERR_INVALID_ARGUMENT);
}

static void process_create__name_with_escape__is_made_printable(void **state)
{
    struct program_request request = { "/bin/x", 5, "a\x1b[m" };
    struct process *process;

    (void)state;
    assert_int_equal(process_create(&request, 0, &process), OK);
    assert_string_equal(process->name, "a?[m");
}

static void process_region__pages__have_the_rights_of_their_region(void **state)
{
    const struct process *process = &table.of[0];

    (void)state;
    assert_null(process_region(process, 0x3ff));
    assert_int_equal(process_region(process, 0x401)->rights, PAGE_EXECUTABLE);
    assert_int_equal(process_region(process, 0x402)->rights, PAGE_READABLE);
    assert_int_equal(process_region(process, 0x406)->rights, PAGE_WRITABLE);
    assert_null(process_region(process, 0x407 + 100));
    assert_null(process_region(process, USER_END / PAGE_SIZE));
    assert_non_null(process_region(process, USER_END / PAGE_SIZE - 1));
}

static void process_wake_all__reason__wakes_only_those(void **state)
{
    (void)state;
    process_wake_all(WAIT_INPUT);
    assert_int_equal(table.of[0].state, PROCESS_WAITING);
    assert_int_equal(table.of[1].state, PROCESS_READY);
}

/* --- X4 --- */

static void process_table_check__what_was_saved__is_accepted(void **state)
{
    (void)state;
    assert_int_equal(process_table_check(&table), OK);
}

/* Alters one field, expects a refusal, puts it back. */
#define assert_refused(field, value)                                                     \
    do {                                                                                 \
        typeof(field) was = (field);                                                     \
        (field) = (typeof(field))(value);                                                \
        assert_int_equal(process_table_check(&table), ERR_CORRUPT);                      \
        (field) = was;                                                                   \
        assert_int_equal(process_table_check(&table), OK);                               \
    } while (0)

static void process_table_check__ways_into_the_kernel__are_refused(void **state)
{
    struct trap_frame *registers = &table.of[0].registers;

    (void)state;
    assert_refused(registers->cs, SELECTOR_KERNEL_CODE);
    assert_refused(registers->cs, SELECTOR_USER_CODE & ~3);
    assert_refused(registers->cs, SELECTOR_USER_CODE | 0x10000);
    assert_refused(registers->ss, SELECTOR_KERNEL_DATA);
    assert_refused(registers->rip, 0x800000000000);
    assert_refused(registers->rip, 0xffffffff80000000);
    assert_refused(registers->rsp, 0xffff800000000000);
    assert_refused(registers->rflags, 0x2);            /* interrupts off */
    assert_refused(registers->rflags, 0x3202);         /* port I/O for ring 3 */
    assert_refused(registers->rflags, 0x4202);         /* nested task */
    assert_refused(registers->rflags, 0x20202);        /* virtual 8086 mode */
    assert_refused(registers->rflags, 0x200);          /* bit 1 is always set */
    assert_refused(registers->rflags, 0x100000000202); /* beyond */
    assert_refused(table.of[0].fx[USER_FX_CONTROL_AT + 2], 1);
}

static void
process_table_check__skipped_call_at_the_end_of_memory__is_refused(void **state)
{
    (void)state;
    table.of[0].wait = WAIT_GENERATION;
    assert_refused(table.of[0].registers.rip, 0x7fffffffffff);
}

static void process_table_check__regions_out_of_order_or_place__are_refused(void **state)
{
    struct region *regions = table.of[2].regions;

    (void)state;
    assert_refused(table.of[2].region_count, 2);
    assert_refused(table.of[2].region_count, PROCESS_REGIONS_MAX + 1);
    assert_refused(regions[0].first_page, 0);
    assert_refused(regions[0].rights, PAGE_NONE);
    assert_refused(regions[0].rights, 7);
    assert_refused(regions[1].first_page, 0x401);
    assert_refused(regions[1].page_count, UINT64_MAX);
    assert_refused(regions[3].page_count, USER_STACK_LOWEST / PAGE_SIZE);
    assert_refused(regions[3].rights, PAGE_EXECUTABLE);
    assert_refused(regions[4].rights, PAGE_EXECUTABLE);
    assert_refused(regions[4].page_count, regions[4].page_count + 1);
    assert_refused(regions[4].first_page, 0xffff800000000);
}

static void process_table_check__numbers__are_checked(void **state)
{
    (void)state;
    assert_refused(table.next_id, 2);
    assert_refused(table.next_space, 0);
    assert_refused(table.next_space, PROCESS_SPACE_END + 1);
    assert_refused(table.of[1].id, 0);
    assert_refused(table.of[1].id, 1);
    assert_refused(table.of[1].space, 0);
    assert_refused(table.of[1].space, 1);
    assert_refused(table.of[1].space, 4);
    assert_refused(table.of[1].state, PROCESS_ENDED + 1);
    assert_refused(table.of[1].wait, WAIT_END);
    assert_refused(table.of[1].wait, WAIT_NOTHING);
    assert_refused(table.of[1].wait, WAIT_LOAD);
    assert_refused(table.of[2].wait, WAIT_SLEEP);
    assert_refused(table.of[1].input_mode, 3);
    assert_refused(table.of[1].name[0], '\x1b');
    assert_refused(table.loading, 1);
}

static void process_table_check__name_without_end__is_refused(void **state)
{
    (void)state;
    memset(table.of[0].name, 'x', sizeof table.of[0].name);
    assert_int_equal(process_table_check(&table), ERR_CORRUPT);
}

static void process_table_check__child_to_be_loaded__needs_its_request(void **state)
{
    struct program_request request = a_request();
    struct process *child;

    (void)state;
    assert_int_equal(process_create(&request, 1, &child), OK);
    assert_int_equal(process_table_check(&table), ERR_CORRUPT);
    table.loading = child->id;
    table.request = request;
    assert_int_equal(process_table_check(&table), OK);
    table.request.arguments_size = 5000;
    assert_int_equal(process_table_check(&table), ERR_CORRUPT);
}

int main(void)
{
#define TABLE_TEST(test) cmocka_unit_test_setup(test, given_a_table)
    const struct CMUnitTest tests[] = {
        TABLE_TEST(process_create__request__waits_to_be_loaded_under_its_name),
        TABLE_TEST(process_create__full_table__is_refused),
        TABLE_TEST(process_create__numbers__are_never_used_twice),
        TABLE_TEST(process_create__space_numbers_used_up__is_refused),
        TABLE_TEST(process_create__bad_requests__are_refused),
        TABLE_TEST(process_create__name_with_escape__is_made_printable),
        TABLE_TEST(process_region__pages__have_the_rights_of_their_region),
        TABLE_TEST(process_wake_all__reason__wakes_only_those),
        TABLE_TEST(process_table_check__what_was_saved__is_accepted),
        TABLE_TEST(process_table_check__ways_into_the_kernel__are_refused),
        TABLE_TEST(process_table_check__skipped_call_at_the_end_of_memory__is_refused),
        TABLE_TEST(process_table_check__regions_out_of_order_or_place__are_refused),
        TABLE_TEST(process_table_check__numbers__are_checked),
        TABLE_TEST(process_table_check__name_without_end__is_refused),
        TABLE_TEST(process_table_check__child_to_be_loaded__needs_its_request),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
