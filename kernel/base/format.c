#include "kernel/base/format.h"

#include "kernel/base/string.h"

enum { DIGITS_MAX = 24 };

struct output {
    char *to;
    size_t size;
    size_t length; /* of the whole text, written or not */
};

struct conversion {
    bool left;
    bool zeros;
    bool prefixed; /* 0x before a hexadecimal number other than 0 */
    int width;
    int precision; /* negative: none */
    int longs;     /* of the length modifier: hh -2, h -1, none 0, l 1, ll 2, z 1 */
};

static void emit(struct output *output, char character)
{
    if (output->length + 1 < output->size)
        output->to[output->length] = character;
    output->length++;
}

static void emit_many(struct output *output, char character, int count)
{
    while (count-- > 0)
        emit(output, character);
}

/* `prefix` ("-" or "0x") and `body`, padded to the width; zeros go between the two. */
static void emit_padded(struct output *output, const struct conversion *conversion,
                        const char *prefix, const char *body, size_t body_length)
{
    int padding = conversion->width - (int)(strlen(prefix) + body_length);
    bool zeros = conversion->zeros && !conversion->left;

    if (!conversion->left && !zeros)
        emit_many(output, ' ', padding);
    while (*prefix)
        emit(output, *prefix++);
    if (zeros)
        emit_many(output, '0', padding);
    for (size_t at = 0; at < body_length; at++)
        emit(output, body[at]);
    if (conversion->left)
        emit_many(output, ' ', padding);
}

static void emit_number(struct output *output, struct conversion *conversion,
                        const char *prefix, u64 value, unsigned base, const char *digits)
{
    char body[DIGITS_MAX + 64];
    size_t at = sizeof body;
    size_t minimum = 1;

    if (conversion->precision >= 0) {
        conversion->zeros = false;
        minimum = (size_t)conversion->precision;
        if (minimum > sizeof body)
            minimum = sizeof body;
    }
    for (; value > 0; value /= base)
        body[--at] = digits[value % base];
    while (sizeof body - at < minimum)
        body[--at] = '0';
    emit_padded(output, conversion, prefix, body + at, sizeof body - at);
}

static u64 unsigned_argument(const struct conversion *conversion, va_list *arguments)
{
    if (conversion->longs >= 1)
        return va_arg(*arguments, u64);
    u32 value = va_arg(*arguments, u32);
    if (conversion->longs == -1)
        return (u16)value;
    if (conversion->longs == -2)
        return (u8)value;
    return value;
}

static i64 signed_argument(const struct conversion *conversion, va_list *arguments)
{
    if (conversion->longs >= 1)
        return va_arg(*arguments, i64);
    i32 value = va_arg(*arguments, i32);
    if (conversion->longs == -1)
        return (i16)value;
    if (conversion->longs == -2)
        return (i8)value;
    return value;
}

static void emit_string(struct output *output, const struct conversion *conversion,
                        const char *text)
{
    size_t length = 0;

    if (text == NULL)
        text = "(null)";
    while ((conversion->precision < 0 || length < (size_t)conversion->precision) &&
           text[length] != '\0')
        length++;

    struct conversion plain = *conversion;
    plain.zeros = false;
    emit_padded(output, &plain, "", text, length);
}

/* One conversion character; the length modifiers have been read. */
static void emit_conversion(struct output *output, struct conversion *conversion,
                            char character, va_list *arguments)
{
    switch (character) {
    case 'd':
    case 'i': {
        i64 value = signed_argument(conversion, arguments);
        u64 magnitude = value < 0 ? 0 - (u64)value : (u64)value;
        emit_number(output, conversion, value < 0 ? "-" : "", magnitude, 10,
                    "0123456789");
        break;
    }
    case 'u':
        emit_number(output, conversion, "", unsigned_argument(conversion, arguments), 10,
                    "0123456789");
        break;
    case 'x':
    case 'X': {
        bool lower = character == 'x';
        u64 value = unsigned_argument(conversion, arguments);
        const char *prefix = !conversion->prefixed || value == 0 ? ""
                             : lower                             ? "0x"
                                                                 : "0X";
        emit_number(output, conversion, prefix, value, 16,
                    lower ? "0123456789abcdef" : "0123456789ABCDEF");
        break;
    }
    case 'p':
        emit_number(output, conversion, "0x", (u64)(uintptr_t)va_arg(*arguments, void *),
                    16, "0123456789abcdef");
        break;
    case 'c': {
        char text = (char)va_arg(*arguments, int);
        emit_padded(output, conversion, "", &text, 1);
        break;
    }
    case 's':
        emit_string(output, conversion, va_arg(*arguments, const char *));
        break;
    default:
        emit(output, character);
    }
}

/* A number or '*' at *format, advancing it. */
static int read_number(const char **format, va_list *arguments)
{
    int number = 0;

    if (**format == '*') {
        (*format)++;
        return va_arg(*arguments, int);
    }
    while (**format >= '0' && **format <= '9')
        number = number * 10 + *(*format)++ - '0';
    return number;
}

/* Flags, width, precision and length modifier after a '%'. */
static struct conversion read_conversion(const char **format, va_list *arguments)
{
    struct conversion conversion = { .precision = -1 };

    for (; **format == '-' || **format == '0' || **format == '#'; (*format)++) {
        conversion.left |= **format == '-';
        conversion.zeros |= **format == '0';
        conversion.prefixed |= **format == '#';
    }
    conversion.width = read_number(format, arguments);
    if (conversion.width < 0) {
        conversion.left = true;
        conversion.width = -conversion.width;
    }
    if (**format == '.') {
        (*format)++;
        conversion.precision = read_number(format, arguments);
    }
    for (;; (*format)++) {
        if (**format == 'l' || **format == 'z')
            conversion.longs++;
        else if (**format == 'h')
            conversion.longs--;
        else
            return conversion;
    }
}

size_t format_text_list(char *to, size_t size, const char *format, va_list arguments)
{
    struct output output = { to, size, 0 };
    va_list rest;

    va_copy(rest, arguments);
    while (*format != '\0') {
        if (*format != '%') {
            emit(&output, *format++);
            continue;
        }
        format++;
        struct conversion conversion = read_conversion(&format, &rest);
        if (*format == '\0')
            break;
        emit_conversion(&output, &conversion, *format++, &rest);
    }
    va_end(rest);
    if (size > 0)
        to[output.length < size ? output.length : size - 1] = '\0';
    return output.length;
}

size_t format_text(char *to, size_t size, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    size_t length = format_text_list(to, size, format, arguments);
    va_end(arguments);
    return length;
}
