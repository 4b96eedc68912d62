#include "kernel/fs/ext4/feature.h"

struct feature_name {
    u32 bit;
    const char *name;
};

static const struct feature_name incompat_names[] = {
    { 0x1, "compression" },  { 0x2, "filetype" },       { 0x4, "needs_recovery" },
    { 0x8, "journal_dev" },  { 0x10, "meta_bg" },       { 0x40, "extents" },
    { 0x80, "64bit" },       { 0x100, "mmp" },          { 0x200, "flex_bg" },
    { 0x400, "ea_inode" },   { 0x1000, "dirdata" },     { 0x2000, "metadata_csum_seed" },
    { 0x4000, "large_dir" }, { 0x8000, "inline_data" }, { 0x10000, "encrypt" },
    { 0x20000, "casefold" },
};

static const struct feature_name ro_compat_names[] = {
    { 0x1, "sparse_super" }, { 0x2, "large_file" },         { 0x4, "btree_dir" },
    { 0x8, "huge_file" },    { 0x10, "uninit_bg" },         { 0x20, "dir_nlink" },
    { 0x40, "extra_isize" }, { 0x80, "snapshot" },          { 0x100, "quota" },
    { 0x200, "bigalloc" },   { 0x400, "metadata_csum" },    { 0x800, "replica" },
    { 0x1000, "read-only" }, { 0x2000, "project" },         { 0x4000, "shared_blocks" },
    { 0x8000, "verity" },    { 0x10000, "orphan_present" },
};

static const char *lowest_name(const struct feature_name *names, size_t count, u32 word)
{
    for (size_t i = 0; i < count; i++)
        if (word & names[i].bit)
            return names[i].name;
    return "unknown feature";
}

const char *ext4_incompat_name(u32 word)
{
    return lowest_name(incompat_names, ARRAY_LENGTH(incompat_names), word);
}

const char *ext4_ro_compat_name(u32 word)
{
    return lowest_name(ro_compat_names, ARRAY_LENGTH(ro_compat_names), word);
}
