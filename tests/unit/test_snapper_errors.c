/*
 * Whatever Snapper calls in the layers below fails in turn, once or with all that follows: each operation
 * of the store, each allocation, each entry of a map. An error of that kind comes back, what was sound
 * is sound, nothing is left that a clean-up does not take away, and then it works.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "kernel/base/map.h"
#include "kernel/base/string.h"
#include "snapper/verify.h"
#include "tests/support/port_host.h"
#include "tests/support/verb_operations.h"

/* All of the first calls, fewer and fewer of those that follow: most of them only go on. */
enum { DENSE = 60, TRIES_MAX = 100000 };

enum below { DISK, TREE, MEMORY, ENTRIES, BELOW_KINDS };

static const enum status below_status[] = { ERR_IO, ERR_CORRUPT, ERR_NO_MEMORY,
                                            ERR_NO_MEMORY };

static struct {
    u64 calls, failing;
    bool for_good;
} entries;

/* The linker leads calls here. */
enum status __real_map_set(struct map *map, u64 key, u64 value);
enum status __wrap_map_set(struct map *map, u64 key, u64 value)
{
    entries.calls++;
    if (entries.failing != 0 && (entries.calls == entries.failing ||
                                 (entries.for_good && entries.calls > entries.failing)))
        return ERR_NO_MEMORY;
    return __real_map_set(map, key, value);
}

static struct fixture fixture;

static void fail_below(enum below kind, u64 nth, bool for_good)
{
    struct ram_counters *counters = ram_store_counters(fixture.ram);

    counters->operations = 0;
    entries.calls = 0;
    entries.failing = kind == ENTRIES ? nth : 0;
    entries.for_good = for_good;
    port_host_fail_allocation(kind == MEMORY ? nth : 0, for_good);
    ram_store_fail(fixture.ram, kind <= TREE ? nth : 0, below_status[kind], for_good);
}

/* How many calls of this kind there were since. */
static u64 calls_of(enum below kind)
{
    return kind == MEMORY    ? port_host_allocations()
           : kind == ENTRIES ? entries.calls
                             : ram_store_counters(fixture.ram)->operations;
}

/* Nothing is wrong with what was sound before. Damage that is gone again may have left a count. */
static void expect_sound(const char *what, enum below kind)
{
    struct snapper_cleanup_report cleanup;
    struct snapper_verify_report report;

    assert_int_equal(snapper_cleanup(fixture.snapper, &cleanup), OK);
    assert_int_equal(snapper_verify(fixture.snapper, NULL, &report), OK);
    if (kind == TREE)
        report.wrong_rc = 0;
    if (!snapper_verify_is_clean(&report))
        print_error("%s: damaged %llu, lost %llu, rc %llu, orphans %llu, incomplete %u\n",
                    what, (unsigned long long)report.damaged,
                    (unsigned long long)report.lost, (unsigned long long)report.wrong_rc,
                    (unsigned long long)report.orphans, report.incomplete);
    assert_true(snapper_verify_is_clean(&report));
}

/* False: there are not so many calls. */
static bool strike(const struct snapper_operation *operation, enum status usual,
                   enum below kind, u64 nth, bool for_good)
{
    snapper_operations_scene(&fixture, operation->scene);
    fail_below(kind, nth, for_good);
    enum status status = operation->run(&fixture);
    bool struck = calls_of(kind) >= nth;
    fail_below(kind, 0, false);
    /* What cannot be read has no good copy, and denies every purge. */
    char what[100];
    snprintf(what, sizeof what, "%s: call %llu of kind %d%s: %s", operation->name,
             (unsigned long long)nth, kind, for_good ? " and on" : "",
             status_text(status));
    bool fine = status == usual || status == below_status[kind] ||
                (kind <= TREE && (status == ERR_INTEGRITY || status == ERR_PURGE_DENIED));
    if (!fine)
        print_error("%s\n", what);
    assert_true(fine);
    assert_int_equal(snapper_state(fixture.snapper), SNAPPER_DORMANT);
    fixture_crash(&fixture);
    if (operation->scene == SCENE_SOUND || operation->scene >= SCENE_EMPTY)
        expect_sound(what, kind);
    fixture_close(&fixture);
    return struck;
}

static void try_operation(const struct snapper_operation *operation, bool for_good)
{
    u64 nth, struck = 0;

    snapper_operations_scene(&fixture, operation->scene);
    enum status usual = operation->run(&fixture);
    fixture_close(&fixture);
    for (enum below kind = DISK; kind < BELOW_KINDS; kind++) {
        for (nth = 1; strike(operation, usual, kind, nth, for_good);
             nth += 1 + nth / DENSE)
            assert_true(nth < TRIES_MAX);
        struck += nth - 1;
    }
    if (struck == 0)
        print_error("%s\n", operation->name);
    assert_true(struck > 0);
}

static void try_all(bool for_good)
{
    for (size_t i = 0; i < snapper_operation_count; i++)
        try_operation(&snapper_operations[i], for_good);
    for (size_t i = 0; i < verb_operation_count; i++)
        try_operation(&verb_operations[i], for_good);
}

static void operation__each_call_below_fails_once__all_is_sound(void **state)
{
    (void)state;
    try_all(false);
}

static void operation__each_call_below_and_all_after_fail__all_is_sound(void **state)
{
    (void)state;
    try_all(true);
}

static int set_up(void **state)
{
    (void)state;
    snapper_operations_prepare();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    snapper_operations_done();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(operation__each_call_below_fails_once__all_is_sound),
        cmocka_unit_test(operation__each_call_below_and_all_after_fail__all_is_sound),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
