/*
 * A generation on its way to another image: one stream of bytes, checked as it goes.
 *
 *   offset  size  field
 *        0     8  magic "SNAPSTRM"
 *        8     1  layout 1
 *        9     3  zero
 *       12   u64  time of the generation
 *       20   u64  time of the base that must be there already; all ones: none
 *       28   u32  crc field of the base's archive
 *       32   u32  size of the archive
 *       36   u64  objects in the stream
 *       44   u64  bytes of them
 *       52   u32  CRC-32 of the 52 bytes before
 *       56   ...  the archive, as it is on the disk
 *            ...  objects, ids ascending: u64 id, u32 size, u32 CRC-32 of id, size and data, data
 *            u64  magic "SNAPDONE"
 *            u32  CRC-32 of all before
 *
 * Every content is sent once, however many copies of it the archive lists, and not at all if the base
 * lists one: further copies are made where it arrives.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

enum { STREAM_HEADER_SIZE = 56, STREAM_OBJECT_SIZE = 16, STREAM_ARCHIVE_MAX = 1 << 30 };
#define STREAM_NO_BASE UINT64_MAX

/* Where bytes go to; whoever implements it says what is wrong. */
struct stream_output {
    enum status (*write)(struct stream_output *output, const void *data, size_t size);
    u32 crc; /* of all written so far */
};

/* Where they come from. */
struct stream_input {
    /* *got < size: the end. */
    enum status (*read)(struct stream_input *input, void *data, size_t size, size_t *got);
    u32 crc; /* of all read so far */
};

struct stream_header {
    u64 time;
    u64 base; /* STREAM_NO_BASE: none */
    u32 base_crc;
    u32 archive_size;
    u64 objects;
    u64 bytes;
};

struct stream_object {
    u64 id;
    u32 size;
    u32 crc; /* when reading: as the stream has it */
};

enum status stream_write(struct stream_output *output, const void *data, size_t size);
enum status stream_write_header(struct stream_output *output,
                                const struct stream_header *header);
enum status stream_write_object(struct stream_output *output, u64 id, const void *data,
                                u32 size);
enum status stream_write_end(struct stream_output *output);

/* ERR_CORRUPT, in one log line: the stream ends early, or is not what it should be. */
enum status stream_read(struct stream_input *input, void *data, size_t size);
enum status stream_read_header(struct stream_input *input, struct stream_header *header);
enum status stream_read_object(struct stream_input *input, struct stream_object *object);
/* The data of an object, compared with its checksum. */
enum status stream_read_data(struct stream_input *input,
                             const struct stream_object *object, void *data);
enum status stream_read_end(struct stream_input *input);
