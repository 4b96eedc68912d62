/*
 * Differences between generations: exact, in order, and without reading what both share.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/base/string.h"
#include "snapper/diff.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_model.h"

enum { SIZE = 64, MAX = 100 };

static struct fixture fixture;
static struct snapper_difference told[MAX];
static size_t count;
static struct snapper_diff_report report;

static int set_up(void **state)
{
    (void)state;
    port_host_set_time(1795246200000000);
    fixture_open(&fixture, NULL, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fixture_close(&fixture);
    port_host_set_time(0);
    return 0;
}

static enum status note(void *context, const struct snapper_difference *difference)
{
    (void)context;
    assert_true(count < MAX);
    if (count > 0)
        assert_true(difference->first_id > told[count - 1].first_id);
    told[count++] = *difference;
    return OK;
}

static void diff(const struct generation_name *a, const struct generation_name *b)
{
    count = 0;
    assert_int_equal(snapper_diff(fixture.snapper, a->text, b->text, note, NULL, &report),
                     OK);
}

static void assert_told(size_t at, enum snapper_change change, u64 first, u64 length)
{
    assert_true(at < count);
    assert_int_equal(told[at].change, change);
    assert_int_equal(told[at].first_id, first);
    assert_int_equal(told[at].count, length);
}

static struct generation_name forget_some(u64 first, u64 length)
{
    struct snapper_commit_report commit;

    assert_int_equal(init_snapshot(fixture.snapper, NULL), OK);
    for (u64 i = 0; i < length; i++)
        assert_int_equal(forget(fixture.snapper, first + i), OK);
    assert_int_equal(commit_snapshot(fixture.snapper, NULL, &commit), OK);
    return commit.name;
}

static void diff__added_changed_and_removed__are_told_as_ranges(void **state)
{
    (void)state;
    struct generation_name a = commit_pages(&fixture, 0, 50, SIZE, 1, NULL);

    commit_pages(&fixture, 10, 5, SIZE, 100, NULL);
    commit_pages(&fixture, 15, 5, SIZE, 200, NULL);
    commit_pages(&fixture, 60, 3, SIZE, 300, NULL);
    struct generation_name b = forget_some(30, 4);
    diff(&a, &b);
    assert_int_equal(count, 3);
    assert_told(0, CHANGE_CHANGED, 10, 10);
    assert_told(1, CHANGE_REMOVED, 30, 4);
    assert_told(2, CHANGE_ADDED, 60, 3);
    assert_int_equal(report.same, 36);
    assert_int_equal(report.changed, 10);
    diff(&b, &a);
    assert_int_equal(report.added, 4);
    assert_int_equal(report.removed, 3);
    assert_told(1, CHANGE_ADDED, 30, 4);
}

static void diff__nothing_changed__reads_no_file(void **state)
{
    (void)state;
    struct generation_name a = commit_pages(&fixture, 0, 50, SIZE, 1, NULL);
    struct generation_name b = commit_pages(&fixture, 0, 50, SIZE, 1, NULL);

    struct ram_counters before = *ram_store_counters(fixture.ram);
    diff(&a, &b);
    assert_int_equal(count, 0);
    assert_int_equal(report.same, 50);
    assert_true(ram_store_counters(fixture.ram)->reads - before.reads <=
                2); /* archives */
    diff(&a, &a);
    assert_int_equal(report.same, 50);
}

/* Written twice with the same bytes is not a change; the same checksum with others is. */
static void diff__other_files__are_compared_by_their_bytes(void **state)
{
    (void)state;
    struct generation_name a = commit_pages(&fixture, 0, 5, SIZE, 1, NULL);

    commit_pages(&fixture, 0, 5, SIZE, 100, NULL);
    struct generation_name c = commit_pages(&fixture, 0, 5, SIZE, 1, NULL);
    diff(&a, &c);
    assert_int_equal(count, 0);
    assert_int_equal(report.same, 5);
}

static void diff__another_size__is_a_change(void **state)
{
    (void)state;
    struct generation_name a = commit_pages(&fixture, 0, 5, SIZE, 1, NULL);
    struct generation_name b = commit_pages(&fixture, 2, 2, SIZE - 1, 1, NULL);

    diff(&a, &b);
    assert_told(0, CHANGE_CHANGED, 2, 2);
    assert_int_equal(count, 1);
}

static void diff__empty_and_unknown__are_everything_and_nothing(void **state)
{
    (void)state;
    struct generation_name a = commit_pages(&fixture, 0, 0, SIZE, 1, NULL);
    struct generation_name b = commit_pages(&fixture, UINT64_MAX - 2, 3, SIZE, 1, NULL);

    diff(&a, &b);
    assert_told(0, CHANGE_ADDED, UINT64_MAX - 2, 3);
    assert_int_equal(snapper_diff(fixture.snapper, a.text, "2001-01-01T00:00:00.000000Z",
                                  note, NULL, &report),
                     ERR_NOT_FOUND);
}

static enum status interrupt(void *context, const struct snapper_difference *difference)
{
    (void)context;
    (void)difference;
    return ERR_INTERRUPTED;
}

static void diff__caller_says_stop__is_what_it_returns(void **state)
{
    (void)state;
    struct generation_name a = commit_pages(&fixture, 0, 5, SIZE, 1, NULL);
    struct generation_name b = commit_pages(&fixture, 0, 5, SIZE, 9, NULL);

    assert_int_equal(
        snapper_diff(fixture.snapper, a.text, b.text, interrupt, NULL, &report),
        ERR_INTERRUPTED);
}

/* --- against the model --- */

static struct model model;
static enum snapper_change changes[MODEL_IDS];
static bool differs[MODEL_IDS];

static enum status mark(void *context, const struct snapper_difference *difference)
{
    (void)context;
    for (size_t i = 0; i < MODEL_IDS; i++)
        if (history_id(i) - difference->first_id < difference->count) {
            assert_false(differs[i]);
            differs[i] = true;
            changes[i] = difference->change;
        }
    return OK;
}

static void check_pair(const struct model_generation *a, const struct model_generation *b)
{
    memset(differs, 0, sizeof differs);
    assert_int_equal(
        snapper_diff(model.fixture.snapper, a->name, b->name, mark, NULL, &report), OK);
    for (size_t i = 0; i < MODEL_IDS; i++) {
        const struct model_content *x = a->objects[i], *y = b->objects[i];
        bool same =
            x == y || (x && y && x->size == y->size &&
                       (x->size == 0 || memcmp(x->bytes, y->bytes, x->size) == 0));

        assert_int_equal(differs[i], !same);
        if (!same)
            assert_int_equal(changes[i], !x   ? CHANGE_ADDED
                                         : !y ? CHANGE_REMOVED
                                              : CHANGE_CHANGED);
    }
}

static void make_generation(void)
{
    struct snapper_commit_report commit;

    assert_int_equal(init_snapshot(model.fixture.snapper, NULL), OK);
    for (size_t i = 0; i < MODEL_IDS; i++) {
        u64 what = history_draw(&model, 4);
        if (what == 0 && model.pending.objects[i]) {
            assert_int_equal(forget(model.fixture.snapper, history_id(i)), OK);
            model.pending.objects[i] = NULL;
        } else if (what == 1) {
            struct model_content *content =
                history_content(&model, model.pending.objects[i]);
            assert_int_equal(take_snapshot(model.fixture.snapper, content->bytes,
                                           content->size, history_id(i)),
                             OK);
            model.pending.objects[i] = content;
        }
    }
    assert_int_equal(commit_snapshot(model.fixture.snapper, NULL, &commit), OK);
    history_commit(&model, &commit);
}

static void diff__random_generations__agree_with_the_model(void **state)
{
    (void)state;
    for (u64 seed = 1; seed < 6; seed++) {
        print_message("seed %llu\n", (unsigned long long)seed);
        history_open(&model, seed);
        for (int i = 0; i < 20; i++)
            make_generation();
        for (size_t a = 0; a < model.count; a++)
            for (size_t b = 0; b < model.count; b++)
                check_pair(&model.generations[a], &model.generations[b]);
        history_close(&model);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(diff__added_changed_and_removed__are_told_as_ranges),
        TEST(diff__nothing_changed__reads_no_file),
        TEST(diff__other_files__are_compared_by_their_bytes),
        TEST(diff__another_size__is_a_change),
        TEST(diff__empty_and_unknown__are_everything_and_nothing),
        TEST(diff__caller_says_stop__is_what_it_returns),
        cmocka_unit_test(diff__random_generations__agree_with_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
