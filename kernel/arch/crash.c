#include "kernel/arch/crash.h"

#include "kernel/arch/cpu.h"
#include "kernel/arch/image.h"
#include "kernel/arch/panic.h"
#include "kernel/base/string.h"

static void write_byte(u64 address)
{
    *(volatile u8 *)address = 0xcc;
}

static void crash_panic(void)
{
    panic("asked for");
}

static void crash_null(void)
{
    u64 address = 0;
    __asm__("" : "+r"(address)); /* the compiler must not see what it is */
    (void)*(volatile u8 *)address;
}

static void crash_stack(void)
{
    void (*again)(void) = crash_stack;
    volatile u8 waste[512];

    __asm__("" : "+r"(again)); /* the compiler knows that this cannot end */
    waste[0] = 1;
    again();
    (void)waste[0];
}

static void crash_smash(void)
{
    u8 buffer[16];
    u8 *to = buffer;

    __asm__("" : "+r"(to));
    memset(to, 0x55, 4 * sizeof buffer);
}

static void crash_text(void)
{
    write_byte((u64)image_text_start);
}

static void crash_text_alias(void)
{
    write_byte(DIRECT_MAP_BASE + image_physical(image_text_start));
}

static void crash_constant(void)
{
    write_byte((u64)image_rodata_start);
}

static void crash_execute(void)
{
    static u8 code[] = { 0xc3 };
    u64 address = (u64)code;
    __asm__ volatile("call *%0" ::"r"(address) : "memory");
}

static void crash_divide(void)
{
    __asm__ volatile("xorl %%ecx, %%ecx\n\tdivl %%ecx" ::: "rax", "rcx", "rdx");
}

enum status crash(const char *kind)
{
    static const struct {
        const char *name;
        void (*run)(void);
    } kinds[] = {
        { "panic", crash_panic },       { "triple", cpu_triple_fault },
        { "hang", cpu_halt_forever },   { "null", crash_null },
        { "stack", crash_stack },       { "smash", crash_smash },
        { "text", crash_text },         { "text-alias", crash_text_alias },
        { "constant", crash_constant }, { "execute", crash_execute },
        { "divide", crash_divide },
    };

    for (size_t i = 0; i < ARRAY_LENGTH(kinds); i++) {
        if (!text_equal(kind, kinds[i].name))
            continue;
        kinds[i].run();
        return OK;
    }
    return ERR_NOT_FOUND;
}
