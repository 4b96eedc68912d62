/*
 * What is used to damage images: structures are found, and their checksums made as they were.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/support/image_seal.h"
#include "tests/support/layered_disk.h"
#include "tests/support/victim.h"

static void victim__every_kind__has_structures_to_damage(void **state)
{
    (void)state;
    struct victim victim;
    size_t counts[PLACE_KINDS] = { 0 };

    for (size_t which = 0; which < victim_count; which++) {
        victim_open(&victim, which);
        for (enum place_kind kind = 0; kind < PLACE_KINDS; kind++)
            counts[kind] += image_places_count(&victim.places, kind);
        victim_close(&victim);
    }
    for (enum place_kind kind = 0; kind < PLACE_KINDS; kind++) {
        print_message("    %s: %zu\n", place_kind_name(kind), counts[kind]);
        assert_true(counts[kind] > 0);
    }
}

/* Does the log hold newer content of this block? Its checksum may then be an older one. */
static bool is_stale(const struct image_places *places, u64 at)
{
    u64 block_size = places->fs->superblock.block_size;
    return memcmp(places->image.bytes + at / block_size * block_size,
                  places->clean.bytes + at / block_size * block_size, block_size) != 0;
}

static void image_seal__nothing_is_damaged__changes_nothing(void **state)
{
    (void)state;
    struct victim victim;

    for (size_t which = 0; which < victim_count; which++) {
        victim_open(&victim, which);
        struct ram_disk *image = &victim.places.image;
        u8 *before = malloc(image->size_bytes);
        memcpy(before, image->bytes, image->size_bytes);
        for (size_t i = 0; i < victim.places.count; i++) {
            const struct place *place = &victim.places.items[i];
            if (is_stale(&victim.places, place->at) ||
                (place->seal_at && is_stale(&victim.places, place->seal_at)))
                continue;
            image_seal(&victim.places, place, image->bytes);
            if (memcmp(before, image->bytes, image->size_bytes) != 0)
                fail_msg("%s: %s at %llu", victim.name, place_kind_name(place->kind),
                         (unsigned long long)place->at);
        }
        free(before);
        victim_close(&victim);
    }
}

/* In order and in small pieces, up to where the disk ends. */
static void ext4_read__disk_ends_behind_it__is_not_read_again_and_again(void **state)
{
    (void)state;
    enum { PIECE = 1024, PIECES = 100 };
    struct ext4_mount_options options = { .cache_capacity = 64, .read_only = true };
    static struct victim victim;
    struct layered_disk disk;
    u8 piece[PIECE];
    u64 block, run;
    u32 number;
    size_t got;
    struct ext4_inode inode;
    struct ext4 *fs;

    victim_open(&victim, 1);
    layered_disk_open(&disk, victim.places.image.size_bytes);
    layered_disk_reset(&disk, victim.places.clean.bytes);
    assert_int_equal(ext4_mount(&disk.disk, &options, &fs), OK);
    assert_int_equal(ext4_resolve(fs, "/old", &number), OK);
    assert_int_equal(ext4_inode_load(fs, number, &inode), OK);
    assert_int_equal(ext4_block_map(fs, &inode, 0, &block, &run), OK);
    assert_true(run > PIECES);
    disk.short_at = (block + PIECES) * (PIECE / SECTOR_SIZE);
    disk.disk.statistics = (struct disk_statistics){ 0 };
    for (u64 i = 0; i < PIECES; i++) {
        assert_int_equal(ext4_read(fs, number, i * PIECE, piece, PIECE, &got), OK);
        assert_int_equal(got, PIECE);
        assert_int_equal(piece[0], 'o');
    }
    assert_true(disk.disk.statistics.bytes_read < 2 * MIB);
    assert_int_equal(ext4_read(fs, number, PIECES * PIECE, piece, PIECE, &got), ERR_IO);
    ext4_drop(fs);
    layered_disk_close(&disk);
    victim_close(&victim);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(victim__every_kind__has_structures_to_damage),
        cmocka_unit_test(image_seal__nothing_is_damaged__changes_nothing),
        cmocka_unit_test(ext4_read__disk_ends_behind_it__is_not_read_again_and_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
