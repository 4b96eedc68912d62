/*
 * What a caller may ask of Snapper, one operation each, on a fixture of a few generations: to be tried
 * again and again while something below breaks.
 */
#pragma once

#include "tests/support/snapper_fixture.h"

enum operations_scene {
    SCENE_SOUND,
    SCENE_DAMAGED, /* a copy is damaged, one is missing, a file and a directory too many */
    SCENE_UNREADABLE, /* and the archive of the second */
    SCENE_LOST,       /* and there are no archives but the first */
    SCENE_EMPTY,      /* no generation at all */
    SCENE_CUT,        /* sound, but for a generation half written and one half purged */
};

struct snapper_operation {
    const char *name;
    enum operations_scene scene;
    enum status (*run)(struct fixture *fixture);
};

extern const struct snapper_operation snapper_operations[];
extern const size_t snapper_operation_count;

/* Once for all: streams and an archive to bring in. */
void snapper_operations_prepare(void);
void snapper_operations_done(void);
/* The name of a generation of the scenes, the oldest first. */
const char *snapper_operations_generation(size_t index);
/* A fixture in this condition; fixture_close() as after fixture_open(). */
void snapper_operations_scene(struct fixture *fixture, enum operations_scene scene);
