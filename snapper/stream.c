#include "snapper/stream.h"

#include "kernel/base/crc.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"

static const char header_magic[8] = { 'S', 'N', 'A', 'P', 'S', 'T', 'R', 'M' };
static const char end_magic[8] = { 'S', 'N', 'A', 'P', 'D', 'O', 'N', 'E' };
enum { LAYOUT = 1, HEADER_CRC_AT = 52, OBJECT_CRC_AT = 12 };

/* --- writing --- */

enum status stream_write(struct stream_output *output, const void *data, size_t size)
{
    output->crc = crc32_update(output->crc, data, size);
    return output->write(output, data, size);
}

enum status stream_write_header(struct stream_output *output,
                                const struct stream_header *header)
{
    u8 raw[STREAM_HEADER_SIZE] = { 0 };

    memcpy(raw, header_magic, sizeof header_magic);
    raw[8] = LAYOUT;
    put_le64(raw + 12, header->time);
    put_le64(raw + 20, header->base);
    put_le32(raw + 28, header->base_crc);
    put_le32(raw + 32, header->archive_size);
    put_le64(raw + 36, header->objects);
    put_le64(raw + 44, header->bytes);
    put_le32(raw + HEADER_CRC_AT, crc32(raw, HEADER_CRC_AT));
    return stream_write(output, raw, sizeof raw);
}

/* Over the id, too: content under another number is damage. */
static u32 object_crc(const u8 *raw, const void *data, size_t size)
{
    return crc32_update(crc32(raw, OBJECT_CRC_AT), data, size);
}

enum status stream_write_object(struct stream_output *output, u64 id, const void *data,
                                u32 size)
{
    u8 raw[STREAM_OBJECT_SIZE];

    put_le64(raw, id);
    put_le32(raw + 8, size);
    put_le32(raw + OBJECT_CRC_AT, object_crc(raw, data, size));
    enum status status = stream_write(output, raw, sizeof raw);
    return status != OK ? status : stream_write(output, data, size);
}

enum status stream_write_end(struct stream_output *output)
{
    u8 crc[4];

    enum status status = stream_write(output, end_magic, sizeof end_magic);
    if (status != OK)
        return status;
    put_le32(crc, output->crc);
    return output->write(output, crc, sizeof crc);
}

/* --- reading --- */

static enum status damaged(const char *what)
{
    log_error("stream: %s", what);
    return ERR_CORRUPT;
}

enum status stream_read(struct stream_input *input, void *data, size_t size)
{
    size_t got = 0;

    enum status status = input->read(input, data, size, &got);
    if (status != OK)
        return status;
    if (got < size)
        return damaged("it ends early; import again with the whole of it to go on");
    input->crc = crc32_update(input->crc, data, size);
    return OK;
}

enum status stream_read_header(struct stream_input *input, struct stream_header *header)
{
    u8 raw[STREAM_HEADER_SIZE];

    enum status status = stream_read(input, raw, sizeof raw);
    if (status != OK)
        return status;
    if (memcmp(raw, header_magic, sizeof header_magic) != 0)
        return damaged("not an exported generation");
    if (crc32(raw, HEADER_CRC_AT) != get_le32(raw + HEADER_CRC_AT))
        return damaged("its header is damaged");
    if (raw[8] != LAYOUT || raw[9] != 0 || raw[10] != 0 || raw[11] != 0) {
        log_error("stream: of layout %u, which is not known here", raw[8]);
        return ERR_UNSUPPORTED;
    }
    *header = (struct stream_header){
        .time = get_le64(raw + 12),
        .base = get_le64(raw + 20),
        .base_crc = get_le32(raw + 28),
        .archive_size = get_le32(raw + 32),
        .objects = get_le64(raw + 36),
        .bytes = get_le64(raw + 44),
    };
    if (header->archive_size > STREAM_ARCHIVE_MAX)
        return damaged("an archive of more than 1 GiB");
    return OK;
}

enum status stream_read_object(struct stream_input *input, struct stream_object *object)
{
    u8 raw[STREAM_OBJECT_SIZE];

    enum status status = stream_read(input, raw, sizeof raw);
    if (status != OK)
        return status;
    *object = (struct stream_object){ get_le64(raw), get_le32(raw + 8),
                                      get_le32(raw + OBJECT_CRC_AT) };
    return OK;
}

enum status stream_read_data(struct stream_input *input,
                             const struct stream_object *object, void *data)
{
    u8 raw[OBJECT_CRC_AT];

    enum status status = stream_read(input, data, object->size);
    if (status != OK)
        return status;
    put_le64(raw, object->id);
    put_le32(raw + 8, object->size);
    if (object_crc(raw, data, object->size) == object->crc)
        return OK;
    log_error("stream: object 0x%lx is damaged", object->id);
    return ERR_CORRUPT;
}

enum status stream_read_end(struct stream_input *input)
{
    u8 magic[sizeof end_magic], crc[4];
    size_t got = 0;

    enum status status = stream_read(input, magic, sizeof magic);
    if (status != OK)
        return status;
    u32 expected = input->crc;
    status = input->read(input, crc, sizeof crc, &got);
    if (status != OK)
        return status;
    if (got < sizeof crc || memcmp(magic, end_magic, sizeof magic) != 0 ||
        get_le32(crc) != expected)
        return damaged("its end is missing or its checksum wrong");
    return OK;
}
