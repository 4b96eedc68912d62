/*
 * What work is done for, while a generation is made: port_stage() is told, and a platform that measures
 * can say what each stage cost. Exclusive: work for one stage in the midst of another's counts for it
 * alone.
 */
#pragma once

enum stage {
    STAGE_NONE,    /* nothing that concerns a generation */
    STAGE_PREPARE, /* before the line */
    STAGE_HARVEST, /* page tables are searched for what was written */
    STAGE_CAPTURE, /* Snapper: which objects have changed, names, mapping, archive */
    STAGE_CRC,     /* CRC-32 of contents */
    STAGE_FILES,   /* inodes, directories, blocks; data queued for the disk as it comes */
    STAGE_DATA,    /* the rest of the data */
    STAGE_JOURNAL, /* the transaction */
    STAGE_CHECKPOINT, /* older transactions' blocks to their places */
    STAGE_FLUSH,
    STAGE_FINISH, /* pages are clean again */
    STAGE_COUNT
};
