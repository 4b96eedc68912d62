/* What objects hold, and whether an image has it. */
#include "tests/crash/lab.h"

#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "snapper/session.h"

u64 lab_id(size_t index)
{
    return index < LAB_IDS / 2 ? index : (1ULL << 44) + 7 * index;
}

size_t lab_content(size_t index, u32 version, u8 *to)
{
    static const size_t sizes[] = { 4096, 300, 0, 1018 };
    size_t size = sizes[index % ARRAY_LENGTH(sizes)];
    u64 state = (u64)version << 32 | (index + 1);

    for (size_t at = 0; at < size; at += sizeof state) {
        u64 word = random_next(&state);
        memcpy(to + at, &word, size - at < sizeof word ? size - at : sizeof word);
    }
    return size;
}

void lab_plain_content(u32 version, u8 *to)
{
    u64 state = version * 0x9E3779B97F4A7C15ULL | 1;

    for (size_t at = 0; at < LAB_PLAIN_SIZE; at += sizeof state) {
        u64 word = random_next(&state);
        memcpy(to + at, &word, sizeof word);
    }
}

static bool plain_matches(struct store *store, u32 version)
{
    static u8 expected[LAB_PLAIN_SIZE], found[LAB_PLAIN_SIZE];
    const struct store_operations *operations = store->operations;
    size_t size = 0;
    u64 root, node;

    if (operations->root(store, &root) != OK)
        return false;
    enum status status = operations->lookup(store, root, "plain", &node);
    if (version == 0)
        return status == ERR_NOT_FOUND;
    lab_plain_content(version, expected);
    return status == OK &&
           operations->read(store, node, 0, found, sizeof found, &size) == OK &&
           size == sizeof found && memcmp(found, expected, size) == 0;
}

static bool object_matches(struct snapper_view *view, size_t index, u32 version,
                           const char **why)
{
    static u8 expected[LAB_SIZE_MAX], found[LAB_SIZE_MAX];
    size_t size = version ? lab_content(index, version, expected) : 0;
    size_t restored = 0;
    enum status status =
        view_restore(view, found, sizeof found, lab_id(index), &restored);

    if (!version) {
        *why = "an object that was forgotten is there";
        return status == ERR_NOT_FOUND;
    }
    *why = status ? status_text(status) : "an object has other bytes";
    return status == OK && restored == size && memcmp(found, expected, size) == 0;
}

static bool generation_matches(struct snapper *snapper,
                               const struct lab_generation *generation, const char **why)
{
    struct snapper_view *view;
    enum status status = view_open(snapper, generation->name, &view);

    *why = status_text(status);
    if (status != OK)
        return false;
    bool matches = true;
    for (size_t i = 0; i < LAB_IDS && matches; i++)
        matches = object_matches(view, i, generation->versions[i], why);
    view_close(view);
    return matches;
}

bool lab_state_matches(struct snapper *snapper, const struct lab_state *state,
                       const char **why)
{
    struct snapper_generation_info info;

    *why = "the file beside the generations";
    if (!plain_matches(snapper->store, state->plain))
        return false;
    *why = "another target of a rollback";
    if (!text_equal(snapper_target(snapper).text, state->target))
        return false;
    *why = "another number of generations";
    if (snapper_generation_count(snapper) != state->count)
        return false;
    for (size_t i = 0; i < state->count; i++) {
        *why = "another generation";
        if (snapper_generation_info(snapper, i, &info) != OK || info.status != OK ||
            !text_equal(info.name.text, state->generations[i].name))
            return false;
        *why = "another pin";
        if (info.pinned != state->generations[i].pinned)
            return false;
        if (!generation_matches(snapper, &state->generations[i], why))
            return false;
    }
    return true;
}
