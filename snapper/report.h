/*
 * What a verb answers: facts with names, handed over one by one. Who prints decides how they look, so
 * that the kernel's console, the host's tool and its JSON say the same.
 *
 *   fact      text                     JSON
 *   word      key: value, "-" if empty "key": "value", null if empty
 *   number    key: 12                  "key": 12
 *   size      key: 1.5 MiB             "key": 1572864
 *   flag      key: yes                 "key": true
 *   list      -                        "key": [ ... ]
 *   item      -                        { ... } within a list
 *   line      as it is                 -
 *
 * A table for people is made of lines, its rows for programs of items: `for_people` says which.
 */
#pragma once

#include "kernel/base/types.h"

struct report;

struct report_operations {
    void (*word)(struct report *report, const char *key, const char *value);
    void (*number)(struct report *report, const char *key, u64 value);
    void (*size)(struct report *report, const char *key, u64 bytes);
    void (*flag)(struct report *report, const char *key, bool value);
    void (*list_begin)(struct report *report, const char *key);
    void (*list_end)(struct report *report);
    void (*item_begin)(struct report *report);
    void (*item_end)(struct report *report);
    void (*line)(struct report *report, const char *text);
};

/* Embedded as first member by each implementation. */
struct report {
    const struct report_operations *operations;
    bool for_people;
    bool rehearsal; /* nothing is changed: "would delete" */
};

enum { REPORT_LINE_MAX = 512 };

static inline void report_word(struct report *report, const char *key, const char *value)
{
    report->operations->word(report, key, value);
}

static inline void report_number(struct report *report, const char *key, u64 value)
{
    report->operations->number(report, key, value);
}

static inline void report_size(struct report *report, const char *key, u64 bytes)
{
    report->operations->size(report, key, bytes);
}

static inline void report_flag(struct report *report, const char *key, bool value)
{
    report->operations->flag(report, key, value);
}

static inline void report_list_begin(struct report *report, const char *key)
{
    report->operations->list_begin(report, key);
}

static inline void report_list_end(struct report *report)
{
    report->operations->list_end(report);
}

static inline void report_item_begin(struct report *report)
{
    report->operations->item_begin(report);
}

static inline void report_item_end(struct report *report)
{
    report->operations->item_end(report);
}

/* One line for people, cut at REPORT_LINE_MAX. */
void report_line(struct report *report, const char *format, ...) PRINTF_LIKE(2, 3);

/* The text form: finished lines, without their newline, go to `print`. */
struct report_text {
    struct report report; /* first */
    void (*print)(void *context, const char *line);
    void *context;
};
void report_text_init(struct report_text *text,
                      void (*print)(void *context, const char *line), void *context);
