#include "tests/support/ext4_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/ram_disk.h"

static _Noreturn void fail(const struct model *model, const char *what,
                           enum status status)
{
    fprintf(stderr, "ext4_model: seed %llu, step %zu: %s: %s\n",
            (unsigned long long)model->first_seed, model->step, what,
            status_text(status));
    abort();
}

static void expect_ok(const struct model *model, const char *what, enum status status)
{
    if (status != OK)
        fail(model, what, status);
}

static size_t pick(struct model *model, size_t limit)
{
    return (size_t)(random_next(&model->seed) % limit);
}

static const char *name_of(size_t index)
{
    static char names[MODEL_FILES][16];
    snprintf(names[index], sizeof names[index], "file-%02zu", index);
    return names[index];
}

static void mount(struct model *model)
{
    struct ext4_mount_options options = { .cache_capacity = 256 };
    expect_ok(model, "mount", ext4_mount(model->disk, &options, &model->fs));
}

struct model *model_open(struct disk *disk, u64 seed, size_t largest)
{
    struct model *model = calloc(1, sizeof *model);
    if (!model)
        abort();
    model->disk = disk;
    model->seed = model->first_seed = seed;
    model->largest = largest;
    mount(model);
    return model;
}

static bool file_matches(struct ext4 *fs, size_t index, const struct model_file *expected)
{
    static u8 data[MODEL_FILE_SIZE + 1];
    u32 inode;
    size_t got = 0;
    enum status status = ext4_lookup(fs, EXT4_ROOT_INODE, name_of(index), &inode);
    if (!expected->exists)
        return status == ERR_NOT_FOUND;
    return status == OK && ext4_read(fs, inode, 0, data, sizeof data, &got) == OK &&
           got == expected->size && memcmp(data, expected->data, got) == 0;
}

bool model_state_matches(struct ext4 *fs, const struct model_state *state)
{
    for (size_t i = 0; i < MODEL_FILES; i++)
        if (!file_matches(fs, i, &state->files[i]))
            return false;
    return true;
}

static void compare_file(struct model *model, size_t index)
{
    if (!file_matches(model->fs, index, &model->running.files[index]))
        fail(model, name_of(index), ERR_INTEGRITY);
}

void model_compare(struct model *model)
{
    for (size_t i = 0; i < MODEL_FILES; i++)
        compare_file(model, i);
}

void model_commit(struct model *model)
{
    expect_ok(model, "commit", ext4_commit(model->fs));
    model->committed = model->running;
    model->commits++;
}

void model_rollback(struct model *model)
{
    ext4_rollback(model->fs);
    model->running = model->committed;
}

void model_remount(struct model *model)
{
    expect_ok(model, "unmount", ext4_unmount(model->fs));
    model->committed = model->running;
    model->commits++;
    mount(model);
}

void model_crash(struct model *model)
{
    ext4_drop(model->fs);
    model->running = model->committed;
    mount(model);
}

void model_close(struct model *model)
{
    expect_ok(model, "unmount", ext4_unmount(model->fs));
    free(model);
}

/*
 * What came of an operation: true, the model follows. No space rolls back both. A full transaction
 * is committed as it is, and the operation, which may have got half-way, is done again.
 */
static bool settle(struct model *model, const char *what, enum status status, bool *again)
{
    *again = false;
    if (status == OK)
        return true;
    if (status == ERR_NO_SPACE) {
        model_rollback(model);
        return false;
    }
    if (status != ERR_TRANSACTION_FULL)
        fail(model, what, status);
    expect_ok(model, "commit of a full transaction", ext4_commit(model->fs));
    model->commits++;
    *again = true;
    return false;
}

static u32 inode_of(struct model *model, size_t index)
{
    u32 inode = 0;
    expect_ok(model, "lookup",
              ext4_lookup(model->fs, EXT4_ROOT_INODE, name_of(index), &inode));
    return inode;
}

static void change_create(struct model *model, size_t index)
{
    bool again;
    u32 inode;
    do {
        enum status status =
            ext4_create(model->fs, EXT4_ROOT_INODE, name_of(index), &inode);
        if (settle(model, "create", status, &again))
            model->running.files[index].exists = true;
    } while (again);
}

static void change_write(struct model *model, size_t index)
{
    static u8 data[MODEL_FILE_SIZE];
    struct model_file *file = &model->running.files[index];
    u32 inode = inode_of(model, index);
    size_t offset = pick(model, 3) == 0 ? file->size : pick(model, model->largest);
    if (offset >= model->largest)
        offset = 0;
    size_t size = pick(model, model->largest - offset) + 1;
    if (pick(model, 2) == 0 && size > 3000)
        size = pick(model, 3000) + 1;
    for (size_t i = 0; i < size; i++)
        data[i] = (u8)random_next(&model->seed);

    bool again, full = false;
    do {
        enum status status = ext4_write(model->fs, inode, offset, data, size);
        if (settle(model, "write", status, &again)) {
            memcpy(file->data + offset, data, size);
            if (offset + size > file->size)
                file->size = offset + size;
        }
        full = full || again;
    } while (again);
    if (full)
        model_commit(model);
}

static void change_truncate(struct model *model, size_t index)
{
    struct model_file *file = &model->running.files[index];
    u32 inode = inode_of(model, index);
    size_t size = pick(model, model->largest);
    bool again, full = false;
    do {
        enum status status = ext4_truncate(model->fs, inode, size);
        if (settle(model, "truncate", status, &again)) {
            if (size < file->size)
                memset(file->data + size, 0, file->size - size);
            file->size = size;
        }
        full = full || again;
    } while (again);
    if (full)
        model_commit(model);
}

static void change_unlink(struct model *model, size_t index)
{
    bool again;
    do {
        enum status status = ext4_unlink(model->fs, EXT4_ROOT_INODE, name_of(index));
        if (settle(model, "unlink", status, &again))
            memset(&model->running.files[index], 0, sizeof model->running.files[index]);
    } while (again);
}

static void change_rename(struct model *model, size_t index)
{
    size_t target = pick(model, MODEL_FILES);
    bool again;
    if (target == index)
        return;
    do {
        enum status status = ext4_rename(model->fs, EXT4_ROOT_INODE, name_of(index),
                                         EXT4_ROOT_INODE, name_of(target));
        if (settle(model, "rename", status, &again)) {
            model->running.files[target] = model->running.files[index];
            memset(&model->running.files[index], 0, sizeof model->running.files[index]);
        }
    } while (again);
}

void model_change(struct model *model)
{
    size_t index = pick(model, MODEL_FILES);
    if (!model->running.files[index].exists) {
        change_create(model, index);
        return;
    }
    switch (pick(model, 8)) {
    case 0:
        change_truncate(model, index);
        break;
    case 1:
        change_unlink(model, index);
        break;
    case 2:
        change_rename(model, index);
        break;
    default:
        change_write(model, index);
        break;
    }
}

void model_step(struct model *model)
{
    model->step++;
    size_t choice = pick(model, 100);
    if (choice < 80)
        model_change(model);
    else if (choice < 90)
        model_commit(model);
    else if (choice < 96)
        model_rollback(model);
    else if (choice < 98)
        model_remount(model);
    else
        model_crash(model);
    compare_file(model, pick(model, MODEL_FILES));
}
