#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "snapper/archive.h"
#include "snapper/varint.h"
#include "tests/support/port_host.h"

static u64 random_state;

static u64 next_random(u64 below)
{
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state % below;
}

static struct generation_name name_of(u64 time)
{
    struct generation_name name;
    assert_int_equal(generation_name_encode(time, &name), OK);
    return name;
}

/* Three generations; 5 objects with a copy each, a gap, then one big and one empty object. */
static struct archive given_archive(void)
{
    struct archive archive = {
        .parent = name_of(2000000),
        .objects = 7,
        .files_written = 4,
        .generation_count = 3,
        .run_count = 4,
        .description = "before the upgrade",
    };
    archive.generations = port_alloc(3 * sizeof *archive.generations);
    archive.generations[0] = (struct archive_generation){ name_of(3000000), 100 };
    archive.generations[1] = (struct archive_generation){ name_of(2000000), 16 };
    archive.generations[2] = (struct archive_generation){ name_of(1000000), 100 };
    archive.runs = port_alloc(4 * sizeof *archive.runs);
    archive.runs[0] = (struct archive_run){ 40, 5, 4096, 1, 0, 0x11223344, 3, 0 };
    archive.runs[1] = (struct archive_run){ 40, 5, 4096, 2, 900, 0x55667788, 300, 1 };
    archive.runs[2] =
        (struct archive_run){ 1ULL << 40, 1, 1 << 20, 0, 3, 0xCAFEF00D, 1, 0 };
    archive.runs[3] = (struct archive_run){ UINT64_MAX, 1, 0, 0, 0, 0, 1, 0 };
    return archive;
}

static u8 *given_encoded(size_t *size)
{
    struct archive archive = given_archive();
    u8 *raw;
    assert_int_equal(archive_encode(&archive, &raw, size), OK);
    archive_destroy(&archive);
    return raw;
}

static void seal(u8 *raw, size_t size)
{
    put_le32(raw + 1, crc32(raw + 5, size - 5));
}

static void assert_equal(const struct archive *a, const struct archive *b)
{
    assert_string_equal(a->parent.text, b->parent.text);
    assert_string_equal(a->description, b->description);
    assert_int_equal(a->objects, b->objects);
    assert_int_equal(a->files_written, b->files_written);
    assert_int_equal(a->generation_count, b->generation_count);
    for (u32 i = 0; i < a->generation_count; i++) {
        assert_string_equal(a->generations[i].name.text, b->generations[i].name.text);
        assert_int_equal(a->generations[i].threshold, b->generations[i].threshold);
    }
    assert_int_equal(a->run_count, b->run_count);
    for (u32 i = 0; i < a->run_count; i++) {
        assert_int_equal(a->runs[i].first_id, b->runs[i].first_id);
        assert_int_equal(a->runs[i].count, b->runs[i].count);
        assert_int_equal(a->runs[i].object_size, b->runs[i].object_size);
        assert_int_equal(a->runs[i].generation, b->runs[i].generation);
        assert_int_equal(a->runs[i].first_ordinal, b->runs[i].first_ordinal);
        assert_int_equal(a->runs[i].crc, b->runs[i].crc);
        assert_int_equal(a->runs[i].age, b->runs[i].age);
        assert_int_equal(a->runs[i].rank, b->runs[i].rank);
    }
}

static void archive_decode__what_was_encoded__comes_back(void **state)
{
    (void)state;
    struct archive archive = given_archive(), decoded;
    size_t size;
    u8 *raw = given_encoded(&size);

    assert_int_equal(archive_decode(raw, size, &decoded, NULL), OK);
    assert_equal(&archive, &decoded);
    archive_destroy(&decoded);
    archive_destroy(&archive);
    port_free(raw);
}

static void archive_decode__an_empty_generation__is_valid(void **state)
{
    (void)state;
    struct archive_generation own = { name_of(7), 1 };
    struct archive archive = { .generations = &own, .generation_count = 1 }, decoded;
    size_t size;
    u8 *raw;

    assert_int_equal(archive_encode(&archive, &raw, &size), OK);
    assert_int_equal(size, 5 + 36 + 12);
    assert_int_equal(archive_decode(raw, size, &decoded, NULL), OK);
    assert_int_equal(decoded.run_count, 0);
    assert_string_equal(decoded.parent.text, "");
    archive_destroy(&decoded);
    port_free(raw);
}

static void archive_decode__every_truncation__is_refused(void **state)
{
    (void)state;
    size_t size;
    u8 *raw = given_encoded(&size);
    struct archive decoded;

    for (size_t cut = 0; cut < size; cut++) {
        u8 *piece = malloc(cut + 1); /* of exactly this size, for the sanitizer */
        memcpy(piece, raw, cut);
        piece = realloc(piece, cut ? cut : 1);
        assert_int_not_equal(archive_decode(piece, cut, &decoded, NULL), OK);
        if (cut >= 5)
            seal(piece, cut);
        assert_int_not_equal(archive_decode(piece, cut, &decoded, NULL), OK);
        free(piece);
    }
    port_free(raw);
}

static void archive_decode__every_flipped_bit__is_refused(void **state)
{
    (void)state;
    size_t size;
    u8 *raw = given_encoded(&size);
    struct archive decoded;
    const char *why;

    for (size_t bit = 0; bit < size * 8; bit++) {
        raw[bit / 8] ^= (u8)(1 << bit % 8);
        enum status status = archive_decode(raw, size, &decoded, &why);
        assert_int_equal(status, bit < 8 ? ERR_UNSUPPORTED : ERR_CORRUPT);
        assert_non_null(why);
        raw[bit / 8] ^= (u8)(1 << bit % 8);
    }
    port_free(raw);
}

/* What passes is well formed: it encodes to the very same bytes again. */
static void assert_refused_or_canonical(const u8 *raw, size_t size)
{
    struct archive decoded;
    if (archive_decode(raw, size, &decoded, NULL) != OK)
        return;
    u64 objects = 0;
    for (u32 i = 0; i < decoded.run_count; i++) {
        const struct archive_run *run = &decoded.runs[i];
        assert_true(run->count > 0);
        assert_true(run->generation < decoded.generation_count);
        assert_true((u64)run->first_ordinal + run->count <= UINT32_MAX);
        assert_true(run->first_id + (run->count - 1) >= run->first_id);
        objects += run->rank == 0 ? run->count : 0;
        if (i > 0 && run->rank == 0)
            assert_true(run->first_id > run[-1].first_id + (run[-1].count - 1));
    }
    assert_int_equal(objects, decoded.objects);
    u8 *again;
    size_t again_size;
    assert_int_equal(archive_encode(&decoded, &again, &again_size), OK);
    assert_int_equal(again_size, size);
    assert_memory_equal(again, raw, size);
    port_free(again);
    archive_destroy(&decoded);
}

static void
archive_decode__mutants_with_a_right_checksum__are_refused_or_sound(void **state)
{
    (void)state;
    size_t size;
    u8 *raw = given_encoded(&size);
    u8 *mutant = malloc(size);

    random_state = 20261121;
    print_message("seed %llu\n", (unsigned long long)random_state);
    for (int round = 0; round < 60000; round++) {
        memcpy(mutant, raw, size);
        for (u64 edits = 1 + next_random(4); edits > 0; edits--) {
            static const u8 telling[] = { 0, 1, 0x7f, 0x80, 0xff };
            mutant[5 + next_random(size - 5)] =
                next_random(2) ? telling[next_random(5)] : (u8)next_random(256);
        }
        seal(mutant, size);
        assert_refused_or_canonical(mutant, size);
    }
    free(mutant);
    port_free(raw);
}

struct tamper {
    const char *why;
    void (*change)(struct archive *archive);
};

static void no_threshold(struct archive *archive)
{
    archive->generations[1].threshold = 0;
}
static void twice(struct archive *archive)
{
    archive->generations[2].name = archive->generations[1].name;
}
static void foreign_generation(struct archive *archive)
{
    archive->runs[1].generation = 3;
}
static void own_ordinal_not_written(struct archive *archive)
{
    archive->runs[2].first_ordinal = 4;
}
static void ordinals_wrap(struct archive *archive)
{
    archive->runs[1].first_ordinal = UINT32_MAX;
}
static void empty_run(struct archive *archive)
{
    archive->runs[2].count = 0;
}
static void ids_overlap(struct archive *archive)
{
    archive->runs[2].first_id = 44; /* the gap wraps round 64 bits */
}
static void ids_wrap(struct archive *archive)
{
    archive->runs[3].count = 2;
}
static void miscounted(struct archive *archive)
{
    archive->objects++;
}
static void control_characters(struct archive *archive)
{
    archive->description[3] = '\n';
}

static void archive_decode__each_field_out_of_range__is_named(void **state)
{
    (void)state;
    static const struct tamper tampers[] = {
        { "threshold of 0", no_threshold },
        { "generation twice in the table", twice },
        { "a run out of range", foreign_generation },
        { "a run out of range", own_ordinal_not_written },
        { "a run out of range", ordinals_wrap },
        { "a run out of range", empty_run },
        { "a run out of range", ids_overlap },
        { "a run out of range", ids_wrap },
        { "wrong number of objects", miscounted },
        { "control characters in the description", control_characters },
    };
    for (size_t i = 0; i < ARRAY_LENGTH(tampers); i++) {
        struct archive archive = given_archive(), decoded;
        const char *why;
        size_t size;
        u8 *raw;

        tampers[i].change(&archive);
        assert_int_equal(archive_encode(&archive, &raw, &size), OK);
        assert_int_equal(archive_decode(raw, size, &decoded, &why), ERR_CORRUPT);
        assert_string_equal(why, tampers[i].why);
        port_free(raw);
        archive_destroy(&archive);
    }
}

static void archive_decode__counts_from_hell__ask_for_no_memory(void **state)
{
    (void)state;
    size_t size;
    u8 *raw = given_encoded(&size);
    struct archive decoded;

    for (size_t at = 8; at <= 12; at += 4) {
        u32 before = get_le32(raw + 5 + at);
        put_le32(raw + 5 + at, UINT32_MAX);
        seal(raw, size);
        port_host_fail_allocation(0, false);
        assert_int_equal(archive_decode(raw, size, &decoded, NULL), ERR_CORRUPT);
        assert_int_equal(port_host_allocations(), 0);
        put_le32(raw + 5 + at, before);
    }
    port_free(raw);
}

static void archive_decode__other_version_or_layout__is_unsupported(void **state)
{
    (void)state;
    static const size_t places[] = { 5, 9, 10, 12 }; /* magic, layout, flags, reserved */
    size_t size;
    u8 *raw = given_encoded(&size);
    struct archive decoded;

    for (size_t i = 0; i < ARRAY_LENGTH(places); i++) {
        raw[places[i]] ^= 0x10;
        seal(raw, size);
        assert_int_equal(archive_decode(raw, size, &decoded, NULL), ERR_UNSUPPORTED);
        raw[places[i]] ^= 0x10;
    }
    raw[0] = 3;
    assert_int_equal(archive_decode(raw, size, &decoded, NULL), ERR_UNSUPPORTED);
    port_free(raw);
}

static void archive_decode__without_memory__says_so_and_leaks_nothing(void **state)
{
    (void)state;
    size_t size;
    u8 *raw = given_encoded(&size);
    struct archive decoded;
    u64 failures = 0;

    for (u64 nth = 1;; nth++) {
        port_host_fail_allocation(nth, true);
        enum status status = archive_decode(raw, size, &decoded, NULL);
        port_host_fail_allocation(0, false);
        if (status == OK)
            break;
        assert_int_equal(status, ERR_NO_MEMORY);
        failures++;
    }
    assert_true(failures >= 2);
    archive_destroy(&decoded);
    port_free(raw);
}

static void archive_encode__scattered_pages__take_16_bytes_a_run(void **state)
{
    (void)state;
    enum { RUNS = 20000 };
    struct archive_generation generations[16];
    struct archive archive = { .generations = generations,
                               .generation_count = 16,
                               .objects = RUNS,
                               .files_written = RUNS,
                               .run_count = RUNS };
    size_t size;
    u8 *raw;

    random_state = 7;
    for (u32 i = 0; i < 16; i++)
        generations[i] = (struct archive_generation){ name_of(1000 - i), 100 };
    archive.runs = port_alloc(RUNS * sizeof *archive.runs);
    for (u32 i = 0; i < RUNS; i++)
        archive.runs[i] = (struct archive_run){
            .first_id = (1ULL << 40) + 2 * i,
            .count = 1,
            .object_size = 4096,
            .generation = (u32)next_random(16),
            .first_ordinal = (u32)next_random(RUNS),
            .crc = (u32)next_random(UINT32_MAX),
            .age = 1,
        };
    assert_int_equal(archive_encode(&archive, &raw, &size), OK);
    print_message("%u runs: %.1f bytes each\n", RUNS, (double)size / RUNS);
    assert_true(size <= 16 * RUNS);
    assert_refused_or_canonical(raw, size);
    port_free(raw);
    port_free(archive.runs);
}

static void varint_get__borders_and_malformed_bytes__as_the_format_says(void **state)
{
    (void)state;
    static const u64 values[] = { 0,          1,          127,
                                  128,        300,        16383,
                                  16384,      UINT32_MAX, UINT32_MAX + 1ULL,
                                  1ULL << 63, UINT64_MAX };
    u8 bytes[VARINT_SIZE_MAX];
    for (size_t i = 0; i < ARRAY_LENGTH(values); i++) {
        size_t size = varint_put(bytes, values[i]);
        struct byte_reader reader = { bytes, size };
        u64 value;
        assert_true(varint_get(&reader, &value));
        assert_int_equal(value, values[i]);
        assert_int_equal(reader.left, 0);
        for (size_t cut = 0; cut < size; cut++) {
            reader = (struct byte_reader){ bytes, cut };
            assert_false(varint_get(&reader, &value));
        }
    }
    static const u8 overlong[] = { 0x80, 0x00 };
    static const u8 too_large[] = { 0xff, 0xff, 0xff, 0xff, 0xff,
                                    0xff, 0xff, 0xff, 0xff, 0x02 };
    static const u8 endless[12] = { [0 ... 11] = 0x80 };
    u64 value;
    assert_false(varint_get(&(struct byte_reader){ overlong, 2 }, &value));
    assert_false(varint_get(&(struct byte_reader){ too_large, 10 }, &value));
    assert_false(varint_get(&(struct byte_reader){ endless, 12 }, &value));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(archive_decode__what_was_encoded__comes_back),
        cmocka_unit_test(archive_decode__an_empty_generation__is_valid),
        cmocka_unit_test(archive_decode__every_truncation__is_refused),
        cmocka_unit_test(archive_decode__every_flipped_bit__is_refused),
        cmocka_unit_test(
            archive_decode__mutants_with_a_right_checksum__are_refused_or_sound),
        cmocka_unit_test(archive_decode__each_field_out_of_range__is_named),
        cmocka_unit_test(archive_decode__counts_from_hell__ask_for_no_memory),
        cmocka_unit_test(archive_decode__other_version_or_layout__is_unsupported),
        cmocka_unit_test(archive_decode__without_memory__says_so_and_leaks_nothing),
        cmocka_unit_test(archive_encode__scattered_pages__take_16_bytes_a_run),
        cmocka_unit_test(varint_get__borders_and_malformed_bytes__as_the_format_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
