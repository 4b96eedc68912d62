/* The way from crt0.S to main(), and what it and others do with argument texts. */
#include "kernel/user/user.h"

const char *program_name = "?";

int main(int count, char **arguments);
_Noreturn void program_start(char *text, size_t size);

void program_start(char *text, size_t size)
{
    char *arguments[ARGUMENT_COUNT_MAX + 1];
    int count = 0;

    for (size_t at = 0; at < size && count < ARGUMENT_COUNT_MAX; count++) {
        arguments[count] = text + at;
        at += strlen(text + at) + 1;
    }
    arguments[count] = NULL;
    if (count > 0)
        program_name = arguments[0];
    process_exit(main(count, arguments));
}

int split_words(char *line, char **words, int fit)
{
    int count = 0;

    while (count < fit) {
        while (*line == ' ')
            *line++ = '\0';
        if (*line == '\0')
            break;
        words[count++] = line;
        while (*line != '\0' && *line != ' ')
            line++;
    }
    return count;
}

u64 argument_number(int count, char **arguments, int at, u64 otherwise)
{
    u64 number = otherwise;

    if (at < count && !text_to_u64(arguments[at], &number)) {
        print("%s: %s is not a number\n", program_name, arguments[at]);
        process_exit(2);
    }
    return number;
}

long program_spawn(int count, char **arguments)
{
    char path[64], text[ARGUMENTS_MAX];
    size_t used = 0;

    format_text(path, sizeof path, arguments[0][0] == '/' ? "%s" : "/bin/%s",
                arguments[0]);
    for (int at = 0; at < count; at++) {
        size_t size = strlen(arguments[at]) + 1;
        if (size > sizeof text - used)
            return ERR_TOO_LARGE;
        memcpy(text + used, arguments[at], size);
        used += size;
    }
    return process_spawn(path, text, used);
}
