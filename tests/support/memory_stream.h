/* A stream in memory, written once and read again, perhaps not to its end. */
#pragma once

#include "snapper/stream.h"

enum { MEMORY_STREAM_MAX = 64 << 10 };

struct memory_stream {
    struct stream_output output;
    struct stream_input input;
    u8 bytes[MEMORY_STREAM_MAX];
    size_t size, at;
};

/* Empty; what does not fit ends writing with ERR_TOO_LARGE. */
struct stream_output *memory_stream_write(struct memory_stream *stream);
/* From its first byte on. */
struct stream_input *memory_stream_read(struct memory_stream *stream);
