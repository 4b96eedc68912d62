#include "tests/support/window_host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/arch/interrupts.h"
#include "kernel/persist/mark.h"
#include "tests/support/soft_mmu.h"

static struct page_space space;
static u64 now;
static enum status (*pager_touch)(struct page_space *space, u64 page,
                                  enum page_access access);

static void make_window(void)
{
    page_space_init(&space, soft_mmu_machine(), soft_mmu_top(), SOFT_MMU_BASE,
                    SOFT_MMU_GIB * GIB);
}

static void drop_window(void)
{
    if (space.phase != SPACE_IDLE)
        page_space_abort(&space);
    page_space_reset(&space);
    assert_int_equal(soft_mmu_frames_used(), 0);
}

void window_host_start(size_t frames)
{
    soft_mmu_start(frames);
    make_window();
    now = 1000;
}

void window_host_reboot(void)
{
    drop_window();
    make_window();
}

void window_host_stop(void)
{
    drop_window();
    soft_mmu_stop();
}

void window_host_pass(u64 microseconds)
{
    now += microseconds;
}

/* As the page fault handler. */
static enum status fault(u64 page, enum page_access access)
{
    enum status status = page_space_touch(&space, page, access);

    return status == ERR_BUSY && pager_touch ? pager_touch(&space, page, access) : status;
}

void window_host_write(u64 page, size_t offset, u64 value)
{
    for (int tries = 0; soft_mmu_write(page, offset, value) != SOFT_MMU_OK; tries++) {
        assert_true(tries < 2);
        assert_int_equal(fault(page, PAGE_WRITE), OK);
    }
}

u64 window_host_read(u64 page, size_t offset)
{
    u64 value = 0;

    for (int tries = 0; soft_mmu_read(page, offset, &value) != SOFT_MMU_OK; tries++) {
        assert_true(tries < 2);
        assert_int_equal(fault(page, PAGE_READ), OK);
    }
    return value;
}

/* --- what the kernel has for it --- */

struct page_space *window_space(void)
{
    return &space;
}

/* There is no address to fault at, so whoever asks is taken for a writer. */
void *window_address(u64 page)
{
    void *memory = NULL;

    assert_int_equal(page_space_alias(&space, page, &memory), OK);
    return memory;
}

/* Nothing else runs here. */
void preemption_allow(void)
{
}

void preemption_forbid(void)
{
}

u64 timer_microseconds(void)
{
    return now;
}

u64 cpu_work_timestamp(void)
{
    return now;
}

void mark_line(struct spaces *spaces, struct page_space *running)
{
    bool outer = soft_mmu_machine()->begin_section();
    spaces_draw_line(spaces, running);
    soft_mmu_machine()->end_section(outer);
}

void window_set_pager(enum status (*touch)(struct page_space *space, u64 page,
                                           enum page_access access))
{
    pager_touch = touch;
}

u64 window_frames_free(void)
{
    return soft_mmu_frames_left();
}

u64 window_frames_left(void)
{
    return soft_mmu_frames_left();
}
