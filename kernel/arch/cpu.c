#include "kernel/arch/cpu.h"

#include "kernel/arch/interrupts.h"
#include "kernel/arch/user.h"
#include "kernel/base/string.h"

enum {
    CR0_MONITOR_COPROCESSOR = 1 << 1,
    CR0_EMULATION = 1 << 2,
    CR0_NUMERIC_ERROR = 1 << 5,
    CR0_WRITE_PROTECT = 1 << 16,
    CR4_GLOBAL_PAGES = 1 << 7,
    CR4_FXSAVE = 1 << 9,
    CR4_SSE_EXCEPTIONS = 1 << 10,
    CR4_UMIP = 1 << 11,
    CR4_SMEP = 1 << 20,
    CR4_SMAP = 1 << 21,
    EFER_NO_EXECUTE = 1 << 11,
};

enum { LEAF_FEATURES = 1, LEAF_STRUCTURED = 7 };
#define LEAF_EXTENDED 0x80000000u
#define LEAF_EXTENDED_FEATURES 0x80000001u
#define LEAF_BRAND 0x80000002u
#define LEAF_BRAND_LAST 0x80000004u

struct cpuid {
    u32 a, b, c, d;
};

static struct cpu_features features;

static struct cpuid cpuid(u32 leaf, u32 part)
{
    struct cpuid r;
    __asm__ volatile("cpuid"
                     : "=a"(r.a), "=b"(r.b), "=c"(r.c), "=d"(r.d)
                     : "a"(leaf), "c"(part));
    return r;
}

static void read_features(void)
{
    struct cpuid basic = cpuid(LEAF_FEATURES, 0);
    u32 last = cpuid(0, 0).a;
    u32 last_extended = cpuid(LEAF_EXTENDED, 0).a;

    features.global_pages = basic.d >> 13 & 1;
    features.random = basic.c >> 30 & 1;
    features.multiplication = basic.c >> 1 & 1;
    features.crc32 = basic.c >> 20 & 1;
    if (last >= LEAF_STRUCTURED) {
        struct cpuid structured = cpuid(LEAF_STRUCTURED, 0);
        features.smep = structured.b >> 7 & 1;
        features.smap = structured.b >> 20 & 1;
        features.umip = structured.c >> 2 & 1;
    }
    if (last_extended >= LEAF_EXTENDED_FEATURES)
        features.gigabyte_pages = cpuid(LEAF_EXTENDED_FEATURES, 0).d >> 26 & 1;
    if (last_extended < LEAF_BRAND_LAST)
        return;
    for (u32 i = 0; i < 3; i++) {
        struct cpuid part = cpuid(LEAF_BRAND + i, 0);
        memcpy(features.brand + 16 * i, &part, sizeof part);
    }
}

void cpu_init(void)
{
    read_features();

    u64 cr0 = cpu_read_cr0() & ~(u64)CR0_EMULATION;
    cpu_write_cr0(cr0 | CR0_MONITOR_COPROCESSOR | CR0_NUMERIC_ERROR | CR0_WRITE_PROTECT);

    u64 cr4 = cpu_read_cr4() | CR4_FXSAVE | CR4_SSE_EXCEPTIONS;
    cr4 |= features.global_pages ? CR4_GLOBAL_PAGES : 0;
    cr4 |= features.smep ? CR4_SMEP : 0;
    cr4 |= features.smap ? CR4_SMAP : 0;
    cr4 |= features.umip ? CR4_UMIP : 0;
    cpu_write_cr4(cr4);
    user_fx_init();

    cpu_write_msr(MSR_EFER, cpu_read_msr(MSR_EFER) | EFER_NO_EXECUTE);
}

const struct cpu_features *cpu_features(void)
{
    return &features;
}

u64 cpu_random(void)
{
    u64 value = 0;
    bool valid = false;

    for (int attempt = 0; features.random && !valid && attempt < 10; attempt++)
        __asm__ volatile("rdrand %0; setc %1" : "=r"(value), "=qm"(valid));

    /* The finalizer of splitmix64: neighbouring time stamps give unrelated numbers. */
    u64 mixed = cpu_timestamp() + 0x9e3779b97f4a7c15ULL;
    mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9ULL;
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebULL;
    return value ^ mixed ^ mixed >> 31;
}

_Noreturn void cpu_halt_forever(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

_Noreturn void cpu_triple_fault(void)
{
    struct {
        u16 limit;
        u64 base;
    } __attribute__((packed)) nothing = { 0, 0 };

    __asm__ volatile("lidt %0; int3" ::"m"(nothing));
    cpu_halt_forever();
}
