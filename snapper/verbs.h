/*
 * The verbs that the kernel's console and the host's tool have in common: what they do, and in which
 * words they answer (report.h). A generation is named as select.h says.
 *
 * What is wrong is said in one log line, by the verb or by what it calls, or is the status alone.
 */
#pragma once

#include "snapper/report.h"
#include "snapper/snapper.h"

/* list: all generations, the newest last. */
enum status verb_list(struct snapper *snapper, struct report *report);
/* show G: one of them, with the runs of its pages. */
enum status verb_show(struct snapper *snapper, const char *which, struct report *report);
/* status: where the space has gone, and what would come back. */
enum status verb_status(struct snapper *snapper, struct report *report);
/* config: the values in effect, and where each comes from. */
void verb_config(const struct snapper_config *config,
                 const struct snapper_config_sources *sources, struct report *report);

/* The generation that `which` means, and what there is to know of it. */
enum status verb_find(struct snapper *snapper, const char *which,
                      struct snapper_generation_info *info);

/* delete [--force] G...: all names are looked up before the first goes. */
enum status verb_delete(struct snapper *snapper, const char *const *which, size_t count,
                        struct report *report);
enum status verb_delete_forced(struct snapper *snapper, const char *const *which,
                               size_t count, struct report *report);
/* cleanup: the rules of retention, and what a crash has left. */
enum status verb_cleanup(struct snapper *snapper, struct report *report);
enum status verb_pin(struct snapper *snapper, const char *which, struct report *report);
enum status verb_unpin(struct snapper *snapper, const char *which, struct report *report);
/* rollback G: where the next boot goes on. */
enum status verb_rollback(struct snapper *snapper, const char *which,
                          struct report *report);

/* verify [--repair]: everything looked at. */
struct verb_verify {
    bool repair;
    bool (*progress)(void *context, u64 done, u64 total); /* NULL: none; false: stop */
    void *context;
};
/* ERR_INTERRUPTED: stopped. `clean`: nothing is left to complain of. */
enum status verb_verify(struct snapper *snapper, const struct verb_verify *how,
                        struct report *report, bool *clean);

/* diff A B: what B has that A has not, what differs, what is gone. */
enum status verb_diff(struct snapper *snapper, const char *a, const char *b,
                      struct report *report);
/* Only how many, in each space. */
enum status verb_diff_summary(struct snapper *snapper, const char *a, const char *b,
                              struct report *report);
/* The bytes in which one object differs. */
enum status verb_diff_page(struct snapper *snapper, const char *a, const char *b, u64 id,
                           struct report *report);
/* "12", "0x1f", or SPACE:PAGE. */
[[nodiscard]] bool verb_parse_id(const char *text, u64 *id);
