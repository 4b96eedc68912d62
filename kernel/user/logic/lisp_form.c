/* What looks like a function and does not evaluate its arguments, or not all. */
#include "kernel/user/logic/lisp_internal.h"
#include "kernel/user/user.h"

/* Has the expression at least so many arguments? */
static bool has(struct lisp *lisp, struct cell *expression, int count)
{
    struct cell *at = expression->rest;

    while (count > 0 && is_pair(at)) {
        at = at->rest;
        count--;
    }
    if (count > 0)
        lisp_fail(lisp, "something is missing in", expression);
    return count == 0;
}

static bool done(struct cell *result, struct cell **value)
{
    *value = result;
    return true;
}

static bool instead(struct lisp_frame *frame, struct cell *expression)
{
    frame->expression = expression;
    return false;
}

static bool quote(struct lisp *lisp, struct lisp_frame *frame, struct cell **value)
{
    struct cell *expression = frame->expression;

    return done(has(lisp, expression, 1) ? expression->rest->first : NULL, value);
}

static bool if_form(struct lisp *lisp, struct lisp_frame *frame, struct cell **value)
{
    struct cell *arguments = frame->expression->rest;

    if (!has(lisp, frame->expression, 2))
        return done(NULL, value);
    struct cell *condition = lisp_eval_in(lisp, arguments->first, frame->environment);
    if (!condition)
        return done(NULL, value);
    struct cell *branch =
        condition == lisp->nil ? arguments->rest->rest : arguments->rest;
    return is_pair(branch) ? instead(frame, branch->first) : done(lisp->nil, value);
}

/* May this symbol get a value? */
static bool assignable(struct lisp *lisp, struct cell *symbol)
{
    if (symbol->kind == CELL_SYMBOL && symbol != lisp->nil && symbol != lisp->truth)
        return true;
    lisp_fail(lisp, "cannot get a value", symbol);
    return false;
}

static bool symbols_only(struct lisp *lisp, struct cell *list)
{
    for (; is_pair(list); list = list->rest) {
        if (!assignable(lisp, list->first))
            return false;
    }
    return list == lisp->nil || assignable(lisp, list);
}

static bool define(struct lisp *lisp, struct lisp_frame *frame, struct cell **value)
{
    struct cell *arguments = frame->expression->rest, *result;

    if (!has(lisp, frame->expression, 2))
        return done(NULL, value);
    struct cell *symbol = arguments->first;
    if (is_pair(symbol)) {
        struct cell *parameters = symbol->rest;
        symbol = symbol->first;
        if (!symbols_only(lisp, parameters))
            return done(NULL, value);
        result = lisp_lambda(lisp, parameters, arguments->rest, frame->environment);
    } else {
        result = lisp_eval_in(lisp, arguments->rest->first, frame->environment);
    }
    if (!result || !assignable(lisp, symbol))
        return done(NULL, value);
    symbol->value = result;
    return done(symbol, value);
}

static bool set(struct lisp *lisp, struct lisp_frame *frame, struct cell **value)
{
    struct cell *arguments = frame->expression->rest;

    if (!has(lisp, frame->expression, 2) || !assignable(lisp, arguments->first))
        return done(NULL, value);
    struct cell *result = lisp_eval_in(lisp, arguments->rest->first, frame->environment);
    if (!result)
        return done(NULL, value);
    struct cell **local = lisp_local(lisp, arguments->first, frame->environment);
    if (!local && !arguments->first->value)
        return done(lisp_fail(lisp, "not defined", arguments->first), value);
    *(local ? local : &arguments->first->value) = result;
    return done(result, value);
}

static bool lambda(struct lisp *lisp, struct lisp_frame *frame, struct cell **value)
{
    struct cell *arguments = frame->expression->rest;

    if (!has(lisp, frame->expression, 2) || !symbols_only(lisp, arguments->first))
        return done(NULL, value);
    return done(lisp_lambda(lisp, arguments->first, arguments->rest, frame->environment),
                value);
}

/* The new environment is held by the frame while it is made. */
static bool let(struct lisp *lisp, struct lisp_frame *frame, struct cell **value)
{
    struct cell *arguments = frame->expression->rest;

    if (!has(lisp, frame->expression, 2))
        return done(NULL, value);
    frame->arguments = frame->environment;
    for (struct cell *at = arguments->first; is_pair(at); at = at->rest) {
        if (!is_pair(at->first) || !is_pair(at->first->rest))
            return done(lisp_fail(lisp, "not (name value)", at->first), value);
        if (!assignable(lisp, at->first->first))
            return done(NULL, value);
        struct cell *result =
            lisp_eval_in(lisp, at->first->rest->first, frame->environment);
        struct cell *binding = result ? lisp_pair(lisp, at->first->first, result) : NULL;
        struct cell *longer = binding ? lisp_pair(lisp, binding, frame->arguments) : NULL;
        if (!longer)
            return done(NULL, value);
        frame->arguments = longer;
    }
    frame->environment = frame->arguments;
    return lisp_eval_body(lisp, frame, arguments->rest, value);
}

static bool begin(struct lisp *lisp, struct lisp_frame *frame, struct cell **value)
{
    return lisp_eval_body(lisp, frame, frame->expression->rest, value);
}

/* The first that is nil, or not nil, decides; else the last. */
static bool until(struct lisp *lisp, struct lisp_frame *frame, struct cell **value,
                  bool until_true)
{
    struct cell *at = frame->expression->rest;

    if (!is_pair(at))
        return done(until_true ? lisp->nil : lisp->truth, value);
    for (; is_pair(at->rest); at = at->rest) {
        struct cell *result = lisp_eval_in(lisp, at->first, frame->environment);
        if (!result || (result != lisp->nil) == until_true)
            return done(result, value);
    }
    return instead(frame, at->first);
}

static bool and_form(struct lisp *lisp, struct lisp_frame *frame, struct cell **value)
{
    return until(lisp, frame, value, false);
}

static bool or_form(struct lisp *lisp, struct lisp_frame *frame, struct cell **value)
{
    return until(lisp, frame, value, true);
}

bool lisp_define_forms(struct lisp *lisp)
{
    static const struct {
        const char *name;
        lisp_form *form;
    } forms[] = {
        { "quote", quote }, { "if", if_form },   { "define", define },
        { "set!", set },    { "let", let },      { "lambda", lambda },
        { "begin", begin }, { "and", and_form }, { "or", or_form },
    };

    for (size_t at = 0; at < ARRAY_LENGTH(forms); at++) {
        struct cell *cell = lisp_define(lisp, forms[at].name, CELL_FORM);
        if (!cell)
            return false;
        cell->form = forms[at].form;
    }
    return true;
}
