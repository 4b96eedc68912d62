#include "tests/damage/problems.h"

#include "kernel/base/checked.h"
#include "tests/support/host_run.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SECONDS = 10 };

/* --- e2fsck --- */

const char *problems_path(void)
{
    static char path[64];

    snprintf(path, sizeof path, "%s/damage-%d.img",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "build", getpid());
    return path;
}

void image_save(const char *path, const u8 *image, size_t size_bytes)
{
    FILE *file = fopen(path, "wb");

    if (!file || fwrite(image, 1, size_bytes, file) != size_bytes || fclose(file) != 0) {
        perror(path);
        exit(2);
    }
}

/* --- its words --- */

static bool is_problem(const char *line)
{
    static const char *const ordinary[] = { "Pass ", "e2fsck ", "exit ", "Fix?",
                                            "Clear?" };

    for (size_t i = 0; i < ARRAY_LENGTH(ordinary); i++)
        if (strncmp(line, ordinary[i], strlen(ordinary[i])) == 0)
            return false;
    if (strstr(line, " extent tree ") && strstr(line, "Optimize? no"))
        return false;
    return *line && !strstr(line, " files (") && !strstr(line, "check forced") &&
           !strstr(line, "recovering journal") && !strstr(line, "FILE SYSTEM WAS") &&
           !strstr(line, "still has errors");
}

/* Is the number that begins at `at` that of an inode or a group? */
static bool names_place(const char *line, const char *at)
{
    static const char *const words[] = { "node ", "group ", "node #", "group #" };

    for (size_t i = 0; i < ARRAY_LENGTH(words); i++) {
        size_t length = strlen(words[i]);
        if ((size_t)(at - line) >= length && strncmp(at - length, words[i], length) == 0)
            return true;
    }
    return false;
}

static void normalise(const char *line, char *to)
{
    size_t length = 0;

    for (const char *at = line; *at && length + 1 < PROBLEM_SIZE;) {
        if (!isdigit((unsigned char)*at)) {
            to[length++] = *at++;
            continue;
        }
        bool keep = names_place(line, at);
        to[length] = '#';
        length += !keep;
        for (; isdigit((unsigned char)*at) && length + 1 < PROBLEM_SIZE; at++)
            if (keep)
                to[length++] = *at;
    }
    to[length] = '\0';
    char *differences = strstr(to, "differences: ");
    if (differences)
        differences[strlen("differences:")] = '\0';
}

static bool has(const struct problems *problems, const char *item)
{
    for (size_t i = 0; i < problems->count; i++)
        if (strcmp(problems->items[i], item) == 0)
            return true;
    return false;
}

static void add(struct problems *problems, const char *line)
{
    if (problems->count == PROBLEMS_MAX)
        return;
    char *item = problems->items[problems->count];
    normalise(line, item);
    problems->count += !has(problems, item);
}

void problems_find(struct problems *problems, const u8 *image, size_t size_bytes)
{
    const char *path = problems_path();

    problems->count = 0;
    image_save(path, image, size_bytes);
    /* What the replay repairs by the way was damaged, too. */
    const char *output = host_run(
        255,
        "( { timeout -s KILL %d e2fsck -E journal_only -y %s || [ $? -lt 128 ]; } "
        "&& timeout -s KILL %d e2fsck -fn %s; echo \"exit $?\") 2>&1 | sed 's/? yes/? "
        "no/'",
        SECONDS, path, SECONDS, path);
    unlink(path);
    problems->hung = strstr(output, "exit 137") || strstr(output, "Signal (");
    char *copy = strdup(output);
    for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n"))
        if (is_problem(line))
            add(problems,
                strncmp(line, path, strlen(path)) == 0 ? line + strlen(path) : line);
    free(copy);
}

bool problems_spread(const struct problems *problems)
{
    static const char *const causes[] = {
        "bitmap differences", "claimed",      "aborted",        "ref count",
        "nattached",          "is a link to", "deleted/unused", "could not be read"
    };

    for (size_t i = 0; i < problems->count; i++)
        for (size_t cause = 0; cause < ARRAY_LENGTH(causes); cause++)
            if (strstr(problems->items[i], causes[cause]))
                return true;
    return false;
}

/* The inode or group of a problem: where its number begins; NULL: none. */
static const char *place_of(const char *item)
{
    const char *at = item;

    while (*at && !isdigit((unsigned char)*at))
        at++;
    return *at ? at : NULL;
}

static bool has_place(const struct problems *problems, const char *place)
{
    size_t length = strspn(place, "0123456789");

    for (size_t i = 0; i < problems->count; i++) {
        const char *other = place_of(problems->items[i]);
        if (other && strspn(other, "0123456789") == length &&
            strncmp(other, place, length) == 0)
            return true;
    }
    return false;
}

/* The sum over all groups is wrong because it is in one of them. */
static bool is_sum(const struct problems *before, const char *item)
{
    const char *end = strstr(item, " wrong (");

    for (size_t i = 0; i < before->count && end; i++)
        if (strncmp(before->items[i], item, (size_t)(end - item)) == 0)
            return true;
    return false;
}

/* How e2fsck goes on about an index whose root it could not read. */
static bool is_about_index(const struct problems *before, const char *item)
{
    bool about =
        strstr(item, "large directories") || strstr(item, "HTREE directory inode 0:");

    for (size_t i = 0; i < before->count && about; i++)
        if (strstr(before->items[i], "HTREE"))
            return true;
    return false;
}

const char *problems_new(const struct problems *before, const struct problems *after)
{
    for (size_t i = 0; i < after->count; i++) {
        const char *place = place_of(after->items[i]);
        if (!has(before, after->items[i]) && !is_sum(before, after->items[i]) &&
            !is_about_index(before, after->items[i]) &&
            !(place && has_place(before, place)))
            return after->items[i];
    }
    return NULL;
}

void problems_print(const char *prefix, const struct problems *problems)
{
    for (size_t i = 0; i < problems->count; i++)
        printf("%s%s\n", prefix, problems->items[i]);
}
