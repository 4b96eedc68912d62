/*
 * Random histories against a plain model: every generation that was ever committed restores to the
 * byte, whatever is cut, reopened, refused or settled between. SNAPPER_SEED and SNAPPER_ROUNDS choose
 * others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/base/crc.h"
#include "kernel/base/string.h"
#include "tests/support/port_host.h"
#include "tests/support/snapper_fixture.h"

enum { IDS = 48, GENERATIONS_MAX = 400, SIZE_MAX_HERE = 200 };

/* What an object holds: NULL: there is none. Contents are kept for ever, so pointers can be shared. */
struct content {
    struct content *next; /* of all that were made */
    size_t size;
    u8 bytes[];
};

struct model_generation {
    char name[GENERATION_NAME_LENGTH + 1];
    char parent[GENERATION_NAME_LENGTH + 1];
    struct content *objects[IDS];
};

static struct model {
    struct fixture fixture;
    u64 random;
    u64 now;
    struct model_generation generations[GENERATIONS_MAX];
    size_t count;
    struct model_generation pending; /* what a commit now would list */
    struct model_generation base;    /* of the snapshot in creation */
    char current[GENERATION_NAME_LENGTH + 1];
    struct content *contents;
    bool creating;
    u64 commits_split, unchanged, copies, crashes, failures;
} model;

static u64 draw(u64 below)
{
    model.random ^= model.random << 13;
    model.random ^= model.random >> 7;
    model.random ^= model.random << 17;
    return model.random % below;
}

/* Dense, sparse, and at both ends of what an id can be. */
static u64 id_of(size_t index)
{
    if (index == 0)
        return 0;
    if (index == IDS - 1)
        return UINT64_MAX;
    if (index == IDS - 2)
        return UINT64_MAX - 1;
    return index < 32 ? (5ULL << 40) + index : (index * 1000003ULL) << 20;
}

static struct content *new_content(size_t size)
{
    struct content *content = malloc(sizeof *content + size + 1);
    content->next = model.contents;
    content->size = size;
    model.contents = content;
    return content;
}

static struct content *draw_content(const struct content *before)
{
    static const size_t sizes[] = { 64, 64, 64, 64, 0, 1, 5, SIZE_MAX_HERE };
    u64 kind = draw(10);

    if (before && kind < 2)
        return (struct content *)before;            /* taken again, unchanged */
    if (before && kind == 2 && before->size >= 8) { /* other bytes, same checksum */
        struct content *forged = new_content(before->size);
        memcpy(forged->bytes, before->bytes, before->size);
        forged->bytes[0] ^= (u8)(1 + draw(255));
        forge_crc(forged->bytes, forged->size, crc32(before->bytes, before->size));
        return forged;
    }
    struct content *content = new_content(sizes[draw(ARRAY_LENGTH(sizes))]);
    fill_content(content->bytes, content->size, draw(UINT64_MAX));
    return content;
}

static const struct model_generation *find_generation(const char *name)
{
    for (size_t i = 0; i < model.count; i++)
        if (text_equal(model.generations[i].name, name))
            return &model.generations[i];
    return NULL;
}

static void check_generation(const struct model_generation *generation)
{
    struct snapper_view *view;
    struct snapper_run run;
    u8 found[SIZE_MAX_HERE];
    size_t restored;
    u64 cursor = 0, listed = 0, expected = 0;

    assert_int_equal(view_open(model.fixture.snapper, generation->name, &view), OK);
    for (size_t i = 0; i < IDS; i++) {
        const struct content *content = generation->objects[i];
        memset(found, 0xA5, sizeof found);
        enum status status =
            view_restore(view, found, content ? content->size : 200, id_of(i), &restored);
        assert_int_equal(status, content ? OK : ERR_NOT_FOUND);
        if (!content)
            continue;
        expected++;
        assert_int_equal(restored, content->size);
        assert_memory_equal(found, content->bytes, content->size);
        if (content->size > 0)
            assert_int_equal(
                view_restore(view, found, content->size - 1, id_of(i), &restored),
                ERR_BUFFER_TOO_SMALL);
    }
    while (view_next_run(view, &cursor, &run) == OK)
        listed += run.count;
    assert_int_equal(listed, expected);
    view_close(view);
}

static void check_list(void)
{
    struct snapper *snapper = model.fixture.snapper;
    struct snapper_generation_info info;

    assert_int_equal(snapper_generation_count(snapper), model.count);
    for (size_t i = 0; i < model.count; i++) {
        assert_int_equal(snapper_generation_info(snapper, i, &info), OK);
        assert_int_equal(info.status, OK);
        assert_string_equal(info.name.text, model.generations[i].name);
        assert_string_equal(info.parent.text, model.generations[i].parent);
    }
    assert_string_equal(snapper_current(snapper).text, model.current);
}

static void begin(void)
{
    const struct model_generation *base = find_generation(model.current);
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
    struct content *content = draw_content(model.base.objects[i]);

    assert_int_equal(take_snapshot(model.fixture.snapper,
                                   content->size ? content->bytes : NULL, content->size,
                                   id_of(i)),
                     OK);
    model.pending.objects[i] = content;
}

static void forget_one(void)
{
    size_t i = draw(IDS);

    assert_int_equal(forget(model.fixture.snapper, id_of(i)),
                     model.pending.objects[i] ? OK : ERR_NOT_FOUND);
    model.pending.objects[i] = NULL;
}

static void set_clock(void)
{
    static const i64 steps[] = { 0, 0, 1, 1000, 1000000, -5000000 };
    model.now = (u64)((i64)model.now + steps[draw(ARRAY_LENGTH(steps))]);
    port_host_set_time(model.now);
}

/* What a crash or a failed commit left is nothing, once it was cleaned up. */
static void check_left_nothing(void)
{
    struct snapper_cleanup_report report;

    assert_int_equal(snapper_cleanup(model.fixture.snapper, &report), OK);
    assert_tree_is_sound(model.fixture.ram, false);
}

static void adopt_commit(const struct snapper_commit_report *report)
{
    struct model_generation *made = &model.generations[model.count++];

    *made = model.pending;
    memcpy(made->name, report->name.text, sizeof made->name);
    memcpy(made->parent, model.base.name, sizeof made->parent);
    memcpy(model.current, made->name, sizeof model.current);
    if (model.count > 1)
        assert_true(strcmp(made->name, made[-1].name) > 0);
    model.commits_split += report->transactions > 1;
    model.unchanged += report->unchanged;
    model.copies += report->copies;
    u64 objects = 0;
    for (size_t i = 0; i < IDS; i++)
        objects += made->objects[i] != NULL;
    assert_int_equal(report->objects, objects);
}

static void commit(void)
{
    struct snapper_commit_report report;
    bool doomed = draw(5) == 0, out_of_memory = draw(9) == 0;

    if (model.count == GENERATIONS_MAX)
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
        adopt_commit(&report);
        return;
    }
    model.failures++;
    assert_true(doomed || out_of_memory);
    assert_true(status == ERR_IO || status == ERR_NO_MEMORY);
    if (draw(2))
        check_left_nothing();
}

static void resume(void)
{
    enum status status = open_generation(model.fixture.snapper, NULL);
    u8 found[SIZE_MAX_HERE];
    size_t restored;

    if (model.count == 0) {
        assert_int_equal(status, ERR_NOT_FOUND);
        return;
    }
    const struct model_generation *newest = &model.generations[model.count - 1];
    assert_int_equal(status, OK);
    for (u64 some = draw(IDS); some > 0; some--) {
        size_t i = draw(IDS);
        status = restore(model.fixture.snapper, found, sizeof found, id_of(i), &restored);
        assert_int_equal(status, newest->objects[i] ? OK : ERR_NOT_FOUND);
        if (status == OK)
            assert_memory_equal(found, newest->objects[i]->bytes, restored);
    }
    assert_int_equal(close_generation(model.fixture.snapper), OK);
    memcpy(model.current, newest->name, sizeof model.current);
}

static void draw_config(void)
{
    static const u64 thresholds[] = { 1, 2, 7, 100 };
    struct snapper_config *config = &model.fixture.config;

    config->threshold = thresholds[draw(ARRAY_LENGTH(thresholds))];
    config->redundancy = draw(4);
    config->copies = draw(5);
    config->copy_budget = draw(2) ? 1024 : draw(8);
    config->bufsize = SIZE_MAX_HERE;
    struct ram_limits *limits = ram_store_limits(model.fixture.ram);
    limits->transaction_room = draw(3) ? 100000 : 80 + (u32)draw(60);
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
    model.crashes += power_cut;
    model.creating = false;
    if (draw(8) != 0)
        resume();
    check_left_nothing();
}

/* The power goes in the middle of a commit that takes several transactions, or at its end. */
static void commit_and_cut(void)
{
    struct snapper_commit_report report;

    if (model.count == GENERATIONS_MAX)
        return;
    set_clock();
    ram_store_fail_after_commit(model.fixture.ram, 1 + draw(4));
    enum status status = commit_snapshot(model.fixture.snapper, NULL, &report);
    model.creating = false;
    if (status == OK)
        adopt_commit(&report);
    else
        assert_int_equal(status, ERR_IO);
    restart(true);
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

static void step_in_creation(void)
{
    u64 what = draw(40);

    if (what < 25)
        take(draw(IDS));
    else if (what < 26)
        for (size_t i = 0; i < IDS; i++)
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
    u64 what = draw(12);
    if (what < 7)
        begin();
    else if (what < 8)
        settle();
    else if (what < 9)
        restart(draw(2));
    else if (what < 10)
        check_list();
    else if (model.count > 0)
        check_generation(&model.generations[draw(model.count)]);
}

static u64 setting(const char *name, u64 otherwise)
{
    const char *text = getenv(name);
    u64 value;

    return text && text_to_u64(text, &value) ? value : otherwise;
}

static void run_history(u64 seed, u64 steps)
{
    memset(&model, 0, sizeof model);
    model.random = seed * 2654435761u + 88172645463325252ULL;
    model.now = 1795246200000000ULL;
    port_host_set_time(model.now);
    fixture_open(&model.fixture, NULL, seed);
    draw_config();
    for (u64 i = 0; i < steps; i++)
        step();
    if (model.creating)
        assert_int_equal(abort_snapshot(model.fixture.snapper), OK);
    for (size_t i = 0; i < model.count; i++)
        check_generation(&model.generations[i]);
    fixture_close(&model.fixture);
    while (model.contents) {
        struct content *next = model.contents->next;
        free(model.contents);
        model.contents = next;
    }
}

static void snapper__random_histories__every_generation_restores_exactly(void **state)
{
    (void)state;
    u64 seed = setting("SNAPPER_SEED", 1), rounds = setting("SNAPPER_ROUNDS", 12);
    u64 split = 0, unchanged = 0, copies = 0, crashes = 0, failures = 0, generations = 0;

    for (u64 i = 0; i < rounds; i++) {
        print_message("SNAPPER_SEED=%llu\n", (unsigned long long)(seed + i));
        run_history(seed + i, 1500);
        split += model.commits_split;
        unchanged += model.unchanged;
        copies += model.copies;
        crashes += model.crashes;
        failures += model.failures;
        generations += model.count;
    }
    port_host_set_time(0);
    print_message("%llu generations, %llu in parts, %llu unchanged, %llu copies, "
                  "%llu crashes, %llu failed commits\n",
                  (unsigned long long)generations, (unsigned long long)split,
                  (unsigned long long)unchanged, (unsigned long long)copies,
                  (unsigned long long)crashes, (unsigned long long)failures);
    assert_true(rounds < 12 || (split > 0 && unchanged > 0 && copies > 0 && crashes > 0 &&
                                failures > 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(snapper__random_histories__every_generation_restores_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
