#include "tests/support/host_run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

const char *host_run(int worst, const char *format, ...)
{
    static char output[256 * KIB];
    char command[2048] = "PATH=/usr/sbin:/sbin:$PATH; ";
    size_t length = strlen(command);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command + length, sizeof command - length, format, arguments);
    va_end(arguments);

    FILE *pipe = popen(command, "r");
    if (!pipe) {
        perror("host_run");
        exit(1);
    }
    size_t got = fread(output, 1, sizeof output - 1, pipe);
    output[got] = '\0';
    while (fgetc(pipe) != EOF)
        ;
    int status = pclose(pipe);
    if (!WIFEXITED(status) || WEXITSTATUS(status) > worst) {
        fprintf(stderr, "host_run: %s: %s\n", command, output);
        exit(1);
    }
    return output;
}
