/*
 * What the parts of the Lisp know of each other. Cells are made while reading and evaluating; only at
 * the top of an evaluation are they collected, when all that is needed is in frames.
 */
#pragma once

#include "kernel/user/logic/lisp.h"

/* lisp_cell.c; NULL: no memory, and lisp_fail() has been called. */
struct cell *lisp_number(struct lisp *lisp, i64 number);
struct cell *lisp_pair(struct lisp *lisp, struct cell *first, struct cell *rest);
struct cell *lisp_lambda(struct lisp *lisp, struct cell *parameters, struct cell *body,
                         struct cell *environment);
/* The one symbol of this name, made if there is none. */
struct cell *lisp_symbol(struct lisp *lisp, const char *name, size_t length);
/* A cell of this kind as the value of the symbol of this name. */
struct cell *lisp_define(struct lisp *lisp, const char *name, enum cell_kind kind);
void lisp_collect(struct lisp *lisp);

/* Always NULL. */
struct cell *lisp_fail(struct lisp *lisp, const char *error, struct cell *culprit);

static inline bool is_pair(const struct cell *cell)
{
    return cell->kind == CELL_PAIR;
}

/* lisp_eval.c: an expression inside of another; NULL: an error. */
struct cell *lisp_eval_in(struct lisp *lisp, struct cell *expression,
                          struct cell *environment);
/* Where the symbol's value is in an environment, a list of (symbol . value); NULL: not there. */
struct cell **lisp_local(struct lisp *lisp, const struct cell *symbol,
                         struct cell *environment);
/* Evaluates all of a list but the last, which is left to the frame; as a form does. */
bool lisp_eval_body(struct lisp *lisp, struct lisp_frame *frame, struct cell *body,
                    struct cell **value);

/* lisp_form.c. False: no memory. */
[[nodiscard]] bool lisp_define_forms(struct lisp *lisp);
/* lisp_builtin.c. False: no memory. */
[[nodiscard]] bool lisp_define_builtins(struct lisp *lisp);
