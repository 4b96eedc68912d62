/*
 * How functions say that they could not do what they were asked.
 *
 * Every fallible function returns `enum status`; the compiler insists that it is looked at.
 * Results travel through the last parameters and are written only on OK.
 */
#pragma once

enum [[nodiscard]] status{
    OK = 0,
    ERR_IO = -1,          /* the device failed the request */
    ERR_CORRUPT = -2,     /* bytes from outside that cannot be what they claim */
    ERR_UNSUPPORTED = -3, /* well formed, but of a version or feature unknown here */
    ERR_NO_MEMORY = -4,
    ERR_NO_SPACE = -5, /* blocks, inodes, or Snapper's reserve */
    ERR_NOT_FOUND = -6,
    ERR_EXISTS = -7,
    ERR_NOT_DIRECTORY = -8,
    ERR_IS_DIRECTORY = -9,
    ERR_NOT_EMPTY = -10,
    ERR_INVALID_ARGUMENT = -11,
    ERR_INVALID_STATE = -12, /* a call that the session's state does not allow */
    ERR_READ_ONLY = -13,
    ERR_TOO_LARGE = -14, /* a name, a file, a payload above its limit */
    ERR_BUFFER_TOO_SMALL = -15,
    ERR_TRANSACTION_FULL = -16, /* does not fit the journal's cap; commit and go on */
    ERR_LOOP = -17,             /* too many symbolic links */
    ERR_INTEGRITY = -18,        /* no good copy of an object, or a bad archive */
    ERR_PURGE_DENIED = -19,
    ERR_NO_DEVICE = -20,
    ERR_INTERRUPTED = -21, /* ^C */
    ERR_BUSY = -22,
};

/* "no space left", "not found" ...: one short phrase in lower case, never NULL. */
const char *status_text(enum status status);
