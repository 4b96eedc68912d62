#include "tests/support/ext4_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COMMAND_SIZE = 1024, OUTPUT_SIZE = 64 * KIB };
static const char folder[] = "build/tests/images";
static const char tool_path[] = "PATH=/usr/sbin:/sbin:$PATH ";

static _Noreturn void fail(const char *what, const char *detail)
{
    fprintf(stderr, "ext4_image: %s: %s\n", what, detail);
    exit(1);
}

/* Runs a command, collects what it prints, returns its exit code. */
static int run(const char *command, char *output, size_t size)
{
    FILE *pipe = popen(command, "r");
    if (!pipe)
        fail("cannot run", command);
    size_t length = 0;
    while (length + 1 < size) {
        size_t got = fread(output + length, 1, size - 1 - length, pipe);
        if (got == 0)
            break;
        length += got;
    }
    output[length] = '\0';
    int status = pclose(pipe);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

const char *ext4_image_make(const char *name, unsigned mib, const char *options)
{
    static char path[256];
    char command[COMMAND_SIZE];
    char output[4096];
    mkdir("build", 0777);
    mkdir("build/tests", 0777);
    mkdir(folder, 0777);
    snprintf(path, sizeof path, "%s/%s.img", folder, name);
    unlink(path);
    snprintf(command, sizeof command, "%smkfs.ext4 -F -q %s %s %uM 2>&1", tool_path,
             options, path, mib);
    if (run(command, output, sizeof output) != 0)
        fail(command, output);
    return path;
}

const char *ext4_image_make_loaded(const char *name, unsigned mib, const char *options,
                                   struct ram_disk *ram)
{
    const char *path = ext4_image_make(name, mib, options);
    if (!ram_disk_load(ram, path))
        fail("cannot load", path);
    return path;
}

void ext4_image_debugfs(const char *path, const char *request, char *output, size_t size)
{
    char command[COMMAND_SIZE];
    snprintf(command, sizeof command, "%sdebugfs -w -R '%s' %s 2>&1", tool_path, request,
             path);
    run(command, output, size);
}

u32 ext4_image_inode(const char *path, const char *file)
{
    char request[COMMAND_SIZE / 2];
    char output[4096];
    snprintf(request, sizeof request, "stat %s", file);
    ext4_image_debugfs(path, request, output, sizeof output);
    const char *at = strstr(output, "Inode: ");
    return at ? (u32)strtoul(at + 7, NULL, 10) : 0;
}

size_t ext4_image_dump(const char *path, const char *file, void *data, size_t size)
{
    char request[COMMAND_SIZE / 2];
    char output[4096];
    char host[300];
    snprintf(host, sizeof host, "%s.dump", path);
    unlink(host);
    snprintf(request, sizeof request, "dump %s %s", file, host);
    ext4_image_debugfs(path, request, output, sizeof output);
    FILE *stream = fopen(host, "rb");
    if (!stream)
        return 0;
    size_t got = fread(data, 1, size, stream);
    fclose(stream);
    unlink(host);
    return got;
}

void ext4_image_write(const char *path, const char *file, const void *data, size_t size)
{
    char request[COMMAND_SIZE / 2];
    char output[4096];
    char host[300];
    snprintf(host, sizeof host, "%s.source", path);
    FILE *stream = fopen(host, "wb");
    if (!stream || fwrite(data, 1, size, stream) != size || fclose(stream) != 0)
        fail("cannot write", host);
    snprintf(request, sizeof request, "write %s %s", host, file);
    ext4_image_debugfs(path, request, output, sizeof output);
    unlink(host);
}

void ext4_image_make_indexes(const char *path)
{
    char output[4096], command[COMMAND_SIZE];
    snprintf(command, sizeof command, "%stimeout 60 e2fsck -fyD %s 2>&1", tool_path,
             path);
    int code = run(command, output, sizeof output);
    if (code != 0 && code != 1)
        fail(command, output);
}

/*
 * Is it a line that e2fsck prints about a file system without a problem? Its advice that an extent
 * tree could be denser is one: random writes leave such trees, Linux's own too.
 */
static bool is_ordinary_line(const char *line, const char *path)
{
    if (strstr(line, " extent tree ") && strstr(line, "Optimize? no"))
        return true;
    return *line == '\0' || strncmp(line, "Pass ", 5) == 0 ||
           strncmp(line, "e2fsck ", 7) == 0 ||
           (strncmp(line, path, strlen(path)) == 0 && strstr(line, " files ") != NULL);
}

bool ext4_image_is_clean(const char *path)
{
    static char output[OUTPUT_SIZE], copy[OUTPUT_SIZE];
    char command[COMMAND_SIZE];
    snprintf(command, sizeof command, "%stimeout 60 e2fsck -fn %s 2>&1", tool_path, path);
    bool clean = run(command, output, sizeof output) == 0;
    memcpy(copy, output, sizeof copy);
    for (char *line = strtok(copy, "\n"); line; line = strtok(NULL, "\n"))
        clean = clean && is_ordinary_line(line, path);
    if (!clean)
        fprintf(stderr, "%s", output);
    return clean;
}

bool ext4_image_ram_is_clean(const struct ram_disk *ram, const char *path)
{
    if (!ram_disk_save(ram, path))
        fail("cannot save", path);
    return ext4_image_is_clean(path);
}

bool ext4_image_is_clean_after_replay(const char *path)
{
    static char output[OUTPUT_SIZE];
    char command[COMMAND_SIZE];
    snprintf(command, sizeof command, "%stimeout 60 e2fsck -E journal_only -y %s 2>&1",
             tool_path, path);
    int code = run(command, output, sizeof output);
    if (code != 0 && code != 1) {
        fprintf(stderr, "%s", output);
        return false;
    }
    return ext4_image_is_clean(path);
}
