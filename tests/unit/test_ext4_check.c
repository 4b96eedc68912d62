/* Our own check: silent about what the tools made, and no kind of damage escapes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "kernel/fs/ext4/check.h"
#include "kernel/fs/ext4/ext4_internal.h"
#include "tests/support/ext4_formats.h"
#include "tests/support/ext4_image.h"
#include "tests/support/ext4_odd.h"
#include "tests/support/host_run.h"
#include "tests/support/orphan_image.h"
#include "tests/support/ram_disk.h"

static const char tree[] = "build/tests/images/check.tree";

static void given_a_tree(void)
{
    host_run(0,
             "rm -rf %s; mkdir -p %s/a/b/c %s/many; echo text > %s/a/file; "
             "ln %s/a/file %s/a/b/link; ln -s a/file %s/symlink; "
             "ln -s $(printf './%%.0s' $(seq 100))a %s/long; "
             "head -c 300000 /dev/urandom > %s/a/b/data; truncate -s 3M %s/a/holes; "
             "echo end >> %s/a/holes; mkfifo %s/pipe; "
             "for i in $(seq 400); do : > %s/many/a-name-of-some-length-$i; done",
             tree, tree, tree, tree, tree, tree, tree, tree, tree, tree, tree, tree,
             tree);
}

static void check_image(const char *path, struct ext4_check_report *report)
{
    struct ext4_mount_options options = { .read_only = true };
    struct ram_disk ram;
    struct ext4 *fs;
    assert_true(ram_disk_load(&ram, path));
    assert_int_equal(ext4_mount(&ram.disk, &options, &fs), OK);
    assert_int_equal(ext4_check(fs, report), OK);
    ext4_drop(fs);
    ram_disk_close(&ram);
}

static const char *given_an_image(const char *format, unsigned mib, const char *index)
{
    char options[300];
    snprintf(options, sizeof options, "%s -d %s", format, tree);
    const char *path = ext4_image_make("check", mib, options);
    host_run(1, "e2fsck -fy%s %s 2>&1", index, path);
    return path;
}

static void check__image_of_the_tools_in_every_format__finds_nothing(void **state)
{
    (void)state;
    struct ext4_check_report report;
    given_a_tree();
    for (size_t i = 0; i < ARRAY_LENGTH(ext4_formats); i++) {
        const struct ext4_format *format = &ext4_formats[i];
        if (format->mib > 100)
            continue;
        const char *path = given_an_image(format->options, format->mib, i % 2 ? "D" : "");
        check_image(path, &report);
        if (report.problems > 0)
            fail_msg("%s: %s", format->name, report.first);
        assert_int_equal(report.directories, 6);
        assert_int_equal(report.names, 412);
    }
}

static void check__block_pointers__finds_nothing(void **state)
{
    (void)state;
    struct ext4_check_report report;
    given_a_tree();
    check_image(given_an_image("-O ^extents,^64bit", 32, ""), &report);
    if (report.problems > 0)
        fail_msg("%s", report.first);
}

struct damage {
    const char *request; /* of debugfs, several with ';' */
    const char *message;
};

static const struct damage damages[] = {
    { "set_inode_field /a/file links_count 3", "links" },
    { "set_inode_field /a links_count 9", "links" },
    { "set_inode_field /a/b/data blocks 8", "sectors" },
    { "set_inode_field /a/b/data size 1000", "behind its end" },
    { "set_inode_field /a/b/data mode 0040600", "" },
    { "set_inode_field /a/file mode 0010600", "sectors" },
    { "freeb 200 1", "" },
    { "setb 7000 1", "" },
    { "freei /a/file", "" },
    { "seti <500>", "" },
    { "unlink /a/b/data", "links" },
    { "unlink /a/b", "" },
    { "link /a/b/c /a/second", "second name" },
    { "link /a/b/data /a/second", "links" },
    { "unlink a/b/c/..", "" },
    { "set_block_group 0 free_blocks_count 7;set_block_group 0 checksum calc",
      "free blocks" },
    { "set_block_group 0 free_inodes_count 7;set_block_group 0 checksum calc",
      "free inodes" },
    { "set_super_value free_blocks_count 7", "superblock: counts 7 free blocks" },
    { "set_super_value free_inodes_count 7", "superblock: counts 7 free inodes" },
    { "set_inode_field /a/b/data block[5] 300", "another owner" },
    { "clri /a/file", "" },
    { "link <7> /a/second", "" },
    { "link <2> /a/second", "" },
    { "set_inode_field <2> mode 0100755", "" },
    { "set_inode_field /a/file links_count 0", "without links" },
    { "set_inode_field /a/b/data file_acl 3", "" },
    { "set_inode_field /a/b/data file_acl 999999", "" },
    { "set_inode_field <7> block[DIND] 3", "" },
};

/* debugfs keeps checksums right, so what is found is found by meaning. */
static void check__damaged_by_debugfs__finds_it(void **state)
{
    (void)state;
    char copy[300];
    struct ext4_check_report report;
    given_a_tree();
    const char *path = given_an_image("", 16, "D");
    snprintf(copy, sizeof copy, "%s", path);
    host_run(0, "cp %s %s.good", copy, copy);
    for (size_t i = 0; i < ARRAY_LENGTH(damages); i++) {
        host_run(0, "cp %s.good %s", copy, copy);
        host_run(0, "echo '%s' | tr ';' '\\n' | debugfs -w %s 2>&1", damages[i].request,
                 copy);
        check_image(copy, &report);
        if (report.problems == 0)
            fail_msg("%s: not found", damages[i].request);
        if (!strstr(report.first, damages[i].message))
            fail_msg("%s: %s", damages[i].request, report.first);
    }
    host_run(0, "rm %s.good", copy);
}

static void check_ram(struct ram_disk *ram, struct ext4_check_report *report)
{
    struct ext4_mount_options options = { .read_only = true };
    struct ext4 *fs;
    assert_int_equal(ext4_mount(&ram->disk, &options, &fs), OK);
    assert_int_equal(ext4_check(fs, report), OK);
    ext4_drop(fs);
    ram_disk_close(ram);
}

/* Three files share it. Its checksum is no business of the check. */
static void check__attribute_block_with_a_wrong_count__finds_it(void **state)
{
    (void)state;
    struct ext4_mount_options options = { .read_only = true };
    struct ext4_check_report report;
    struct ext4_inode inode;
    struct ram_disk ram;
    struct ext4 *fs;
    u32 number;
    ext4_odd_image("check_odd", "-b 1024 -J size=1", &ram);
    assert_int_equal(ext4_mount(&ram.disk, &options, &fs), OK);
    assert_int_equal(ext4_resolve(fs, "/owner", &number), OK);
    assert_int_equal(ext4_inode_load(fs, number, &inode), OK);
    ext4_drop(fs);
    ram.bytes[inode.attribute_block * 1024 + 4]++;
    check_ram(&ram, &report);
    assert_non_null(strstr(report.first, "counts 4 users, has 3"));
}

/* Nobody has finished them: the mount is for reading only. */
static void check__orphans_on_the_list__finds_nothing(void **state)
{
    (void)state;
    struct ext4_check_report report;
    struct orphan_image orphans;
    struct ram_disk ram;
    orphan_image_make(&orphans, "check_orphans", "-b 1024");
    orphan_image_delete(&orphans, 0, orphans.inodes[2]);
    orphan_image_delete(&orphans, 2, 0);
    orphan_image_set_head(&orphans, orphans.inodes[0]);
    assert_true(ram_disk_load(&ram, orphans.path));
    check_ram(&ram, &report);
    assert_string_equal(report.first, "");
}

static void check__unknown_feature__is_refused(void **state)
{
    (void)state;
    struct ext4_mount_options options = { .read_only = true };
    struct ext4_check_report report;
    struct ram_disk ram;
    struct ext4 *fs;
    ext4_image_make_loaded("check", 16, "-O ^metadata_csum", &ram);
    ram.bytes[1024 + 0x67] |= 0x40; /* s_feature_ro_compat */
    assert_int_equal(ext4_mount(&ram.disk, &options, &fs), OK);
    assert_int_equal(ext4_check(fs, &report), ERR_UNSUPPORTED);
    ext4_drop(fs);
    ram_disk_close(&ram);
}

static void check__within_a_transaction__is_refused(void **state)
{
    (void)state;
    struct ext4_mount_options options = { 0 };
    struct ext4_check_report report;
    struct ram_disk ram;
    struct ext4 *fs;
    u32 inode;
    ext4_image_make_loaded("check", 16, "", &ram);
    assert_int_equal(ext4_mount(&ram.disk, &options, &fs), OK);
    assert_int_equal(ext4_create(fs, EXT4_ROOT_INODE, "x", &inode), OK);
    assert_int_equal(ext4_check(fs, &report), ERR_INVALID_STATE);
    ext4_rollback(fs);
    assert_int_equal(ext4_check(fs, &report), OK);
    assert_int_equal(report.problems, 0);
    ext4_drop(fs);
    ram_disk_close(&ram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check__image_of_the_tools_in_every_format__finds_nothing),
        cmocka_unit_test(check__block_pointers__finds_nothing),
        cmocka_unit_test(check__damaged_by_debugfs__finds_it),
        cmocka_unit_test(check__attribute_block_with_a_wrong_count__finds_it),
        cmocka_unit_test(check__orphans_on_the_list__finds_nothing),
        cmocka_unit_test(check__unknown_feature__is_refused),
        cmocka_unit_test(check__within_a_transaction__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
