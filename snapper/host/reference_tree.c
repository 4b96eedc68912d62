#include "snapper/host/reference_tree.h"

#include "kernel/base/port.h"
#include "snapper/host/host_file.h"
#include "snapper/host/messages.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ARCHIVE_MAX = 1 << 30, FILE_MAX = 1 << 30 };

static bool has_archive(const struct reference_tree *tree, const char *name)
{
    char path[HOST_PATH_MAX];

    return (size_t)snprintf(path, sizeof path, "%s/%s/archive", tree->path, name) <
               sizeof path &&
           access(path, F_OK) == 0;
}

static enum status add(struct reference_tree *tree, const char *name, u64 time)
{
    struct reference_generation *larger =
        realloc(tree->generations, (tree->count + 1) * sizeof *larger);

    if (larger == NULL)
        return ERR_NO_MEMORY;
    tree->generations = larger;
    larger[tree->count].time = time;
    memcpy(larger[tree->count].name, name, REFERENCE_NAME_SIZE); /* a decoded name */
    tree->count++;
    return OK;
}

static int compare(const void *a, const void *b)
{
    const struct reference_generation *first = a, *second = b;

    return (first->time > second->time) - (first->time < second->time);
}

static enum status read_directory(struct reference_tree *tree, DIR *directory)
{
    enum status status = OK;
    struct dirent *entry;
    u64 time;

    while (status == OK && (entry = readdir(directory)) != NULL) {
        if (!reference_name_decode(entry->d_name, &time))
            continue;
        if (has_archive(tree, entry->d_name))
            status = add(tree, entry->d_name, time);
        else
            tree->without_archive++;
    }
    return status;
}

enum status reference_tree_open(struct reference_tree *tree, const char *path)
{
    DIR *directory = opendir(path);

    *tree = (struct reference_tree){ .path = path };
    if (directory == NULL) {
        complain("%s: %s", path, strerror(errno));
        return ERR_NOT_FOUND;
    }
    enum status status = read_directory(tree, directory);
    closedir(directory);
    if (status == OK && tree->count == 0) {
        complain("%s: no generation of the original program in it", path);
        status = ERR_NOT_FOUND;
    }
    if (status != OK) {
        reference_tree_close(tree);
        return status;
    }
    qsort(tree->generations, tree->count, sizeof tree->generations[0], compare);
    return OK;
}

void reference_tree_close(struct reference_tree *tree)
{
    free(tree->generations);
    tree->generations = NULL;
    tree->count = 0;
}

enum status reference_tree_archive(const struct reference_tree *tree, size_t index,
                                   u8 **raw, struct reference_archive *archive)
{
    char path[HOST_PATH_MAX];
    const char *why = "";
    size_t size;

    if ((size_t)snprintf(path, sizeof path, "%s/%s/archive", tree->path,
                         tree->generations[index].name) >= sizeof path)
        return ERR_TOO_LARGE;
    enum status status = host_file_read(path, ARCHIVE_MAX, raw, &size);
    if (status != OK)
        return status;
    status = reference_archive_decode(*raw, size, archive, &why);
    if (status != OK) {
        complain("%s: %s", path, why);
        port_free(*raw);
    }
    return status;
}

static enum status read_copy(const struct reference_tree *tree,
                             const struct reference_archive *archive, const char *name,
                             u8 **raw, struct reference_file *file)
{
    char path[HOST_PATH_MAX];
    size_t size;

    if ((size_t)snprintf(path, sizeof path, "%s/%s", tree->path, name) >= sizeof path)
        return ERR_TOO_LARGE;
    enum status status = host_file_read(path, FILE_MAX, raw, &size);
    if (status != OK)
        return status;
    status = reference_file_decode(*raw, size, archive->hash, file);
    if (status != OK) {
        complain("%s: %s", path, status_text(status));
        port_free(*raw);
    }
    return status;
}

enum status reference_tree_read(const struct reference_tree *tree,
                                const struct reference_archive *archive, u64 index,
                                u64 count, u8 **raw, struct reference_file *file)
{
    for (u64 i = 0; i < count; i++) {
        struct reference_record record;
        enum status status = reference_archive_record(archive, index + i, &record);

        if (status != OK)
            complain("%s: record %lu of an archive leads nowhere", tree->path, index + i);
        else
            status = read_copy(tree, archive, record.path, raw, file);
        if (status == OK || status == ERR_NO_MEMORY)
            return status;
    }
    return ERR_INTEGRITY;
}
