/* What is done to generations that are there: pins, repair, export and import, room for new ones. */
#include "tests/crash/lab_internal.h"

#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "snapper/transfer.h"
#include "snapper/verify.h"

#include <stdlib.h>

/* --- pins --- */

static enum status set_pin(struct lab *lab, size_t index, bool pinned)
{
    const char *name = lab_last_step(lab)->state.generations[index].name;

    enum status status =
        pinned ? snapper_pin(lab->snapper, name) : snapper_unpin(lab->snapper, name);
    if (status == OK)
        lab_note_step(lab, "pin")->generations[index].pinned = pinned;
    return status;
}

enum status perform_pin(struct lab *lab, size_t index)
{
    return set_pin(lab, index, true);
}

enum status perform_unpin(struct lab *lab, size_t index)
{
    return set_pin(lab, index, false);
}

void lab_pin(struct lab *lab, size_t index)
{
    lab_act(lab, "pin", perform_pin, index);
}

void lab_unpin(struct lab *lab, size_t index)
{
    lab_act(lab, "unpin", perform_unpin, index);
}

/* --- room --- */

enum status perform_take_if_room(struct lab *lab, size_t changed)
{
    u64 random = lab->memory.random;

    enum status status = perform_take(lab, changed);
    if (status != ERR_NO_SPACE)
        return status;
    lab->memory.random = random;
    lab_note_step(lab, "refused");
    return OK;
}

bool lab_take_if_room(struct lab *lab, size_t changed)
{
    size_t before = lab_last_step(lab)->state.count;

    lab_act(lab, "commit, if there is room", perform_take_if_room, changed);
    return lab_last_step(lab)->state.count > before;
}

/* --- damage and repair --- */

static enum status flip(struct lab *lab, u32 inode, u64 at)
{
    u8 byte;
    size_t read;

    enum status status = ext4_read(lab->fs, inode, at, &byte, 1, &read);
    if (status == OK)
        status = ext4_poke(lab->fs, inode, at, byte ^ 0x10);
    return status;
}

/* Would anything be lost by that? Tried off the record. */
static bool has_copy(struct lab *lab, u32 inode, u64 at)
{
    struct snapper_verify_report report, before;

    lab_insist(lab, "verify", snapper_verify(lab->snapper, NULL, &before));
    lab->ram.recording = false;
    lab_insist(lab, "rot", flip(lab, inode, at));
    lab_insist(lab, "verify", snapper_verify(lab->snapper, NULL, &report));
    lab_insist(lab, "rot", flip(lab, inode, at));
    lab->ram.recording = true;
    return report.damaged > before.damaged && report.lost == 0;
}

/* A byte of the content, or of its checksum if there is none. */
static u64 place_to_rot(struct lab *lab, u32 inode)
{
    enum { CHECKSUM_AT = 1, CONTENT_AT = 6 };
    struct ext4_stat stat;

    lab_insist(lab, "rot", ext4_stat(lab->fs, inode, &stat));
    return stat.size_bytes > CONTENT_AT
               ? CONTENT_AT + lab_draw(lab, stat.size_bytes - CONTENT_AT)
               : CHECKSUM_AT;
}

static bool rots(struct lab *lab, const char *path)
{
    u32 inode;

    if (ext4_resolve(lab->fs, path, &inode) != OK)
        return false;
    u64 at = place_to_rot(lab, inode);
    if (!has_copy(lab, inode, at))
        return false;
    lab_insist(lab, "rot", flip(lab, inode, at));
    return true;
}

size_t lab_rot(struct lab *lab, size_t files)
{
    enum { ORDINALS = 5 }; /* those of the first level, with the threshold of a lab */
    const struct lab_state *state = &lab_last_step(lab)->state;
    char path[128];
    size_t rotten = 0;

    lab->rotten = true;
    for (size_t i = 0; i < state->count * ORDINALS && rotten < files; i++) {
        format_text(path, sizeof path, "/snapper/%s/snapshot/%04lx",
                    state->generations[i % state->count].name, i / state->count);
        rotten += rots(lab, path);
    }
    lab_note_step(lab, "rot");
    return rotten;
}

enum status perform_repair(struct lab *lab, size_t unused)
{
    (void)unused;
    struct snapper_verify_report report;

    enum status status = snapper_repair(lab->snapper, NULL, &report);
    if (status == OK)
        lab_note_step(lab, "repair");
    return status;
}

void lab_repair(struct lab *lab)
{
    lab_act(lab, "repair", perform_repair, 0);
}

/* --- streams --- */

struct memory_output {
    struct stream_output output;
    struct lab_stream *stream;
};

struct memory_input {
    struct stream_input input;
    struct lab_stream *stream;
};

static enum status write_memory(struct stream_output *output, const void *data,
                                size_t size)
{
    struct lab_stream *stream =
        CONTAINER_OF(output, struct memory_output, output)->stream;

    if (stream->size + size > stream->capacity) {
        stream->capacity = 2 * (stream->size + size);
        stream->bytes = realloc(stream->bytes, stream->capacity);
        if (!stream->bytes)
            exit(2);
    }
    memcpy(stream->bytes + stream->size, data, size);
    stream->size += size;
    return OK;
}

static enum status read_memory(struct stream_input *input, void *data, size_t size,
                               size_t *got)
{
    struct lab_stream *stream = CONTAINER_OF(input, struct memory_input, input)->stream;

    *got = size < stream->size - stream->at ? size : stream->size - stream->at;
    memcpy(data, stream->bytes + stream->at, *got);
    stream->at += *got;
    return OK;
}

void lab_export(struct lab *lab, size_t index, size_t base)
{
    const struct lab_state *state = &lab_last_step(lab)->state;
    struct memory_output memory = { { .write = write_memory }, &lab->exported };
    struct snapper_transfer_report report;

    lab->exported.size = 0;
    lab->exported.generation = state->generations[index];
    lab->exported.generation.pinned = false;
    lab_insist(lab, "export",
               snapper_export(lab->snapper, state->generations[index].name,
                              base == LAB_WHOLE ? NULL : state->generations[base].name,
                              &memory.output, &report));
}

/* Its place is where its time says. */
static void insert_generation(struct lab_state *state,
                              const struct lab_generation *generation)
{
    size_t at = 0;

    ASSERT(state->count < LAB_GENERATIONS);
    while (at < state->count && memcmp(state->generations[at].name, generation->name,
                                       sizeof generation->name) < 0)
        at++;
    memmove(&state->generations[at + 1], &state->generations[at],
            (state->count - at) * sizeof *generation);
    state->generations[at] = *generation;
    state->count++;
}

enum status perform_import(struct lab *lab, size_t unused)
{
    (void)unused;
    struct memory_input memory = { { .read = read_memory }, &lab->exported };
    struct snapper_transfer_report report;

    lab->exported.at = 0;
    enum status status = snapper_import(lab->snapper, &memory.input, &report);
    if (status == OK && !report.was_there)
        insert_generation(lab_note_step(lab, "import"), &lab->exported.generation);
    return status;
}

void lab_import(struct lab *lab)
{
    lab_act(lab, "import", perform_import, 0);
}

/* --- a file of others --- */

enum status perform_replace_plain(struct lab *lab, size_t unused)
{
    (void)unused;
    static u8 content[LAB_PLAIN_SIZE];
    struct store *store = &lab->store.store;
    struct store_new_file file = {
        .name = "plain", .header = content, .header_size = 6, .payload = content + 6
    };
    u32 version = lab_last_step(lab)->state.plain;
    u64 root;

    file.payload_size = LAB_PLAIN_SIZE - file.header_size;
    lab_plain_content(version + 1, content);
    enum status status = store->operations->root(store, &root);
    if (status == OK && version > 0)
        status = store->operations->remove_file(store, root, "plain");
    if (status == OK)
        status = store->operations->create_files(store, root, &file, 1);
    if (status == OK)
        status = store->operations->commit(store);
    if (status == OK)
        lab_note_step(lab, "replaced")->plain = version + 1;
    else
        store->operations->rollback(store);
    return status;
}

void lab_replace_plain(struct lab *lab)
{
    lab_act(lab, "replace", perform_replace_plain, 0);
}

/* --- the end --- */

void lab_empty(struct lab *lab)
{
    lab_act(lab, "clear", perform_clear, 0);
    while (lab_last_step(lab)->state.count > 1)
        lab_purge(lab, 0);
    lab_settle(lab);
}
