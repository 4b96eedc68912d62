/*
 * The integer types and small macros that everything else is written in.
 *
 * Only the freestanding headers of the compiler are used, so this file serves the kernel
 * and the host alike.
 */
#pragma once

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int8_t i8;
typedef int16_t i16;
typedef int32_t i32;
typedef int64_t i64;

enum { KIB = 1024, MIB = 1024 * 1024 };
#define GIB (1024ULL * 1024 * 1024)

/* The size of a page of memory, and so of the usual Snapper object. */
enum { PAGE_SHIFT = 12, PAGE_SIZE = 1 << PAGE_SHIFT };

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* The structure of type `type` whose member `member` is at `pointer`. */
#define CONTAINER_OF(pointer, type, member)                                              \
    ((type *)((u8 *)(pointer)-offsetof(type, member)))

#define PRINTF_LIKE(format_at, arguments_at)                                             \
    __attribute__((format(printf, format_at, arguments_at)))
