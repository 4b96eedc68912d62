#include "tests/crash/second_opinion.h"

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/format.h"
#include "kernel/fs/ext4/ext4_internal.h"
#include "kernel/fs/jbd2/journal_internal.h"
#include "tests/crash/judge.h"
#include "tests/support/ext4_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    SUPERBLOCK_AT = 1024,
    RO_COMPAT_AT = 0x64,
    METADATA_CSUM = 0x400,
    CHECKSUM_AT = 0x3FC,
};

static bool fail(struct second_opinion *opinion, const char *why)
{
    format_text(opinion->why, sizeof opinion->why, "e2fsck: %s", why);
    return false;
}

bool second_opinion_torn(const struct layered_disk *disk)
{
    u8 raw[2 * SECTOR_SIZE];

    for (u64 i = 0; i < 2; i++)
        memcpy(raw + i * SECTOR_SIZE,
               layered_disk_sector(disk, SUPERBLOCK_AT / SECTOR_SIZE + i), SECTOR_SIZE);
    return get_le32(raw + RO_COMPAT_AT) & METADATA_CSUM &&
           crc32c_update(~0U, raw, CHECKSUM_AT) != get_le32(raw + CHECKSUM_AT);
}

/* In memory if the host has such a place: e2fsck waits for the disk. */
static const char *image_path(void)
{
    static char path[64];
    const char *folder =
        access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "build/tests/images";
    format_text(path, sizeof path, "%s/snapper-judged-%d.img", folder, getpid());
    return path;
}

/* --- a torn superblock --- */

static bool recovered_is_clean(struct second_opinion *opinion)
{
    struct ram_disk copy;

    ram_disk_open(&copy, opinion->recovered->disk.sector_count);
    layered_disk_copy(opinion->recovered, copy.bytes);
    bool clean = ext4_image_ram_is_clean(&copy, image_path());
    ram_disk_close(&copy);
    return clean || fail(opinion, "complains about what recovery left");
}

/* --- any other --- */

/* Both have replayed; blocks that a replay has no say in are passed by. */
static bool same_bytes(const struct ext4 *fs, const u8 *ours, const u8 *theirs,
                       u64 *block)
{
    size_t size = fs->superblock.block_size;

    for (*block = SUPERBLOCK_AT / size + 1; *block < fs->superblock.block_count; ++*block)
        if (memcmp(ours + *block * size, theirs + *block * size, size) != 0 &&
            !journal_holds(fs->journal, *block))
            return false;
    return true;
}

/* Mounting alone replays the journal; what the mount does beyond it is not at its place yet. */
static bool replays_alike(struct second_opinion *opinion, const struct ram_disk *theirs)
{
    struct ext4_mount_options options = { 0 };
    struct ram_disk ours;
    struct ext4 *fs;
    u64 block;

    ram_disk_open(&ours, theirs->disk.sector_count);
    memcpy(ours.bytes, opinion->state, ours.size_bytes);
    if (ext4_mount(&ours.disk, &options, &fs) != OK)
        return fail(opinion, "our replay fails");
    bool same = same_bytes(fs, ours.bytes, theirs->bytes, &block);
    ext4_drop(fs);
    ram_disk_close(&ours);
    if (!same)
        format_text(opinion->why, sizeof opinion->why,
                    "e2fsck: its replay leaves another block %lu", block);
    return same;
}

static bool judge_theirs(struct second_opinion *opinion, struct ram_disk *theirs)
{
    struct verdict verdict = { 0 };

    if (!replays_alike(opinion, theirs))
        return false;
    return judge(opinion->lab, &theirs->disk, &opinion->found, 1, &verdict) ||
           fail(opinion, verdict.why);
}

static bool replay_is_clean(struct second_opinion *opinion)
{
    const char *path = image_path();
    struct ram_disk copy;

    ram_disk_open(&copy, opinion->recovered->disk.sector_count);
    memcpy(copy.bytes, opinion->state, copy.size_bytes);
    bool saved = ram_disk_save(&copy, path);
    ram_disk_close(&copy);
    if (!saved || !ext4_image_is_clean_after_replay(path))
        return fail(opinion, "complains");
    if (!ram_disk_load(&copy, path))
        return fail(opinion, "its image cannot be read");
    bool same = judge_theirs(opinion, &copy);
    ram_disk_close(&copy);
    return same;
}

bool second_opinion_agrees(struct second_opinion *opinion)
{
    bool agrees = opinion->torn ? recovered_is_clean(opinion) : replay_is_clean(opinion);
    unlink(image_path());
    return agrees;
}
