/*
 * The virtio block device: the first one on the PCI bus, as a `struct disk`.
 */
#pragma once

#include "kernel/block/disk.h"

/*
 * ERR_NO_DEVICE: there is none; otherwise a line in the log says what is wrong with it. The disk lives
 * until the machine stops.
 */
enum status virtio_blk_open(struct disk **disk);
