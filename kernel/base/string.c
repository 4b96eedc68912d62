/*
 * The C library's memory and text functions for the kernel; the host links its own.
 *
 * Under TCG a loop of 8-byte moves and `rep movsq` cost the same (design.md, section 7), and on
 * real hardware `rep movsb` is the fast one; `rep movsq` serves both well.
 */
#include "kernel/base/string.h"

void *memcpy(void *restrict to, const void *restrict from, size_t size)
{
    void *result = to;
    size_t words = size / 8;

    size %= 8;
    __asm__ volatile("rep movsq" : "+D"(to), "+S"(from), "+c"(words)::"memory");
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size)::"memory");
    return result;
}

void *memmove(void *to, const void *from, size_t size)
{
    u8 *target = to;
    const u8 *source = from;

    if (target <= source || target >= source + size)
        return memcpy(to, from, size);
    while (size-- > 0) {
        target[size] = source[size];
        __asm__ volatile("" ::: "memory"); /* or the compiler calls memmove() */
    }
    return to;
}

void *memset(void *to, int value, size_t size)
{
    void *result = to;
    u64 pattern = 0x0101010101010101ULL * (u8)value;
    size_t words = size / 8;

    size %= 8;
    __asm__ volatile("rep stosq" : "+D"(to), "+c"(words) : "a"(pattern) : "memory");
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(pattern) : "memory");
    return result;
}

int memcmp(const void *a, const void *b, size_t size)
{
    const u8 *left = a;
    const u8 *right = b;
    u64 left_word, right_word;

    /* Whole words while they are equal; the bytes decide the rest. */
    for (; size >= 8; left += 8, right += 8, size -= 8) {
        __builtin_memcpy(&left_word, left, 8);
        __builtin_memcpy(&right_word, right, 8);
        if (left_word != right_word)
            break;
    }
    for (; size > 0; left++, right++, size--)
        if (*left != *right)
            return *left < *right ? -1 : 1;
    return 0;
}

size_t strlen(const char *text)
{
    size_t length = 0;

    while (text[length] != '\0') {
        length++;
        __asm__ volatile("" ::: "memory"); /* or the compiler calls strlen() */
    }
    return length;
}

int strcmp(const char *a, const char *b)
{
    return strncmp(a, b, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t size)
{
    for (; size > 0; a++, b++, size--) {
        if (*a != *b)
            return (u8)*a < (u8)*b ? -1 : 1;
        if (*a == '\0')
            break;
    }
    return 0;
}

char *strchr(const char *text, int character)
{
    for (;; text++) {
        if (*text == (char)character)
            return (char *)text;
        if (*text == '\0')
            return NULL;
    }
}
