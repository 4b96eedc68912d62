/*
 * Page spaces against a model, on a software MMU that punishes missing TLB invalidations.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/persist/page_space_internal.h"
#include "tests/support/soft_mmu.h"

enum { MODEL_PAGES = 200, WORDS = 4 };

/* A few pages in each of many tables: neighbours, other leaf tables, other GiB. */
static u64 page_of(unsigned slot)
{
    static const u64 place[] = { 0, 100, 500, 600, 5000, 262130, 262300, 600000 };

    return place[slot % 8] + slot / 8;
}

struct model_page {
    bool exists;
    bool dirty; /* written since its last demarcation, or part of an aborted generation */
    bool taken; /* the generation in flight must have it */
    bool forgotten, forgetting;
    u64 words[WORDS];
    u64 taken_words[WORDS];
};

struct world {
    struct page_space space;
    struct model_page model[MODEL_PAGES];
};

static int start_world(void **state)
{
    static struct world world;

    memset(&world, 0, sizeof world);
    soft_mmu_start(2000);
    page_space_init(&world.space, soft_mmu_machine(), soft_mmu_top(), SOFT_MMU_BASE,
                    SOFT_MMU_GIB * GIB);
    *state = &world;
    return 0;
}

static int stop_world(void **state)
{
    struct world *world = *state;

    if (world->space.phase != SPACE_IDLE)
        page_space_abort(&world->space);
    page_space_reset(&world->space);
    size_t left = soft_mmu_frames_used();
    soft_mmu_stop();
    return left != 0; /* leaked */
}

static void cpu_write(struct world *world, u64 page, size_t offset, u64 value)
{
    for (int tries = 0; soft_mmu_write(page, offset, value) != SOFT_MMU_OK; tries++) {
        assert_true(tries < 2);
        assert_int_equal(page_space_touch(&world->space, page, PAGE_WRITE), OK);
    }
}

static u64 cpu_read(struct world *world, u64 page, size_t offset)
{
    u64 value = 0;

    for (int tries = 0; soft_mmu_read(page, offset, &value) != SOFT_MMU_OK; tries++) {
        assert_true(tries < 2);
        assert_int_equal(page_space_touch(&world->space, page, PAGE_READ), OK);
    }
    return value;
}

static void demarcate(struct world *world)
{
    assert_int_equal(page_space_prepare(&world->space), OK);
    page_space_demarcate(&world->space);
}

static void harvest(struct world *world)
{
    while (page_space_harvest_step(&world->space))
        ;
}

/* How many pages the generation in flight takes; `page` must be one of them if `wanted`. */
static u64 count_taken(struct world *world)
{
    struct page_cursor cursor = {};
    u64 count = 0, page;
    const void *memory;

    while (page_space_next_taken(&world->space, &cursor, &page, &memory))
        count++;
    return count;
}

static void model_write(struct world *world, unsigned slot, unsigned word, u64 value)
{
    struct model_page *model = &world->model[slot];

    cpu_write(world, page_of(slot), word * 8, value);
    if (!model->exists)
        memset(model->words, 0, sizeof model->words);
    model->exists = model->dirty = true;
    model->words[word] = value;
}

static void model_read(struct world *world, unsigned slot, unsigned word)
{
    struct model_page *model = &world->model[slot];

    u64 value = cpu_read(world, page_of(slot), word * 8);
    assert_int_equal(value, model->exists ? model->words[word] : 0);
    if (!model->exists)
        memset(model->words, 0, sizeof model->words);
    model->exists = true;
}

static void model_release(struct world *world, unsigned slot)
{
    struct model_page *model = &world->model[slot];

    enum status status = page_space_release(&world->space, page_of(slot));
    assert_int_equal(status, model->exists ? OK : ERR_NOT_FOUND);
    if (model->exists)
        model->forgotten = true;
    model->exists = model->dirty = false;
}

static void model_demarcate(struct world *world)
{
    demarcate(world);
    for (unsigned slot = 0; slot < MODEL_PAGES; slot++) {
        struct model_page *model = &world->model[slot];
        model->taken = model->dirty;
        model->dirty = false;
        model->forgetting |= model->forgotten;
        model->forgotten = false;
        memcpy(model->taken_words, model->words, sizeof model->words);
    }
}

static struct model_page *model_of(struct world *world, u64 page)
{
    for (unsigned slot = 0; slot < MODEL_PAGES; slot++)
        if (page_of(slot) == page)
            return &world->model[slot];
    fail_msg("page %llu is not of the model", (unsigned long long)page);
    return NULL;
}

/* The set is exactly what the model says, each page as it was at the demarcation. */
static void check_flight(struct world *world)
{
    struct page_cursor cursor = {};
    const void *memory;
    u64 page, expected = 0, seen = 0, forgotten = 0;

    for (unsigned slot = 0; slot < MODEL_PAGES; slot++) {
        expected += world->model[slot].taken;
        forgotten += world->model[slot].forgetting;
    }
    while (page_space_next_taken(&world->space, &cursor, &page, &memory)) {
        struct model_page *model = model_of(world, page);
        assert_true(model->taken);
        assert_memory_equal(memory, model->taken_words, sizeof model->taken_words);
        seen++;
    }
    assert_int_equal(seen, expected);

    size_t at = 0;
    while (page_space_next_forgotten(&world->space, &at, &page)) {
        assert_true(model_of(world, page)->forgetting);
        forgotten--;
    }
    assert_int_equal(forgotten, 0);
}

static void model_end(struct world *world, bool commit)
{
    harvest(world);
    check_flight(world);
    if (commit)
        page_space_commit(&world->space);
    else
        page_space_abort(&world->space);

    for (unsigned slot = 0; slot < MODEL_PAGES; slot++) {
        struct model_page *model = &world->model[slot];
        if (!commit) {
            model->dirty |= model->taken && model->exists;
            model->forgotten |= model->forgetting;
        }
        model->taken = model->forgetting = false;
    }
}

static unsigned draw(u64 *seed, unsigned limit)
{
    *seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (unsigned)(*seed >> 33) % limit;
}

static void random_step(struct world *world, u64 *seed)
{
    unsigned slot = draw(seed, MODEL_PAGES);
    unsigned what = draw(seed, 100);

    if (what < 60)
        model_write(world, slot, draw(seed, WORDS), draw(seed, 1 << 30));
    else if (what < 80)
        model_read(world, slot, draw(seed, WORDS));
    else if (what < 86)
        model_release(world, slot);
    else if (what < 96 && world->space.phase == SPACE_HARVESTING)
        (void)page_space_harvest_step(&world->space);
    else if (what < 90 && world->space.phase == SPACE_IDLE)
        model_demarcate(world);
    else if (what >= 97 && world->space.phase != SPACE_IDLE)
        model_end(world, draw(seed, 3) > 0);
}

static void page_space__random_life__takes_exactly_what_was_written(void **state)
{
    struct world *world = *state;

    for (u64 start = 1; start <= 20; start++) {
        u64 seed = start;
        print_message("seed %llu\n", (unsigned long long)start);
        for (int step = 0; step < 20000; step++)
            random_step(world, &seed);
    }
    assert_true(world->space.counters.copied > 100);
}

static void demarcate__memory_written_once__costs_tables_written_only(void **state)
{
    struct world *world = *state;

    for (u64 page = 0; page < 1000; page++)
        cpu_write(world, page, 0, page);
    demarcate(world);
    harvest(world);
    assert_int_equal(count_taken(world), 1000);
    page_space_commit(&world->space);

    cpu_write(world, 3, 0, 1);
    cpu_write(world, 700000, 0, 1);
    page_entry untouched = world->space.top[0];
    untouched = entry_table(&world->space, untouched)[1];
    u64 looks = soft_mmu_looks_at(entry_frame(untouched));
    demarcate(world);
    harvest(world);
    assert_int_equal(count_taken(world), 2);
    page_space_commit(&world->space);

    assert_int_equal(soft_mmu_looks_at(entry_frame(untouched)), looks);
    u64 tables = 1 + 2 + 2; /* top, two below it, two leaf tables */
    assert_true(world->space.counters.entries_read <= 2 + 512 * tables);
}

static void demarcate__nothing_written__reads_no_entry(void **state)
{
    struct world *world = *state;

    cpu_write(world, 5, 0, 1);
    demarcate(world);
    harvest(world);
    page_space_commit(&world->space);
    assert_false(page_space_is_dirty(&world->space));
    assert_int_equal(cpu_read(world, 5, 0), 1);

    demarcate(world);
    harvest(world);
    assert_int_equal(count_taken(world), 0);
    page_space_commit(&world->space);
    assert_int_equal(world->space.counters.entries_read, 0);
}

static void demarcate__page_only_read__is_not_taken(void **state)
{
    struct world *world = *state;

    assert_int_equal(cpu_read(world, 9, 0), 0);
    cpu_write(world, 10, 0, 1);
    demarcate(world);
    harvest(world);
    assert_int_equal(count_taken(world), 1);
}

static void install__page_of_a_generation__is_clean_until_written(void **state)
{
    struct world *world = *state;
    physical_address frame;

    assert_int_equal(soft_mmu_machine()->frame_alloc(&frame), OK);
    assert_int_equal(page_space_install(&world->space, 77, frame), OK);
    assert_false(page_space_is_dirty(&world->space));
    (void)cpu_read(world, 77, 0);
    assert_false(page_space_is_dirty(&world->space));

    cpu_write(world, 77, 8, 1);
    assert_true(page_space_is_dirty(&world->space));
    assert_int_equal(page_space_count_dirty(&world->space), 1);
    demarcate(world);
    harvest(world);
    assert_int_equal(count_taken(world), 1);
}

static void install__page_exists__is_refused(void **state)
{
    struct world *world = *state;
    physical_address frame;

    cpu_write(world, 77, 8, 1);
    assert_int_equal(soft_mmu_machine()->frame_alloc(&frame), OK);
    assert_int_equal(page_space_install(&world->space, 77, frame), ERR_EXISTS);
    soft_mmu_machine()->frame_free(frame);
}

static void touch__no_frames__says_so_and_recovers(void **state)
{
    struct world *world = *state;

    soft_mmu_refuse_frames(true);
    assert_int_equal(page_space_touch(&world->space, 4, PAGE_WRITE), ERR_NO_MEMORY);
    assert_false(page_space_has(&world->space, 4));
    soft_mmu_refuse_frames(false);
    cpu_write(world, 4, 0, 9);
    assert_int_equal(cpu_read(world, 4, 0), 9);
}

static void touch__page_in_flight_and_no_frames__keeps_the_flight_intact(void **state)
{
    struct world *world = *state;

    cpu_write(world, 4, 0, 9);
    demarcate(world);
    harvest(world);
    soft_mmu_refuse_frames(true);
    assert_int_equal(soft_mmu_write(4, 0, 10), SOFT_MMU_WRITE_FAULT);
    assert_int_equal(page_space_touch(&world->space, 4, PAGE_WRITE), ERR_NO_MEMORY);
    assert_int_equal(soft_mmu_write(4, 0, 10), SOFT_MMU_WRITE_FAULT);
    soft_mmu_refuse_frames(false);
    page_space_commit(&world->space);
    cpu_write(world, 4, 0, 10);
}

static void touch__outside_the_space__is_refused(void **state)
{
    struct world *world = *state;

    assert_int_equal(page_space_touch(&world->space, world->space.limit, PAGE_WRITE),
                     ERR_INVALID_ARGUMENT);
    assert_false(page_space_has(&world->space, world->space.limit));
}

static void alias__page_in_flight__is_copied_and_dirty(void **state)
{
    struct world *world = *state;
    struct page_cursor cursor = {};
    void *memory;
    const void *taken;
    u64 page;

    cpu_write(world, 4, 0, 9);
    demarcate(world);
    harvest(world);
    assert_int_equal(cpu_read(world, 4, 0), 9);
    assert_int_equal(page_space_alias(&world->space, 4, &memory), OK);
    *(u64 *)memory = 10;
    assert_int_equal(cpu_read(world, 4, 0), 10);
    assert_true(page_space_next_taken(&world->space, &cursor, &page, &taken));
    assert_int_equal(*(const u64 *)taken, 9);
    page_space_commit(&world->space);

    assert_int_equal(cpu_read(world, 4, 0), 10);
    demarcate(world);
    harvest(world);
    assert_int_equal(count_taken(world), 1);
}

static void abort__page_not_written_again__is_taken_by_the_next(void **state)
{
    struct world *world = *state;

    cpu_write(world, 4, 0, 9);
    cpu_write(world, 5, 0, 9);
    demarcate(world);
    harvest(world);
    page_space_abort(&world->space);
    assert_true(page_space_is_dirty(&world->space));
    assert_int_equal(page_space_count_dirty(&world->space), 2);

    cpu_write(world, 5, 0, 10);
    demarcate(world);
    harvest(world);
    assert_int_equal(count_taken(world), 2);
    page_space_commit(&world->space);
    assert_false(page_space_is_dirty(&world->space));
}

static void page_set__many_records__come_back_in_order(void **state)
{
    (void)state;
    struct page_set set;
    struct page_cursor cursor = {};

    page_set_init(&set, soft_mmu_machine());
    assert_int_equal(page_set_reserve(&set, 255), OK);
    for (u64 round = 0; round < 3; round++) {
        for (u64 i = 0; i < 1000; i++) {
            assert_int_equal(page_set_reserve(&set, i + 1), OK);
            page_set_append(&set, (struct page_record){ i, i + round });
        }
        cursor = (struct page_cursor){};
        for (u64 i = 0; i < 1000; i++) {
            struct page_record *record = page_set_next(&set, &cursor);
            assert_int_equal(record->page, i);
            assert_int_equal(record->frame, i + round);
        }
        assert_null(page_set_next(&set, &cursor));
        page_set_truncate(&set, 510);
        page_set_append(&set, (struct page_record){ 1, 2 });
        assert_int_equal(set.count, 511);
        page_set_truncate(&set, 0);
    }
    page_set_destroy(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, start_world, stop_world)
        WORLD_TEST(page_space__random_life__takes_exactly_what_was_written),
        WORLD_TEST(demarcate__memory_written_once__costs_tables_written_only),
        WORLD_TEST(demarcate__nothing_written__reads_no_entry),
        WORLD_TEST(demarcate__page_only_read__is_not_taken),
        WORLD_TEST(install__page_of_a_generation__is_clean_until_written),
        WORLD_TEST(install__page_exists__is_refused),
        WORLD_TEST(touch__no_frames__says_so_and_recovers),
        WORLD_TEST(touch__page_in_flight_and_no_frames__keeps_the_flight_intact),
        WORLD_TEST(touch__outside_the_space__is_refused),
        WORLD_TEST(alias__page_in_flight__is_copied_and_dirty),
        WORLD_TEST(abort__page_not_written_again__is_taken_by_the_next),
        WORLD_TEST(page_set__many_records__come_back_in_order),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
