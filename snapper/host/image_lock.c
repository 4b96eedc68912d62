#define _GNU_SOURCE /* F_OFD_SETLK */
#include "snapper/host/image_lock.h"

#include "kernel/base/types.h"

#include <errno.h>
#include <fcntl.h>

enum { NEEDED_BASE = 100, UNSHARED_BASE = 200 };
enum { CONSISTENT_READ = 0, WRITE = 1, RESIZE = 3 };

/* Shared locks on one byte never conflict; what others hold is asked for as if for oneself. */
static enum image_lock_result hold(int descriptor, off_t byte)
{
    struct flock lock = { .l_type = F_RDLCK, .l_start = byte, .l_len = 1 };

    if (fcntl(descriptor, F_OFD_SETLK, &lock) == 0)
        return IMAGE_LOCK_HELD;
    return errno == EAGAIN || errno == EACCES ? IMAGE_LOCK_BUSY : IMAGE_LOCK_IMPOSSIBLE;
}

static bool is_held_by_others(int descriptor, off_t byte)
{
    struct flock lock = { .l_type = F_WRLCK, .l_start = byte, .l_len = 1 };

    return fcntl(descriptor, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

static bool any_is_held(int descriptor, const off_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (is_held_by_others(descriptor, bytes[i]))
            return true;
    return false;
}

enum image_lock_result image_lock_for_writing(int descriptor)
{
    static const off_t mine[] = { NEEDED_BASE + CONSISTENT_READ, NEEDED_BASE + WRITE,
                                  UNSHARED_BASE + WRITE, UNSHARED_BASE + RESIZE };
    static const off_t against[] = { UNSHARED_BASE + CONSISTENT_READ,
                                     UNSHARED_BASE + WRITE, NEEDED_BASE + WRITE,
                                     NEEDED_BASE + RESIZE };

    for (size_t i = 0; i < ARRAY_LENGTH(mine); i++) {
        enum image_lock_result result = hold(descriptor, mine[i]);
        if (result != IMAGE_LOCK_HELD)
            return result;
    }
    if (any_is_held(descriptor, against, ARRAY_LENGTH(against)))
        return IMAGE_LOCK_BUSY;
    return IMAGE_LOCK_HELD;
}

enum image_lock_result image_lock_for_reading(int descriptor)
{
    static const off_t against[] = { UNSHARED_BASE + CONSISTENT_READ, NEEDED_BASE + WRITE,
                                     NEEDED_BASE + RESIZE };
    enum image_lock_result result = hold(descriptor, NEEDED_BASE + CONSISTENT_READ);

    if (result == IMAGE_LOCK_HELD &&
        any_is_held(descriptor, against, ARRAY_LENGTH(against)))
        result = IMAGE_LOCK_BUSY;
    return result;
}
