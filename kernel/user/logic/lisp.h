/*
 * A small Lisp: numbers of 64 bits, symbols, lists, closures; tail calls take no stack, and what nothing
 * refers to is collected.
 *
 *   quote if define set! lambda let begin and or
 *   + - * / % = < > cons car cdr list null? pair? eq? not print
 *
 * nil is the empty list and false, t is true. (define (f x) ...) is (define f (lambda (x) ...)).
 * Whatever goes wrong, the expression ends with an error and everything defined before stays.
 */
#pragma once

#include "kernel/base/types.h"

struct lisp;
struct cell;

enum cell_kind {
    CELL_FREE,
    CELL_NUMBER,
    CELL_SYMBOL,
    CELL_PAIR,
    CELL_LAMBDA,
    CELL_BUILTIN,
    CELL_FORM
};

struct lisp_frame;
/*
 * What does not evaluate its arguments, such as if. True: *value is the result, NULL an error; false:
 * the frame has another expression, to be evaluated instead.
 */
typedef bool lisp_form(struct lisp *lisp, struct lisp_frame *frame, struct cell **value);

struct cell {
    enum cell_kind kind;
    struct cell
        *link; /* while collecting: not NULL, it is in use; later: the next free one */
    union {
        i64 number;
        /* Arguments evaluated, as a list; NULL: lisp_fail() has been called. */
        struct cell *(*builtin)(struct lisp *lisp, struct cell *arguments);
        lisp_form *form;
        struct {
            struct cell *first, *rest;
        };
        struct {
            struct cell *parameters, *body, *environment;
        };
        struct {
            char *name;
            struct cell *value; /* defined outside all functions, or NULL */
            struct cell *next;  /* of all symbols */
        };
    };
};

/* What an evaluation holds on to, from the inmost to the outmost. */
struct lisp_frame {
    struct lisp_frame *up;
    struct cell *expression, *environment, *function, *arguments;
};

struct lisp_chunk;

struct lisp {
    struct cell *symbols, *nil, *truth;
    struct cell *quote; /* ' stands for it */
    struct lisp_frame *frames;
    struct lisp_chunk *chunks;
    struct cell *free;
    u64 cells, used;   /* of all chunks; not free, some of them perhaps garbage */
    u64 collect_at;    /* so many used */
    u64 slack, growth; /* then: slack and growth times those in use may be added */
    u32 depth, depth_max;
    const char *error;    /* why the last evaluation failed */
    struct cell *culprit; /* what it failed at, or NULL */
};

/* `depth_max`: how many evaluations may be inside each other. False: no memory. */
[[nodiscard]] bool lisp_init(struct lisp *lisp, u32 depth_max);
void lisp_free(struct lisp *lisp);

enum lisp_read { LISP_READ, LISP_BLANK, LISP_INCOMPLETE, LISP_WRONG };

/* The next expression, to be evaluated at once; moves *text behind it unless it is incomplete. */
enum lisp_read lisp_read(struct lisp *lisp, const char **text, struct cell **expression);
/* NULL: `error` and `culprit` say what went wrong. The value lives until the next call. */
struct cell *lisp_eval(struct lisp *lisp, struct cell *expression);
/* Cut off to fit and terminated; the length it has. */
size_t lisp_print(const struct lisp *lisp, const struct cell *cell, char *to,
                  size_t size);
