/*
 * Streams of snapctl's import, damaged, their checksums made right. Whatever comes of it, the generations
 * that were there are as they were, and a clean-up leaves nothing that no archive lists.
 */
#include "snapper/transfer.h"
#include "snapper/verify.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/hostile_use.h"
#include "tests/support/port_host.h"
#include "tests/support/stream_fuzz.h"

enum { ROOM = 4096, HEAP_MAX = 12 * MIB, DAMAGES_MAX = 12 };

static struct stream_target target;
static struct layered_disk disk;

struct memory_input {
    struct stream_input input;
    const u8 *bytes;
    size_t size, at;
};

static enum status read_stream(struct stream_input *input, void *data, size_t size,
                               size_t *got)
{
    struct memory_input *memory = CONTAINER_OF(input, struct memory_input, input);

    *got = size < memory->size - memory->at ? size : memory->size - memory->at;
    memcpy(data, memory->bytes + memory->at, *got);
    memory->at += *got;
    return OK;
}

static void say(void *context, const struct snapper_finding *finding)
{
    (void)context;
    fprintf(stderr, "%s: finding %d, object %llu, %llu of them from file %u on: %s\n",
            finding->generation.text, finding->kind, (unsigned long long)finding->id,
            (unsigned long long)finding->count, finding->ordinal,
            status_text(finding->status));
}

static void import(struct snapper *snapper, const u8 *stream, size_t size)
{
    struct memory_input memory = { { .read = read_stream }, stream, size, 0 };
    struct snapper_transfer_report report;
    struct snapper_cleanup_report cleaned;
    struct snapper_verify_report verified;
    struct snapper_verify_hooks hooks = { .finding = say };
    u64 changed;

    enum status status = snapper_import(snapper, &memory.input, &report);
    require(status != ERR_CORRUPT || port_host_complaints() > 0);
    require(snapper_state(snapper) == SNAPPER_DORMANT);
    for (size_t i = 0; i < 2; i++)
        require(victim_generation_is_right(snapper, &target.victim, i, true));
    require(snapper_cleanup(snapper, &cleaned) == OK);
    require(snapper_settle(snapper, &changed) == OK);
    require(snapper_verify(snapper, &hooks, &verified) == OK);
    /* An archive that lists one file for two objects is not seen through, but when it is read. */
    require(verified.unreadable + verified.wrong_rc + verified.orphans +
                verified.incomplete ==
            0);
}

static void import_into_image(const u8 *stream, size_t size)
{
    struct ext4_mount_options options = { .cache_capacity = 64 };
    struct ext4_store store;
    struct snapper *snapper;
    struct ext4 *fs;

    layered_disk_reset(&disk, target.destination.bytes);
    port_host_clear_log();
    port_host_measure();
    u64 before = port_host_outstanding(), heap = port_host_peak_bytes();
    require(ext4_mount(&disk.disk, &options, &fs) == OK);
    ext4_store_init(&store, fs);
    require(snapper_open(&store.store, &target.victim.config, &snapper) == OK);
    import(snapper, stream, size);
    snapper_close(snapper);
    require(ext4_unmount(fs) == OK);
    require(port_host_outstanding() == before);
    require(port_host_peak_bytes() - heap < HEAP_MAX);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct damage_source source = damage_source_bytes(data, size);

    if (target.streams[0].bytes == NULL) {
        stream_target_open(&target);
        layered_disk_open(&disk, target.destination.size_bytes);
    }
    size_t which = damage_draw(&source, STREAMS);
    size_t length = target.streams[which].size;
    u8 *stream = malloc(length + ROOM);
    require(stream != NULL);
    memcpy(stream, target.streams[which].bytes, length);
    bool seal = damage_draw(&source, 4) != 0;
    for (int i = 0; i < DAMAGES_MAX && !damage_source_is_empty(&source); i++)
        length =
            stream_damage(stream, length, target.streams[which].size + ROOM, &source);
    if (seal)
        stream_seal(stream, length);
    u8 *exact = (u8 *)copied(stream, length);
    import_into_image(exact, length);
    free(exact);
    free(stream);
    return 0;
}
