#include "kernel/base/string.h"
#include "kernel/user/logic/lisp_internal.h"

struct cell **lisp_local(struct lisp *lisp, const struct cell *symbol,
                         struct cell *environment)
{
    for (; environment != lisp->nil; environment = environment->rest) {
        if (environment->first->first == symbol)
            return &environment->first->rest;
    }
    return NULL;
}

static struct cell *value_of(struct lisp *lisp, struct cell *symbol,
                             struct cell *environment)
{
    struct cell **local = lisp_local(lisp, symbol, environment);

    if (local)
        return *local;
    return symbol->value ? symbol->value : lisp_fail(lisp, "not defined", symbol);
}

bool lisp_eval_body(struct lisp *lisp, struct lisp_frame *frame, struct cell *body,
                    struct cell **value)
{
    if (!is_pair(body)) {
        *value = lisp->nil;
        return true;
    }
    for (; is_pair(body->rest); body = body->rest) {
        if (!lisp_eval_in(lisp, body->first, frame->environment)) {
            *value = NULL;
            return true;
        }
    }
    frame->expression = body->first;
    return false;
}

/* Into the frame's arguments, in order. */
static bool eval_arguments(struct lisp *lisp, struct lisp_frame *frame)
{
    struct cell **end = &frame->arguments;

    *end = lisp->nil;
    for (struct cell *at = frame->expression->rest; is_pair(at); at = at->rest) {
        struct cell *argument = lisp_eval_in(lisp, at->first, frame->environment);
        struct cell *pair = argument ? lisp_pair(lisp, argument, lisp->nil) : NULL;
        if (!pair)
            return false;
        *end = pair;
        end = &pair->rest;
    }
    return true;
}

/* The function's environment, and its parameters before it; one behind all takes the rest. */
static struct cell *bind(struct lisp *lisp, struct cell *function, struct cell *arguments)
{
    struct cell *environment = function->environment, *parameter = function->parameters;

    for (; parameter != lisp->nil; parameter = parameter->rest) {
        bool rest = !is_pair(parameter);
        if (!rest && !is_pair(arguments))
            return lisp_fail(lisp, "an argument is missing for", parameter->first);
        struct cell *binding = lisp_pair(lisp, rest ? parameter : parameter->first,
                                         rest ? arguments : arguments->first);
        struct cell *longer = binding ? lisp_pair(lisp, binding, environment) : NULL;
        if (!longer || rest)
            return longer;
        environment = longer;
        arguments = arguments->rest;
    }
    if (is_pair(arguments))
        return lisp_fail(lisp, "an argument too many", arguments->first);
    return environment;
}

/* As a form: true with a value, or false with another expression in the frame. */
static bool apply(struct lisp *lisp, struct lisp_frame *frame, struct cell **value)
{
    struct cell *function = frame->function;

    *value = NULL;
    if (function->kind == CELL_FORM)
        return function->form(lisp, frame, value);
    if (function->kind != CELL_BUILTIN && function->kind != CELL_LAMBDA) {
        lisp_fail(lisp, "not a function", function);
        return true;
    }
    if (!eval_arguments(lisp, frame))
        return true;
    if (function->kind == CELL_BUILTIN) {
        *value = function->builtin(lisp, frame->arguments);
        return true;
    }
    struct cell *environment = bind(lisp, function, frame->arguments);
    if (!environment)
        return true;
    frame->environment = environment;
    return lisp_eval_body(lisp, frame, function->body, value);
}

static struct cell *run(struct lisp *lisp, struct lisp_frame *frame)
{
    for (;;) {
        struct cell *expression = frame->expression, *value;

        frame->function = frame->arguments = lisp->nil;
        if (lisp->used >= lisp->collect_at)
            lisp_collect(lisp);
        if (expression->kind == CELL_SYMBOL)
            return value_of(lisp, expression, frame->environment);
        if (!is_pair(expression))
            return expression;
        struct cell *function = lisp_eval_in(lisp, expression->first, frame->environment);
        if (!function)
            return NULL;
        frame->function = function;
        if (apply(lisp, frame, &value))
            return value;
    }
}

struct cell *lisp_eval_in(struct lisp *lisp, struct cell *expression,
                          struct cell *environment)
{
    struct lisp_frame frame = { lisp->frames, expression, environment, NULL, NULL };

    if (expression->kind == CELL_SYMBOL)
        return value_of(lisp, expression, environment);
    if (!is_pair(expression))
        return expression;
    if (lisp->depth >= lisp->depth_max)
        return lisp_fail(lisp, "too deep", NULL);
    lisp->depth++;
    lisp->frames = &frame;
    struct cell *value = run(lisp, &frame);
    lisp->frames = frame.up;
    lisp->depth--;
    return value;
}

struct cell *lisp_eval(struct lisp *lisp, struct cell *expression)
{
    lisp->error = NULL;
    lisp->culprit = NULL;
    return lisp_eval_in(lisp, expression, lisp->nil);
}
