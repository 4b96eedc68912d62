#include "tests/support/soft_mmu.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What the TLB knows about a page, and the cache of upper entries about 2 MiB. */
struct memory_of_page {
    bool known;
    bool writable; /* W of all levels */
    bool dirty;
    physical_address frame;
};
struct memory_of_table {
    bool known;
    bool writable;
    physical_address frame;
};

enum { TABLES = SOFT_MMU_GIB * 512, PAGES = TABLES * 512 };

static struct {
    u8 *memory;
    bool *used;
    u64 *looks;
    size_t frames, used_count, next;
    bool refuse;
    page_entry top[TABLE_ENTRIES];
    struct memory_of_page *tlb;
    struct memory_of_table *upper;
} mmu;

static enum status soft_alloc(physical_address *frame)
{
    if (mmu.refuse || mmu.used_count == mmu.frames)
        return ERR_NO_MEMORY;
    while (mmu.used[mmu.next])
        mmu.next = (mmu.next + 1) % mmu.frames;
    mmu.used[mmu.next] = true;
    mmu.used_count++;
    *frame = (mmu.next + 1) * PAGE_SIZE; /* frame 0 does not exist */
    memset(mmu.memory + *frame, 0xa5, PAGE_SIZE);
    mmu.next = (mmu.next + 1) % mmu.frames;
    return OK;
}

static void soft_free(physical_address frame)
{
    size_t index = frame / PAGE_SIZE - 1;

    assert(frame % PAGE_SIZE == 0 && index < mmu.frames && mmu.used[index]);
    mmu.used[index] = false;
    mmu.used_count--;
}

static void *soft_memory(physical_address frame)
{
    size_t index = frame / PAGE_SIZE - 1;

    assert(frame % PAGE_SIZE == 0 && index < mmu.frames && mmu.used[index]);
    mmu.looks[index]++;
    return mmu.memory + frame;
}

static void forget_all(void)
{
    memset(mmu.tlb, 0, PAGES * sizeof mmu.tlb[0]);
    memset(mmu.upper, 0, TABLES * sizeof mmu.upper[0]);
}

static void soft_invalidate(u64 address)
{
    mmu.tlb[(address - SOFT_MMU_BASE) / PAGE_SIZE] = (struct memory_of_page){};
    memset(mmu.upper, 0, TABLES * sizeof mmu.upper[0]);
}

static const struct page_machine machine = {
    .frame_alloc = soft_alloc,
    .frame_free = soft_free,
    .frame_memory = soft_memory,
    .invalidate = soft_invalidate,
    .reload = forget_all,
};

void soft_mmu_start(size_t frames)
{
    memset(&mmu, 0, sizeof mmu);
    mmu.frames = frames;
    mmu.memory = aligned_alloc(PAGE_SIZE, (frames + 1) * PAGE_SIZE);
    mmu.used = calloc(frames, sizeof mmu.used[0]);
    mmu.looks = calloc(frames, sizeof mmu.looks[0]);
    mmu.tlb = calloc(PAGES, sizeof mmu.tlb[0]);
    mmu.upper = calloc(TABLES, sizeof mmu.upper[0]);
    assert(mmu.memory && mmu.used && mmu.looks && mmu.tlb && mmu.upper);
}

void soft_mmu_stop(void)
{
    free(mmu.memory);
    free(mmu.used);
    free(mmu.looks);
    free(mmu.tlb);
    free(mmu.upper);
}

const struct page_machine *soft_mmu_machine(void)
{
    return &machine;
}

page_entry *soft_mmu_top(void)
{
    return mmu.top;
}

size_t soft_mmu_frames_used(void)
{
    return mmu.used_count;
}

void soft_mmu_refuse_frames(bool refuse)
{
    mmu.refuse = refuse;
}

u64 soft_mmu_looks_at(physical_address frame)
{
    return mmu.looks[frame / PAGE_SIZE - 1];
}

static page_entry *table_at(physical_address frame)
{
    return (page_entry *)(mmu.memory + frame);
}

/* The leaf table of the page with the rights down to it; false: not present. */
static bool walk_upper(u64 page, struct memory_of_table *found)
{
    struct memory_of_table *cached = &mmu.upper[page / TABLE_ENTRIES];
    if (cached->known) {
        *found = *cached;
        return true;
    }

    page_entry *top = &mmu.top[page >> 18];
    if (!(*top & PTE_PRESENT))
        return false;
    *top |= PTE_ACCESSED;
    page_entry *middle = &table_at(*top & PTE_ADDRESS_MASK)[(page >> 9) % TABLE_ENTRIES];
    if (!(*middle & PTE_PRESENT))
        return false;
    *middle |= PTE_ACCESSED;
    *cached = (struct memory_of_table){ true, *top & *middle & PTE_WRITABLE,
                                        *middle & PTE_ADDRESS_MASK };
    *found = *cached;
    return true;
}

static page_entry *leaf_of(u64 page)
{
    physical_address middle = mmu.top[page >> 18] & PTE_ADDRESS_MASK;
    physical_address table =
        table_at(middle)[(page >> 9) % TABLE_ENTRIES] & PTE_ADDRESS_MASK;

    return &table_at(table)[page % TABLE_ENTRIES];
}

static bool load(u64 page, struct memory_of_page *known)
{
    struct memory_of_table table;
    if (!walk_upper(page, &table))
        return false;

    page_entry *leaf = &table_at(table.frame)[page % TABLE_ENTRIES];
    if (!(*leaf & PTE_PRESENT))
        return false;
    *leaf |= PTE_ACCESSED;
    *known = (struct memory_of_page){ true, table.writable && *leaf & PTE_WRITABLE,
                                      *leaf & PTE_DIRTY, *leaf & PTE_ADDRESS_MASK };
    return true;
}

int soft_mmu_read(u64 page, size_t offset, u64 *value)
{
    struct memory_of_page *known = &mmu.tlb[page];

    if (!known->known && !load(page, known)) {
        soft_invalidate(SOFT_MMU_BASE + page * PAGE_SIZE);
        return SOFT_MMU_READ_FAULT;
    }
    memcpy(value, mmu.memory + known->frame + offset, sizeof *value);
    return SOFT_MMU_OK;
}

int soft_mmu_write(u64 page, size_t offset, u64 value)
{
    struct memory_of_page *known = &mmu.tlb[page];

    if ((!known->known && !load(page, known)) || !known->writable) {
        soft_invalidate(SOFT_MMU_BASE + page * PAGE_SIZE);
        return SOFT_MMU_WRITE_FAULT;
    }
    if (!known->dirty) {
        *leaf_of(page) |= PTE_DIRTY;
        known->dirty = true;
    }
    memcpy(mmu.memory + known->frame + offset, &value, sizeof value);
    return SOFT_MMU_OK;
}
