/*
 * Random histories against a model: blocks are changed, freed, reused as metadata or as data that
 * is written directly, committed, rolled back, checkpointed; the power fails with any subset of
 * the unflushed sectors on the platter, also during the replay; life goes on from there.
 *
 * Block ROOT is part of each transaction and holds the number of the last one. After a cut every
 * block that is in use in the state of that number has its content of then. JOURNAL_SEED=n runs
 * one seed, JOURNAL_LIVES=n that many lives of each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/base/checked.h"
#include "tests/support/journal_fixture.h"

enum { BLOCKS = 48, ROOT = 0, COMMITS_MAX = 12, CUTS = 12, LIVES = 60 };

enum kind { UNUSED, METADATA, DATA };

struct model_state {
    u64 number; /* of the last transaction, in ROOT */
    u64 value[BLOCKS];
    enum kind kind[BLOCKS];
};

struct milestone {
    size_t records; /* durable when so many had completed; SIZE_MAX: never promised */
    struct model_state state;
};

struct model {
    struct journal_fixture fixture, after; /* after: what a cut left */
    struct model_state running, committed;
    bool freed[BLOCKS];
    struct milestone milestones[COMMITS_MAX + 2];
    size_t milestone_count;
    u64 seed, next_value;
    u64 commits, cuts, nested, faults, revoked, replayed;
};

static u64 draw(struct model *model, u64 limit)
{
    return (random_next(&model->seed) >> 16) % limit;
}

/* --- the running transaction --- */

static void start_anew(struct model *model, const struct model_state *from)
{
    model->running = *from;
    memset(model->freed, 0, sizeof model->freed);
}

static enum status put_root_in(void *context)
{
    struct model *model = context;
    return journal_fixture_set(&model->fixture, ROOT, model->committed.number + 1);
}

static void took(struct model *model, u64 block, enum kind kind, u64 value)
{
    model->running.kind[block] = kind;
    model->running.value[block] = value;
}

/* Whatever is in use may be overwritten through the journal; data is, once it is committed. */
static enum status change(struct model *model, u64 block, u64 value)
{
    enum kind kind = model->running.kind[block];
    if (kind == UNUSED || (kind == DATA && model->committed.kind[block] != DATA))
        return OK;
    enum status status = journal_fixture_set(&model->fixture, block, value);
    if (status == OK)
        took(model, block, kind, value);
    return status;
}

static enum status use_as_metadata(struct model *model, u64 block, u64 value)
{
    enum status status = journal_fixture_set_fresh(&model->fixture, block, value);
    if (status == OK)
        took(model, block, METADATA, value);
    return status;
}

static enum status use_as_data(struct model *model, u64 block, u64 value)
{
    struct journal_fixture *fixture = &model->fixture;
    u8 data[4096];
    cache_forget(&fixture->cache, block);
    journal_fixture_fill(fixture, data, value);
    took(model, block, DATA, value);
    return disk_write(&fixture->ram.disk, block * fixture->block_size / SECTOR_SIZE, data,
                      fixture->block_size);
}

static enum status use(struct model *model, u64 block, u64 value)
{
    bool usable = model->running.kind[block] == UNUSED && !model->freed[block] &&
                  model->committed.kind[block] == UNUSED;
    assert_int_equal(journal_is_freed(model->fixture.journal, block),
                     model->freed[block]);
    if (!usable)
        return OK;
    return draw(model, 2) ? use_as_data(model, block, value)
                          : use_as_metadata(model, block, value);
}

static enum status free_run(struct model *model, u64 block)
{
    u64 count = 0, most = 1 + draw(model, 4);
    while (count < most && block + count < BLOCKS &&
           model->running.kind[block + count] != UNUSED)
        count++;
    if (count == 0)
        return OK;
    enum status status = journal_revoke(model->fixture.journal, block, count);
    for (u64 i = 0; status == OK && i < count; i++) {
        cache_forget(&model->fixture.cache, block + i);
        took(model, block + i, UNUSED, 0);
        model->freed[block + i] = true;
    }
    return status;
}

/* A metadata block that this transaction has freed is used again. */
static enum status take_back(struct model *model, u64 block, u64 value)
{
    if (!model->freed[block] || model->committed.kind[block] != METADATA)
        return OK;
    enum status status = journal_fixture_set(&model->fixture, block, value);
    if (status == OK) {
        model->freed[block] = false;
        took(model, block, METADATA, value);
    }
    return status;
}

static enum status step(struct model *model)
{
    u64 block = 1 + draw(model, BLOCKS - 1);
    u64 value = ++model->next_value;
    switch (draw(model, 8)) {
    case 0:
    case 1:
        return change(model, block, value);
    case 2:
    case 3:
    case 4:
        return use(model, block, value);
    case 5:
    case 6:
        return free_run(model, block);
    default:
        return take_back(model, block, value);
    }
}

/* --- what must hold --- */

static u64 read_value(struct journal_fixture *fixture, u64 block)
{
    struct buffer *buffer = cache_find(&fixture->cache, block);
    const u8 *data = buffer ? buffer->data : journal_fixture_bytes(fixture, block);
    u64 value = journal_fixture_value(fixture, data);
    cache_release(buffer);
    return value;
}

static void check_state(struct journal_fixture *fixture, const struct model_state *state)
{
    for (u64 block = 1; block < BLOCKS; block++) {
        if (state->kind[block] == UNUSED)
            continue;
        u64 value = state->kind[block] == METADATA ? journal_fixture_get(fixture, block)
                                                   : read_value(fixture, block);
        if (value != state->value[block])
            print_error("transaction %llu: block %llu holds %llu, not %llu\n",
                        (unsigned long long)state->number, (unsigned long long)block,
                        (unsigned long long)value,
                        (unsigned long long)state->value[block]);
        assert_true(value == state->value[block]);
    }
}

static void promise(struct model *model, size_t records, const struct model_state *state)
{
    model->milestones[model->milestone_count++] = (struct milestone){ records, *state };
}

/*
 * The commit may go wrong: then nothing is promised, and the journal is read-only. Data that was
 * written without any metadata is no transaction.
 */
static enum status commit(struct model *model)
{
    bool running = journal_is_running(model->fixture.journal);
    enum status status = journal_commit(model->fixture.journal);
    model->running.number = model->committed.number + 1;
    if (status != OK)
        promise(model, SIZE_MAX, &model->running);
    else if (running)
        promise(model, model->fixture.ram.record_count, &model->running);
    if (status == OK && running) {
        model->committed = model->running;
        model->commits++;
    }
    start_anew(model, &model->committed);
    check_state(&model->fixture, &model->committed);
    return status;
}

/* --- a life between two power cuts --- */

static void break_something(struct model *model)
{
    enum disk_operation operation = draw(model, 3) ? DISK_WRITE : DISK_FLUSH;
    if (draw(model, 6))
        return;
    ram_disk_fail(&model->fixture.ram, operation, 1 + draw(model, 12), draw(model, 2));
    model->faults++;
}

static enum status transaction(struct model *model)
{
    u64 steps = draw(model, 20);
    enum status status = OK;
    for (u64 i = 0; i < steps && status == OK; i++)
        status = step(model);
    if (status != OK && status != ERR_TRANSACTION_FULL)
        return status;
    check_state(&model->fixture, &model->running);
    if (draw(model, 6) == 0) {
        journal_rollback(model->fixture.journal);
        start_anew(model, &model->committed);
        check_state(&model->fixture, &model->committed);
        return OK;
    }
    if (draw(model, 12) == 0)
        status = journal_checkpoint_all(model->fixture.journal);
    else
        status = OK;
    return status == OK ? commit(model) : status;
}

static void live(struct model *model)
{
    struct journal_fixture *fixture = &model->fixture;
    ram_disk_record(&fixture->ram);
    model->milestone_count = 0;
    promise(model, 0, &model->committed);
    fixture->ram.order_seed = 1 + draw(model, 1000);
    assert_int_equal(journal_fixture_mount(fixture, false), OK);
    journal_set_before_commit(fixture->journal, put_root_in, model);
    start_anew(model, &model->committed);
    check_state(fixture, &model->committed);
    break_something(model);
    enum status status = OK;
    for (u64 left = draw(model, COMMITS_MAX + 1); left > 0 && status == OK; left--)
        status = transaction(model);
    ram_disk_fail(&fixture->ram, DISK_WRITE, 0, false);
    ram_disk_fail(&fixture->ram, DISK_FLUSH, 0, false);
    journal_fixture_crash(fixture);
}

/* --- the power fails --- */

/* Mounts what is on `after` and returns the milestone that it shows. */
static size_t judge(struct model *model, size_t first)
{
    struct journal_fixture *after = &model->after;
    assert_int_equal(journal_fixture_mount(after, false), OK);
    model->replayed += after->report.blocks;
    model->revoked += after->report.revoked;
    u64 number = journal_fixture_get(after, ROOT);
    size_t found = first;
    if (first + 1 < model->milestone_count &&
        number == model->milestones[first + 1].state.number)
        found = first + 1;
    assert_true(number == model->milestones[found].state.number);
    check_state(after, &model->milestones[found].state);
    journal_fixture_crash(after);
    return found;
}

/* A cut in the recovery from a cut shows the same milestone. */
static void cut_replay(struct model *model, size_t found)
{
    struct ram_disk *ram = &model->after.ram;
    u8 *cut = malloc(ram->size_bytes);
    size_t records = draw(model, ram->record_count + 1);
    ram_disk_cut(ram, records, 1 + draw(model, 1000), cut);
    memcpy(ram->bytes, cut, ram->size_bytes);
    free(cut);
    size_t again = judge(model, found);
    assert_int_equal(again, found);
    model->nested++;
}

static size_t cut_power(struct model *model)
{
    struct ram_disk *ram = &model->fixture.ram;
    size_t records = draw(model, ram->record_count + 1), first = 0;
    u64 seed = draw(model, 4) ? 1 + draw(model, 1u << 30) : 0;
    for (size_t i = 1; i < model->milestone_count; i++)
        if (model->milestones[i].records <= records)
            first = i;
    ram_disk_cut(ram, records, seed, model->after.ram.bytes);
    ram_disk_record(&model->after.ram);
    size_t found = judge(model, first);
    if (draw(model, 2))
        cut_replay(model, found);
    model->cuts++;
    return found;
}

/* --- */

static void run_seed(u64 seed, const struct journal_fixture_options *options, int lives)
{
    struct model *model = calloc(1, sizeof *model);
    model->seed = seed * 0x9E3779B97F4A7C15ULL | 1;
    journal_fixture_open(&model->fixture, options);
    journal_fixture_open(&model->after, options);
    for (int life = 0; life < lives; life++) {
        size_t found = 0;
        live(model);
        for (int cut = 0; cut < CUTS; cut++)
            found = cut_power(model);
        model->committed = model->milestones[found].state;
        memcpy(model->fixture.ram.bytes, model->after.ram.bytes,
               model->fixture.ram.size_bytes);
    }
    print_message("    seed %llu: %llu commits, %llu cuts, %llu nested, %llu faults, "
                  "%llu blocks replayed, %llu revoked\n",
                  (unsigned long long)seed, (unsigned long long)model->commits,
                  (unsigned long long)model->cuts, (unsigned long long)model->nested,
                  (unsigned long long)model->faults, (unsigned long long)model->replayed,
                  (unsigned long long)model->revoked);
    assert_true(model->commits > 0 && model->replayed > 0 && model->revoked > 0);
    journal_fixture_close(&model->fixture);
    journal_fixture_close(&model->after);
    free(model);
}

static void journal__random_history_and_power_cuts__a_committed_state(void **state)
{
    static const struct journal_fixture_options options[] = {
        { .checksums = true, .wide_blocks = true, .journal_blocks = 130 },
        { .journal_blocks = 40 },
        { .journal_blocks = 47,
          .wide_blocks = true,
          .incompat = JOURNAL_INCOMPAT_FAST_COMMIT,
          .fast_commit_blocks = 16 },
        { .incompat = JOURNAL_INCOMPAT_CSUM_V2, .journal_blocks = 97 },
        { .block_size = 2048, .checksums = true, .journal_blocks = 200 },
    };
    const char *chosen = getenv("JOURNAL_SEED"), *count = getenv("JOURNAL_LIVES");
    int lives = count ? atoi(count) : LIVES;
    (void)state;
    for (u64 seed = 1; seed <= 10; seed++) {
        u64 used = chosen ? strtoull(chosen, NULL, 0) : seed;
        run_seed(used, &options[used % (sizeof options / sizeof *options)], lives);
        if (chosen)
            break;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(journal__random_history_and_power_cuts__a_committed_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
