/*
 * Several page spaces under one line, against a model: programs write at every moment at which they
 * could come between two steps of a generation, lines are drawn wherever they stand, pages are absent
 * and evicted, machines lose their power. What a generation holds must be what the line saw.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/persist/spaces.h"
#include "tests/support/soft_mmu.h"

enum { SPACES = 5 /* the window first */, PAGES = 24, FRAMES = 1500, NO_SPACE = -1 };

/* One word stands for a page; 0: it is zero, and may not exist. */
struct image {
    bool alive[SPACES];
    u64 numbers[SPACES];
    u64 words[SPACES][PAGES];
};

static struct {
    struct page_space window;
    struct spaces spaces;
    struct page_space *space[SPACES]; /* NULL: no process in this slot */
    struct image now, line,
        held;    /* memory, at the last line, in the current generation */
    int running; /* slot, or NO_SPACE */
    bool line_wanted;
    u64 wanted_page; /* a program waits for slot * PAGES + page; PAGES * SPACES: none does */
    u64 seed, lines, brought, evicted;
} world;

static u64 draw(u64 limit)
{
    world.seed = world.seed * 6364136223846793005ULL + 1442695040888963407ULL;
    return (world.seed >> 33) % limit;
}

/* Neighbours, another leaf table, another part. */
static u64 page_of(u64 index)
{
    static const u64 places[] = { 100, 510, 5000 };

    return places[index % 3] + index / 3;
}

static int slot_of(const struct image *image, u64 number)
{
    for (int slot = 0; slot < SPACES; slot++)
        if (image->alive[slot] && image->numbers[slot] == number)
            return slot;
    return NO_SPACE;
}

static u64 index_of(u64 page)
{
    for (u64 index = 0; index < PAGES; index++)
        if (page_of(index) == page)
            return index;
    fail_msg("page %llu is nobody's", (unsigned long long)page);
    return 0;
}

static bool holds(void *context, u64 number, u64 page)
{
    (void)context;
    int slot = slot_of(&world.held, number);
    return slot != NO_SPACE && world.held.words[slot][index_of(page)] != 0;
}

static const struct page_backing backing = { holds, NULL };

/* --- programs: whatever comes in between --- */

static void run_on(int slot)
{
    world.running = slot;
    if (slot == NO_SPACE)
        return;
    page_space_enter(world.space[slot]);
    soft_mmu_load(world.space[slot]->top);
}

static int access_word(int slot, u64 page, bool write, u64 *word)
{
    if (slot == 0)
        return write ? soft_mmu_write(page, 0, *word) : soft_mmu_read(page, 0, word);
    return write ? soft_mmu_user_write(page, 0, *word)
                 : soft_mmu_user_read(page, 0, word);
}

/* Touches until it works; false: the page is absent, or there is no frame, and the program waits. */
static bool reach(int slot, u64 index, bool write, u64 *word)
{
    for (int tries = 0; access_word(slot, page_of(index), write, word) != SOFT_MMU_OK;
         tries++) {
        assert_true(tries < 2);
        enum status status = page_space_touch(world.space[slot], page_of(index),
                                              write ? PAGE_WRITE : PAGE_READ);
        if (status == ERR_BUSY)
            world.wanted_page = (u64)slot * PAGES + index;
        if (status == ERR_BUSY || status == ERR_NO_MEMORY)
            return false;
        assert_int_equal(status, OK);
        if (draw(6) == 0) /* it is stopped before it does what it faulted for */
            return false;
    }
    return true;
}

static void program_step(void)
{
    int slot = draw(4) == 0 ? 0 : world.running;
    if (slot == NO_SPACE)
        return;
    u64 index = draw(PAGES), word;

    if (draw(2)) {
        word = draw(1 << 30) + 1;
        if (!reach(slot, index, true, &word))
            return;
        world.now.words[slot][index] = word;
    } else if (reach(slot, index, false, &word)) {
        assert_int_equal(word, world.now.words[slot][index]);
    }
}

static void draw_line(void)
{
    bool outer = soft_mmu_machine()->begin_section();
    world.line_wanted = false;
    spaces_draw_line(&world.spaces,
                     world.running == NO_SPACE ? NULL : world.space[world.running]);
    world.line = world.now;
    world.lines++;
    soft_mmu_machine()->end_section(outer);
}

/* Another context, wherever it may come. */
static void programs_run(void *context)
{
    static bool busy; /* nothing comes in between what comes in between */

    (void)context;
    if (busy || draw(4) > 0)
        return;
    busy = true;
    for (u64 steps = draw(4); steps > 0; steps--) {
        if (world.line_wanted && draw(6) == 0)
            draw_line();
        if (draw(5) == 0) {
            int slot = (int)draw(SPACES);
            run_on(slot > 0 && world.space[slot] ? slot : NO_SPACE);
        }
        program_step();
    }
    busy = false;
}

/* --- processes come and go --- */

static void attach(int slot, enum space_origin origin, u64 number)
{
    struct page_policy policy = { .user = true };

    assert_int_equal(
        spaces_attach(&world.spaces, number, origin, &policy, &world.space[slot]), OK);
    world.now.alive[slot] = true;
    world.now.numbers[slot] = number;
}

/* Numbers are used again on purpose. */
static void process_comes_or_goes(void)
{
    int slot = 1 + (int)draw(SPACES - 1);

    if (world.space[slot]) {
        if (world.running == slot) {
            world.running = NO_SPACE;
            soft_mmu_load(NULL);
        }
        if (world.wanted_page / PAGES == (u64)slot)
            world.wanted_page = SPACES * PAGES;
        world.now.alive[slot] = false;
        memset(world.now.words[slot], 0, sizeof world.now.words[slot]);
        struct page_space *space = world.space[slot];
        world.space[slot] = NULL;
        spaces_detach(&world.spaces, space);
    } else {
        u64 number = 1 + draw(8);
        if (!spaces_find(&world.spaces, number))
            attach(slot, SPACE_NEW, number);
    }
}

/* A loader fills a page of a space that does not run. */
static void load_page(void)
{
    int slot = (int)draw(SPACES);
    u64 index = draw(PAGES);
    void *memory;

    if (!world.space[slot])
        return;
    bool outer = soft_mmu_machine()->begin_section();
    enum status status = page_space_alias(world.space[slot], page_of(index), &memory);
    if (status == OK) {
        *(u64 *)memory = world.now.words[slot][index] = draw(1 << 30) + 1;
    }
    soft_mmu_machine()->end_section(outer);
    assert_true(status == OK || status == ERR_BUSY || status == ERR_NO_MEMORY);
}

/* What the pager does. */
static void bring_wanted_page(void)
{
    physical_address frame;
    u64 wanted = world.wanted_page, index = wanted % PAGES;
    if (wanted == SPACES * PAGES)
        return;

    world.wanted_page = SPACES * PAGES;
    struct page_space *space = world.space[wanted / PAGES];
    if (!page_space_is_absent(space, page_of(index)))
        return;
    assert_int_equal(soft_mmu_machine()->frame_alloc(&frame), OK);
    u64 *memory = soft_mmu_machine()->frame_memory(frame);
    memory[0] = world.held.words[slot_of(&world.held, space->number)][index];
    assert_int_equal(page_space_install(space, page_of(index), frame), OK);
    world.brought++;
}

/* Twice and more, because what was used is spared once. */
static void evict(void)
{
    static struct spaces_hand hand;
    if (draw(2))
        soft_mmu_set_between(NULL, NULL);
    for (int times = 0; times < 3; times++)
        world.evicted += spaces_evict(&world.spaces, &hand, 0, draw(40));
    soft_mmu_set_between(programs_run, NULL);
}

/* --- a generation --- */

static void take_pages(struct image *next)
{
    struct spaces_cursor cursor = {};
    const void *memory;
    u64 id;

    while (spaces_next_forgotten(&world.spaces, &cursor, &id))
        next->words[slot_of(next, object_space(id))][index_of(object_page(id))] = 0;

    cursor = (struct spaces_cursor){};
    while (spaces_next_taken(&world.spaces, &cursor, &id, &memory)) {
        int slot = slot_of(next, object_space(id));
        assert_int_not_equal(slot, NO_SPACE);
        next->words[slot][index_of(object_page(id))] = *(const u64 *)memory;
    }
}

/* What was held, in the places that the line's processes have. */
static struct image carried_over(void)
{
    struct image next = world.line;

    for (int slot = 0; slot < SPACES; slot++) {
        int before =
            next.alive[slot] ? slot_of(&world.held, next.numbers[slot]) : NO_SPACE;
        bool lives_on =
            before != NO_SPACE && spaces_lists_on(&world.spaces, next.numbers[slot]);
        for (u64 index = 0; index < PAGES; index++)
            next.words[slot][index] = lives_on ? world.held.words[before][index] : 0;
    }
    return next;
}

static void take_generation(void)
{
    assert_int_equal(spaces_prepare(&world.spaces), OK);
    world.line_wanted = true;
    for (u64 patience = draw(50); world.line_wanted && patience > 0; patience--)
        programs_run(NULL);
    if (world.line_wanted)
        draw_line();
    while (spaces_harvest_step(&world.spaces))
        if (draw(10) == 0)
            process_comes_or_goes();
        else if (draw(4) == 0)
            load_page();
    for (u64 steps = draw(20); steps > 0; steps--)
        programs_run(NULL);
    if (draw(2))
        evict();
    for (u64 steps = draw(20); steps > 0; steps--)
        programs_run(NULL);
    if (draw(3) == 0)
        process_comes_or_goes();

    struct image next = carried_over();
    take_pages(&next);
    assert_memory_equal(&next, &world.line, sizeof next);
    if (draw(4) == 0) {
        spaces_abort(&world.spaces);
    } else {
        world.held = next;
        spaces_commit(&world.spaces);
    }
}

/* --- machines --- */

static void switch_on(void)
{
    soft_mmu_start(FRAMES);
    page_space_init(&world.window, soft_mmu_machine(), soft_mmu_top(), SOFT_MMU_BASE,
                    SOFT_MMU_GIB * GIB);
    spaces_init(&world.spaces, &world.window, &backing);
    memset(world.space, 0, sizeof world.space);
    world.space[0] = &world.window;
    world.running = NO_SPACE;
    world.wanted_page = SPACES * PAGES;
    world.now = world.held;
    world.now.alive[0] = true;
    for (int slot = 1; slot < SPACES; slot++)
        if (world.now.alive[slot])
            attach(slot, SPACE_RESUMED, world.now.numbers[slot]);
}

static void switch_off(void)
{
    soft_mmu_set_between(NULL, NULL);
    soft_mmu_load(NULL);
    spaces_destroy(&world.spaces);
    page_space_reset(&world.window);
    assert_int_equal(soft_mmu_frames_used(), 0);
    soft_mmu_stop();
}

static void live(u64 steps)
{
    switch_on();
    soft_mmu_set_between(programs_run, NULL);
    for (; steps > 0; steps--) {
        u64 what = draw(100);
        if (what < 50)
            programs_run(NULL);
        else if (what < 75)
            bring_wanted_page();
        else if (what < 80)
            process_comes_or_goes();
        else if (what < 82)
            load_page();
        else if (what < 90)
            evict();
        else
            take_generation();
    }
    switch_off();
}

static void
spaces__programs_come_between_any_two_steps__generations_hold_the_line(void **state)
{
    u64 lines = 0, brought = 0, evicted = 0;

    (void)state;
    for (u64 seed = 1; seed <= 20; seed++) {
        memset(&world, 0, sizeof world);
        world.seed = seed;
        world.held.alive[0] = true;
        print_message("seed %llu\n", (unsigned long long)seed);
        for (int lives = 0; lives < 4; lives++)
            live(400);
        lines += world.lines;
        brought += world.brought;
        evicted += world.evicted;
    }
    print_message("%llu lines, %llu brought, %llu evicted\n", (unsigned long long)lines,
                  (unsigned long long)brought, (unsigned long long)evicted);
    assert_true(lines > 2000 && brought > 1000 && evicted > 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            spaces__programs_come_between_any_two_steps__generations_hold_the_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
