/*
 * /snapper.state: what must survive a crash beside the generations. Text, one fact a line; losing
 * it loses no generation.
 *
 *   boots = DIGIT     boots in a row that died on what they resumed (boots.h); always, and first
 *   writing = NAME    a generation being written in several transactions
 *   purging = NAME    a generation whose files are being removed (any number of lines)
 *   target = NAME     boot this generation (rollback)
 *   passing = NAME    goes when the next such one is there (snapper.h)
 *   pin = NAME        never purge it (any number of lines)
 *   settled = NAME    the rc bytes on disk count this archive (any number of lines)
 */
#pragma once

#include "snapper/generation_name.h"

enum { STATE_FILE_BOOTS_MAX = 9, STATE_FILE_HEAD_SIZE = 128 };

struct name_list {
    struct generation_name *names; /* ascending, no duplicates */
    size_t count;
    size_t capacity;
};

struct state_file {
    struct generation_name writing; /* may be empty, as the next two */
    struct generation_name target;
    struct generation_name passing;
    u64 boots;
    struct name_list purging;
    struct name_list pins;
    struct name_list settled;
};

/* Lines that make no sense are reported and skipped. ERR_NO_MEMORY. */
enum status state_file_decode(const char *text, size_t size, struct state_file *state);
/* The text, freed by the caller with port_free(). ERR_NO_MEMORY. */
enum status state_file_encode(const struct state_file *state, char **text, size_t *size);
/*
 * Where in the file's first STATE_FILE_HEAD_SIZE bytes the digit of `boots` is. False: these bytes are
 * not as state_file_encode() writes them.
 */
[[nodiscard]] bool state_file_find_boots(const char *head, size_t size, size_t *at);
/* A copy with lists of its own. ERR_NO_MEMORY. */
enum status state_file_copy(const struct state_file *state, struct state_file *copy);
void state_file_destroy(struct state_file *state);

bool name_list_contains(const struct name_list *list, const struct generation_name *name);
enum status name_list_add(struct name_list *list, const struct generation_name *name);
bool name_list_remove(struct name_list *list, const struct generation_name *name);
void name_list_clear(struct name_list *list);
