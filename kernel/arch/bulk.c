#include "kernel/arch/bulk.h"

#include "crc_fold.h"
#include "kernel/arch/cpu.h"
#include "kernel/arch/interrupts.h"
#include "kernel/base/crc.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"

/* bulk.S */
void crc_fold(const u8 *data, size_t size, u32 crc, const u64 constants[4],
              u8 remainder[16]);
void copy_page_by_vectors(void *to, const void *from);

enum {
    FOLD_SIZE = 64,
    FOLD_WORTH_IT = 256,
    REMAINDER_SIZE = 16,
    ROUNDS = 16,
    SHORT_SIZE = 64
};

typedef u32 crc_routine(u32 crc, const void *data, size_t size);
typedef void copy_routine(void *to, const void *from);

/* --- candidates --- */

/*
 * A page at a time with interrupts off: whoever runs in between would find the routine's vector
 * registers in place of its own.
 */
static u32 by_folding(u32 crc, const u8 *data, size_t size, const u64 constants[4],
                      crc_routine *by_tables)
{
    u8 remainder[REMAINDER_SIZE];

    while (size >= FOLD_WORTH_IT) {
        size_t piece = size < PAGE_SIZE ? size - size % FOLD_SIZE : (size_t)PAGE_SIZE;
        bool enabled = interrupts_save();
        crc_fold(data, piece, crc, constants, remainder);
        interrupts_restore(enabled);
        crc = by_tables(0, remainder, REMAINDER_SIZE);
        data += piece;
        size -= piece;
    }
    return by_tables(crc, data, size);
}

static u32 crc32_by_folding(u32 crc, const void *data, size_t size)
{
    return by_folding(crc, data, size, crc32_fold, crc32_by_tables);
}

static u32 crc32c_by_folding(u32 crc, const void *data, size_t size)
{
    return by_folding(crc, data, size, crc32c_fold, crc32c_by_tables);
}

static u32 crc32c_by_instruction(u32 crc, const void *data, size_t size)
{
    const u8 *bytes = data;
    u64 wide = crc, word;

    for (; size >= sizeof word; bytes += sizeof word, size -= sizeof word) {
        __builtin_memcpy(&word, bytes, sizeof word);
        __asm__("crc32q %1, %0" : "+r"(wide) : "rm"(word));
    }
    crc = (u32)wide;
    for (; size > 0; bytes++, size--)
        __asm__("crc32b %1, %0" : "+r"(crc) : "rm"(*bytes));
    return crc;
}

static void copy_page_by_string(void *to, const void *from)
{
    memcpy(to, from, PAGE_SIZE);
}

static void copy_page_by_registers(void *to, const void *from)
{
    bool enabled = interrupts_save();
    copy_page_by_vectors(to, from);
    interrupts_restore(enabled);
}

/* --- the choice --- */

struct crc_candidate {
    const char *name;
    crc_routine *routine;
    bool available;
};

struct copy_candidate {
    const char *name;
    copy_routine *routine;
};

static struct {
    crc_routine *crc32, *crc32c, *crc32c_short;
    copy_routine *copy;
    struct bulk_names names;
} chosen = {
    crc32_by_tables,
    crc32c_by_tables,
    crc32c_by_tables,
    copy_page_by_string,
    { "tables", "tables", "tables", "string" },
};

static u8 source[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static u8 target[PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));

/* The shortest of some rounds, as others may use the machine meanwhile. */
static u64 time_crc(crc_routine *routine, size_t size)
{
    u64 best = UINT64_MAX;

    for (int i = 0; i < ROUNDS; i++) {
        u64 start = cpu_timestamp();
        volatile u32 crc = routine(~0U, source, size);
        u64 cycles = cpu_timestamp() - start;
        (void)crc;
        best = cycles < best ? cycles : best;
    }
    return best;
}

static u64 time_copy(copy_routine *routine)
{
    u64 best = UINT64_MAX;

    for (int i = 0; i < ROUNDS; i++) {
        u64 start = cpu_timestamp();
        routine(target, source);
        u64 cycles = cpu_timestamp() - start;
        best = cycles < best ? cycles : best;
    }
    return best;
}

/* Is it right, in every way that its steps may end? The first candidate is the measure. */
static bool agrees(const struct crc_candidate *candidate,
                   const struct crc_candidate *first)
{
    for (size_t size = PAGE_SIZE; size > 0; size = size * 7 / 8) {
        const u8 *data = source + (PAGE_SIZE - size) % 16;
        if (size + 16 <= PAGE_SIZE &&
            candidate->routine(1, data, size) != first->routine(1, data, size))
            return false;
    }
    return candidate->routine(~0U, source, PAGE_SIZE) ==
           first->routine(~0U, source, PAGE_SIZE);
}

static const struct crc_candidate *fastest_crc(const struct crc_candidate *candidates,
                                               size_t count, size_t size)
{
    const struct crc_candidate *best = candidates;
    u64 shortest = time_crc(best->routine, size);

    for (size_t i = 1; i < count; i++) {
        if (!candidates[i].available)
            continue;
        if (!agrees(&candidates[i], candidates)) {
            log_error("boot: checksum by %s is wrong on this cpu", candidates[i].name);
            continue;
        }
        u64 cycles = time_crc(candidates[i].routine, size);
        if (cycles < shortest) {
            shortest = cycles;
            best = &candidates[i];
        }
    }
    return best;
}

static void choose_copy(void)
{
    u64 by_string = time_copy(copy_page_by_string);
    u64 by_registers = time_copy(copy_page_by_registers);

    if (by_registers >= by_string || memcmp(source, target, PAGE_SIZE) != 0)
        return;
    chosen.copy = copy_page_by_registers;
    chosen.names.copy = "vectors";
}

void bulk_choose(void)
{
    const struct cpu_features *features = cpu_features();
    const struct crc_candidate crc32[] = {
        { "tables", crc32_by_tables, true },
        { "multiplication", crc32_by_folding, features->multiplication },
    };
    const struct crc_candidate crc32c[] = {
        { "tables", crc32c_by_tables, true },
        { "multiplication", crc32c_by_folding, features->multiplication },
        { "instruction", crc32c_by_instruction, features->crc32 },
    };

    for (size_t i = 0; i < PAGE_SIZE; i++)
        source[i] = (u8)(i * 37 + i / 253);
    const struct crc_candidate *best = fastest_crc(crc32, ARRAY_LENGTH(crc32), PAGE_SIZE);
    chosen.crc32 = best->routine;
    chosen.names.crc32 = best->name;
    best = fastest_crc(crc32c, ARRAY_LENGTH(crc32c), PAGE_SIZE);
    chosen.crc32c = best->routine;
    chosen.names.crc32c = best->name;
    best = fastest_crc(crc32c, ARRAY_LENGTH(crc32c), SHORT_SIZE);
    chosen.crc32c_short = best->routine;
    chosen.names.crc32c_short = best->name;
    choose_copy();
}

struct bulk_names bulk_names(void)
{
    return chosen.names;
}

u32 bulk_crc32(u32 crc, const void *data, size_t size)
{
    return chosen.crc32(crc, data, size);
}

u32 bulk_crc32c(u32 crc, const void *data, size_t size)
{
    return size < FOLD_WORTH_IT ? chosen.crc32c_short(crc, data, size)
                                : chosen.crc32c(crc, data, size);
}

void bulk_copy_page(void *to, const void *from)
{
    chosen.copy(to, from);
}
