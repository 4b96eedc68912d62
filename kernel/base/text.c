#include "kernel/base/string.h"

bool text_copy(char *to, size_t size, const char *from)
{
    size_t length = strlen(from);

    if (size == 0)
        return false;
    to[0] = '\0';
    if (length >= size)
        return false;
    memcpy(to, from, length + 1);
    return true;
}

bool text_starts_with(const char *text, const char *prefix)
{
    return strncmp(text, prefix, strlen(prefix)) == 0;
}

bool text_equal(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* The digit's value, or 255: larger than any base. */
static unsigned digit_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return (unsigned)(digit - '0');
    if (digit >= 'a' && digit <= 'z')
        return (unsigned)(digit - 'a') + 10;
    if (digit >= 'A' && digit <= 'Z')
        return (unsigned)(digit - 'A') + 10;
    return 255;
}

bool digits_to_u64(const char *text, size_t length, unsigned base, u64 *value)
{
    u64 sum = 0;

    if (length == 0)
        return false;
    for (size_t at = 0; at < length; at++) {
        unsigned digit = digit_value(text[at]);
        if (digit >= base)
            return false;
        if (__builtin_mul_overflow(sum, base, &sum) ||
            __builtin_add_overflow(sum, digit, &sum))
            return false;
    }
    *value = sum;
    return true;
}

bool text_to_u64(const char *text, u64 *value)
{
    if (text_starts_with(text, "0x") || text_starts_with(text, "0X"))
        return digits_to_u64(text + 2, strlen(text + 2), 16, value);
    return digits_to_u64(text, strlen(text), 10, value);
}

bool memory_is_zero(const void *data, size_t size)
{
    const u8 *bytes = data;
    u64 words[4];

    for (; size >= sizeof words; bytes += sizeof words, size -= sizeof words) {
        __builtin_memcpy(words, bytes, sizeof words);
        if (words[0] | words[1] | words[2] | words[3])
            return false;
    }
    for (; size > 0; bytes++, size--)
        if (*bytes)
            return false;
    return true;
}
