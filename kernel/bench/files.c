/*
 * Many small files: made in bursts as a generation makes its own, read cold or warm, deleted.
 */
#include "kernel/base/checked.h"
#include "kernel/base/format.h"
#include "kernel/base/log.h"
#include "kernel/base/port.h"
#include "kernel/base/string.h"
#include "kernel/bench/bench_internal.h"

enum { BURST = 1024, NAME_SIZE = 12, BODIES = 64 };

/* What a burst is made of; the memory stays until its commit. */
struct load {
    struct ext4_burst_file files[BURST];
    char names[BURST][NAME_SIZE];
    u8 head[BENCH_FILE_HEAD];
    u8 bodies[BODIES][BENCH_FILE_BODY];
};

static void fill_bodies(struct load *load)
{
    for (u32 i = 0; i < BODIES; i++)
        for (u32 j = 0; j < BENCH_FILE_BODY; j++)
            load->bodies[i][j] = (u8)(i * 31 + j + j / 251);
    memcpy(load->head, "bench\n", BENCH_FILE_HEAD);
}

static void file_name(u32 number, char *name)
{
    format_text(name, NAME_SIZE, "%08u", number);
}

static void describe(struct load *load, u32 first, u32 count)
{
    for (u32 i = 0; i < count; i++) {
        file_name(first + i, load->names[i]);
        load->files[i] = (struct ext4_burst_file){
            .name = load->names[i],
            .head = load->head,
            .body = load->bodies[(first + i) % BODIES],
            .head_size = BENCH_FILE_HEAD,
            .body_size = BENCH_FILE_BODY,
        };
    }
}

/* The names are the burst's own memory, so the data is sent before they are used again. */
static enum status create_burst(const struct bench_target *target, u32 directory,
                                struct load *load, u32 first, u32 count)
{
    describe(load, first, count);
    enum status status = ext4_create_burst(target->fs, directory, load->files, count);
    if (status != ERR_TRANSACTION_FULL)
        return status;
    status = ext4_commit(target->fs);
    return status ? status : ext4_create_burst(target->fs, directory, load->files, count);
}

static enum status create_all(const struct bench_target *target, struct load *load,
                              u32 count)
{
    u32 directory;

    enum status status = bench_directory(target, true, &directory);
    for (u32 first = 0; status == OK && first < count; first += BURST)
        status = create_burst(target, directory, load, first,
                              (u32)min_u64(BURST, count - first));
    if (status == OK)
        status = ext4_commit(target->fs);
    if (status)
        ext4_rollback(target->fs);
    return status;
}

enum status bench_create_files(const struct bench_target *target, u32 count,
                               struct bench_cost *cost)
{
    struct load *load = port_alloc(sizeof *load);

    if (!load)
        return ERR_NO_MEMORY;
    fill_bodies(load);
    struct bench_meter meter = bench_begin(target);
    enum status status = create_all(target, load, count);
    *cost = bench_end(target, &meter);
    port_free(load);
    return status;
}

static enum status read_file(const struct bench_target *target, const struct load *load,
                             u32 directory, u32 number, u8 *buffer)
{
    enum { SIZE = BENCH_FILE_HEAD + BENCH_FILE_BODY };
    char name[NAME_SIZE];
    size_t got;
    u32 inode;

    file_name(number, name);
    enum status status = ext4_lookup(target->fs, directory, name, &inode);
    if (status == OK)
        status = ext4_read(target->fs, inode, 0, buffer, SIZE, &got);
    if (status)
        return status;
    if (got == SIZE && memcmp(buffer, load->head, BENCH_FILE_HEAD) == 0 &&
        memcmp(buffer + BENCH_FILE_HEAD, load->bodies[number % BODIES],
               BENCH_FILE_BODY) == 0)
        return OK;
    log_error("bench: /bench/%s is not what was written", name);
    return ERR_CORRUPT;
}

enum status bench_read_files(const struct bench_target *target, u32 count,
                             struct bench_cost *cost)
{
    struct load *load = port_alloc(sizeof *load + PAGE_SIZE * 2);
    u32 directory;

    if (!load)
        return ERR_NO_MEMORY;
    fill_bodies(load);
    struct bench_meter meter = bench_begin(target);
    enum status status = bench_directory(target, false, &directory);
    for (u32 i = 0; status == OK && i < count; i++)
        status = read_file(target, load, directory, i, (u8 *)(load + 1));
    *cost = bench_end(target, &meter);
    port_free(load);
    return status;
}

static enum status delete_file(const struct bench_target *target, u32 directory,
                               u32 number)
{
    char name[NAME_SIZE];

    file_name(number, name);
    enum status status = ext4_unlink(target->fs, directory, name);
    if (status != ERR_TRANSACTION_FULL)
        return status;
    status = ext4_commit(target->fs);
    return status ? status : ext4_unlink(target->fs, directory, name);
}

enum status bench_delete_files(const struct bench_target *target, u32 count,
                               struct bench_cost *cost)
{
    u32 directory;
    struct bench_meter meter = bench_begin(target);

    enum status status = bench_directory(target, false, &directory);
    for (u32 i = 0; status == OK && i < count; i++)
        status = delete_file(target, directory, i);
    if (status == OK)
        status = ext4_commit(target->fs);
    if (status)
        ext4_rollback(target->fs);
    *cost = bench_end(target, &meter);
    return status;
}
