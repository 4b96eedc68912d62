#include "snapper/host/options.h"

#include "snapper/host/messages.h"

#include <getopt.h>

enum { LONG_ONLY = 256, JSON, FORCE, REPAIR, SUMMARY, REFERENCE, PAGE, VERSION };

static const struct option long_options[] = {
    { "image", required_argument, NULL, 'i' },
    { "dry-run", no_argument, NULL, 'n' },
    { "verbose", no_argument, NULL, 'v' },
    { "set", required_argument, NULL, 'o' },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, VERSION },
    { "json", no_argument, NULL, JSON },
    { "force", no_argument, NULL, FORCE },
    { "repair", no_argument, NULL, REPAIR },
    { "summary", no_argument, NULL, SUMMARY },
    { "reference", required_argument, NULL, REFERENCE },
    { "page", required_argument, NULL, PAGE },
    { 0 },
};

static bool add_override(struct options *options, const char *text)
{
    if (options->override_count == OVERRIDES_MAX) {
        complain("more than %d times -o", OVERRIDES_MAX);
        return false;
    }
    options->overrides[options->override_count++] = text;
    return true;
}

static bool take(struct options *options, int option, const char *value)
{
    switch (option) {
    case 'i':
        options->image = value;
        return true;
    case 'n':
        options->dry_run = true;
        return true;
    case 'v':
        options->verbose = true;
        return true;
    case 'o':
        return add_override(options, value);
    case 'h':
        options->help = true;
        return true;
    case VERSION:
        options->version = true;
        return true;
    case JSON:
        options->json = true;
        return true;
    case FORCE:
        options->given |= OPTION_FORCE;
        return true;
    case REPAIR:
        options->given |= OPTION_REPAIR;
        return true;
    case SUMMARY:
        options->given |= OPTION_SUMMARY;
        return true;
    case REFERENCE:
        options->given |= OPTION_REFERENCE;
        options->reference = value;
        return true;
    case PAGE:
        options->given |= OPTION_PAGE;
        options->page = value;
        return true;
    default:
        return false; /* getopt_long() has said it */
    }
}

bool options_parse(int count, char **words, struct options *options)
{
    static char name[] = "snapctl";
    int option;

    *options = (struct options){ 0 };
    words[0] = name; /* for getopt_long()'s own lines */
    while ((option = getopt_long(count, words, "i:nvo:h", long_options, NULL)) != -1)
        if (!take(options, option, optarg))
            return false;
    if (optind < count)
        options->verb = words[optind++];
    options->arguments = (const char *const *)words + optind;
    options->argument_count = (size_t)(count - optind);
    return true;
}
