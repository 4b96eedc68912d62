/*
 * A program's file: a static ELF64 executable, reduced to what has to be copied where.
 *
 *   offset  size  file header             offset  size  program header, of 56 bytes
 *        0     4  7f 'E' 'L' 'F'               0     4  type: 1 is loaded, 2 and 3 want a linker
 *        4     2  2: 64 bit, 1: little         4     4  flags: 1 execute, 2 write, 4 read
 *       16     2  2: executable                8     8  offset in the file
 *       18     2  62: x86-64                  16     8  virtual address
 *       24     8  entry                       32     8  bytes in the file
 *       32     8  program headers, offset     40     8  bytes in memory, the rest is zero
 *       54     2  size of each                48     8  alignment
 *       56     2  how many
 *
 * The file is whatever somebody has put on the image. What is accepted: segments in ascending order
 * that share no page, inside the part of a program's memory that abi.h gives to its image; none
 * writable and executable; the entry in an executable one.
 */
#pragma once

#include "kernel/base/status.h"
#include "kernel/base/types.h"

enum { ELF_SEGMENTS_MAX = 6 };

struct elf_segment {
    u64 address;
    u64 size_bytes; /* in memory, at least 1 */
    u64 file_offset;
    u64 file_size; /* at most size_bytes */
    bool writable;
    bool executable;
};

struct elf_image {
    u64 entry;
    u64 end; /* of the last segment's last page: where the heap begins */
    u32 segment_count;
    struct elf_segment segments[ELF_SEGMENTS_MAX];
};

/*
 * ERR_CORRUPT: not such a file, or one that contradicts itself; ERR_UNSUPPORTED: another machine's, a
 * dynamic one, or beyond our limits. One log line says what, where and which value.
 */
enum status elf_decode(const u8 *raw, size_t size, struct elf_image *image);
