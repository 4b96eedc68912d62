#include "tests/support/victim.h"

#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "snapper/retention.h"
#include "tests/support/ext4_image.h"
#include "tests/support/port_host.h"

#include <stdlib.h>
#include <unistd.h>

#define FIXED                                                                            \
    "-U 11112222-3333-4444-5555-666677778888 "                                           \
    "-E hash_seed=99990000-1111-2222-3333-444455556666"

/* Enough names, long ones, for an index of two levels if the blocks are small. */
enum { FEW = 90, MANY = 420 };

static const struct victim_kind {
    const char *name, *options;
    unsigned mebibytes;
    u32 names;
    bool live; /* with a live journal */
} kinds[] = {
    { "live", FIXED " -b 1024 -J size=1", 4, FEW, true },
    { "clean", FIXED " -b 1024 -N 1000 -J size=1", 5, MANY, false },
    { "plain", FIXED " -b 1024 -J size=1 -O ^metadata_csum,^64bit", 4, FEW, true },
    { "pointers", FIXED " -b 1024 -J size=1 -O ^metadata_csum,^64bit,^extents -I 128", 4,
      FEW, false },
    { "large", FIXED " -b 4096 -J size=4", 9, FEW, true },
    { "groups",
      FIXED " -b 1024 -g 1024 -J size=1 -O ^flex_bg,^resize_inode,meta_bg,orphan_file", 5,
      FEW, false },
};

enum { SPARSE_BLOCKS = 40 };

const char *const victim_names[] = { "live",     "clean", "plain",
                                     "pointers", "large", "groups" };
const size_t victim_count = ARRAY_LENGTH(kinds);

size_t victim_content(size_t generation, u64 id, u8 *to)
{
    size_t size = id % 3 == 0 ? VICTIM_OBJECT_MAX : id % 3 == 1 ? 100 : 0;
    /* Two ids change with each generation, the others stay. */
    u64 version = id / 2 <= generation ? id / 2 : 0;
    u64 state = version << 32 | (id + 1);

    for (size_t at = 0; at < size; at++)
        to[at] = (u8)random_next(&state);
    return size;
}

static void must(enum status status)
{
    if (status != OK)
        port_panic(__FILE__, __LINE__, status_text(status));
}

static void make_files(struct ext4 *fs, size_t block_size, u32 names)
{
    static const u8 content[4096];
    u32 directory, inode;
    char name[256];

    must(ext4_make_directory(fs, EXT4_ROOT_INODE, "many", &directory));
    for (u32 i = 0; i < names; i++) {
        format_text(name, sizeof name, "a-file-with-a-name-of-some-length-%u", i);
        if (names == MANY) {
            memset(name + strlen(name), '-', 250 - strlen(name));
            name[250] = '\0';
        }
        must(ext4_create(fs, directory, name, &inode));
        if (i % 8 == 0)
            must(ext4_write(fs, inode, 0, name, sizeof name));
        if (i % 32 == 0)
            must(ext4_commit(fs));
    }
    must(ext4_commit(fs));
    must(ext4_create(fs, EXT4_ROOT_INODE, "sparse", &inode));
    for (u64 i = 0; i < SPARSE_BLOCKS; i++) {
        enum status status =
            ext4_write(fs, inode, i * i * block_size, content, block_size);
        if (status == ERR_UNSUPPORTED)
            break; /* an old file, which does not grow by us */
        must(status);
    }
    must(ext4_create(fs, EXT4_ROOT_INODE, "snapper.conf", &inode));
    static const char config[] =
        "# kept\nthreshold = 5\nredundancy = 2\nbufsize = 65536\n";
    must(ext4_write(fs, inode, 0, config, sizeof config - 1));
    must(ext4_commit(fs));
}

static void make_generation(struct victim *victim, struct snapper *snapper, size_t number)
{
    static u8 pages[VICTIM_IDS][VICTIM_OBJECT_MAX];
    struct snapper_commit_report report;

    must(init_snapshot(snapper, NULL));
    for (u64 id = 0; id < VICTIM_IDS; id++) {
        size_t size = victim_content(number, id, pages[id]);
        must(take_snapshot(snapper, pages[id], size, id));
    }
    must(commit_snapshot(snapper, "victim", &report));
    victim->generations[number] = report.name;
}

static void make_generations(struct victim *victim, struct ext4 *fs)
{
    struct ext4_store store;
    struct snapper *snapper;

    ext4_store_init(&store, fs);
    must(snapper_open(&store.store, &victim->config, &snapper));
    for (size_t number = 0; number < VICTIM_GENERATIONS; number++)
        make_generation(victim, snapper, number);
    must(snapper_pin(snapper, victim->generations[1].text));
    snapper_close(snapper);
}

/* Plain files, then indexes for the directories that are large enough. */
static void populate(struct ram_disk *ram, const char *path, u32 names)
{
    struct ext4_mount_options options = { .cache_capacity = 256 };
    struct ext4_space space;
    struct ext4 *fs;

    must(ext4_mount(&ram->disk, &options, &fs));
    ext4_space(fs, &space);
    make_files(fs, space.block_size, names);
    must(ext4_unmount(fs));
    if (!ram_disk_save(ram, path))
        port_panic(__FILE__, __LINE__, "an image of ours cannot be saved");
    ram_disk_close(ram);
    ext4_image_make_indexes(path);
    if (!ram_disk_load(ram, path))
        port_panic(__FILE__, __LINE__, "an image of ours is gone");
}

/* A directory's block that is in the log, and then nobody's. */
static void make_revoke(struct ext4 *fs)
{
    u32 directory;

    must(ext4_make_directory(fs, EXT4_ROOT_INODE, "gone", &directory));
    must(ext4_commit(fs));
    must(ext4_remove_directory(fs, EXT4_ROOT_INODE, "gone"));
    must(ext4_commit(fs));
}

static void remember(struct victim *victim, struct ram_disk *ram, bool live)
{
    struct ext4_mount_options options = { .cache_capacity = 256 };
    struct ext4 *fs;

    must(ext4_mount(&ram->disk, &options, &fs));
    make_revoke(fs);
    make_generations(victim, fs);
    if (live)
        ext4_drop(fs);
    else
        must(ext4_unmount(fs));
}

void victim_open(struct victim *victim, size_t which)
{
    struct snapper_config_sources sources;
    struct ram_disk ram;
    char name[32], output[256];
    static u8 old[300 * KIB]; /* with pointers to pointers, where there are pointers */

    ASSERT(which < victim_count);
    *victim = (struct victim){ .name = kinds[which].name };
    config_defaults(&victim->config, &sources);
    victim->config.threshold = 3;
    victim->config.redundancy = 2;
    setenv("E2FSPROGS_FAKE_TIME", "1780000000", 1);
    port_host_set_time(VICTIM_SECONDS * 1000000ULL);
    format_text(name, sizeof name, "victim-%d", getpid());
    const char *path =
        ext4_image_make(name, kinds[which].mebibytes, kinds[which].options);
    ext4_image_debugfs(path, "symlink /fast many", output, sizeof output);
    ext4_image_debugfs(path,
                       "symlink /slow /many/../many/../many/../many/../many/../many/../"
                       "many/../many/a-file-with-a-name-of-some-length-7",
                       output, sizeof output);
    memset(old, 'o', sizeof old);
    ext4_image_write(path, "/old", old, sizeof old);
    if (!ram_disk_load(&ram, path))
        port_panic(__FILE__, __LINE__, "an image of ours is gone");
    populate(&ram, path, kinds[which].names);
    unlink(path);
    remember(victim, &ram, kinds[which].live);
    image_places_open(&victim->places, &ram);
}

void victim_close(struct victim *victim)
{
    image_places_close(&victim->places);
}
