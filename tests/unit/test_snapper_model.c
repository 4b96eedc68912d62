/*
 * Random histories against a plain model: every generation that was committed and not purged restores
 * to the byte, whatever is cut, reopened, refused, damaged, rolled back or settled between, and
 * nothing else is left on the disk. SNAPPER_SEED and SNAPPER_ROUNDS choose other histories.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/base/string.h"
#include "snapper/retention.h"
#include "snapper/select.h"
#include "snapper/verify.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_model.h"

enum { STEPS = 2500, ROUNDS = 40 };

static struct model model;

static u64 draw(u64 below)
{
    return history_draw(&model, below);
}

static void begin(void)
{
    const struct model_generation *base = history_find(&model, model.current);
    const char *name = NULL;

    if (model.count > 0 && draw(6) == 0) { /* a branch */
        base = &model.generations[draw(model.count)];
        name = base->name;
    }
    assert_int_equal(init_snapshot(model.fixture.snapper, name), OK);
    model.pending = base ? *base : (struct model_generation){ 0 };
    model.base = model.pending;
    model.creating = true;
}

static void take(size_t i)
{
    struct model_content *content = history_content(&model, model.base.objects[i]);

    assert_int_equal(take_snapshot(model.fixture.snapper,
                                   content->size ? content->bytes : NULL, content->size,
                                   history_id(i)),
                     OK);
    model.pending.objects[i] = content;
}

static void forget_one(void)
{
    size_t i = draw(MODEL_IDS);

    assert_int_equal(forget(model.fixture.snapper, history_id(i)),
                     model.pending.objects[i] ? OK : ERR_NOT_FOUND);
    model.pending.objects[i] = NULL;
}

static void set_clock(void)
{
    static const i64 steps[] = { 0, 0, 1, 1000, 1000000, -5000000, 20000000 };

    model.now = (u64)((i64)model.now + steps[draw(ARRAY_LENGTH(steps))]);
    port_host_set_time(model.now);
}

/* What a crash or a failure left is nothing, once it was cleaned up. */
static void check_left_nothing(void)
{
    struct snapper_cleanup_report report;

    assert_int_equal(snapper_cleanup(model.fixture.snapper, &report), OK);
    if (draw(4) == 0)
        assert_tree_is_sound(model.fixture.ram, false);
}

static bool is_there(const char *name)
{
    struct generation_name found;

    return snapper_select(model.fixture.snapper, name, &found) == OK;
}

/* What the rules purged; after a failure perhaps only some of it. */
static void follow_rules(bool failed)
{
    static struct model before;

    before = model;
    history_expire(&model);
    if (!failed)
        return;
    static struct model after;
    after = model;
    model = before;
    for (size_t i = 0; i < before.count; i++) {
        const char *name = before.generations[i].name;
        if (is_there(name))
            continue;
        assert_null(history_find(&after, name));
        history_remove(&model, name);
    }
}

static void commit(void)
{
    struct snapper_commit_report report;
    bool doomed = draw(5) == 0, out_of_memory = draw(9) == 0;

    if (model.count == MODEL_GENERATIONS)
        return;
    set_clock();
    if (doomed)
        ram_store_fail(model.fixture.ram, 1 + draw(60), ERR_IO, draw(2));
    if (out_of_memory)
        port_host_fail_allocation(1 + draw(60), draw(2));
    enum status status = commit_snapshot(model.fixture.snapper, NULL, &report);
    port_host_fail_allocation(0, false);
    ram_store_fail(model.fixture.ram, 0, OK, false);
    model.creating = false;
    assert_int_equal(snapper_state(model.fixture.snapper), SNAPPER_DORMANT);
    if (status == OK) {
        history_commit(&model, &report);
        follow_rules(doomed || out_of_memory);
        return;
    }
    model.seen.failures++;
    assert_true(doomed || out_of_memory);
    assert_true(status == ERR_IO || status == ERR_NO_MEMORY);
    if (draw(2))
        check_left_nothing();
}

static void check_some(const struct model_generation *expected)
{
    u8 found[MODEL_SIZE_MAX];
    size_t restored;

    for (u64 some = draw(MODEL_IDS); some > 0; some--) {
        size_t i = draw(MODEL_IDS);
        enum status status =
            restore(model.fixture.snapper, found, sizeof found, history_id(i), &restored);
        assert_int_equal(status, expected->objects[i] ? OK : ERR_NOT_FOUND);
        if (status == OK)
            assert_memory_equal(found, expected->objects[i]->bytes, restored);
    }
}

static void resume(void)
{
    enum status status = open_generation(model.fixture.snapper, NULL);

    if (model.count == 0) {
        assert_int_equal(status, ERR_NOT_FOUND);
        return;
    }
    const struct model_generation *expected = model.target[0]
                                                  ? history_find(&model, model.target)
                                                  : &model.generations[model.count - 1];
    assert_int_equal(status, OK);
    assert_string_equal(snapper_current(model.fixture.snapper).text, expected->name);
    check_some(expected);
    assert_int_equal(close_generation(model.fixture.snapper), OK);
    memcpy(model.current, expected->name, sizeof model.current);
}

static void draw_config(void)
{
    static const u64 thresholds[] = { 1, 2, 7, 100 };
    struct snapper_config *config = &model.fixture.config;

    config->threshold = thresholds[draw(ARRAY_LENGTH(thresholds))];
    config->redundancy = draw(4);
    config->copies = draw(5);
    config->copy_budget = draw(2) ? 1024 : draw(8);
    config->bufsize = MODEL_SIZE_MAX;
    config->max_snapshots = draw(2) ? 0 : 1 + draw(12);
    config->min_snapshots = draw(3) ? 0 : draw(8);
    config->expiration = draw(3) ? 0 : 1 + draw(90);
    struct ram_limits *limits = ram_store_limits(model.fixture.ram);
    limits->transaction_room = draw(3) ? 100000 : 150 + (u32)draw(60);
    limits->room_slack = draw(2) ? 0 : 48;
}

static void restart(bool power_cut)
{
    draw_config();
    model.current[0] = '\0';
    if (power_cut)
        fixture_crash(&model.fixture);
    else
        fixture_reopen(&model.fixture);
    model.seen.crashes += power_cut;
    model.creating = false;
    if (draw(8) != 0)
        resume();
    check_left_nothing();
}

/* The power goes in the middle of a commit that takes several transactions, or at its end. */
static void commit_and_cut(void)
{
    struct snapper_commit_report report;

    if (model.count == MODEL_GENERATIONS)
        return;
    set_clock();
    ram_store_fail_after_commit(model.fixture.ram, 1 + draw(4));
    enum status status = commit_snapshot(model.fixture.snapper, NULL, &report);
    model.creating = false;
    if (status == OK)
        history_commit(&model, &report);
    else
        assert_int_equal(status, ERR_IO);
    fixture_crash(&model.fixture);
    if (status == OK)
        follow_rules(true);
    restart(true);
}

static bool perhaps(void *context)
{
    (void)context;
    return draw(2) == 0;
}

/* Stopped somewhere; other operations follow before it goes on. */
static void settle_a_little(void)
{
    struct snapper_pace pace = { perhaps, NULL };
    u64 changed;

    enum status status = snapper_settle_paced(model.fixture.snapper, &pace, &changed);
    assert_true(status == OK || status == ERR_INTERRUPTED);
}

static void settle(void)
{
    u64 changed;
    bool cut = draw(4) == 0;

    check_left_nothing();
    if (cut)
        ram_store_fail(model.fixture.ram, 1 + draw(300), ERR_IO, true);
    enum status status = snapper_settle(model.fixture.snapper, &changed);
    if (cut && status == OK)
        ram_store_fail(model.fixture.ram, 0, OK, false);
    if (status == OK) {
        assert_true(snapper_is_settled(model.fixture.snapper));
        assert_tree_is_sound(model.fixture.ram, true);
        return;
    }
    assert_true(cut && status == ERR_IO);
    restart(true);
    assert_int_equal(snapper_settle(model.fixture.snapper, &changed), OK);
    assert_tree_is_sound(model.fixture.ram, true);
}

static void purge_one(void)
{
    struct snapper_purge_report report;
    bool by_name = draw(3) > 0, permitted;
    u64 trouble = draw(6);
    char name[GENERATION_NAME_LENGTH + 1];

    if (model.count == 0)
        return;
    struct model_generation *victim = &model.generations[by_name ? draw(model.count) : 0];
    permitted = history_permits(&model, victim);
    memcpy(name, victim->name, sizeof name);
    if (trouble == 0)
        ram_store_fail(model.fixture.ram, 1 + draw(80), ERR_IO, draw(2));
    if (trouble == 1)
        ram_store_fail_after_commit(model.fixture.ram, 1 + draw(4));
    if (trouble == 2)
        port_host_fail_allocation(1 + draw(60), draw(2));
    enum status status = purge(model.fixture.snapper, by_name ? name : NULL, &report);
    port_host_fail_allocation(0, false);
    ram_store_fail(model.fixture.ram, 0, OK, false);
    if (trouble == 1)
        fixture_crash(&model.fixture);
    assert_int_equal(snapper_state(model.fixture.snapper), SNAPPER_DORMANT);
    model.seen.denials += status == ERR_PURGE_DENIED;
    if (trouble > 2)
        assert_int_equal(status, permitted ? OK : ERR_PURGE_DENIED);
    if (permitted && !is_there(name))
        history_remove(&model, name);
    if (trouble == 1)
        restart(true);
    if (trouble <= 2)
        check_left_nothing();
}

static void mark(void)
{
    struct snapper *snapper = model.fixture.snapper;

    if (model.count == 0)
        return;
    struct model_generation *generation = &model.generations[draw(model.count)];
    if (draw(4) == 0) {
        assert_int_equal(snapper_rollback(snapper, generation->name), OK);
        memcpy(model.target, generation->name, sizeof model.target);
    } else if (generation->pinned) {
        assert_int_equal(snapper_unpin(snapper, generation->name), OK);
        generation->pinned = false;
    } else if (draw(3) == 0) {
        assert_int_equal(snapper_pin(snapper, generation->name), OK);
        generation->pinned = true;
    }
}

static void expire(void)
{
    struct snapper_purge_report report;

    set_clock();
    assert_int_equal(purge_expired(model.fixture.snapper, &report), OK);
    assert_int_equal(history_expire(&model), report.generations);
}

static void verify(void)
{
    struct snapper_verify_report report;

    check_left_nothing();
    assert_int_equal(snapper_verify(model.fixture.snapper, NULL, &report), OK);
    assert_true(snapper_verify_is_clean(&report));
    assert_int_equal(report.archives, model.count);
}

/* What is restored is right, or refused. */
static void check_damaged(const struct model_generation *generation)
{
    struct snapper_view *view;
    u8 found[MODEL_SIZE_MAX];
    size_t restored;

    if (view_open(model.fixture.snapper, generation->name, &view) != OK)
        return;
    for (size_t i = 0; i < MODEL_IDS; i++) {
        const struct model_content *content = generation->objects[i];
        enum status status =
            view_restore(view, found, sizeof found, history_id(i), &restored);
        if (!content) {
            assert_int_equal(status, ERR_NOT_FOUND);
        } else if (status == OK) {
            assert_int_equal(restored, content->size);
            assert_memory_equal(found, content->bytes, content->size);
        } else {
            assert_int_equal(status, ERR_INTEGRITY);
        }
    }
    view_close(view);
}

static void use_damaged(void)
{
    struct snapper_verify_report report;

    for (size_t i = 0; i < model.count; i += 1 + draw(4))
        check_damaged(&model.generations[i]);
    if (draw(2) == 0) {
        assert_int_equal(snapper_repair(model.fixture.snapper, NULL, &report), OK);
        assert_int_equal(report.orphans + report.incomplete, 0);
    }
}

static void flip_a_bit(void)
{
    struct history_flip flip = { 0 };

    check_left_nothing();
    if (!history_flip(&model, &flip))
        return;
    fixture_reopen(&model.fixture);
    use_damaged();
    history_unflip(&model, &flip);
    restart(false);
    verify();
}

static void step_in_creation(void)
{
    u64 what = draw(40);

    if (what < 25)
        take(draw(MODEL_IDS));
    else if (what < 26)
        for (size_t i = 0; i < MODEL_IDS; i++)
            take(i);
    else if (what < 32)
        forget_one();
    else if (what < 36)
        commit();
    else if (what < 37)
        commit_and_cut();
    else if (what < 38) {
        assert_int_equal(abort_snapshot(model.fixture.snapper), OK);
        model.creating = false;
    } else if (what < 39) {
        restart(draw(2));
    }
}

static void step(void)
{
    if (model.creating) {
        step_in_creation();
        return;
    }
    u64 what = draw(28);
    if (what < 12)
        begin();
    else if (what >= 26)
        settle_a_little();
    else if (what < 13)
        settle();
    else if (what < 14)
        restart(draw(2));
    else if (what < 15)
        history_check_list(&model);
    else if (what < 17)
        purge_one();
    else if (what < 19)
        mark();
    else if (what < 20)
        expire();
    else if (what < 21)
        flip_a_bit();
    else if (what < 22)
        verify();
    else if (model.count > 0)
        history_check_generation(&model, &model.generations[draw(model.count)]);
}

static u64 setting(const char *name, u64 otherwise)
{
    const char *text = getenv(name);
    u64 value;

    return text && text_to_u64(text, &value) ? value : otherwise;
}

static void run_history(u64 seed)
{
    history_open(&model, seed);
    draw_config();
    for (u64 i = 0; i < STEPS; i++)
        step();
    if (model.creating)
        assert_int_equal(abort_snapshot(model.fixture.snapper), OK);
    for (size_t i = 0; i < model.count; i++)
        history_check_generation(&model, &model.generations[i]);
    settle();
    history_close(&model);
}

static void snapper__random_histories__every_generation_restores_exactly(void **state)
{
    (void)state;
    u64 seed = setting("SNAPPER_SEED", 1), rounds = setting("SNAPPER_ROUNDS", ROUNDS);
    u64 totals[sizeof model.seen / sizeof(u64)] = { 0 };

    for (u64 i = 0; i < rounds; i++) {
        print_message("SNAPPER_SEED=%llu SNAPPER_ROUNDS=1\n",
                      (unsigned long long)(seed + i));
        run_history(seed + i);
        for (size_t k = 0; k < ARRAY_LENGTH(totals); k++)
            totals[k] += ((const u64 *)&model.seen)[k];
    }
    static const char *const names[] = { "generations", "in parts", "unchanged",
                                         "copies",      "crashes",  "failures",
                                         "purges",      "denials",  "expired",
                                         "flips",       "repairs" };
    print_message("%llu steps:", (unsigned long long)(rounds * STEPS));
    for (size_t k = 0; k < ARRAY_LENGTH(totals); k++)
        print_message(" %s %llu", names[k], (unsigned long long)totals[k]);
    print_message("\n");
    for (size_t k = 0; rounds >= ROUNDS && k < ARRAY_LENGTH(totals); k++)
        assert_true(totals[k] > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapper__random_histories__every_generation_restores_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
