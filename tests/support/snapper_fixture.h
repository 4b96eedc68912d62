/*
 * What the tests of Snapper share: a session on a ram_store, contents from seeds, forged checksums,
 * and an audit of a whole tree that relies on FORMAT.md alone, not on the session.
 */
#pragma once

#include "snapper/snapper.h"
#include "tests/support/ram_store.h"

struct fixture {
    struct ram_store *ram;
    struct snapper_config config;
    struct snapper *snapper;
};

void fixture_open(struct fixture *fixture, const struct ram_limits *limits, u64 seed);
void fixture_close(struct fixture *fixture);
/* Ends the session and opens another on the same store. */
void fixture_reopen(struct fixture *fixture);
/* The same after a power cut. */
void fixture_crash(struct fixture *fixture);

/* The content that belongs to a seed. */
void fill_content(u8 *data, size_t size, u64 seed);
/* Changes the last four bytes so that crc32(data) is `crc`; size >= 4. */
void forge_crc(u8 *data, size_t size, u32 crc);

/* One generation of `count` pages of `size` bytes, ids from `first`, contents from `seed` + id. */
struct generation_name commit_pages(struct fixture *fixture, u64 first, size_t count,
                                    size_t size, u64 seed,
                                    struct snapper_commit_report *report);
/* The pages of commit_pages() are in this generation, exactly (NULL: the current one). */
void assert_pages(struct fixture *fixture, const char *name, u64 first, size_t count,
                  size_t size, u64 seed);

struct audit {
    size_t archives; /* all of which must be readable */
    size_t files;    /* snapshot files */
    size_t orphans;  /* listed by no archive */
    size_t wrong_rc; /* rc is not the number of archives that list it (255 at most) */
    size_t missing;  /* listed and not there */
    size_t others;   /* anything else under /snapper but directories */
};
void audit_tree(struct ram_store *ram, struct audit *audit);
/* Nothing orphaned, missing, foreign; with `exact_rc` every rc right. */
void assert_tree_is_sound(struct ram_store *ram, bool exact_rc);
