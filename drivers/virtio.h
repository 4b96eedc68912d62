/*
 * Virtio 1.x over PCI: a device's registers and its split queues.
 *
 * Each request is one descriptor of the queue that points to an indirect table, so the number of
 * requests in flight is the number of slots, whatever their length. The device is not trusted: what
 * it writes into the used ring is checked before it is believed.
 */
#pragma once

#include "drivers/pci.h"
#include "kernel/mm/frame.h"

struct virtio_device {
    struct pci_function function;
    volatile u8 *common;
    volatile u8 *notify;
    volatile u8 *config; /* the device's own; config_size bytes */
    u64 config_size;
    u32 notify_multiplier;
    u64 notify_size;
    u64 features; /* agreed on */
};

#define VIRTIO_FEATURE_INDIRECT (1ULL << 28)
#define VIRTIO_FEATURE_VERSION_1 (1ULL << 32)

/*
 * Finds the registers, resets the device and negotiates: `required` features it must have,
 * `wanted` ones are taken if offered. ERR_UNSUPPORTED, ERR_CORRUPT, with one line in the log.
 */
enum status virtio_open(const struct pci_function *function, u64 required, u64 wanted,
                        struct virtio_device *device);
/* The queues are set up: the device may begin. ERR_IO if it does not want to. */
enum status virtio_start(struct virtio_device *device);
/* Stops it for good: it no longer touches memory when this returns. */
void virtio_reset(struct virtio_device *device);
/* Has it said that only a reset helps? */
bool virtio_is_broken(const struct virtio_device *device);
void virtio_fail(struct virtio_device *device); /* tells it that we give up */

struct virtio_queue {
    struct virtio_device *device;
    volatile u8 *notify;
    u16 index;
    u16 size; /* descriptors, a power of two; also the longest indirect table */
    u8 *descriptors;
    volatile u8 *available;
    volatile u8 *used;
    u16 next_available;
    u16 next_used;
};

/* Sets up a queue as large as the device offers, with its interrupts on MSI-X entry 0. */
enum status virtio_queue_open(struct virtio_device *device, u16 index,
                              struct virtio_queue *queue);
/* Hands over slot `slot` (below size): an indirect table of `count` descriptors at `table`. */
void virtio_queue_submit(struct virtio_queue *queue, u16 slot, physical_address table,
                         u32 count);
/* The next slot that the device is done with; false: none. An impossible one is reported as UINT32_MAX. */
[[nodiscard]] bool virtio_queue_next_done(struct virtio_queue *queue, u32 *slot);

/* One descriptor of an indirect table. */
enum { VIRTIO_DESCRIPTOR_SIZE = 16 };
void virtio_put_descriptor(u8 *table, u32 at, physical_address address, u32 size,
                           bool device_writes, bool last);
