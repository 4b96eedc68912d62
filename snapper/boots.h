/*
 * The boot counter: boots in a row that died on what they had resumed. When there are config.fallback of
 * them, the next one falls back to the generation before.
 *
 *            snapper_boot_open()                    snapper_boot_stands()
 *   boots: n ------------------> n + 1, durable -------------------------> 0
 *                                      |  or a commit, in its transaction
 *                                      |  snapper_boot_is_void()
 *                                      +-------------------------> n
 *
 * B1  The count is on the disk before anything of the generation runs, so whatever ends the machine from
 *     then on has counted.
 * B2  It counts what is resumed unless something else is asked for: whoever changes that (a commit, a
 *     rollback, a purge, an import) begins at 0.
 * B3  Falling back is one transaction: the older generation becomes the rollback target, the one left is
 *     pinned, so that nothing takes it before somebody has looked at it. A cut before: the next boot does
 *     the same.
 *
 * Within /snapper.state the count is one digit, rewritten in place: this needs no room, and no cut can
 * tear it.
 */
#pragma once

#include "snapper/snapper.h"

struct snapper_boot {
    u64 died; /* boots in a row before this one */
    struct generation_name
        left;              /* what they resumed, if this one fell back; else empty */
    enum status uncounted; /* OK, or why this one's count may not be on the disk */
};

/*
 * As open_generation(NULL), counted, and with the fallback. An image that cannot be written counts
 * nothing. config.fallback = 0: as open_generation(NULL).
 */
enum status snapper_boot_open(struct snapper *snapper, struct snapper_boot *boot);

/* All is well: nothing has died. In the states DORMANT and RESTORATION. */
enum status snapper_boot_stands(struct snapper *snapper);
/* Nothing ran, so this boot says nothing about the generation: it is as if there had been none. */
enum status snapper_boot_is_void(struct snapper *snapper);

/* Boots in a row that died or are running still. */
u64 snapper_boots(const struct snapper *snapper);
