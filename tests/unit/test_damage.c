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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(victim__every_kind__has_structures_to_damage),
        cmocka_unit_test(image_seal__nothing_is_damaged__changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
