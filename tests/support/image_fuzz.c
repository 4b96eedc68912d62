#include "tests/support/image_fuzz.h"

#include "tests/support/damage.h"
#include "tests/support/hostile_use.h"
#include "tests/support/port_host.h"

#include <stdio.h>
#include <stdlib.h>

enum { VICTIMS_MAX = 8, DAMAGES_MAX = 12 };

/* Of hundreds of long names; of large blocks. */
#define COSTLY_VICTIMS (1ULL << 1 | 1ULL << 4)

struct target {
    bool open;
    struct victim victim;
    struct damage damage;
    struct layered_disk disk;
};

static struct target *target(size_t which, u64 kinds)
{
    static struct target targets[VICTIMS_MAX];
    struct target *target = &targets[which];

    if (target->open)
        return target;
    victim_open(&target->victim, which);
    damage_open(&target->damage, &target->victim.places, kinds);
    layered_disk_open(&target->disk, target->victim.places.image.size_bytes);
    target->open = true;
    return target;
}

static size_t nth_victim(u64 victims, size_t nth)
{
    size_t which = 0;

    nth %= (size_t)__builtin_popcountll(victims);
    while (!(victims >> which & 1) || nth-- > 0)
        which++;
    return which;
}

/* Those that take several times as long have their turn three times out of four skipped. */
static size_t choose_victim(u64 victims, size_t drawn)
{
    u64 quick = victims & ~COSTLY_VICTIMS;
    size_t round = drawn / (size_t)__builtin_popcountll(victims);
    size_t which = nth_victim(victims, drawn);

    return COSTLY_VICTIMS >> which & 1 && round % 4 != 0 ? nth_victim(quick, drawn)
                                                         : which;
}

int image_fuzz(const u8 *data, size_t size, u64 victims, u64 kinds)
{
    struct damage_source source = damage_source_bytes(data, size);
    size_t which = choose_victim(victims, damage_draw(&source, 256));
    struct target *chosen = target(which, kinds);
    struct hostile_use use = { .victim = &chosen->victim,
                               .seed = damage_draw(&source, 256),
                               .is_brief = true };

    for (int i = 0; i < DAMAGES_MAX && !damage_source_is_empty(&source); i++)
        damage_do(&chosen->damage, &source);
    use.is_intact =
        ext4_has_checksums(chosen->victim.places.fs) && !chosen->damage.sealed;
    layered_disk_reset(&chosen->disk, chosen->damage.image);
    if (!hostile_use(&use, &chosen->disk.disk)) {
        fprintf(stderr, "%s, %s: %s\n", chosen->victim.name, chosen->damage.first,
                use.why);
        abort();
    }
    damage_undo(&chosen->damage);
    return 0;
}
