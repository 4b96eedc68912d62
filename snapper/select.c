#include "snapper/select.h"

#include "kernel/base/log.h"
#include "kernel/base/string.h"
#include "snapper/session.h"

/* The generations with an archive, from the newest: the next below index `at` of the list. */
static struct generation *next_older(const struct snapper *snapper, size_t *at)
{
    while (*at > 0) {
        struct generation *generation = snapper->generations.items[--*at];
        bool has_archive;

        if (generation_has_archive(generation, snapper->store, &has_archive) != OK ||
            has_archive)
            return generation;
    }
    return NULL;
}

static enum status select_by_age(const struct snapper *snapper, u64 back,
                                 struct generation_name *name)
{
    size_t at = snapper->generations.count, count = 0;
    const struct generation *generation;

    while ((generation = next_older(snapper, &at)) != NULL)
        if (count++ == back) {
            *name = generation->name;
            return OK;
        }
    log_error("snapper: there are %zu generations, none is %lu before the latest", count,
              back);
    return ERR_NOT_FOUND;
}

static enum status select_oldest(const struct snapper *snapper,
                                 struct generation_name *name)
{
    size_t at = snapper->generations.count;
    const struct generation *generation, *oldest = NULL;

    while ((generation = next_older(snapper, &at)) != NULL)
        oldest = generation;
    if (oldest == NULL) {
        log_error("snapper: there are no generations");
        return ERR_NOT_FOUND;
    }
    *name = oldest->name;
    return OK;
}

static enum status select_by_prefix(const struct snapper *snapper, const char *prefix,
                                    struct generation_name *name)
{
    size_t at = snapper->generations.count, matches = 0;
    const struct generation *generation, *found = NULL;

    while ((generation = next_older(snapper, &at)) != NULL) {
        if (!text_starts_with(generation->name.text, prefix))
            continue;
        found = generation;
        matches++;
    }
    if (matches != 1) {
        log_error("snapper: \"%.40s\" is the beginning of %zu generations", prefix,
                  matches);
        return matches > 0 ? ERR_INVALID_ARGUMENT : ERR_NOT_FOUND;
    }
    *name = found->name;
    return OK;
}

static enum status refuse_form(const char *text)
{
    log_error(
        "snapper: \"%.40s\" is no time of a generation, nor latest, latest~N, oldest",
        text);
    return ERR_INVALID_ARGUMENT;
}

enum status snapper_select(struct snapper *snapper, const char *text,
                           struct generation_name *name)
{
    static const char latest[] = "latest";
    u64 back = 0;

    if (text_equal(text, "oldest"))
        return select_oldest(snapper, name);
    if (!text_starts_with(text, latest))
        return *text ? select_by_prefix(snapper, text, name) : refuse_form(text);
    const char *rest = text + sizeof latest - 1;
    bool zeros_first = *rest && rest[1] == '0' && rest[2]; /* 0x1, 007 */
    if (*rest && (*rest != '~' || zeros_first || !text_to_u64(rest + 1, &back)))
        return refuse_form(text);
    return select_by_age(snapper, back, name);
}
