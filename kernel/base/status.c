#include "kernel/base/status.h"

const char *status_text(enum status status)
{
    switch (status) {
    case OK:
        return "ok";
    case ERR_IO:
        return "input/output error";
    case ERR_CORRUPT:
        return "damaged data";
    case ERR_UNSUPPORTED:
        return "unsupported version or feature";
    case ERR_NO_MEMORY:
        return "out of memory";
    case ERR_NO_SPACE:
        return "no space left";
    case ERR_NOT_FOUND:
        return "not found";
    case ERR_EXISTS:
        return "exists already";
    case ERR_NOT_DIRECTORY:
        return "not a directory";
    case ERR_IS_DIRECTORY:
        return "is a directory";
    case ERR_NOT_EMPTY:
        return "directory not empty";
    case ERR_INVALID_ARGUMENT:
        return "invalid argument";
    case ERR_INVALID_STATE:
        return "not possible in this state";
    case ERR_READ_ONLY:
        return "read-only";
    case ERR_TOO_LARGE:
        return "too large";
    case ERR_BUFFER_TOO_SMALL:
        return "buffer too small";
    case ERR_TRANSACTION_FULL:
        return "transaction full";
    case ERR_LOOP:
        return "too many symbolic links";
    case ERR_INTEGRITY:
        return "integrity check failed";
    case ERR_PURGE_DENIED:
        return "purge denied";
    case ERR_NO_DEVICE:
        return "no device";
    case ERR_INTERRUPTED:
        return "interrupted";
    case ERR_BUSY:
        return "busy";
    }
    return "unknown error";
}
