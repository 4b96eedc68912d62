/* Directory blocks, index nodes and name hashes as pure functions on bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/base/endian.h"
#include "kernel/fs/ext4/dir_index.h"
#include "tests/support/port_host.h"
#include "tests/support/ram_disk.h"

enum { BLOCK = 1024, NAMES = 24 };

/* A block of its own allocation, so that the sanitizer sees every byte read beyond it. */
static struct ext4_dir_block given_a_block(u32 size, bool checksums, bool file_types)
{
    struct ext4_dir_block block = {
        .raw = malloc(size),
        .size = size,
        .checksums = checksums,
        .file_types = file_types,
        .inode_count = 1000,
        .first_inode = 11,
        .checksum_seed = 0x12345678,
        .directory = 12,
        .number = 3,
    };
    ext4_dir_block_init(&block);
    ext4_dir_block_seal(&block);
    return block;
}

static struct ext4_dir_name name_number(unsigned number, char *text)
{
    sprintf(text, "name-%u-%.*s", number, (int)(number % 20),
            "abcdefghijklmnopqrstuvwxyz");
    return (struct ext4_dir_name){ text, (u32)strlen(text), 20 + number,
                                   EXT4_ENTRY_FILE };
}

static struct ext4_dir_block given_a_full_block(bool checksums)
{
    struct ext4_dir_block block = given_a_block(BLOCK, checksums, true);
    char text[64];
    for (unsigned i = 0; i < NAMES; i++) {
        struct ext4_dir_name name = name_number(i, text);
        assert_int_equal(ext4_dir_block_insert(&block, &name), OK);
    }
    ext4_dir_block_seal(&block);
    return block;
}

/* Walks the whole block; how many names it has, or the error. */
static enum status count_names(const struct ext4_dir_block *block, unsigned *count)
{
    struct ext4_dir_entry entry;
    enum status status;
    *count = 0;
    for (u32 offset = 0; (status = ext4_dir_block_entry(block, offset, &entry)) == OK;
         offset += entry.size)
        *count += entry.inode != 0;
    return status == ERR_NOT_FOUND ? OK : status;
}

static void insert__until_full__finds_every_name(void **state)
{
    (void)state;
    for (int variant = 0; variant < 4; variant++) {
        struct ext4_dir_block block = given_a_block(BLOCK, variant & 1, variant & 2);
        struct ext4_dir_entry entry;
        char text[64];
        unsigned count = 0;
        struct ext4_dir_name name = name_number(0, text);
        while (ext4_dir_block_insert(&block, &name) == OK)
            name = name_number(++count, text);
        assert_true(count > 20);
        for (unsigned i = 0; i < count; i++) {
            name = name_number(i, text);
            assert_int_equal(ext4_dir_block_find(&block, text, name.length, &entry), OK);
            assert_int_equal(entry.inode, 20 + i);
            assert_int_equal(entry.type, variant & 2 ? EXT4_ENTRY_FILE : 0);
        }
        ext4_dir_block_seal(&block);
        assert_int_equal(ext4_dir_block_verify(&block), OK);
        free(block.raw);
    }
}

static void insert_from__one_after_another__as_the_names_from_the_start(void **state)
{
    (void)state;
    struct ext4_dir_block block = given_a_block(BLOCK, true, true);
    struct ext4_dir_block other = given_a_block(BLOCK, true, true);
    char text[64];
    u32 from = 0;
    unsigned count = 0;
    struct ext4_dir_name name = name_number(0, text);
    while (ext4_dir_block_insert_from(&block, &from, &name) == OK) {
        assert_int_equal(ext4_dir_block_insert(&other, &name), OK);
        name = name_number(++count, text);
    }
    assert_true(count > 20);
    assert_int_equal(ext4_dir_block_insert(&other, &name), ERR_NO_SPACE);
    assert_memory_equal(block.raw, other.raw, BLOCK);
    free(block.raw);
    free(other.raw);
}

static void insert_and_remove__at_random__agree_with_a_model(void **state)
{
    (void)state;
    u64 seed = 4711;
    struct ext4_dir_block block = given_a_block(BLOCK, true, true);
    bool present[NAMES] = { false };
    for (int step = 0; step < 20000; step++) {
        char text[64];
        unsigned number = (unsigned)(random_next(&seed) % NAMES);
        struct ext4_dir_name name = name_number(number, text);
        struct ext4_dir_entry entry;
        enum status found = ext4_dir_block_find(&block, text, name.length, &entry);
        assert_int_equal(found, present[number] ? OK : ERR_NOT_FOUND);
        if (present[number])
            assert_int_equal(ext4_dir_block_remove(&block, entry.offset), OK);
        else
            assert_int_equal(ext4_dir_block_insert(&block, &name), OK);
        present[number] = !present[number];
    }
    free(block.raw);
}

static void find__every_bit_flipped__stays_inside_and_the_checksum_tells(void **state)
{
    (void)state;
    struct ext4_dir_block block = given_a_full_block(true);
    struct ext4_dir_entry entry;
    unsigned count;
    for (size_t bit = 0; bit < BLOCK * 8; bit++) {
        block.raw[bit / 8] ^= (u8)(1 << bit % 8);
        (void)!count_names(&block, &count);
        (void)!ext4_dir_block_find(&block, "name-23-abc", 11, &entry);
        assert_int_equal(ext4_dir_block_verify(&block), ERR_CORRUPT);
        block.raw[bit / 8] ^= (u8)(1 << bit % 8);
    }
    assert_int_equal(ext4_dir_block_verify(&block), OK);
    free(block.raw);
}

static void find__every_bit_flipped_without_checksums__stays_inside(void **state)
{
    (void)state;
    struct ext4_dir_block block = given_a_full_block(false);
    struct ext4_dir_name name = { "new", 3, 77, EXT4_ENTRY_FILE };
    unsigned count;
    u8 original[BLOCK];
    memcpy(original, block.raw, BLOCK);
    for (size_t bit = 0; bit < BLOCK * 8; bit++) {
        block.raw[bit / 8] ^= (u8)(1 << bit % 8);
        if (count_names(&block, &count) == OK)
            assert_true(count <= BLOCK / 12);
        (void)!ext4_dir_block_insert(&block, &name);
        (void)!ext4_dir_block_remove(&block, 64);
        memcpy(block.raw, original, BLOCK);
    }
    free(block.raw);
}

static void entry__every_truncation__is_refused(void **state)
{
    (void)state;
    struct ext4_dir_block whole = given_a_full_block(false);
    unsigned count;
    for (u32 size = 4; size < BLOCK; size += 4) {
        struct ext4_dir_block cut = whole;
        cut.raw = malloc(size);
        cut.size = size;
        memcpy(cut.raw, whole.raw, size);
        bool at_a_border = count_names(&cut, &count) == OK;
        assert_true(!at_a_border || count < NAMES);
        cut.checksums = size >= 16;
        if (cut.checksums)
            assert_int_equal(ext4_dir_block_verify(&cut), ERR_CORRUPT);
        free(cut.raw);
    }
    free(whole.raw);
}

struct damage {
    const char *what;
    u32 at;
    u32 size;
    u32 value;
    const char *message;
};

/* The first entry is 20 bytes: "name-0-" of inode 20. */
static const struct damage damages[] = {
    { "length zero", 4, 2, 0, "impossible entry length" },
    { "length not a multiple of four", 4, 2, 18, "impossible entry length" },
    { "length eight", 4, 2, 8, "impossible entry length" },
    { "length beyond the block", 4, 2, 0xFFFC, "reaches beyond" },
    { "length to just before the end", 4, 2, BLOCK - 8, "reaches beyond" },
    { "name beyond the entry", 6, 1, 200, "name longer" },
    { "no name", 6, 1, 0, "impossible name" },
    { "slash in a name", 8, 1, '/', "impossible name" },
    { "NUL in a name", 9, 1, 0, "impossible name" },
    { "inode beyond the last", 0, 4, 1001, "impossible inode" },
    { "the journal's inode", 0, 4, 8, "impossible inode" },
};

static void entry__damaged__is_refused_by_name(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LENGTH(damages); i++) {
        const struct damage *damage = &damages[i];
        struct ext4_dir_block block = given_a_full_block(false);
        struct ext4_dir_entry entry;
        u8 value[4];
        put_le32(value, damage->value);
        memcpy(block.raw + damage->at, value, damage->size);
        port_host_clear_log();
        assert_int_equal(ext4_dir_block_find(&block, "name-9", 6, &entry), ERR_CORRUPT);
        if (!port_host_logged(damage->message))
            fail_msg("%s: not said", damage->what);
        free(block.raw);
    }
}

static void insert__overlapping_entries__is_refused(void **state)
{
    (void)state;
    struct ext4_dir_block block = given_a_full_block(false);
    struct ext4_dir_name name = { "x", 1, 50, EXT4_ENTRY_FILE };
    put_le16(block.raw + 4, 12); /* the next entry begins inside the first one's name */
    assert_int_equal(ext4_dir_block_insert(&block, &name), ERR_CORRUPT);
    free(block.raw);
}

static void remove__between_two_entries__is_refused(void **state)
{
    (void)state;
    struct ext4_dir_block block = given_a_full_block(false);
    assert_int_equal(ext4_dir_block_remove(&block, 4), ERR_CORRUPT);
    free(block.raw);
}

/* --- index nodes --- */

static struct ext4_dir_block given_a_node(struct ext4_index_node *node)
{
    struct ext4_dir_block block = given_a_block(BLOCK, true, true);
    ext4_index_node_init(&block, node);
    ext4_index_set_count(node, 50);
    for (u32 i = 0; i < 50; i++)
        ext4_index_entry_encode(node, i, i * 1000, i + 1);
    ext4_index_seal(node);
    return block;
}

static void index_search__any_hash__takes_the_last_entry_not_above(void **state)
{
    (void)state;
    struct ext4_index_node node;
    struct ext4_dir_block block = given_a_node(&node);
    for (u32 hash = 0; hash < 60000; hash += 7) {
        u32 expected = hash / 1000 < 49 ? hash / 1000 : 49;
        assert_int_equal(ext4_index_search(&node, hash), expected);
    }
    free(block.raw);
}

static void index_decode__every_bit_flipped__is_refused_or_out_of_use(void **state)
{
    (void)state;
    struct ext4_index_node node;
    struct ext4_dir_block block = given_a_node(&node);
    for (size_t bit = 0; bit < BLOCK * 8; bit++) {
        bool unused = bit / 8 >= 8 + 50 * 8 && bit / 8 < 8 + (size_t)node.limit * 8;
        block.raw[bit / 8] ^= (u8)(1 << bit % 8);
        struct ext4_index_node decoded;
        bool fine = ext4_index_node_decode(&block, &decoded) == OK &&
                    ext4_index_verify(&decoded) == OK;
        assert_int_equal(fine, unused);
        block.raw[bit / 8] ^= (u8)(1 << bit % 8);
    }
    free(block.raw);
}

static void index_decode__order_broken__is_refused(void **state)
{
    (void)state;
    struct ext4_index_node node, decoded;
    struct ext4_dir_block block = given_a_node(&node);
    ext4_index_entry_encode(&node, 7, 9999, 8);
    ext4_index_seal(&node);
    port_host_clear_log();
    assert_int_equal(ext4_index_node_decode(&block, &decoded), ERR_CORRUPT);
    assert_true(port_host_logged("not in order"));
    free(block.raw);
}

static void index_decode__entry_leads_to_the_root__is_refused(void **state)
{
    (void)state;
    struct ext4_index_node node, decoded;
    struct ext4_dir_block block = given_a_node(&node);
    ext4_index_entry_encode(&node, 7, 7000, 0);
    assert_int_equal(ext4_index_node_decode(&block, &decoded), ERR_CORRUPT);
    free(block.raw);
}

/* --- hashes, against the tool --- */

static u32 hash_by_debugfs(const char *version, const char *seed, const char *name)
{
    char command[700], output[256] = "";
    snprintf(command, sizeof command,
             "PATH=/usr/sbin:/sbin:$PATH debugfs -R 'dx_hash -h %s %s%s %s' 2>/dev/null",
             version, seed ? "-s " : "", seed ? seed : "", name);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    while (fgets(output, sizeof output, pipe) && !strstr(output, " is 0x"))
        ;
    pclose(pipe);
    char *at = strstr(output, " is 0x");
    assert_non_null(at);
    return (u32)strtoul(at + 4, NULL, 16);
}

static void name_hash__all_versions__agree_with_debugfs(void **state)
{
    (void)state;
    static const char seed_text[] = "01234567-89ab-cdef-fedc-ba9876543210";
    static const u8 seed_bytes[16] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef,
                                       0xfe, 0xdc, 0xba, 0x98, 0x76, 0x54, 0x32, 0x10 };
    /* The tool has no names for the unsigned ones, but takes their numbers. */
    static const char *const versions[2][3] = { { "legacy", "half_md4", "tea" },
                                                { "3", "4", "5" } };
    static const char long_name[] =
        "a-name-that-is-much-longer-than-thirty-two-bytes-and-ends-somewhere";
    for (unsigned i = 0; i < 36; i++) {
        struct ext4_hash_method method = { .version = i % 3, .is_unsigned = i % 2 };
        const char *seed = i % 4 < 2 ? seed_text : NULL;
        const char *version = versions[method.is_unsigned][method.version];
        char name[256];
        for (size_t word = 0; seed && word < 4; word++)
            method.seed[word] = get_le32(seed_bytes + word * 4);
        snprintf(name, sizeof name, "%.*s%s", (int)(i * 2 + 1), long_name,
                 i % 5 == 0 ? "\xc3\xa4\xc3\xb6" : "");
        u32 expected = hash_by_debugfs(version, seed, name);
        u32 got = ext4_name_hash(&method, (const u8 *)name, strlen(name));
        if (got != expected)
            fail_msg("%s of %s: %x, not %x", version, name, got, expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(insert__until_full__finds_every_name),
        cmocka_unit_test(insert_from__one_after_another__as_the_names_from_the_start),
        cmocka_unit_test(insert_and_remove__at_random__agree_with_a_model),
        cmocka_unit_test(find__every_bit_flipped__stays_inside_and_the_checksum_tells),
        cmocka_unit_test(find__every_bit_flipped_without_checksums__stays_inside),
        cmocka_unit_test(entry__every_truncation__is_refused),
        cmocka_unit_test(entry__damaged__is_refused_by_name),
        cmocka_unit_test(insert__overlapping_entries__is_refused),
        cmocka_unit_test(remove__between_two_entries__is_refused),
        cmocka_unit_test(index_search__any_hash__takes_the_last_entry_not_above),
        cmocka_unit_test(index_decode__every_bit_flipped__is_refused_or_out_of_use),
        cmocka_unit_test(index_decode__order_broken__is_refused),
        cmocka_unit_test(index_decode__entry_leads_to_the_root__is_refused),
        cmocka_unit_test(name_hash__all_versions__agree_with_debugfs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
