/*
 * The processor: what it has, its special registers, and how to stop it.
 */
#pragma once

#include "kernel/base/types.h"

struct cpu_features {
    bool global_pages;
    bool gigabyte_pages;
    bool smep;
    bool smap;
    bool umip;
    bool random;         /* RDRAND */
    bool multiplication; /* PCLMULQDQ: without carries */
    bool crc32;          /* the instruction, of CRC-32C */
    char brand[49];
};

/*
 * Reads CPUID once and switches on what protects: CR0.WP, EFER.NXE, global pages, and SMEP, SMAP,
 * UMIP where the CPU has them. FXSAVE and SSE are enabled for later user programs.
 */
void cpu_init(void);
const struct cpu_features *cpu_features(void);

/* An unpredictable number as far as the CPU can make one (RDRAND, else the time stamp mixed). */
u64 cpu_random(void);

_Noreturn void cpu_halt_forever(void);
_Noreturn void cpu_triple_fault(void); /* resets the machine */

enum { MSR_APIC_BASE = 0x1b, MSR_EFER = 0xc0000080 };

static inline u64 cpu_read_msr(u32 msr)
{
    u32 low, high;
    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (u64)high << 32 | low;
}

static inline void cpu_write_msr(u32 msr, u64 value)
{
    __asm__ volatile("wrmsr" ::"c"(msr), "a"((u32)value), "d"((u32)(value >> 32))
                     : "memory");
}

static inline u64 cpu_read_cr0(void)
{
    u64 value;
    __asm__ volatile("mov %%cr0, %0" : "=r"(value));
    return value;
}

static inline void cpu_write_cr0(u64 value)
{
    __asm__ volatile("mov %0, %%cr0" ::"r"(value) : "memory");
}

static inline u64 cpu_read_cr2(void)
{
    u64 value;
    __asm__ volatile("mov %%cr2, %0" : "=r"(value));
    return value;
}

static inline u64 cpu_read_cr3(void)
{
    u64 value;
    __asm__ volatile("mov %%cr3, %0" : "=r"(value)::"memory");
    return value;
}

static inline void cpu_write_cr3(u64 value)
{
    __asm__ volatile("mov %0, %%cr3" ::"r"(value) : "memory");
}

static inline u64 cpu_read_cr4(void)
{
    u64 value;
    __asm__ volatile("mov %%cr4, %0" : "=r"(value));
    return value;
}

static inline void cpu_write_cr4(u64 value)
{
    __asm__ volatile("mov %0, %%cr4" ::"r"(value) : "memory");
}

static inline void cpu_relax(void)
{
    __asm__ volatile("pause" ::: "memory");
}
