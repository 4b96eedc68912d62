/*
 * A store of keys and values that has no files: it just stays.
 *
 *   set KEY VALUE   get KEY   delete KEY   list   count
 *   fill COUNT      keys key0 to keyCOUNT-1, with values that check COUNT knows
 *   check COUNT     are they all there?
 *   quit
 */
#include "kernel/user/logic/key_value.h"
#include "kernel/user/user.h"

enum { NAME_SIZE = 32 };

static struct key_value store;

static void print_pair(const char *key, const char *value)
{
    print("%s = %s\n", key, value);
}

static void pair_make(u64 number, char *key, char *value)
{
    u64 seed = number;

    format_text(key, NAME_SIZE, "key%lu", number);
    format_text(value, NAME_SIZE, "%016lx", random_draw(&seed));
}

static void fill(const char *how_many)
{
    u64 count = 0;
    char key[NAME_SIZE], value[NAME_SIZE];

    if (!text_to_u64(how_many, &count)) {
        print("%s is not a number\n", how_many);
        return;
    }
    for (u64 number = 0; number < count; number++) {
        pair_make(number, key, value);
        if (!key_value_set(&store, key, value)) {
            print("no memory for %s\n", key);
            return;
        }
    }
    print("%lu filled\n", count);
}

static void check(const char *how_many)
{
    u64 count = 0;
    char key[NAME_SIZE], value[NAME_SIZE];

    if (!text_to_u64(how_many, &count)) {
        print("%s is not a number\n", how_many);
        return;
    }
    for (u64 number = 0; number < count; number++) {
        pair_make(number, key, value);
        const char *found = key_value_get(&store, key);
        if (!found || !text_equal(found, value)) {
            print("%s is %s, not %s\n", key, found ? found : "missing", value);
            return;
        }
    }
    print("%lu ok\n", count);
}

static void change(const char *verb, char **words, int count)
{
    if (text_equal(verb, "set") && count == 3)
        print_text(key_value_set(&store, words[1], words[2]) ? "ok\n" : "no memory\n");
    else if (text_equal(verb, "delete") && count == 2)
        print_text(key_value_delete(&store, words[1]) ? "ok\n" : "not there\n");
    else if (text_equal(verb, "fill") && count == 2)
        fill(words[1]);
    else
        print_text(
            "set KEY VALUE, get KEY, delete KEY, list, count, fill N, check N, quit\n");
}

static void answer(char **words, int count)
{
    const char *verb = words[0];

    if (text_equal(verb, "get") && count == 2) {
        const char *value = key_value_get(&store, words[1]);
        print("%s\n", value ? value : "not there");
    } else if (text_equal(verb, "list")) {
        key_value_each(&store, print_pair);
    } else if (text_equal(verb, "count")) {
        print("%lu\n", store.count);
    } else if (text_equal(verb, "check") && count == 2) {
        check(words[1]);
    } else {
        change(verb, words, count);
    }
}

int main(void)
{
    char line[LINE_SIZE];
    char *words[3];

    for (;;) {
        print_text("kv> ");
        if (!read_line(line, sizeof line))
            return 0;
        int count = split_words(line, words, 3);
        if (count > 0 && text_equal(words[0], "quit"))
            return 0;
        if (count > 0)
            answer(words, count);
    }
}
