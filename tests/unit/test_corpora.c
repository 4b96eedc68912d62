/*
 * Each fuzz target with what its fuzzer has collected (tests/data/fuzz_NAME): inputs that reach different
 * code, and each that once broke something. A finding ends the program, which names the file.
 */
#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <sanitizer/common_interface_defs.h>

#include "kernel/base/types.h"

enum { INPUT_MAX = 64 * 1024 };

/* A build for coverage has no sanitizer. */
#pragma weak __sanitizer_set_death_callback

static char path[512]; /* of the input at work */

static void name_input(void)
{
    fprintf(stderr, "found by %s\n", path);
}

static void on_abort(int signal_number)
{
    (void)signal_number;
    name_input();
    signal(SIGABRT, SIG_DFL);
    abort();
}

static int is_input(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static void replay(const char *name, int (*target)(const u8 *data, size_t size))
{
    static u8 input[INPUT_MAX];
    struct dirent **entries;
    char folder[200];

    snprintf(folder, sizeof folder, "tests/data/%s", name);
    int count = scandir(folder, &entries, is_input, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
        FILE *file = fopen(path, "rb");
        assert_non_null(file);
        size_t size = fread(input, 1, sizeof input, file);
        fclose(file);
        assert_int_equal(target(input, size), 0);
        free(entries[i]);
    }
    free(entries);
}

/* The targets have one name each here, by the compiler's command line. */
#define TARGET(name)                                                                     \
    int name(const u8 *data, size_t size);                                               \
    static void name##__its_corpus__nothing_found(void **state)                          \
    {                                                                                    \
        (void)state;                                                                     \
        replay(#name, name);                                                             \
    }

TARGET(fuzz_archive)
TARGET(fuzz_boot_info)
TARGET(fuzz_command_line)
TARGET(fuzz_config)
TARGET(fuzz_dir_block)
TARGET(fuzz_directory)
TARGET(fuzz_elf)
TARGET(fuzz_extents)
TARGET(fuzz_files)
TARGET(fuzz_journal)
TARGET(fuzz_mount)
TARGET(fuzz_process)
TARGET(fuzz_snapshot_file)
TARGET(fuzz_state)
TARGET(fuzz_stream)
TARGET(fuzz_virtio)

#define TEST(name) cmocka_unit_test(name##__its_corpus__nothing_found)

static void corpora__every_fuzz_target__has_a_test(void **state);

static const struct CMUnitTest tests[] = {
    TEST(fuzz_archive),
    TEST(fuzz_boot_info),
    TEST(fuzz_command_line),
    TEST(fuzz_config),
    TEST(fuzz_dir_block),
    TEST(fuzz_directory),
    TEST(fuzz_elf),
    TEST(fuzz_extents),
    TEST(fuzz_files),
    TEST(fuzz_journal),
    TEST(fuzz_mount),
    TEST(fuzz_process),
    TEST(fuzz_snapshot_file),
    TEST(fuzz_state),
    TEST(fuzz_stream),
    TEST(fuzz_virtio),
    cmocka_unit_test(corpora__every_fuzz_target__has_a_test),
};

static int is_target(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return strncmp(entry->d_name, "fuzz_", 5) == 0 && entry->d_name[length - 1] == 'c';
}

static void corpora__every_fuzz_target__has_a_test(void **state)
{
    (void)state;
    struct dirent **entries;
    char name[300];

    int count = scandir("tests/fuzz", &entries, is_target, alphasort);
    assert_int_equal(count, ARRAY_LENGTH(tests) - 1);
    for (int i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%.*s__its_corpus__nothing_found",
                 (int)strlen(entries[i]->d_name) - 2, entries[i]->d_name);
        assert_string_equal(tests[i].name, name);
        free(entries[i]);
    }
    free(entries);
}

int main(void)
{
    signal(SIGABRT, on_abort);
    if (__sanitizer_set_death_callback)
        __sanitizer_set_death_callback(name_input);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
