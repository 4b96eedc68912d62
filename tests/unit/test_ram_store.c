/* The model that Snapper's tests stand on keeps the contract of store.h itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/base/string.h"
#include "tests/support/ram_store.h"

static struct ram_store *given(u64 total_blocks, u32 room)
{
    struct ram_limits limits = { .total_blocks = total_blocks, .transaction_room = room };
    return ram_store_create(&limits, 1);
}

static enum status make_file(struct ram_store *ram, const char *name, const char *text)
{
    struct store *store = ram_store_store(ram);
    u64 root;
    assert_int_equal(store->operations->root(store, &root), OK);
    struct store_new_file file = { .name = name,
                                   .header = "head",
                                   .header_size = 4,
                                   .payload = text,
                                   .payload_size = (u32)strlen(text) };
    return store->operations->create_files(store, root, &file, 1);
}

static void crash__after_a_commit_and_a_change__brings_back_the_commit(void **state)
{
    (void)state;
    struct ram_store *ram = given(0, 0);
    struct store *store = ram_store_store(ram);
    size_t size;

    assert_int_equal(make_file(ram, "a", "one"), OK);
    assert_int_equal(store->operations->commit(store), OK);
    assert_int_equal(make_file(ram, "b", "two"), OK);
    assert_true(ram_store_exists(ram, "/b"));
    ram_store_crash(ram);
    assert_false(ram_store_exists(ram, "/b"));
    assert_memory_equal(ram_store_bytes(ram, "/a", &size), "headone", 7);
    assert_int_equal(size, 7);
    ram_store_destroy(ram);
}

static void commit__with_its_order_to_fail__leaves_nothing(void **state)
{
    (void)state;
    struct ram_store *ram = given(0, 0);
    struct store *store = ram_store_store(ram);

    assert_int_equal(make_file(ram, "a", "one"), OK);
    ram_store_fail(ram, 1, ERR_IO, false);
    assert_int_equal(store->operations->commit(store), ERR_IO);
    assert_false(ram_store_exists(ram, "/a"));
    assert_int_equal(make_file(ram, "a", "one"), OK);
    assert_int_equal(store->operations->commit(store), OK);
    assert_true(ram_store_exists(ram, "/a"));
    ram_store_destroy(ram);
}

static void create_files__beyond_the_limits__is_refused_and_space_comes_back(void **state)
{
    (void)state;
    struct ram_store *ram = given(2, 6);
    struct store *store = ram_store_store(ram);

    assert_int_equal(make_file(ram, "a", "one"), OK);
    assert_int_equal(make_file(ram, "b", "two"), ERR_NO_SPACE);
    store->operations->rollback(store);
    assert_int_equal(ram_store_used_blocks(ram), 1);

    ram_store_limits(ram)->total_blocks = 10;
    assert_int_equal(make_file(ram, "a", "one"), OK);
    assert_int_equal(make_file(ram, "b", "two"), OK);
    assert_int_equal(make_file(ram, "c", "three"), ERR_TRANSACTION_FULL);
    assert_int_equal(store->operations->commit(store), OK);
    assert_int_equal(make_file(ram, "c", "three"), OK);
    assert_int_equal(store->operations->commit(store), OK);
    assert_int_equal(ram_store_used_blocks(ram), 4);
    ram_store_remove(ram, "/b");
    assert_int_equal(ram_store_used_blocks(ram), 3);
    ram_store_destroy(ram);
}

static void next_entry__while_entries_are_removed__skips_none(void **state)
{
    (void)state;
    struct ram_store *ram = given(0, 0);
    struct store *store = ram_store_store(ram);
    struct store_entry entry;
    u64 root, cursor = 0, seen = 0;

    assert_int_equal(store->operations->root(store, &root), OK);
    for (int i = 0; i < 9; i++) {
        char name[] = { (char)('a' + i), 0 };
        assert_int_equal(make_file(ram, name, name), OK);
    }
    while (store->operations->next_entry(store, root, &cursor, &entry) == OK) {
        seen++;
        assert_int_equal(store->operations->remove_file(store, root, entry.name), OK);
    }
    assert_int_equal(seen, 9);
    ram_store_destroy(ram);
}

static void poke__before_and_after_a_flush__survives_only_after_it(void **state)
{
    (void)state;
    struct ram_store *ram = given(0, 0);
    struct store *store = ram_store_store(ram);
    u64 root, node, lost = 0;
    size_t size;

    assert_int_equal(make_file(ram, "a", "one"), OK);
    assert_int_equal(store->operations->commit(store), OK);
    assert_int_equal(store->operations->root(store, &root), OK);
    assert_int_equal(store->operations->lookup(store, root, "a", &node), OK);
    for (int i = 0; i < 64; i++) {
        assert_int_equal(store->operations->poke(store, node, 2, 'A'), OK);
        assert_int_equal(store->operations->flush(store), OK);
        assert_int_equal(store->operations->poke(store, node, 2, 'B'), OK);
        ram_store_crash(ram);
        u8 value = ram_store_bytes(ram, "/a", &size)[2];
        assert_true(value == 'A' || value == 'B');
        lost += value == 'A';
    }
    assert_in_range(lost, 10, 54);
    ram_store_destroy(ram);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crash__after_a_commit_and_a_change__brings_back_the_commit),
        cmocka_unit_test(commit__with_its_order_to_fail__leaves_nothing),
        cmocka_unit_test(
            create_files__beyond_the_limits__is_refused_and_space_comes_back),
        cmocka_unit_test(next_entry__while_entries_are_removed__skips_none),
        cmocka_unit_test(poke__before_and_after_a_flush__survives_only_after_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
