#include "snapper/host/image_file.h"

#include "kernel/base/checked.h"
#include "kernel/base/port.h"
#include "snapper/host/image_lock.h"
#include "snapper/host/messages.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MAX_PIECES = 512 };

static struct image_file *file_of(struct disk *disk)
{
    return CONTAINER_OF(disk, struct image_file, disk);
}

/* --- the file itself --- */

static enum status file_read(const struct image_file *file, u64 offset, u8 *to,
                             size_t size)
{
    while (size > 0) {
        ssize_t done = pread(file->descriptor, to, size, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0) {
            complain("%s: read at %lu: %s", file->path, offset,
                     done < 0 ? strerror(errno) : "the file has become shorter");
            return ERR_IO;
        }
        to += done;
        offset += (u64)done;
        size -= (size_t)done;
    }
    return OK;
}

static enum status file_write(const struct image_file *file, u64 offset, const u8 *from,
                              size_t size)
{
    while (size > 0) {
        ssize_t done = pwrite(file->descriptor, from, size, (off_t)offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            complain("%s: write at %lu: %s", file->path, offset, strerror(errno));
            return ERR_IO;
        }
        from += done;
        offset += (u64)done;
        size -= (size_t)done;
    }
    return OK;
}

/* --- a rehearsal's memory --- */

/* The page in memory that holds what was written at this page of the file; made if wanted. */
static enum status page_for_writing(struct image_file *file, u64 page, u8 **memory)
{
    u64 offset = page * PAGE_SIZE, size = file->disk.sector_count * SECTOR_SIZE;

    *memory = map_get_pointer(&file->pages, page);
    if (*memory != NULL)
        return OK;
    u8 *fresh = port_alloc(PAGE_SIZE);
    if (fresh == NULL)
        return ERR_NO_MEMORY;
    enum status status =
        file_read(file, offset, fresh, (size_t)min_u64(PAGE_SIZE, size - offset));
    if (status == OK)
        status = map_set_pointer(&file->pages, page, fresh);
    if (status != OK)
        port_free(fresh);
    else
        *memory = fresh;
    return status;
}

static enum status rehearse_write(struct image_file *file, u64 offset, const u8 *from,
                                  size_t size)
{
    while (size > 0) {
        size_t within = offset % PAGE_SIZE;
        size_t piece = min_size(size, PAGE_SIZE - within);
        u8 *memory;
        enum status status = page_for_writing(file, offset / PAGE_SIZE, &memory);
        if (status != OK)
            return status;
        memcpy(memory + within, from, piece);
        from += piece;
        offset += piece;
        size -= piece;
    }
    return OK;
}

static enum status rehearse_read(const struct image_file *file, u64 offset, u8 *to,
                                 size_t size)
{
    enum status status = file_read(file, offset, to, size);

    while (status == OK && file->pages.count > 0 && size > 0) {
        size_t within = offset % PAGE_SIZE;
        size_t piece = min_size(size, PAGE_SIZE - within);
        const u8 *memory = map_get_pointer(&file->pages, offset / PAGE_SIZE);
        if (memory != NULL)
            memcpy(to, memory + within, piece);
        to += piece;
        offset += piece;
        size -= piece;
    }
    return status;
}

/* --- the disk --- */

static enum status transfer(struct image_file *file, const struct disk_request *request)
{
    u64 offset = request->sector * SECTOR_SIZE;
    enum status status = OK;

    for (size_t i = 0; i < request->segment_count && status == OK; i++) {
        const struct disk_segment *segment = &request->segments[i];
        if (request->operation == DISK_READ)
            status = rehearse_read(file, offset, segment->data, segment->size_bytes);
        else if (file->access == IMAGE_REHEARSE)
            status = rehearse_write(file, offset, segment->data, segment->size_bytes);
        else
            status = file_write(file, offset, segment->data, segment->size_bytes);
        offset += segment->size_bytes;
    }
    return status;
}

static enum status flush(const struct image_file *file)
{
    if (file->access != IMAGE_WRITE || fdatasync(file->descriptor) == 0)
        return OK;
    complain("%s: fdatasync: %s", file->path, strerror(errno));
    return ERR_IO;
}

/* Everything is done when it is submitted. */
static enum status submit(struct disk *disk, struct disk_request *request)
{
    struct image_file *file = file_of(disk);
    enum status status =
        request->operation == DISK_FLUSH ? flush(file) : transfer(file, request);

    disk_complete(disk, request, status);
    progress_request();
    return OK;
}

static void wait_any(struct disk *disk)
{
    (void)disk;
}

static const struct disk_operations file_operations = { submit, wait_any };

/* --- open, close --- */

static enum status complain_about(const struct image_file *file, const char *what,
                                  enum status status)
{
    complain("%s: %s", file->path, what);
    return status;
}

static enum status open_descriptor(struct image_file *file)
{
    int flags = file->access == IMAGE_WRITE ? O_RDWR : O_RDONLY;

    file->descriptor = open(file->path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (file->descriptor >= 0)
        return OK;
    return complain_about(file, strerror(errno),
                          errno == ENOENT ? ERR_NOT_FOUND : ERR_IO);
}

static enum status measure(struct image_file *file)
{
    struct stat stat;
    off_t size;
    u8 magic[4] = { 0 };

    if (fstat(file->descriptor, &stat) != 0)
        return complain_about(file, strerror(errno), ERR_IO);
    if (S_ISDIR(stat.st_mode))
        return complain_about(file, "a directory, not an image", ERR_IS_DIRECTORY);
    if (!S_ISREG(stat.st_mode) && !S_ISBLK(stat.st_mode))
        return complain_about(file, "not a file or a disk", ERR_INVALID_ARGUMENT);
    size = lseek(file->descriptor, 0, SEEK_END);
    if (size < 0)
        return complain_about(file, strerror(errno), ERR_IO);
    if (pread(file->descriptor, magic, sizeof magic, 0) == sizeof magic &&
        memcmp(magic, "QFI\xfb", sizeof magic) == 0)
        return complain_about(file,
                              "a qcow2 image; `qemu-img convert -O raw` makes one "
                              "that can be read here",
                              ERR_UNSUPPORTED);
    file->disk.sector_count = (u64)size / SECTOR_SIZE;
    return OK;
}

static enum status lock(struct image_file *file)
{
    enum image_lock_result result = file->access == IMAGE_WRITE
                                        ? image_lock_for_writing(file->descriptor)
                                        : image_lock_for_reading(file->descriptor);

    file->in_use = result == IMAGE_LOCK_BUSY;
    if (file->access != IMAGE_WRITE || result == IMAGE_LOCK_HELD)
        return OK;
    if (result == IMAGE_LOCK_IMPOSSIBLE)
        return complain_about(file, "cannot be locked here, so it is not changed",
                              ERR_BUSY);
    return complain_about(
        file, "in use by a running machine or another program: not changed", ERR_BUSY);
}

enum status image_file_open(struct image_file *file, const char *path,
                            enum image_access access)
{
    *file = (struct image_file){
        .disk = { .operations = &file_operations,
                  .name = path,
                  .max_pieces = MAX_PIECES,
                  .max_bytes = 1 * MIB,
                  .read_only = access == IMAGE_READ },
        .descriptor = -1,
        .path = path,
        .access = access,
    };
    map_init(&file->pages);
    enum status status = open_descriptor(file);
    if (status == OK)
        status = measure(file);
    if (status == OK)
        status = lock(file);
    if (status != OK)
        image_file_close(file);
    return status;
}

void image_file_close(struct image_file *file)
{
    size_t cursor = 0;
    u64 page, memory;

    while (map_next(&file->pages, &cursor, &page, &memory))
        port_free((void *)(uintptr_t)memory);
    map_destroy(&file->pages);
    if (file->descriptor >= 0)
        close(file->descriptor);
    file->descriptor = -1;
}
