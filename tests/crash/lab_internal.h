/* The actions of a lab, and how they note what they did. Included by tests/crash/lab*.c alone. */
#pragma once

#include "tests/crash/lab.h"

#include "kernel/base/log.h"

enum status perform_mount(struct lab *lab, size_t unused);
enum status perform_open(struct lab *lab, size_t unused);
enum status perform_unmount(struct lab *lab, size_t unused);
/* After each mount, as the kernel does it: the generation to go on from, then clean-up. */
enum status perform_resume(struct lab *lab, size_t unused);
enum status perform_take(struct lab *lab, size_t changed);
enum status perform_abort(struct lab *lab, size_t changed);
enum status perform_settle(struct lab *lab, size_t unused);
enum status perform_purge(struct lab *lab, size_t index);
enum status perform_rollback(struct lab *lab, size_t index);
enum status perform_clear(struct lab *lab, size_t unused);
enum status perform_take_if_room(struct lab *lab, size_t changed);
enum status perform_pin(struct lab *lab, size_t index);
enum status perform_unpin(struct lab *lab, size_t index);
enum status perform_repair(struct lab *lab, size_t unused);
enum status perform_import(struct lab *lab, size_t unused);
enum status perform_replace_plain(struct lab *lab, size_t unused);

/* Something that no power cut explains: the scenario cannot go on. */
void lab_insist(struct lab *lab, const char *what, enum status status);
/* An action, seen by the observer. */
void lab_act(struct lab *lab, const char *what,
             enum status (*perform)(struct lab *lab, size_t argument), size_t argument);
void lab_remove_generation(struct lab_state *state, size_t index);

struct lab_step *lab_last_step(struct lab *lab);
/* The step is over; its state is a copy of the one before, for the caller to change. */
struct lab_state *lab_note_step(struct lab *lab, const char *what);
