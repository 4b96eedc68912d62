#include "kernel/user/logic/lisp_internal.h"
#include "kernel/user/user.h"

enum { CHUNK_CELLS = 400, SLACK = 20000 };

struct lisp_chunk {
    struct lisp_chunk *next;
    struct cell cells[CHUNK_CELLS];
};

struct cell *lisp_fail(struct lisp *lisp, const char *error, struct cell *culprit)
{
    lisp->error = error;
    lisp->culprit = culprit;
    return NULL;
}

static bool add_chunk(struct lisp *lisp)
{
    struct lisp_chunk *chunk = heap_allocate(sizeof *chunk);

    if (!chunk)
        return false;
    chunk->next = lisp->chunks;
    lisp->chunks = chunk;
    lisp->cells += CHUNK_CELLS;
    for (int at = 0; at < CHUNK_CELLS; at++) {
        chunk->cells[at].link = lisp->free;
        lisp->free = &chunk->cells[at];
    }
    return true;
}

static struct cell *make(struct lisp *lisp, enum cell_kind kind)
{
    if (!lisp->free && !add_chunk(lisp)) {
        lisp->collect_at = 0; /* as soon as may be */
        return lisp_fail(lisp, "no memory", NULL);
    }
    struct cell *cell = lisp->free;
    lisp->free = cell->link;
    lisp->used++;
    *cell = (struct cell){ .kind = kind };
    return cell;
}

struct cell *lisp_number(struct lisp *lisp, i64 number)
{
    struct cell *cell = make(lisp, CELL_NUMBER);

    if (cell)
        cell->number = number;
    return cell;
}

struct cell *lisp_pair(struct lisp *lisp, struct cell *first, struct cell *rest)
{
    struct cell *cell = make(lisp, CELL_PAIR);

    if (cell) {
        cell->first = first;
        cell->rest = rest;
    }
    return cell;
}

struct cell *lisp_lambda(struct lisp *lisp, struct cell *parameters, struct cell *body,
                         struct cell *environment)
{
    struct cell *cell = make(lisp, CELL_LAMBDA);

    if (cell) {
        cell->parameters = parameters;
        cell->body = body;
        cell->environment = environment;
    }
    return cell;
}

struct cell *lisp_symbol(struct lisp *lisp, const char *name, size_t length)
{
    for (struct cell *symbol = lisp->symbols; symbol; symbol = symbol->next) {
        if (strncmp(symbol->name, name, length) == 0 && symbol->name[length] == '\0')
            return symbol;
    }
    struct cell *symbol = make(lisp, CELL_SYMBOL);
    if (!symbol)
        return NULL;
    symbol->name = heap_allocate(length + 1);
    if (!symbol->name) {
        symbol->kind = CELL_FREE; /* collected with the garbage */
        return lisp_fail(lisp, "no memory", NULL);
    }
    memcpy(symbol->name, name, length);
    symbol->next = lisp->symbols;
    lisp->symbols = symbol;
    return symbol;
}

struct cell *lisp_define(struct lisp *lisp, const char *name, enum cell_kind kind)
{
    struct cell *symbol = lisp_symbol(lisp, name, strlen(name));
    struct cell *cell = make(lisp, kind);

    if (symbol && cell)
        symbol->value = cell;
    return symbol ? cell : NULL;
}

/* Those found to be in use wait in a list, the last of which is linked to itself. */
static void found(struct cell **waiting, struct cell *cell)
{
    if (!cell || cell->link)
        return;
    cell->link = *waiting ? *waiting : cell;
    *waiting = cell;
}

static void mark_all(struct cell **waiting)
{
    while (*waiting) {
        struct cell *cell = *waiting;
        *waiting = cell->link == cell ? NULL : cell->link;
        if (cell->kind == CELL_PAIR) {
            found(waiting, cell->first);
            found(waiting, cell->rest);
        } else if (cell->kind == CELL_LAMBDA) {
            found(waiting, cell->parameters);
            found(waiting, cell->body);
            found(waiting, cell->environment);
        } else if (cell->kind == CELL_SYMBOL) {
            found(waiting, cell->value);
        }
    }
}

static void sweep(struct lisp *lisp)
{
    lisp->free = NULL;
    lisp->used = 0;
    for (struct lisp_chunk *chunk = lisp->chunks; chunk; chunk = chunk->next) {
        for (int at = 0; at < CHUNK_CELLS; at++) {
            struct cell *cell = &chunk->cells[at];
            if (cell->link) {
                cell->link = NULL;
                lisp->used++;
                continue;
            }
            cell->kind = CELL_FREE;
            cell->link = lisp->free;
            lisp->free = cell;
        }
    }
}

/* The links of free cells would look like those of cells in use. */
static void unlink_free(struct lisp *lisp)
{
    while (lisp->free) {
        struct cell *cell = lisp->free;
        lisp->free = cell->link;
        cell->link = NULL;
    }
}

void lisp_collect(struct lisp *lisp)
{
    struct cell *waiting = NULL;

    unlink_free(lisp);
    for (struct cell *symbol = lisp->symbols; symbol; symbol = symbol->next)
        found(&waiting, symbol);
    found(&waiting, lisp->nil);
    for (struct lisp_frame *frame = lisp->frames; frame; frame = frame->up) {
        found(&waiting, frame->expression);
        found(&waiting, frame->environment);
        found(&waiting, frame->function);
        found(&waiting, frame->arguments);
    }
    mark_all(&waiting);
    sweep(lisp);
    lisp->collect_at = lisp->used + lisp->slack + lisp->growth * lisp->used;
}

bool lisp_init(struct lisp *lisp, u32 depth_max)
{
    *lisp = (struct lisp){
        .depth_max = depth_max, .collect_at = SLACK, .slack = SLACK, .growth = 1
    };
    lisp->nil = lisp_symbol(lisp, "nil", 3);
    lisp->truth = lisp_symbol(lisp, "t", 1);
    lisp->quote = lisp_symbol(lisp, "quote", 5);
    if (!lisp->nil || !lisp->truth || !lisp->quote)
        return false;
    lisp->nil->value = lisp->nil;
    lisp->truth->value = lisp->truth;
    return lisp_define_builtins(lisp) && lisp_define_forms(lisp);
}

void lisp_free(struct lisp *lisp)
{
    for (struct cell *symbol = lisp->symbols; symbol; symbol = symbol->next)
        heap_release(symbol->name);
    while (lisp->chunks) {
        struct lisp_chunk *chunk = lisp->chunks;
        lisp->chunks = chunk->next;
        heap_release(chunk);
    }
}
