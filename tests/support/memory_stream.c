#include "tests/support/memory_stream.h"

#include "kernel/base/checked.h"
#include "kernel/base/string.h"

static enum status write_memory(struct stream_output *output, const void *data,
                                size_t size)
{
    struct memory_stream *stream = CONTAINER_OF(output, struct memory_stream, output);

    if (size > MEMORY_STREAM_MAX - stream->size)
        return ERR_TOO_LARGE;
    memcpy(stream->bytes + stream->size, data, size);
    stream->size += size;
    return OK;
}

static enum status read_memory(struct stream_input *input, void *data, size_t size,
                               size_t *got)
{
    struct memory_stream *stream = CONTAINER_OF(input, struct memory_stream, input);

    *got = min_size(size, stream->size - stream->at);
    memcpy(data, stream->bytes + stream->at, *got);
    stream->at += *got;
    return OK;
}

struct stream_output *memory_stream_write(struct memory_stream *stream)
{
    stream->output = (struct stream_output){ .write = write_memory };
    stream->size = 0;
    return &stream->output;
}

struct stream_input *memory_stream_read(struct memory_stream *stream)
{
    stream->input = (struct stream_input){ read_memory, 0 };
    stream->at = 0;
    return &stream->input;
}
