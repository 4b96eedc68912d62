/*
 * Bursts of files: content, cleanliness, and the figures of goals.md (P13 to P15) as requests and
 * bytes that reach the disk, the journal and its checkpoints included.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "kernel/fs/ext4/ext4.h"
#include "tests/support/ext4_image.h"

enum { FILES = 10000, BATCH = 500, HEAD_SIZE = 6, BODY_SIZE = 4096 };

static u8 heads[FILES][HEAD_SIZE];
static u8 (*bodies)[BODY_SIZE];
static char names[FILES][8];
static struct ext4_burst_file files[FILES];

static int setup(void **state)
{
    (void)state;
    u64 seed = 42;
    bodies = malloc((size_t)FILES * BODY_SIZE);
    for (size_t i = 0; i < FILES; i++) {
        for (size_t at = 0; at < BODY_SIZE; at += 8) {
            u64 value = random_next(&seed);
            memcpy(bodies[i] + at, &value, 8);
        }
        memset(heads[i], (int)i, HEAD_SIZE);
        snprintf(names[i], sizeof names[i], "%04zx", i);
        files[i] = (struct ext4_burst_file){ .name = names[i],
                                             .head = heads[i],
                                             .body = bodies[i],
                                             .head_size = HEAD_SIZE,
                                             .body_size = BODY_SIZE };
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(bodies);
    return 0;
}

static struct ext4 *mount(struct ram_disk *ram)
{
    struct ext4_mount_options options = { .cache_capacity = 8192 };
    struct ext4 *fs = NULL;
    assert_int_equal(ext4_mount(&ram->disk, &options, &fs), OK);
    return fs;
}

static void expect_file(struct ext4 *fs, u32 inode, size_t index)
{
    u8 data[HEAD_SIZE + BODY_SIZE + 1];
    size_t got = 0;
    assert_int_equal(ext4_read(fs, inode, 0, data, sizeof data, &got), OK);
    assert_int_equal(got, HEAD_SIZE + BODY_SIZE);
    assert_memory_equal(data, heads[index], HEAD_SIZE);
    assert_memory_equal(data + HEAD_SIZE, bodies[index], BODY_SIZE);
}

struct limits {
    const char *name, *options;
    unsigned mib;
    u64 bytes_per_file, writes, reads, delete_requests;
};

static void create_all(struct ram_disk *ram, const struct limits *limits)
{
    struct disk_statistics *statistics = &ram->disk.statistics;
    struct ext4 *fs = mount(ram);
    u32 directory;
    assert_int_equal(ext4_make_directory(fs, EXT4_ROOT_INODE, "burst", &directory), OK);
    assert_int_equal(ext4_commit(fs), OK);

    struct disk_statistics before = *statistics;
    for (size_t i = 0; i < FILES; i += BATCH)
        assert_int_equal(ext4_create_burst(fs, directory, files + i, BATCH), OK);
    assert_int_equal(ext4_commit(fs), OK);
    u64 writes = statistics->writes - before.writes;
    u64 flushes = statistics->flushes - before.flushes;
    u64 bytes = statistics->bytes_written - before.bytes_written;
    assert_int_equal(ext4_unmount(fs), OK);
    u64 all_writes = statistics->writes - before.writes;
    u64 all_bytes = statistics->bytes_written - before.bytes_written;
    print_message("    %s: commit %llu writes, %llu flushes, %llu bytes a file; "
                  "with checkpoint %llu writes, %llu bytes a file\n",
                  limits->name, (unsigned long long)writes, (unsigned long long)flushes,
                  (unsigned long long)(bytes / FILES), (unsigned long long)all_writes,
                  (unsigned long long)(all_bytes / FILES));
    assert_int_equal(flushes, 2);
    assert_true(all_writes <= limits->writes);
    assert_true(all_bytes / FILES <= limits->bytes_per_file);
}

static void read_all(struct ram_disk *ram, const struct limits *limits)
{
    struct ext4 *fs = mount(ram);
    u64 before = ram->disk.statistics.reads;
    u32 directory;
    assert_int_equal(ext4_lookup(fs, EXT4_ROOT_INODE, "burst", &directory), OK);
    for (size_t i = 0; i < FILES; i++) {
        u32 inode;
        assert_int_equal(ext4_lookup(fs, directory, names[i], &inode), OK);
        assert_int_equal(inode, files[i].inode);
        expect_file(fs, inode, i);
    }
    u64 reads = ram->disk.statistics.reads - before;
    print_message("    %s: read all cold: %llu requests\n", limits->name,
                  (unsigned long long)reads);
    assert_true(reads <= limits->reads);
    assert_int_equal(ext4_unmount(fs), OK);
}

static void delete_all(struct ram_disk *ram, const struct limits *limits)
{
    struct ext4 *fs = mount(ram);
    struct disk_statistics before = ram->disk.statistics;
    u32 directory;
    assert_int_equal(ext4_lookup(fs, EXT4_ROOT_INODE, "burst", &directory), OK);
    for (size_t i = 0; i < FILES; i++) {
        enum status status = ext4_unlink(fs, directory, names[i]);
        if (status == ERR_TRANSACTION_FULL) {
            assert_int_equal(ext4_commit(fs), OK);
            status = ext4_unlink(fs, directory, names[i]);
        }
        assert_int_equal(status, OK);
    }
    assert_int_equal(ext4_commit(fs), OK);
    u64 writes = ram->disk.statistics.writes - before.writes;
    u64 reads = ram->disk.statistics.reads - before.reads;
    print_message("    %s: delete all: %llu reads, %llu writes\n", limits->name,
                  (unsigned long long)reads, (unsigned long long)writes);
    assert_true(reads + writes <= limits->delete_requests);
    assert_int_equal(ext4_unmount(fs), OK);
}

static void burst_life(const struct limits *limits)
{
    struct ram_disk ram;
    const char *path =
        ext4_image_make_loaded("burst", limits->mib, limits->options, &ram);
    ram.disk.max_pieces = 1022;
    ram.disk.max_bytes = 2 * MIB;
    create_all(&ram, limits);
    assert_true(ext4_image_ram_is_clean(&ram, path));
    read_all(&ram, limits);
    delete_all(&ram, limits);
    assert_true(ext4_image_ram_is_clean(&ram, path));
    ram_disk_close(&ram);
}

static void ext4_create_burst__10000_files_in_4k_blocks__costs_what_it_must(void **state)
{
    (void)state;
    static const struct limits limits = {
        "4 KiB", "-b 4096 -i 8192 -J size=32", 192, 8900, 150, 190, 28
    };
    burst_life(&limits);
}

static void ext4_create_burst__10000_files_in_1k_blocks__costs_what_it_must(void **state)
{
    (void)state;
    static const struct limits limits = {
        "1 KiB", "-b 1024 -i 4096 -J size=32", 128, 5800, 150, 155, 32
    };
    burst_life(&limits);
}

/* Fills the disk with files of one block and removes every other of them. */
static void make_single_free_blocks(struct ext4 *fs)
{
    enum { SMALL_BATCH = 100 };
    struct ext4_burst_file small[SMALL_BATCH];
    u32 directory;
    size_t count = 0;
    assert_int_equal(ext4_make_directory(fs, EXT4_ROOT_INODE, "comb", &directory), OK);
    while (count + SMALL_BATCH <= FILES) {
        memcpy(small, files + count, sizeof small);
        for (size_t i = 0; i < SMALL_BATCH; i++)
            small[i].body_size = 900;
        if (ext4_create_burst(fs, directory, small, SMALL_BATCH) != OK)
            break;
        assert_int_equal(ext4_commit(fs), OK);
        count += SMALL_BATCH;
    }
    ext4_rollback(fs);
    for (size_t i = 0; i < count; i += 2) {
        assert_int_equal(ext4_unlink(fs, directory, names[i]), OK);
        if (i % 100 == 0)
            assert_int_equal(ext4_commit(fs), OK);
    }
    assert_int_equal(ext4_commit(fs), OK);
}

/* Every size around the borders of sectors and blocks, on free space that is all single blocks. */
static void ext4_create_burst__fragmented_disk__keeps_every_byte(void **state)
{
    (void)state;
    struct ram_disk ram;
    const char *path =
        ext4_image_make_loaded("burst_fragments", 12, "-b 1024 -N 12000 -J size=2", &ram);
    struct ext4 *fs = mount(&ram);
    u32 directory;
    make_single_free_blocks(fs);
    assert_int_equal(ext4_make_directory(fs, EXT4_ROOT_INODE, "files", &directory), OK);
    static const u32 sizes[] = { 0, 1, 505, 506, 507, 512, 1017, 1018, 1019, 2042, 4096 };
    struct ext4_burst_file odd[ARRAY_LENGTH(sizes)];
    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        odd[i] = files[i];
        odd[i].body_size = sizes[i];
        odd[i].head_size = i == 0 ? 0 : HEAD_SIZE;
    }
    assert_int_equal(ext4_create_burst(fs, directory, odd, ARRAY_LENGTH(odd)), OK);
    assert_int_equal(ext4_create_burst(fs, directory, odd, 1), ERR_EXISTS);
    assert_int_equal(ext4_commit(fs), OK);
    assert_int_equal(ext4_unmount(fs), OK);
    assert_true(ext4_image_ram_is_clean(&ram, path));

    for (size_t i = 0; i < ARRAY_LENGTH(sizes); i++) {
        u8 data[8192];
        char name[32];
        snprintf(name, sizeof name, "/files/%s", odd[i].name);
        size_t got = ext4_image_dump(path, name, data, sizeof data);
        assert_int_equal(got, odd[i].head_size + odd[i].body_size);
        assert_memory_equal(data, odd[i].head, odd[i].head_size);
        assert_memory_equal(data + odd[i].head_size, odd[i].body, odd[i].body_size);
    }
    ram_disk_close(&ram);
}

static void ext4_create_burst__more_than_fits__changes_nothing(void **state)
{
    (void)state;
    struct ram_disk ram;
    const char *path = ext4_image_make_loaded("burst_full", 16, "-b 1024", &ram);
    struct ext4 *fs = mount(&ram);
    struct ext4_space before, after;
    ext4_space(fs, &before);
    enum status status = ext4_create_burst(fs, EXT4_ROOT_INODE, files, FILES);
    assert_true(status == ERR_NO_SPACE || status == ERR_TRANSACTION_FULL);
    ext4_space(fs, &after);
    assert_int_equal(before.free_blocks, after.free_blocks);
    assert_int_equal(before.free_inodes, after.free_inodes);
    assert_int_equal(ext4_unmount(fs), OK);
    assert_true(ext4_image_ram_is_clean(&ram, path));
    ram_disk_close(&ram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ext4_create_burst__10000_files_in_4k_blocks__costs_what_it_must),
        cmocka_unit_test(ext4_create_burst__10000_files_in_1k_blocks__costs_what_it_must),
        cmocka_unit_test(ext4_create_burst__fragmented_disk__keeps_every_byte),
        cmocka_unit_test(ext4_create_burst__more_than_fits__changes_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
