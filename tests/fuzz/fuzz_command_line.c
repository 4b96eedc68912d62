/* The kernel's command line, and the lines typed at its console. */
#include "kernel/base/command_line.h"
#include "kernel/shell/shell_parse.h"
#include "tests/fuzz/fuzz.h"

static void parse_commands(const char *line)
{
    struct shell_words words;
    const char *at = line, *end = line + strlen(line);

    while (shell_parse(&at, &words) == OK) {
        require(at <= end && words.count > 0 && words.count <= SHELL_WORDS_MAX);
        for (size_t i = 0; i < words.count; i++)
            require(strlen(words.of[i]) < SHELL_TEXT_MAX);
    }
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
    struct command_line_item item;
    size_t cursor = 0;
    char *line = copied(data, size);

    while (command_line_next(line, &cursor, &item)) {
        bool has_value = command_line_get(line, item.key, item.value, sizeof item.value);
        require(!item.has_value || item.cut_off || has_value);
        require(cursor <= size);
    }
    parse_commands(line);
    free(line);
    return 0;
}
