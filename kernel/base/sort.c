#include "kernel/base/sort.h"

static u64 *record_at(void *records, size_t size, size_t at)
{
    return (u64 *)((u8 *)records + at * size);
}

static void swap(u64 *a, u64 *b, size_t size)
{
    for (size_t i = 0; i < size / sizeof(u64); i++) {
        u64 word = a[i];
        a[i] = b[i];
        b[i] = word;
    }
}

/* Heap sort. */
static void sift_down(void *records, size_t count, size_t size, size_t at)
{
    for (;;) {
        size_t largest = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < count; child++)
            if (*record_at(records, size, child) > *record_at(records, size, largest))
                largest = child;
        if (largest == at)
            return;
        swap(record_at(records, size, at), record_at(records, size, largest), size);
        at = largest;
    }
}

static bool is_sorted(void *records, size_t count, size_t size)
{
    for (size_t at = 1; at < count; at++)
        if (*record_at(records, size, at - 1) > *record_at(records, size, at))
            return false;
    return true;
}

void sort_by_key(void *records, size_t count, size_t size)
{
    if (is_sorted(records, count, size))
        return; /* the usual case: what is sorted was found in order */
    for (size_t at = count / 2; at > 0; at--)
        sift_down(records, count, size, at - 1);
    for (size_t last = count - 1; last > 0; last--) {
        swap(record_at(records, size, 0), record_at(records, size, last), size);
        sift_down(records, last, size, 0);
    }
}
