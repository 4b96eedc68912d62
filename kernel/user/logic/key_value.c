#include "kernel/user/logic/key_value.h"

#include "kernel/user/user.h"

enum { FIRST_SLOTS = 16 };

/* Both texts stand behind the entry, each with its end. */
struct key_value_entry {
    struct key_value_entry *next;
    u64 hash;
    size_t key_size; /* with its end: where the value begins */
    char text[];
};

static u64 hash_of(const char *key)
{
    u64 hash = 0xcbf29ce484222325;

    for (; *key != '\0'; key++)
        hash = (hash ^ (u8)*key) * 0x100000001b3;
    return hash ^ (hash >> 32);
}

void key_value_init(struct key_value *store)
{
    *store = (struct key_value){ 0 };
}

void key_value_free(struct key_value *store)
{
    for (u64 slot = 0; slot < store->slots; slot++) {
        while (store->table[slot]) {
            struct key_value_entry *entry = store->table[slot];
            store->table[slot] = entry->next;
            heap_release(entry);
        }
    }
    heap_release(store->table);
    key_value_init(store);
}

/* Where the pointer to the key's entry is, or would be. The table has slots. */
static struct key_value_entry **find(const struct key_value *store, const char *key,
                                     u64 hash)
{
    struct key_value_entry **at = &store->table[hash & (store->slots - 1)];

    while (*at && ((*at)->hash != hash || !text_equal((*at)->text, key)))
        at = &(*at)->next;
    return at;
}

static bool make_slots(struct key_value *store)
{
    if (store->count < store->slots)
        return true;
    struct key_value old = *store;
    u64 slots = old.slots == 0 ? FIRST_SLOTS : old.slots * 2;
    struct key_value_entry **table =
        heap_allocate(slots * sizeof(struct key_value_entry *));
    if (!table)
        return old.slots > 0; /* it only becomes slower */

    for (u64 slot = 0; slot < old.slots; slot++) {
        while (old.table[slot]) {
            struct key_value_entry *entry = old.table[slot];
            old.table[slot] = entry->next;
            entry->next = table[entry->hash & (slots - 1)];
            table[entry->hash & (slots - 1)] = entry;
        }
    }
    heap_release(old.table);
    store->table = table;
    store->slots = slots;
    return true;
}

static struct key_value_entry *make_entry(const char *key, const char *value, u64 hash)
{
    size_t key_size = strlen(key) + 1, value_size = strlen(value) + 1;
    struct key_value_entry *entry = heap_allocate(sizeof *entry + key_size + value_size);

    if (!entry)
        return NULL;
    entry->hash = hash;
    entry->key_size = key_size;
    memcpy(entry->text, key, key_size);
    memcpy(entry->text + key_size, value, value_size);
    return entry;
}

bool key_value_set(struct key_value *store, const char *key, const char *value)
{
    u64 hash = hash_of(key);

    if (!make_slots(store))
        return false;
    struct key_value_entry *entry = make_entry(key, value, hash);
    if (!entry)
        return false;
    struct key_value_entry **at = find(store, key, hash), *old = *at;
    entry->next = old ? old->next : NULL;
    *at = entry;
    store->count += !old;
    heap_release(old);
    return true;
}

const char *key_value_get(const struct key_value *store, const char *key)
{
    if (store->slots == 0)
        return NULL;
    const struct key_value_entry *entry = *find(store, key, hash_of(key));
    return entry ? entry->text + entry->key_size : NULL;
}

bool key_value_delete(struct key_value *store, const char *key)
{
    if (store->slots == 0)
        return false;
    struct key_value_entry **at = find(store, key, hash_of(key)), *entry = *at;
    if (!entry)
        return false;
    *at = entry->next;
    heap_release(entry);
    store->count--;
    return true;
}

void key_value_each(const struct key_value *store,
                    void (*each)(const char *, const char *))
{
    for (u64 slot = 0; slot < store->slots; slot++) {
        for (const struct key_value_entry *entry = store->table[slot]; entry;
             entry = entry->next)
            each(entry->text, entry->text + entry->key_size);
    }
}
