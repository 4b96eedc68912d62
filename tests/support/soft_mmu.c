#include "tests/support/soft_mmu.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* Rights are those of all levels together: W and U if every level has it, X unless one has NX. */
struct rights {
    bool write, user, execute;
};

/* What the TLB knows about a page, and the cache of upper entries about 2 MiB. */
struct memory_of_page {
    u64 known; /* as long as this is the region's age */
    bool dirty;
    struct rights rights;
    physical_address frame;
};
struct memory_of_table {
    u64 known; /* the same with `upper_age` */
    struct rights rights;
    physical_address frame;
};

/* A part of the addresses with a top table of its own. */
struct region {
    u64 base;
    size_t tables;
    page_entry *top; /* NULL: nothing is there */
    u64 age, upper_age;
    struct memory_of_page *tlb;
    struct memory_of_table *upper;
};

enum { WINDOW, USER, REGIONS };

static struct {
    u8 *memory;
    bool *used;
    u64 *looks;
    size_t frames, used_count, next;
    bool refuse;
    bool in_section, is_between;
    void (*between)(void *context);
    void *between_context;
    page_entry top[TABLE_ENTRIES];
    struct region regions[REGIONS];
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

static void forget_upper(struct region *region)
{
    region->upper_age++;
}

static void forget_region(struct region *region)
{
    region->age++;
    forget_upper(region);
}

static void forget_all(void)
{
    for (int i = 0; i < REGIONS; i++)
        forget_region(&mmu.regions[i]);
}

static void soft_invalidate(u64 address)
{
    struct region *region = &mmu.regions[address >= SOFT_MMU_BASE ? WINDOW : USER];

    region->tlb[(address - region->base) / PAGE_SIZE] = (struct memory_of_page){};
    for (int i = 0; i < REGIONS; i++)
        forget_upper(&mmu.regions[i]);
}

static bool soft_begin_section(void)
{
    bool outer = !mmu.in_section;

    mmu.in_section = true;
    return outer;
}

static void soft_end_section(bool outer)
{
    assert(mmu.in_section);
    if (!outer)
        return;
    mmu.in_section = false;
    if (!mmu.between || mmu.is_between)
        return;
    mmu.is_between = true;
    mmu.between(mmu.between_context);
    mmu.is_between = false;
}

void soft_mmu_set_between(void (*between)(void *context), void *context)
{
    mmu.between = between;
    mmu.between_context = context;
}

static void copy_page(void *to, const void *from)
{
    memcpy(to, from, PAGE_SIZE);
}

static const struct page_machine machine = {
    .frame_alloc = soft_alloc,
    .frame_free = soft_free,
    .frame_memory = soft_memory,
    .invalidate = soft_invalidate,
    .reload = forget_all,
    .copy_page = copy_page,
    .begin_section = soft_begin_section,
    .end_section = soft_end_section,
};

static void start_region(struct region *region, u64 base, size_t gib, page_entry *top)
{
    *region = (struct region){
        .base = base, .tables = gib * TABLE_ENTRIES, .top = top, .age = 1, .upper_age = 1
    };
    region->tlb = calloc(region->tables * TABLE_ENTRIES, sizeof region->tlb[0]);
    region->upper = calloc(region->tables, sizeof region->upper[0]);
    assert(region->tlb && region->upper);
}

void soft_mmu_start(size_t frames)
{
    memset(&mmu, 0, sizeof mmu);
    mmu.frames = frames;
    mmu.memory = aligned_alloc(PAGE_SIZE, (frames + 1) * PAGE_SIZE);
    mmu.used = calloc(frames, sizeof mmu.used[0]);
    mmu.looks = calloc(frames, sizeof mmu.looks[0]);
    assert(mmu.memory && mmu.used && mmu.looks);
    start_region(&mmu.regions[WINDOW], SOFT_MMU_BASE, SOFT_MMU_GIB, mmu.top);
    start_region(&mmu.regions[USER], SOFT_MMU_USER_BASE, SOFT_MMU_USER_GIB, NULL);
}

void soft_mmu_stop(void)
{
    free(mmu.memory);
    free(mmu.used);
    free(mmu.looks);
    for (int i = 0; i < REGIONS; i++) {
        free(mmu.regions[i].tlb);
        free(mmu.regions[i].upper);
    }
}

void soft_mmu_load(page_entry *top)
{
    mmu.regions[USER].top = top;
    forget_all();
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

size_t soft_mmu_frames_left(void)
{
    return mmu.refuse ? 0 : mmu.frames - mmu.used_count;
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

static struct rights rights_of(page_entry entry)
{
    return (struct rights){ entry & PTE_WRITABLE, entry & PTE_USER,
                            !(entry & PTE_NO_EXECUTE) };
}

static struct rights both(struct rights a, struct rights b)
{
    return (struct rights){ a.write && b.write, a.user && b.user,
                            a.execute && b.execute };
}

/* The leaf table of the page with the rights down to it; false: not present. */
static bool walk_upper(struct region *region, u64 page, struct memory_of_table *found)
{
    struct memory_of_table *cached = &region->upper[page / TABLE_ENTRIES];
    if (cached->known == region->upper_age) {
        *found = *cached;
        return true;
    }

    page_entry *top = region->top ? &region->top[page >> 18] : NULL;
    if (!top || !(*top & PTE_PRESENT))
        return false;
    *top |= PTE_ACCESSED;
    page_entry *middle = &table_at(*top & PTE_ADDRESS_MASK)[(page >> 9) % TABLE_ENTRIES];
    if (!(*middle & PTE_PRESENT))
        return false;
    *middle |= PTE_ACCESSED;
    *cached = (struct memory_of_table){ region->upper_age,
                                        both(rights_of(*top), rights_of(*middle)),
                                        *middle & PTE_ADDRESS_MASK };
    *found = *cached;
    return true;
}

static page_entry *leaf_of(struct region *region, u64 page)
{
    physical_address middle = region->top[page >> 18] & PTE_ADDRESS_MASK;
    physical_address table =
        table_at(middle)[(page >> 9) % TABLE_ENTRIES] & PTE_ADDRESS_MASK;

    return &table_at(table)[page % TABLE_ENTRIES];
}

static bool load(struct region *region, u64 page, struct memory_of_page *known)
{
    struct memory_of_table table;
    if (!walk_upper(region, page, &table))
        return false;

    page_entry *leaf = &table_at(table.frame)[page % TABLE_ENTRIES];
    if (!(*leaf & PTE_PRESENT))
        return false;
    *leaf |= PTE_ACCESSED;
    *known = (struct memory_of_page){ region->age, *leaf & PTE_DIRTY,
                                      both(table.rights, rights_of(*leaf)),
                                      *leaf & PTE_ADDRESS_MASK };
    return true;
}

/* The page as the TLB has it, after a walk if need be; NULL after a fault, which forgets it. */
static struct memory_of_page *access(struct region *region, u64 page,
                                     struct rights needed)
{
    struct memory_of_page *known = &region->tlb[page];

    if ((known->known == region->age || load(region, page, known)) &&
        (!needed.write || known->rights.write) && (!needed.user || known->rights.user) &&
        (!needed.execute || known->rights.execute))
        return known;
    soft_invalidate(region->base + page * PAGE_SIZE);
    return NULL;
}

static int read_word(struct region *region, u64 page, size_t offset, u64 *value)
{
    struct rights needed = { .user = region == &mmu.regions[USER] };
    struct memory_of_page *known = access(region, page, needed);

    if (!known)
        return SOFT_MMU_READ_FAULT;
    memcpy(value, mmu.memory + known->frame + offset, sizeof *value);
    return SOFT_MMU_OK;
}

static int write_word(struct region *region, u64 page, size_t offset, u64 value)
{
    struct rights needed = { .write = true, .user = region == &mmu.regions[USER] };
    struct memory_of_page *known = access(region, page, needed);

    if (!known)
        return SOFT_MMU_WRITE_FAULT;
    if (!known->dirty) {
        *leaf_of(region, page) |= PTE_DIRTY;
        known->dirty = true;
    }
    memcpy(mmu.memory + known->frame + offset, &value, sizeof value);
    return SOFT_MMU_OK;
}

int soft_mmu_read(u64 page, size_t offset, u64 *value)
{
    return read_word(&mmu.regions[WINDOW], page, offset, value);
}

int soft_mmu_write(u64 page, size_t offset, u64 value)
{
    return write_word(&mmu.regions[WINDOW], page, offset, value);
}

int soft_mmu_user_read(u64 page, size_t offset, u64 *value)
{
    return read_word(&mmu.regions[USER], page, offset, value);
}

int soft_mmu_user_write(u64 page, size_t offset, u64 value)
{
    return write_word(&mmu.regions[USER], page, offset, value);
}

int soft_mmu_user_fetch(u64 page)
{
    struct rights needed = { .user = true, .execute = true };

    return access(&mmu.regions[USER], page, needed) ? SOFT_MMU_OK : SOFT_MMU_FETCH_FAULT;
}
