#include "snapper/host/host_file.h"

#include "kernel/base/port.h"
#include "snapper/host/messages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status failed(const char *path)
{
    enum status status = errno == ENOENT   ? ERR_NOT_FOUND
                         : errno == ENOSPC ? ERR_NO_SPACE
                                           : ERR_IO;

    complain("%s: %s", path, strerror(errno));
    return status;
}

static enum status read_whole(int descriptor, const char *path, u8 *data, size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t done = read(descriptor, data + at, size - at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return failed(path);
        if (done == 0) {
            complain("%s: became shorter while it was read", path);
            return ERR_IO;
        }
        at += (size_t)done;
    }
    return OK;
}

enum status host_file_read(const char *path, size_t limit, u8 **data, size_t *size)
{
    struct stat stat;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum status status = OK;

    if (descriptor < 0)
        return failed(path);
    if (fstat(descriptor, &stat) != 0) {
        status = failed(path);
    } else if (!S_ISREG(stat.st_mode)) {
        complain("%s: not a file", path);
        status = ERR_INVALID_ARGUMENT;
    } else if ((u64)stat.st_size > limit) {
        complain("%s: %lu bytes are more than it can have", path, (u64)stat.st_size);
        status = ERR_TOO_LARGE;
    }
    u8 *bytes = status == OK ? port_alloc((size_t)stat.st_size) : NULL;
    if (status == OK && bytes == NULL)
        status = ERR_NO_MEMORY;
    if (status == OK)
        status = read_whole(descriptor, path, bytes, (size_t)stat.st_size);
    close(descriptor);
    if (status != OK) {
        port_free(bytes);
        return status;
    }
    *data = bytes;
    *size = (size_t)stat.st_size;
    return OK;
}

static enum status write_whole(int descriptor, const char *path, const u8 *data,
                               size_t size)
{
    for (size_t at = 0; at < size;) {
        ssize_t done = write(descriptor, data + at, size - at);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return failed(path);
        at += (size_t)done;
    }
    return OK;
}

static enum status write_new(const char *path, const void *data, size_t size,
                             bool durable)
{
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

    if (descriptor < 0)
        return failed(path);
    enum status status = write_whole(descriptor, path, data, size);
    if (status == OK && durable && fsync(descriptor) != 0)
        status = failed(path);
    if (close(descriptor) != 0 && status == OK)
        status = failed(path);
    return status;
}

enum status host_file_write(const char *path, const void *data, size_t size)
{
    return write_new(path, data, size, false);
}

enum status host_file_replace(const char *path, const void *data, size_t size)
{
    char temporary[HOST_PATH_MAX];

    if ((size_t)snprintf(temporary, sizeof temporary, "%s.new", path) >=
        sizeof temporary) {
        complain("%s: the path is too long", path);
        return ERR_TOO_LARGE;
    }
    enum status status = write_new(temporary, data, size, true);
    if (status == OK && rename(temporary, path) != 0)
        status = failed(path);
    if (status != OK)
        unlink(temporary);
    return status;
}

enum status host_directory_make(const char *path)
{
    struct stat stat_buffer;

    if (mkdir(path, 0777) == 0)
        return OK;
    if (errno == EEXIST && stat(path, &stat_buffer) == 0 && S_ISDIR(stat_buffer.st_mode))
        return OK;
    return failed(path);
}
