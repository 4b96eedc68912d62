/*
 * Random operations against a model in memory, on every format, on full and on fragmented disks.
 * TEST_SEED=N repeats one seed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/ext4_formats.h"
#include "tests/support/ext4_image.h"
#include "tests/support/ext4_model.h"

static u64 seed_or(u64 seed)
{
    const char *text = getenv("TEST_SEED");
    return text ? strtoull(text, NULL, 0) : seed;
}

static void run_model(struct ram_disk *ram, const char *path, u64 seed, size_t steps)
{
    print_message("    %s, seed %llu\n", path, (unsigned long long)seed);
    ram->order_seed = seed;
    struct model *model = model_open(&ram->disk, seed, MODEL_FILE_SIZE);
    for (size_t i = 0; i < steps; i++)
        model_step(model);
    model_compare(model);
    model_remount(model);
    model_compare(model);
    model_close(model);
    assert_true(ext4_image_ram_is_clean(ram, path));
}

static void ext4__random_operations_on_every_format__equal_the_model(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(ext4_formats); i++) {
        const struct ext4_format *format = &ext4_formats[i];
        struct ram_disk ram;
        if (format->mib > 100)
            continue;
        const char *path =
            ext4_image_make_loaded("model", format->mib, format->options, &ram);
        run_model(&ram, path, seed_or(i + 1), 600);
        ram_disk_close(&ram);
    }
}

/* The files want more than there is: most writes meet the end of the disk. */
static void ext4__random_operations_on_a_full_disk__equal_the_model(void **state)
{
    (void)state;
    for (u64 seed = 100; seed < 104; seed++) {
        struct ram_disk ram;
        const char *path = ext4_image_make_loaded(
            "model_full", seed % 2 == 0 ? 3 : 9,
            seed % 2 == 0 ? "-b 1024 -J size=1 -I 128 -m 0" : "-b 4096 -J size=4 -N 64",
            &ram);
        run_model(&ram, path, seed_or(seed), 800);
        ram_disk_close(&ram);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ext4__random_operations_on_every_format__equal_the_model),
        cmocka_unit_test(ext4__random_operations_on_a_full_disk__equal_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
