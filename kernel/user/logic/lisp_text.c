/* Expressions from text, and text from values. */
#include "kernel/user/logic/lisp_internal.h"
#include "kernel/user/user.h"

enum { PRINT_DEPTH_MAX = 200 };

static const char *skip_blanks(const char *at)
{
    while (*at == ' ' || *at == '\t' || *at == '\n' || *at == ';') {
        if (*at == ';')
            at += strchr(at, '\n') ? strchr(at, '\n') - at : (ptrdiff_t)strlen(at);
        else
            at++;
    }
    return at;
}

static size_t atom_length(const char *at)
{
    size_t length = 0;

    while (at[length] != '\0' && !strchr(" \t\n;()'", at[length]))
        length++;
    return length;
}

static enum lisp_read made(struct cell *cell, struct cell **expression)
{
    *expression = cell;
    return cell ? LISP_READ : LISP_WRONG;
}

static enum lisp_read read_atom(struct lisp *lisp, const char **text,
                                struct cell **expression)
{
    const char *at = *text;
    size_t length = atom_length(at), sign = at[0] == '-' ? 1 : 0;
    bool digits = length > sign;
    u64 number;

    *text += length;
    for (size_t digit = sign; digit < length; digit++)
        digits = digits && at[digit] >= '0' && at[digit] <= '9';
    if (!digits)
        return made(lisp_symbol(lisp, at, length), expression);
    if (!digits_to_u64(at + sign, length - sign, 10, &number) || number > INT64_MAX)
        return made(lisp_fail(lisp, "a number beyond 64 bits", NULL), expression);
    return made(lisp_number(lisp, sign ? -(i64)number : (i64)number), expression);
}

static enum lisp_read read_nested(struct lisp *, const char **, struct cell **,
                                  u32 depth);

static enum lisp_read read_list(struct lisp *lisp, const char **text,
                                struct cell **expression, u32 depth)
{
    struct cell **end = expression;

    for (*end = lisp->nil;;) {
        struct cell *element;
        *text = skip_blanks(*text);
        if (**text == ')') {
            ++*text;
            return LISP_READ;
        }
        enum lisp_read got = read_nested(lisp, text, &element, depth + 1);
        if (got != LISP_READ)
            return got == LISP_BLANK ? LISP_INCOMPLETE : got;
        *end = lisp_pair(lisp, element, lisp->nil);
        if (!*end)
            return LISP_WRONG;
        end = &(*end)->rest;
    }
}

static enum lisp_read read_quoted(struct lisp *lisp, const char **text,
                                  struct cell **expression, u32 depth)
{
    struct cell *quoted;
    enum lisp_read got = read_nested(lisp, text, &quoted, depth + 1);

    if (got != LISP_READ)
        return got == LISP_BLANK ? LISP_INCOMPLETE : got;
    struct cell *arguments = lisp_pair(lisp, quoted, lisp->nil);
    return made(arguments ? lisp_pair(lisp, lisp->quote, arguments) : NULL, expression);
}

static enum lisp_read read_nested(struct lisp *lisp, const char **text,
                                  struct cell **expression, u32 depth)
{
    *text = skip_blanks(*text);
    if (**text == '\0')
        return LISP_BLANK;
    if (depth > lisp->depth_max)
        return made(lisp_fail(lisp, "nested too deep", NULL), expression);
    if (**text == ')') {
        ++*text;
        return made(lisp_fail(lisp, "a ) too many", NULL), expression);
    }
    if (**text != '(' && **text != '\'')
        return read_atom(lisp, text, expression);
    return *(*text)++ == '(' ? read_list(lisp, text, expression, depth)
                             : read_quoted(lisp, text, expression, depth);
}

enum lisp_read lisp_read(struct lisp *lisp, const char **text, struct cell **expression)
{
    struct cell *found;
    const char *at = *text;

    if (lisp->used >= lisp->collect_at)
        lisp_collect(lisp);
    enum lisp_read got = read_nested(lisp, &at, &found, 0);

    if (got == LISP_READ)
        *expression = found;
    if (got != LISP_INCOMPLETE)
        *text = at;
    return got;
}

/* Text so far; what no longer fits is only counted. */
struct output {
    char *to;
    size_t size, length;
};

static void emit(struct output *output, const char *text)
{
    for (; *text != '\0'; text++, output->length++) {
        if (output->length + 1 < output->size)
            output->to[output->length] = *text;
    }
}

static void emit_cell(const struct lisp *, const struct cell *, struct output *,
                      u32 depth);

/* A list may be endless in no way, since nothing changes a pair; but longer than the output. */
static void emit_list(const struct lisp *lisp, const struct cell *cell,
                      struct output *output, u32 depth)
{
    emit(output, "(");
    emit_cell(lisp, cell->first, output, depth + 1);
    for (cell = cell->rest; is_pair(cell); cell = cell->rest) {
        emit(output, " ");
        emit_cell(lisp, cell->first, output, depth + 1);
    }
    if (cell != lisp->nil) {
        emit(output, " . ");
        emit_cell(lisp, cell, output, depth + 1);
    }
    emit(output, ")");
}

static void emit_cell(const struct lisp *lisp, const struct cell *cell,
                      struct output *output, u32 depth)
{
    char number[24];

    switch (depth > PRINT_DEPTH_MAX ? CELL_FREE : cell->kind) {
    case CELL_NUMBER:
        format_text(number, sizeof number, "%ld", cell->number);
        emit(output, number);
        break;
    case CELL_SYMBOL:
        emit(output, cell->name);
        break;
    case CELL_PAIR:
        emit_list(lisp, cell, output, depth);
        break;
    case CELL_LAMBDA:
        emit(output, "<lambda>");
        break;
    case CELL_BUILTIN:
        emit(output, "<builtin>");
        break;
    case CELL_FORM:
        emit(output, "<form>");
        break;
    case CELL_FREE:
        emit(output, "...");
        break;
    }
}

size_t lisp_print(const struct lisp *lisp, const struct cell *cell, char *to, size_t size)
{
    struct output output = { to, size, 0 };

    emit_cell(lisp, cell, &output, 0);
    to[output.length < size ? output.length : size - 1] = '\0';
    return output.length;
}
