#include "kernel/shell/shell_parse.h"

#include "kernel/base/string.h"

static const char *skip(const char *at, const char *characters)
{
    while (*at && strchr(characters, *at))
        at++;
    return at;
}

/* One word from *at, quotes removed, appended to the text. */
static enum status take_word(const char **at, struct shell_words *words, size_t *used)
{
    bool quoted = false;

    if (words->count == SHELL_WORDS_MAX)
        return ERR_TOO_LARGE;
    words->of[words->count] = words->text + *used;
    for (; **at && (quoted || !strchr(" \t;", **at)); ++*at) {
        if (**at == '"') {
            quoted = !quoted;
            continue;
        }
        if (*used + 1 >= sizeof words->text)
            return ERR_TOO_LARGE;
        words->text[(*used)++] = **at;
    }
    if (quoted)
        return ERR_INVALID_ARGUMENT;
    words->text[(*used)++] = '\0';
    words->count++;
    return OK;
}

enum status shell_parse(const char **at, struct shell_words *words)
{
    size_t used = 0;

    words->count = 0;
    *at = skip(*at, " \t;");
    if (!**at)
        return ERR_NOT_FOUND;
    while (**at && **at != ';') {
        if (used >= sizeof words->text)
            return ERR_TOO_LARGE;
        enum status status = take_word(at, words, &used);
        if (status)
            return status;
        *at = skip(*at, " \t");
    }
    return OK;
}
