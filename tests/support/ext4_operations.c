#include "tests/support/ext4_operations.h"

#include "kernel/base/format.h"
#include "kernel/base/string.h"
#include "kernel/fs/ext4/check.h"

enum {
    BURST = 24,
    LONG_NAME = 200,
    NAMES_MAX = 600,
    SPREAD_START = 10,
    SPREAD_MAX = 800
};

static u8 content[64 * KIB];

/* A name of so many bytes. */
static void make_name(char *name, u32 number, size_t length)
{
    format_text(name, 16, "%u", number);
    size_t digits = strlen(name);
    memset(name + digits, '=', length - digits);
    name[length] = '\0';
}

/* --- nothing changes --- */

static enum status read_at(struct ext4 *fs, const char *path, u64 offset, size_t size)
{
    u32 inode;
    size_t got;
    enum status status = ext4_resolve(fs, path, &inode);
    return status == OK ? ext4_read(fs, inode, offset, content, size, &got) : status;
}

static enum status read_sparse(struct ext4 *fs)
{
    return read_at(fs, "/sparse", 100, sizeof content - 200);
}

static enum status read_old(struct ext4 *fs)
{
    return read_at(fs, "/old", 12000, sizeof content);
}

static enum status resolve_links(struct ext4 *fs)
{
    struct ext4_stat stat;
    u32 inode;
    enum status status = ext4_resolve(fs, "/slow", &inode);
    if (status == OK)
        status = ext4_resolve(fs, "/fast/../old", &inode);
    return status == OK ? ext4_stat(fs, inode, &stat) : status;
}

static enum status list_many(struct ext4 *fs)
{
    struct ext4_directory_entry entry;
    u64 cursor = 0;
    u32 inode;
    enum status status = ext4_resolve(fs, "/many", &inode);
    while (status == OK)
        status = ext4_directory_next(fs, inode, &cursor, &entry);
    return status == ERR_NOT_FOUND ? OK : status;
}

static enum status check_all(struct ext4 *fs)
{
    struct ext4_check_report report = { 0 };
    enum status status = ext4_check(fs, &report);
    return status == OK && report.problems > 0 ? ERR_CORRUPT : status;
}

/* --- names --- */

static enum status create_in(struct ext4 *fs, const char *path, const char *name)
{
    u32 directory, inode;
    enum status status = ext4_resolve(fs, path, &directory);
    return status == OK ? ext4_create(fs, directory, name, &inode) : status;
}

static enum status create_file(struct ext4 *fs)
{
    return create_in(fs, "/work", "fresh");
}

static enum status create_existing(struct ext4 *fs)
{
    return create_in(fs, "/work", "file");
}

static enum status create_long(struct ext4 *fs, const char *path, u32 number)
{
    char name[LONG_NAME + 1];
    make_name(name, number, LONG_NAME);
    return create_in(fs, path, name);
}

static enum status create_past_brim(struct ext4 *fs)
{
    return create_long(fs, "/brim", NAMES_MAX);
}

static enum status create_past_indexes(struct ext4 *fs)
{
    return create_long(fs, "/indexed", NAMES_MAX);
}

static enum status create_many(struct ext4 *fs)
{
    enum status status = OK;
    for (u32 i = 0; i < BURST && status == OK; i++)
        status = create_long(fs, "/many", i);
    return status;
}

static enum status make_directory(struct ext4 *fs)
{
    u32 inode;
    return ext4_make_directory(fs, EXT4_ROOT_INODE, "fresh", &inode);
}

static enum status remove_directory(struct ext4 *fs)
{
    return ext4_remove_directory(fs, EXT4_ROOT_INODE, "empty");
}

static enum status remove_full_directory(struct ext4 *fs)
{
    return ext4_remove_directory(fs, EXT4_ROOT_INODE, "many");
}

static enum status unlink_sparse(struct ext4 *fs)
{
    return ext4_unlink(fs, EXT4_ROOT_INODE, "sparse");
}

static enum status unlink_old(struct ext4 *fs)
{
    return ext4_unlink(fs, EXT4_ROOT_INODE, "old");
}

static enum status unlink_in_index(struct ext4 *fs)
{
    char name[LONG_NAME + 1];
    u32 directory;
    make_name(name, 0, LONG_NAME);
    enum status status = ext4_resolve(fs, "/indexed", &directory);
    return status == OK ? ext4_unlink(fs, directory, name) : status;
}

static enum status unlink_slow_link(struct ext4 *fs)
{
    return ext4_unlink(fs, EXT4_ROOT_INODE, "slow");
}

/* From the root into that directory. */
static enum status rename_into(struct ext4 *fs, const char *name, const char *directory,
                               const char *new_name)
{
    u32 inode;
    enum status status = ext4_resolve(fs, directory, &inode);
    return status == OK ? ext4_rename(fs, EXT4_ROOT_INODE, name, inode, new_name)
                        : status;
}

static enum status rename_over_file(struct ext4 *fs)
{
    return rename_into(fs, "sparse", "/work", "file");
}

static enum status rename_directory(struct ext4 *fs)
{
    return rename_into(fs, "many", "/work", "moved");
}

static enum status rename_over_directory(struct ext4 *fs)
{
    return rename_into(fs, "work", "/work/deep", "below");
}

static enum status replace_directory(struct ext4 *fs)
{
    return rename_into(fs, "brim", "/work", "deep");
}

/* --- content --- */

static enum status write_at(struct ext4 *fs, const char *path, u64 offset, size_t size)
{
    u32 inode;
    enum status status = ext4_resolve(fs, path, &inode);
    return status == OK ? ext4_write(fs, inode, offset, content, size) : status;
}

static enum status write_fresh(struct ext4 *fs)
{
    enum status status = create_in(fs, "/", "written");
    if (status == OK)
        status = write_at(fs, "/written", 700, 9000);
    return status == OK ? write_at(fs, "/written", 9500, 5000) : status;
}

static enum status write_over(struct ext4 *fs)
{
    return write_at(fs, "/old", 5000, 9000);
}

static enum status write_holes(struct ext4 *fs)
{
    return write_at(fs, "/sparse", 6000, sizeof content);
}

static enum status write_far(struct ext4 *fs)
{
    enum status status = OK;
    for (u64 at = 1; at < 6 && status == OK; at++)
        status = write_at(fs, "/sparse", at << 32, 10);
    return status;
}

static enum status truncate_at(struct ext4 *fs, const char *path, u64 size)
{
    u32 inode;
    enum status status = ext4_resolve(fs, path, &inode);
    return status == OK ? ext4_truncate(fs, inode, size) : status;
}

static enum status truncate_sparse(struct ext4 *fs)
{
    return truncate_at(fs, "/sparse", 150000);
}

static enum status truncate_old(struct ext4 *fs)
{
    enum status status = truncate_at(fs, "/old", 290 * KIB + 7);
    if (status == OK)
        status = truncate_at(fs, "/old", 14000);
    return status == OK ? truncate_at(fs, "/old", 100) : status;
}

static enum status extend_file(struct ext4 *fs)
{
    return truncate_at(fs, "/snapper.conf", 100000);
}

static enum status poke(struct ext4 *fs)
{
    u32 inode;
    enum status status = ext4_resolve(fs, "/snapper.conf", &inode);
    return status == OK ? ext4_poke(fs, inode, 0, '#') : status;
}

static enum status burst_into(struct ext4 *fs, const char *path, size_t length)
{
    static char names[BURST][LONG_NAME + 1];
    static struct ext4_burst_file files[BURST];
    u32 directory;
    for (u32 i = 0; i < BURST; i++) {
        make_name(names[i], 1000 + i, length);
        files[i] = (struct ext4_burst_file){ .name = names[i],
                                             .head = "head",
                                             .body = content,
                                             .head_size = 4,
                                             .body_size = i * 300 };
    }
    enum status status = ext4_resolve(fs, path, &directory);
    return status == OK ? ext4_create_burst(fs, directory, files, BURST) : status;
}

static enum status burst(struct ext4 *fs)
{
    return burst_into(fs, "/work", 10);
}

static enum status burst_of_long_names(struct ext4 *fs)
{
    return burst_into(fs, "/brim", LONG_NAME);
}

static enum status burst_into_index(struct ext4 *fs)
{
    return burst_into(fs, "/indexed", LONG_NAME);
}

static enum status burst_into_many(struct ext4 *fs)
{
    return burst_into(fs, "/many", LONG_NAME);
}

/* The names are there already. */
static enum status burst_again(struct ext4 *fs)
{
    enum status status = burst_into_many(fs);
    return status == OK ? burst_into_many(fs) : status;
}

/* --- refused --- */

static enum status create_nameless(struct ext4 *fs)
{
    return create_in(fs, "/", "");
}

static enum status write_directory(struct ext4 *fs)
{
    return write_at(fs, "/work", 0, 10);
}

static enum status poke_behind_end(struct ext4 *fs)
{
    u32 inode;
    enum status status = ext4_resolve(fs, "/work/file", &inode);
    return status == OK ? ext4_poke(fs, inode, 0, 1) : status;
}

static enum status flush(struct ext4 *fs)
{
    return ext4_flush(fs);
}

const struct ext4_operation ext4_operations[] = {
    { "read sparse", read_sparse, false },
    { "read old", read_old, false },
    { "resolve links", resolve_links, false },
    { "list", list_many, false },
    { "check", check_all, false },
    { "create", create_file, true },
    { "create existing", create_existing, false },
    { "create past brim", create_past_brim, true },
    { "create past indexes", create_past_indexes, true },
    { "create many", create_many, true },
    { "make directory", make_directory, true },
    { "remove directory", remove_directory, true },
    { "remove full directory", remove_full_directory, false },
    { "unlink sparse", unlink_sparse, true },
    { "unlink old", unlink_old, true },
    { "unlink in index", unlink_in_index, true },
    { "unlink slow link", unlink_slow_link, true },
    { "rename over file", rename_over_file, true },
    { "rename directory", rename_directory, true },
    { "rename into itself", rename_over_directory, false },
    { "replace directory", replace_directory, false },
    { "write fresh", write_fresh, true },
    { "write over", write_over, true },
    { "write holes", write_holes, true },
    { "write far", write_far, true },
    { "truncate sparse", truncate_sparse, true },
    { "truncate old", truncate_old, true },
    { "extend", extend_file, true },
    { "poke", poke, false },
    { "burst", burst, true },
    { "burst of long names", burst_of_long_names, true },
    { "burst into index", burst_into_index, true },
    { "burst into many", burst_into_many, true },
    { "burst again", burst_again, false },
    { "create nameless", create_nameless, false },
    { "write directory", write_directory, false },
    { "poke behind end", poke_behind_end, false },
    { "flush", flush, false },
};
const size_t ext4_operation_count = ARRAY_LENGTH(ext4_operations);

/* --- the tree --- */

/* Long names, until the next one would be the directory's `growths`-th growth. */
static enum status fill_to_brim(struct ext4 *fs, const char *path, u32 growths)
{
    struct ext4_stat stat = { 0 };
    u64 size = 0;
    u32 directory;
    enum status status = ext4_make_directory(fs, EXT4_ROOT_INODE, path + 1, &directory);

    for (u32 i = 0; i < NAMES_MAX && status == OK; i++) {
        char name[LONG_NAME + 1];
        make_name(name, i, LONG_NAME);
        status = create_long(fs, path, i);
        if (status == OK)
            status = ext4_stat(fs, directory, &stat);
        if (stat.size_bytes != size && growths-- == 0)
            return status == OK ? ext4_unlink(fs, directory, name) : status;
        size = stat.size_bytes;
        if (status == OK && i % 8 == 0)
            status = ext4_commit(fs);
    }
    return status == OK ? ERR_INVALID_STATE : status;
}

enum status ext4_operations_prepare(struct ext4 *fs)
{
    u32 work, inode;
    enum status status = ext4_make_directory(fs, EXT4_ROOT_INODE, "work", &work);
    if (status == OK)
        status = ext4_create(fs, work, "file", &inode);
    if (status == OK)
        status = ext4_make_directory(fs, work, "deep", &inode);
    if (status == OK)
        status = ext4_make_directory(fs, EXT4_ROOT_INODE, "empty", &inode);
    if (status == OK)
        status = fill_to_brim(fs, "/brim", 1);
    if (status == OK)
        status = fill_to_brim(fs, "/indexed", 3);
    return status == OK ? ext4_commit(fs) : status;
}
