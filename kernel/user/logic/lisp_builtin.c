/* The functions that are there from the beginning. */
#include "kernel/user/logic/lisp_internal.h"
#include "kernel/user/user.h"

static size_t list_length(const struct cell *list)
{
    size_t length = 0;

    for (; is_pair(list); list = list->rest)
        length++;
    return length;
}

static struct cell *truth(struct lisp *lisp, bool value)
{
    return value ? lisp->truth : lisp->nil;
}

/* Are there that many? */
static bool expect(struct lisp *lisp, struct cell *arguments, size_t count)
{
    if (list_length(arguments) == count)
        return true;
    lisp_fail(lisp, "not that many arguments", arguments);
    return false;
}

enum operation { ADD, SUBTRACT, MULTIPLY, DIVIDE, REMAINDER };

/* NULL, or why not. */
static const char *calculate(enum operation operation, i64 a, i64 b, i64 *result)
{
    static const char beyond[] = "a number beyond 64 bits";

    switch (operation) {
    case ADD:
        return __builtin_add_overflow(a, b, result) ? beyond : NULL;
    case SUBTRACT:
        return __builtin_sub_overflow(a, b, result) ? beyond : NULL;
    case MULTIPLY:
        return __builtin_mul_overflow(a, b, result) ? beyond : NULL;
    default:
        break;
    }
    if (b == 0)
        return "division by zero";
    if (a == INT64_MIN && b == -1)
        return beyond;
    *result = operation == DIVIDE ? a / b : a % b;
    return NULL;
}

/* From the left; a lone argument to - is negated. */
static struct cell *fold(struct lisp *lisp, struct cell *arguments,
                         enum operation operation, i64 start)
{
    bool first = operation != ADD && operation != MULTIPLY && is_pair(arguments) &&
                 is_pair(arguments->rest);
    i64 sum = start;

    for (struct cell *at = arguments; is_pair(at); at = at->rest, first = false) {
        if (at->first->kind != CELL_NUMBER)
            return lisp_fail(lisp, "not a number", at->first);
        if (first) {
            sum = at->first->number;
            continue;
        }
        const char *error = calculate(operation, sum, at->first->number, &sum);
        if (error)
            return lisp_fail(lisp, error, NULL);
    }
    return lisp_number(lisp, sum);
}

static struct cell *add(struct lisp *lisp, struct cell *arguments)
{
    return fold(lisp, arguments, ADD, 0);
}

static struct cell *subtract(struct lisp *lisp, struct cell *arguments)
{
    return fold(lisp, arguments, SUBTRACT, 0);
}

static struct cell *multiply(struct lisp *lisp, struct cell *arguments)
{
    return fold(lisp, arguments, MULTIPLY, 1);
}

static struct cell *divide(struct lisp *lisp, struct cell *arguments)
{
    return fold(lisp, arguments, DIVIDE, 1);
}

static struct cell *modulo(struct lisp *lisp, struct cell *arguments)
{
    return expect(lisp, arguments, 2) ? fold(lisp, arguments, REMAINDER, 0) : NULL;
}

/* Is each pair of neighbours in this order (-1, 0, 1)? */
static struct cell *ordered(struct lisp *lisp, struct cell *arguments, int order)
{
    bool all = true;

    for (struct cell *at = arguments; is_pair(at); at = at->rest) {
        if (at->first->kind != CELL_NUMBER)
            return lisp_fail(lisp, "not a number", at->first);
        if (is_pair(at->rest) && at->rest->first->kind == CELL_NUMBER) {
            i64 a = at->first->number, b = at->rest->first->number;
            all = all && (a > b) - (a < b) == order;
        }
    }
    return truth(lisp, all);
}

static struct cell *equal(struct lisp *lisp, struct cell *arguments)
{
    return ordered(lisp, arguments, 0);
}

static struct cell *less(struct lisp *lisp, struct cell *arguments)
{
    return ordered(lisp, arguments, -1);
}

static struct cell *greater(struct lisp *lisp, struct cell *arguments)
{
    return ordered(lisp, arguments, 1);
}

static struct cell *cons(struct lisp *lisp, struct cell *arguments)
{
    if (!expect(lisp, arguments, 2))
        return NULL;
    return lisp_pair(lisp, arguments->first, arguments->rest->first);
}

/* The one argument, which has to be a pair. */
static struct cell *the_pair(struct lisp *lisp, struct cell *arguments)
{
    if (!expect(lisp, arguments, 1))
        return NULL;
    if (!is_pair(arguments->first))
        return lisp_fail(lisp, "not a pair", arguments->first);
    return arguments->first;
}

static struct cell *car(struct lisp *lisp, struct cell *arguments)
{
    struct cell *pair = the_pair(lisp, arguments);
    return pair ? pair->first : NULL;
}

static struct cell *cdr(struct lisp *lisp, struct cell *arguments)
{
    struct cell *pair = the_pair(lisp, arguments);
    return pair ? pair->rest : NULL;
}

static struct cell *list(struct lisp *lisp, struct cell *arguments)
{
    (void)lisp;
    return arguments;
}

static struct cell *is_nil(struct lisp *lisp, struct cell *arguments)
{
    return expect(lisp, arguments, 1) ? truth(lisp, arguments->first == lisp->nil) : NULL;
}

static struct cell *pair_question(struct lisp *lisp, struct cell *arguments)
{
    return expect(lisp, arguments, 1) ? truth(lisp, is_pair(arguments->first)) : NULL;
}

static struct cell *same(struct lisp *lisp, struct cell *arguments)
{
    if (!expect(lisp, arguments, 2))
        return NULL;
    const struct cell *a = arguments->first, *b = arguments->rest->first;
    return truth(lisp, a == b || (a->kind == CELL_NUMBER && b->kind == CELL_NUMBER &&
                                  a->number == b->number));
}

static struct cell *print_value(struct lisp *lisp, struct cell *arguments)
{
    char text[LINE_SIZE];

    if (!expect(lisp, arguments, 1))
        return NULL;
    lisp_print(lisp, arguments->first, text, sizeof text);
    print_text(text);
    print_text("\n");
    return arguments->first;
}

bool lisp_define_builtins(struct lisp *lisp)
{
    static const struct {
        const char *name;
        struct cell *(*function)(struct lisp *lisp, struct cell *arguments);
    } builtins[] = {
        { "+", add },        { "-", subtract },        { "*", multiply },
        { "/", divide },     { "%", modulo },          { "=", equal },
        { "<", less },       { ">", greater },         { "cons", cons },
        { "car", car },      { "cdr", cdr },           { "list", list },
        { "null?", is_nil }, { "not", is_nil },        { "pair?", pair_question },
        { "eq?", same },     { "print", print_value },
    };

    for (size_t at = 0; at < ARRAY_LENGTH(builtins); at++) {
        struct cell *cell = lisp_define(lisp, builtins[at].name, CELL_BUILTIN);
        if (!cell)
            return false;
        cell->builtin = builtins[at].function;
    }
    return true;
}
