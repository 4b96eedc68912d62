#include "tests/support/snapper_model.h"

#include "kernel/base/crc.h"
#include "kernel/base/string.h"
#include "tests/support/port_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

void history_open(struct model *model, u64 seed)
{
    memset(model, 0, sizeof *model);
    model->random = seed * 2654435761u + 88172645463325252ULL;
    model->now = 1795246200000000ULL;
    port_host_set_time(model->now);
    fixture_open(&model->fixture, NULL, seed);
}

void history_close(struct model *model)
{
    fixture_close(&model->fixture);
    port_host_set_time(0);
    while (model->contents) {
        struct model_content *next = model->contents->next;
        free(model->contents);
        model->contents = next;
    }
}

u64 history_draw(struct model *model, u64 below)
{
    model->random ^= model->random << 13;
    model->random ^= model->random >> 7;
    model->random ^= model->random << 17;
    return model->random % below;
}

u64 history_id(size_t index)
{
    if (index == 0)
        return 0;
    if (index == MODEL_IDS - 1)
        return UINT64_MAX;
    if (index == MODEL_IDS - 2)
        return UINT64_MAX - 1;
    return index < 32 ? (5ULL << 40) + index : (index * 1000003ULL) << 20;
}

static struct model_content *new_content(struct model *model, size_t size)
{
    struct model_content *content = malloc(sizeof *content + size + 1);

    content->next = model->contents;
    content->size = size;
    model->contents = content;
    return content;
}

struct model_content *history_content(struct model *model,
                                      const struct model_content *before)
{
    static const size_t sizes[] = { 64, 64, 64, 64, 0, 1, 5, MODEL_SIZE_MAX };
    u64 kind = history_draw(model, 10);

    if (before && kind < 2)
        return (struct model_content *)before; /* taken again, unchanged */
    if (before && kind == 2 && before->size >= 8) {
        struct model_content *forged = new_content(model, before->size);
        memcpy(forged->bytes, before->bytes, before->size);
        forged->bytes[0] ^= (u8)(1 + history_draw(model, 255));
        forge_crc(forged->bytes, forged->size, crc32(before->bytes, before->size));
        return forged;
    }
    struct model_content *content =
        new_content(model, sizes[history_draw(model, ARRAY_LENGTH(sizes))]);
    fill_content(content->bytes, content->size, history_draw(model, UINT64_MAX));
    return content;
}

struct model_generation *history_find(struct model *model, const char *name)
{
    for (size_t i = 0; i < model->count; i++)
        if (text_equal(model->generations[i].name, name))
            return &model->generations[i];
    return NULL;
}

void history_remove(struct model *model, const char *name)
{
    struct model_generation *removed = history_find(model, name);
    size_t at = (size_t)(removed - model->generations);

    assert_non_null(removed);
    memmove(removed, removed + 1, (model->count - at - 1) * sizeof *removed);
    model->count--;
    model->seen.purges++;
}

static bool is_protected(const struct model *model,
                         const struct model_generation *generation)
{
    return generation->pinned || text_equal(generation->name, model->current) ||
           text_equal(generation->name, model->target);
}

bool history_permits(const struct model *model, const struct model_generation *generation)
{
    return !is_protected(model, generation) &&
           model->count > model->fixture.config.min_snapshots;
}

static const struct model_generation *oldest_free(const struct model *model)
{
    for (size_t i = 0; i + 1 < model->count; i++)
        if (!is_protected(model, &model->generations[i]))
            return &model->generations[i];
    return NULL;
}

u32 history_expire(struct model *model)
{
    const struct snapper_config *config = &model->fixture.config;
    u32 purged = 0;

    for (;; purged++) {
        const struct model_generation *oldest = oldest_free(model);
        bool surplus = config->max_snapshots > 0 && model->count > config->max_snapshots;

        if (!oldest || model->count <= config->min_snapshots)
            return purged;
        bool expired = config->expiration > 0 &&
                       oldest->time + config->expiration * 1000000 < model->now;
        if (!surplus && !expired)
            return purged;
        model->seen.expired++;
        history_remove(model, oldest->name);
    }
}

void history_commit(struct model *model, const struct snapper_commit_report *report)
{
    struct model_generation *made = &model->generations[model->count++];
    u64 objects = 0;

    *made = model->pending;
    made->pinned = false;
    memcpy(made->name, report->name.text, sizeof made->name);
    memcpy(made->parent, model->base.name, sizeof made->parent);
    memcpy(model->current, made->name, sizeof model->current);
    model->target[0] = '\0';
    assert_true(generation_name_decode(made->name, &made->time));
    if (model->count > 1)
        assert_true(strcmp(made->name, made[-1].name) > 0);
    for (size_t i = 0; i < MODEL_IDS; i++)
        objects += made->objects[i] != NULL;
    assert_int_equal(report->objects, objects);
    model->seen.generations++;
    model->seen.parts += report->transactions > 1;
    model->seen.unchanged += report->unchanged;
    model->seen.copies += report->copies;
}

static void check_object(struct snapper_view *view, u64 id,
                         const struct model_content *content)
{
    u8 found[MODEL_SIZE_MAX];
    size_t restored;

    memset(found, 0xA5, sizeof found);
    if (!content) {
        assert_int_equal(view_restore(view, found, sizeof found, id, &restored),
                         ERR_NOT_FOUND);
        return;
    }
    assert_int_equal(view_restore(view, found, content->size, id, &restored), OK);
    assert_int_equal(restored, content->size);
    assert_memory_equal(found, content->bytes, content->size);
    if (content->size > 0)
        assert_int_equal(view_restore(view, found, content->size - 1, id, &restored),
                         ERR_BUFFER_TOO_SMALL);
}

void history_check_generation(struct model *model,
                              const struct model_generation *generation)
{
    struct snapper_view *view;
    struct snapper_run run;
    u64 cursor = 0, listed = 0, expected = 0;

    assert_int_equal(view_open(model->fixture.snapper, generation->name, &view), OK);
    for (size_t i = 0; i < MODEL_IDS; i++) {
        check_object(view, history_id(i), generation->objects[i]);
        expected += generation->objects[i] != NULL;
    }
    while (view_next_run(view, &cursor, &run) == OK)
        listed += run.count;
    assert_int_equal(listed, expected);
    view_close(view);
}

void history_check_list(struct model *model)
{
    struct snapper *snapper = model->fixture.snapper;
    struct snapper_generation_info info;

    assert_int_equal(snapper_generation_count(snapper), model->count);
    for (size_t i = 0; i < model->count; i++) {
        assert_int_equal(snapper_generation_info(snapper, i, &info), OK);
        assert_int_equal(info.status, OK);
        assert_string_equal(info.name.text, model->generations[i].name);
        assert_string_equal(info.parent.text, model->generations[i].parent);
        assert_int_equal(info.pinned, model->generations[i].pinned);
    }
    assert_string_equal(snapper_current(snapper).text, model->current);
}

/* Any file with equal chance. */
static void choose_file(void *context, const char *path, bool is_directory,
                        const u8 *data, size_t size)
{
    struct history_flip *flip = context;
    struct model *model = flip->model;

    (void)data;
    if (is_directory || !text_starts_with(path, "/snapper/") || size < 6 ||
        history_draw(model, ++flip->candidates) > 0)
        return;
    assert_true(text_copy(flip->path, sizeof flip->path, path));
    flip->at = history_draw(model, size - 1);
    flip->at += flip->at >= 5;
    flip->mask = (u8)(1u << history_draw(model, 8));
}

bool history_flip(struct model *model, struct history_flip *flip)
{
    size_t size;

    *flip = (struct history_flip){ .model = model };
    ram_store_walk(model->fixture.ram, choose_file, flip);
    if (flip->candidates == 0)
        return false;
    u8 *bytes = ram_store_bytes(model->fixture.ram, flip->path, &size);
    bytes[flip->at] ^= flip->mask;
    flip->flipped = bytes[flip->at];
    model->seen.flips++;
    return true;
}

void history_unflip(struct model *model, const struct history_flip *flip)
{
    size_t size;
    u8 *bytes = ram_store_bytes(model->fixture.ram, flip->path, &size);

    assert_non_null(bytes);
    if (bytes[flip->at] == flip->flipped)
        bytes[flip->at] ^= flip->mask;
    else
        model->seen.repairs++;
}
