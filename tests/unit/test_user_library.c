/* What programs stand on: memory, words, output in pieces, lines of input. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/user/user.h"
#include "tests/support/user_host.h"

static int reset(void **state)
{
    (void)state;
    user_host_reset();
    return 0;
}

enum { BLOCKS = 200 };

/* Each block is filled with a byte of its own, and still has it when it is released. */
static void
heap_allocate__random_sizes_and_releases__blocks_are_zeroed_and_apart(void **state)
{
    u8 *blocks[BLOCKS] = { 0 };
    size_t sizes[BLOCKS] = { 0 };
    u64 seed = 20261121;

    (void)state;
    for (int step = 0; step < 20000; step++) {
        size_t at = random_draw(&seed) % BLOCKS;
        for (size_t byte = 0; byte < sizes[at]; byte++)
            assert_int_equal(blocks[at][byte], (u8)(at + 1));
        heap_release(blocks[at]);
        sizes[at] = random_draw(&seed) % (1UL << random_draw(&seed) % 14);
        blocks[at] = heap_allocate(sizes[at]);
        assert_non_null(blocks[at]);
        assert_int_equal((uintptr_t)blocks[at] % 16, 0);
        assert_true(memory_is_zero(blocks[at], sizes[at]));
        memset(blocks[at], (u8)(at + 1), sizes[at]);
    }
    for (int at = 0; at < BLOCKS; at++)
        heap_release(blocks[at]);
}

static void
heap_allocate__released_and_taken_again__takes_no_more_from_the_kernel(void **state)
{
    (void)state;
    heap_release(heap_allocate(100000));
    user_host_limit(0);
    for (int round = 0; round < 1000; round++) {
        void *memory = heap_allocate(100000);
        assert_non_null(memory);
        heap_release(memory);
    }
}

static void heap_allocate__more_than_there_is__null_and_the_rest_is_fine(void **state)
{
    (void)state;
    user_host_limit(1000000);
    assert_null(heap_allocate(2000000));
    assert_null(heap_allocate(SIZE_MAX));
    assert_null(heap_allocate(SIZE_MAX - 8));
    void *memory = heap_allocate(1000);
    assert_non_null(memory);
    heap_release(memory);
    heap_release(NULL);
}

static void print__console_takes_few_bytes__all_arrive(void **state)
{
    (void)state;
    print("%d words and %#lx, %s\n", 12, 0xabcUL, "a longer text than one call takes");
    assert_string_equal(user_host_output(),
                        "12 words and 0xabc, a longer text than one call takes\n");
}

static void read_line__lines_until_the_end__without_newlines(void **state)
{
    char line[8];

    (void)state;
    user_host_input("one\n\nlast");
    assert_true(read_line(line, sizeof line));
    assert_string_equal(line, "one");
    assert_true(read_line(line, sizeof line));
    assert_string_equal(line, "");
    assert_true(read_line(line, sizeof line));
    assert_string_equal(line, "last");
    assert_false(read_line(line, sizeof line));
    assert_string_equal(line, "");
}

static void read_line__line_longer_than_the_buffer__comes_in_parts(void **state)
{
    char line[4];

    (void)state;
    user_host_input("abcdef\n");
    assert_true(read_line(line, sizeof line));
    assert_string_equal(line, "abc");
    assert_true(read_line(line, sizeof line));
    assert_string_equal(line, "def");
}

static void split_words__spaces_and_too_many__cut_and_counted(void **state)
{
    char line[] = "  set  a b c ", empty[] = "   ";
    char *words[3];

    (void)state;
    assert_int_equal(split_words(line, words, 3), 3);
    assert_string_equal(words[0], "set");
    assert_string_equal(words[1], "a");
    assert_int_equal(split_words(empty, words, 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(
            heap_allocate__random_sizes_and_releases__blocks_are_zeroed_and_apart, reset),
        cmocka_unit_test_setup(
            heap_allocate__released_and_taken_again__takes_no_more_from_the_kernel,
            reset),
        cmocka_unit_test_setup(
            heap_allocate__more_than_there_is__null_and_the_rest_is_fine, reset),
        cmocka_unit_test_setup(print__console_takes_few_bytes__all_arrive, reset),
        cmocka_unit_test_setup(read_line__lines_until_the_end__without_newlines, reset),
        cmocka_unit_test_setup(read_line__line_longer_than_the_buffer__comes_in_parts,
                               reset),
        cmocka_unit_test_setup(split_words__spaces_and_too_many__cut_and_counted, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
