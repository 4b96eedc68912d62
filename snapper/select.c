#include "snapper/select.h"

#include "kernel/base/log.h"
#include "kernel/base/string.h"

static enum status select_by_age(struct snapper *snapper, u64 back, size_t *index)
{
    size_t count = snapper_generation_count(snapper);

    if (back >= count) {
        log_error("snapper: there are %zu generations, none is %lu before the latest",
                  count, back);
        return ERR_NOT_FOUND;
    }
    *index = count - 1 - (size_t)back;
    return OK;
}

static enum status name_at(struct snapper *snapper, size_t index,
                           struct generation_name *name)
{
    struct snapper_generation_info info;
    enum status status = snapper_generation_info(snapper, index, &info);

    if (status == OK)
        *name = info.name;
    return status;
}

static enum status select_by_prefix(struct snapper *snapper, const char *prefix,
                                    struct generation_name *name)
{
    struct generation_name candidate, found = {};
    size_t matches = 0;

    for (size_t i = 0; i < snapper_generation_count(snapper); i++) {
        enum status status = name_at(snapper, i, &candidate);
        if (status)
            return status;
        if (!text_starts_with(candidate.text, prefix))
            continue;
        found = candidate;
        matches++;
    }
    if (matches != 1) {
        log_error("snapper: \"%.40s\" is the beginning of %zu generations", prefix,
                  matches);
        return matches ? ERR_INVALID_ARGUMENT : ERR_NOT_FOUND;
    }
    *name = found;
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
    size_t count = snapper_generation_count(snapper);
    size_t index;
    u64 back = 0;
    enum status status;

    if (text_equal(text, "oldest")) {
        status = select_by_age(snapper, count ? count - 1 : 0, &index);
    } else if (text_starts_with(text, latest)) {
        const char *rest = text + sizeof latest - 1;
        if (*rest && (*rest != '~' || !text_to_u64(rest + 1, &back)))
            return refuse_form(text);
        status = select_by_age(snapper, back, &index);
    } else {
        return *text ? select_by_prefix(snapper, text, name) : refuse_form(text);
    }
    return status ? status : name_at(snapper, index, name);
}
