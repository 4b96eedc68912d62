#include "tests/crash/arguments.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { JOBS_MAX = 64 };

static _Noreturn void usage(void)
{
    fprintf(
        stderr,
        "usage: crash [--scenario NAME] [--seed N] [--jobs N] [--list] "
        "[--states N] [--depth 1-3] [--fsck N] [--replay TEXT] "
        "[--faults] [--every N] [--kind KIND] [--fault TEXT] [--lives N] [--crashes N] "
        "[--recorded PREFIX] [--stop]\n");
    exit(2);
}

static const struct scenario *find_scenario(const char *name, size_t length)
{
    for (size_t i = 0; i < scenario_count; i++)
        if (strlen(scenarios[i].name) == length &&
            strncmp(scenarios[i].name, name, length) == 0)
            return &scenarios[i];
    fprintf(stderr, "crash: no scenario %.*s (--list)\n", (int)length, name);
    exit(2);
}

static u64 number(const char *text, char end, const char **rest)
{
    char *behind;
    u64 value = strtoull(text, &behind, 10);
    if (behind == text || (*behind != end && *behind != '\0')) {
        fprintf(stderr, "crash: not a number: %s\n", text);
        exit(2);
    }
    *rest = *behind ? behind + 1 : behind;
    return value;
}

/* NAME:SEED:SESSION:RECORDS:CHOICE[:RECORDS:CHOICE...] */
static const struct scenario *parse_replay(const char *text)
{
    size_t length = strcspn(text, ":");
    const struct scenario *scenario = find_scenario(text, length);
    const char *at = text + length + (text[length] == ':');

    exploration.replaying = true;
    exploration.seed = number(at, ':', &at);
    exploration.replay_session = (u32)number(at, ':', &at);
    while (*at && exploration.replay_depth < EXPLORE_DEPTH_MAX) {
        struct cut_choice *cut = &exploration.replay[exploration.replay_depth++];
        cut->records = number(at, ':', &at);
        cut->choice = number(at, ':', &at);
    }
    exploration.depth = exploration.replay_depth;
    return scenario;
}

/* NAME:SEED:ACTION:KIND:NTH:once|on */
static const struct scenario *parse_fault(const char *text)
{
    size_t length = strcspn(text, ":");
    const struct scenario *scenario = find_scenario(text, length);
    const char *at = text + length + (text[length] == ':');
    struct fault *fault = &fault_campaign.replay;

    fault_campaign.replaying = true;
    exploration.seed = number(at, ':', &at);
    fault_campaign.replay_action = (u32)number(at, ':', &at);
    fault->kind = fault_kind_find(at, strcspn(at, ":"));
    at += strcspn(at, ":");
    at += *at == ':';
    fault->nth = number(at, ':', &at);
    fault->for_good = strcmp(at, "on") == 0;
    if (fault->kind == FAULT_KINDS || fault->nth == 0)
        usage();
    return scenario;
}

static const struct option options[] = {
    { "scenario", required_argument, NULL, 'c' },
    { "seed", required_argument, NULL, 's' },
    { "states", required_argument, NULL, 'n' },
    { "depth", required_argument, NULL, 'd' },
    { "fsck", required_argument, NULL, 'f' },
    { "jobs", required_argument, NULL, 'j' },
    { "list", no_argument, NULL, 'l' },
    { "replay", required_argument, NULL, 'r' },
    { "faults", no_argument, NULL, 'F' },
    { "every", required_argument, NULL, 'e' },
    { "fault", required_argument, NULL, 'R' },
    { "lives", required_argument, NULL, 'L' },
    { "crashes", required_argument, NULL, 'C' },
    { "kind", required_argument, NULL, 'k' },
    { "stop", no_argument, NULL, 'S' },
    { "recorded", required_argument, NULL, 'P' },
    { 0 },
};

static u64 whole_number(const char *text)
{
    const char *rest;
    return number(text, '\0', &rest);
}

static _Noreturn void list_scenarios(void)
{
    for (size_t i = 0; i < scenario_count; i++)
        puts(scenarios[i].name);
    exit(0);
}

/* One that takes a number; false: it is none of those. */
static bool set_number(struct arguments *arguments, int option)
{
    u64 *const numbers[] = {
        ['s'] = &exploration.seed,       ['n'] = &exploration.states_wanted,
        ['f'] = &exploration.fsck_every, ['j'] = &arguments->jobs,
        ['e'] = &fault_campaign.every,   ['L'] = &lives.count,
        ['C'] = &lives.crashes,
    };
    if (option < 0 || (size_t)option >= ARRAY_LENGTH(numbers) || !numbers[option])
        return false;
    *numbers[option] = whole_number(optarg);
    return true;
}

static void set(struct arguments *arguments, int option)
{
    switch (option) {
    case 'c':
        arguments->only = find_scenario(optarg, strlen(optarg));
        break;
    case 'd':
        exploration.depth = whole_number(optarg);
        break;
    case 'r':
        arguments->only = parse_replay(optarg);
        break;
    case 'F':
        arguments->faults = true;
        break;
    case 'R':
        arguments->faults = true;
        arguments->only = parse_fault(optarg);
        break;
    case 'k':
        fault_campaign.only = fault_kind_find(optarg, strlen(optarg));
        if (fault_campaign.only == FAULT_KINDS)
            usage();
        break;
    case 'P':
        arguments->recorded = optarg;
        break;
    case 'S':
        arguments->stop = true;
        break;
    case 'l':
        list_scenarios();
    default:
        usage();
    }
}

struct arguments arguments_parse(int count, char **words)
{
    struct arguments arguments = { .jobs = 1 };
    int option;

    while ((option = getopt_long(count, words, "", options, NULL)) != -1)
        if (!set_number(&arguments, option))
            set(&arguments, option);
    if (exploration.depth < 1 || exploration.depth > EXPLORE_DEPTH_MAX ||
        fault_campaign.every < 1 || arguments.jobs < 1 || arguments.jobs > JOBS_MAX ||
        optind < count)
        usage();
    fault_campaign.seed = exploration.seed;
    if (arguments.only || arguments.recorded)
        arguments.jobs = 1;
    exploration.stop = fault_campaign.stop = arguments.stop;
    return arguments;
}
