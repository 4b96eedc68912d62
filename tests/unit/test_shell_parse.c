/*
 * Command lines into words, and the pattern of `mem fill`.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/shell/mem_pattern.h"
#include "kernel/shell/shell_parse.h"

static struct shell_words words;

static void assert_words(const char *const *expected, size_t count)
{
    assert_int_equal(words.count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(words.of[i], expected[i]);
}

static void shell_parse__blanks_around_words__are_dropped(void **state)
{
    const char *at = " \tmem  fill\t7 ";

    (void)state;
    assert_int_equal(shell_parse(&at, &words), OK);
    assert_words((const char *[]){ "mem", "fill", "7" }, 3);
    assert_int_equal(shell_parse(&at, &words), ERR_NOT_FOUND);
}

static void shell_parse__semicolons__end_commands(void **state)
{
    const char *at = ";; sync;mem fill ; ;";

    (void)state;
    assert_int_equal(shell_parse(&at, &words), OK);
    assert_words((const char *[]){ "sync" }, 1);
    assert_int_equal(shell_parse(&at, &words), OK);
    assert_words((const char *[]){ "mem", "fill" }, 2);
    assert_int_equal(shell_parse(&at, &words), ERR_NOT_FOUND);
    assert_int_equal(*at, '\0');
}

static void shell_parse__quotes__keep_blanks_semicolons_and_nothing(void **state)
{
    const char *at = "snapper create -d \"a b; c\" x\"y \"z \"\"";

    (void)state;
    assert_int_equal(shell_parse(&at, &words), OK);
    assert_words((const char *[]){ "snapper", "create", "-d", "a b; c", "xy z", "" }, 6);
}

static void shell_parse__quote_not_closed__is_refused(void **state)
{
    static const char *const lines[] = { "\"", "a \"b", "a \"b\" \"c;", "a\"" };

    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const char *at = lines[i];
        assert_int_equal(shell_parse(&at, &words), ERR_INVALID_ARGUMENT);
    }
}

static void shell_parse__too_many_words__is_refused(void **state)
{
    char line[2 * SHELL_WORDS_MAX + 3];
    const char *at = line;

    (void)state;
    for (size_t i = 0; i <= SHELL_WORDS_MAX; i++)
        memcpy(line + 2 * i, "w ", 3);
    assert_int_equal(shell_parse(&at, &words), ERR_TOO_LARGE);

    line[2 * SHELL_WORDS_MAX] = '\0';
    at = line;
    assert_int_equal(shell_parse(&at, &words), OK);
    assert_int_equal(words.count, SHELL_WORDS_MAX);
}

/* Around the limit, in one word and in two; the sanitizer watches the end of the buffer. */
static void
shell_parse__text_of_every_length_around_the_limit__fits_or_is_refused(void **state)
{
    (void)state;
    for (size_t length = SHELL_TEXT_MAX - 4; length < SHELL_TEXT_MAX + 4; length++) {
        char *line = malloc(length + 1);
        memset(line, 'x', length);
        line[length] = '\0';

        const char *at = line;
        bool fits = length + 1 <= SHELL_TEXT_MAX;
        assert_int_equal(shell_parse(&at, &words), fits ? OK : ERR_TOO_LARGE);
        if (fits)
            assert_int_equal(strlen(words.of[0]), length);

        line[length - 1] = '"'; /* ends with a word that is empty but not closed */
        at = line;
        assert_int_not_equal(shell_parse(&at, &words), OK);

        memset(line, 'x', length);
        line[length / 2] = ' ';
        at = line;
        assert_int_equal(shell_parse(&at, &words), fits ? OK : ERR_TOO_LARGE);
        free(line);
    }
}

static void mem_pattern_check__what_was_filled__is_right(void **state)
{
    u64 page[PAGE_SIZE / sizeof(u64)];
    size_t offset;

    (void)state;
    mem_pattern_fill(page, 7, 2000);
    assert_true(mem_pattern_check(page, 7, 2000, &offset));
}

static void mem_pattern_check__any_bit_flipped__is_found_there(void **state)
{
    u64 page[PAGE_SIZE / sizeof(u64)];
    size_t offset;

    (void)state;
    mem_pattern_fill(page, 7, 2000);
    for (size_t bit = 0; bit < PAGE_SIZE * 8; bit += 61) {
        u64 flip = 1ULL << bit % 64;
        page[bit / 64] ^= flip;
        assert_false(mem_pattern_check(page, 7, 2000, &offset));
        assert_int_equal(offset, bit / 64 * 8);
        page[bit / 64] ^= flip;
    }
}

static void mem_pattern_check__other_seed_or_page__is_wrong_at_once(void **state)
{
    u64 page[PAGE_SIZE / sizeof(u64)];
    size_t offset;

    (void)state;
    for (u64 seed = 0; seed < 20; seed++)
        for (u64 number = 0; number < 20; number++) {
            mem_pattern_fill(page, seed, number);
            assert_false(mem_pattern_check(page, seed + 1, number, &offset));
            assert_int_equal(offset, 0);
            assert_false(mem_pattern_check(page, seed, number + 1, &offset));
            assert_false(mem_pattern_check(page, number, seed + 20, &offset));
        }
    memset(page, 0, sizeof page);
    assert_false(mem_pattern_check(page, 1, 1, &offset));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shell_parse__blanks_around_words__are_dropped),
        cmocka_unit_test(shell_parse__semicolons__end_commands),
        cmocka_unit_test(shell_parse__quotes__keep_blanks_semicolons_and_nothing),
        cmocka_unit_test(shell_parse__quote_not_closed__is_refused),
        cmocka_unit_test(shell_parse__too_many_words__is_refused),
        cmocka_unit_test(
            shell_parse__text_of_every_length_around_the_limit__fits_or_is_refused),
        cmocka_unit_test(mem_pattern_check__what_was_filled__is_right),
        cmocka_unit_test(mem_pattern_check__any_bit_flipped__is_found_there),
        cmocka_unit_test(mem_pattern_check__other_seed_or_page__is_wrong_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
