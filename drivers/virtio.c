#include "drivers/virtio.h"

#include "kernel/arch/interrupts.h"
#include "kernel/arch/mmio.h"
#include "kernel/base/endian.h"
#include "kernel/base/log.h"
#include "kernel/base/string.h"

/* The common configuration structure. */
enum {
    DEVICE_FEATURE_SELECT = 0,
    DEVICE_FEATURE = 4,
    DRIVER_FEATURE_SELECT = 8,
    DRIVER_FEATURE = 12,
    DEVICE_STATUS = 20,
    QUEUE_SELECT = 22,
    QUEUE_SIZE = 24,
    QUEUE_MSIX_VECTOR = 26,
    QUEUE_ENABLE = 28,
    QUEUE_NOTIFY_OFFSET = 30,
    QUEUE_DESCRIPTORS = 32,
    QUEUE_AVAILABLE = 40,
    QUEUE_USED = 48,
    COMMON_SIZE = 56,
};

enum {
    STATUS_ACKNOWLEDGE = 1,
    STATUS_DRIVER = 2,
    STATUS_DRIVER_OK = 4,
    STATUS_FEATURES_OK = 8,
    STATUS_NEEDS_RESET = 64,
    STATUS_FAILED = 128,
};

/* The vendor capability that tells where a structure lies. */
enum { CFG_TYPE = 3, CFG_BAR = 4, CFG_OFFSET = 8, CFG_LENGTH = 12, CFG_MULTIPLIER = 16 };
enum { CFG_COMMON = 1, CFG_NOTIFY = 2, CFG_DEVICE = 4 };
enum { CAPABILITIES_MAX = 16 };

enum { DESCRIPTOR_NEXT = 1, DESCRIPTOR_WRITE = 2, DESCRIPTOR_INDIRECT = 4 };
enum { QUEUE_SIZE_MAX = 1024 };
enum { RESET_WAIT_MICROSECONDS = 1000000 };

static void write64(volatile u8 *base, u32 offset, u64 value)
{
    mmio_write32(base + offset, (u32)value);
    mmio_write32(base + offset + 4, (u32)(value >> 32));
}

/* All writes before are seen by the device before all after. */
static void barrier(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

static enum status map_structure(struct virtio_device *device, u8 capability, u64 minimum,
                                 volatile u8 **registers, u64 *size)
{
    const struct pci_function *function = &device->function;
    volatile void *mapped;

    *size = pci_read32(function, (u8)(capability + CFG_LENGTH));
    if (*size < minimum)
        return ERR_CORRUPT;
    enum status status =
        pci_map_bar(function, pci_read8(function, (u8)(capability + CFG_BAR)),
                    pci_read32(function, (u8)(capability + CFG_OFFSET)), *size, &mapped);
    if (status == OK)
        *registers = mapped;
    return status;
}

static enum status map_registers(struct virtio_device *device)
{
    const struct pci_function *function = &device->function;
    enum status status = OK;
    u64 size;
    u8 at = 0;

    for (int i = 0; i < CAPABILITIES_MAX && status == OK; i++) {
        at = pci_find_capability(function, PCI_CAPABILITY_VENDOR, at);
        if (at == 0)
            break;
        switch (pci_read8(function, (u8)(at + CFG_TYPE))) {
        case CFG_COMMON:
            if (device->common == NULL)
                status = map_structure(device, at, COMMON_SIZE, &device->common, &size);
            break;
        case CFG_NOTIFY:
            if (device->notify == NULL)
                status =
                    map_structure(device, at, 2, &device->notify, &device->notify_size);
            device->notify_multiplier = pci_read32(function, (u8)(at + CFG_MULTIPLIER));
            break;
        case CFG_DEVICE:
            if (device->config == NULL)
                status =
                    map_structure(device, at, 1, &device->config, &device->config_size);
            break;
        }
    }
    if (status != OK)
        return status;
    return device->common && device->notify && device->config ? OK : ERR_UNSUPPORTED;
}

static void add_status(struct virtio_device *device, u8 bits)
{
    mmio_write8(device->common + DEVICE_STATUS,
                mmio_read8(device->common + DEVICE_STATUS) | bits);
}

static u64 offered_features(struct virtio_device *device)
{
    mmio_write32(device->common + DEVICE_FEATURE_SELECT, 0);
    u64 low = mmio_read32(device->common + DEVICE_FEATURE);
    mmio_write32(device->common + DEVICE_FEATURE_SELECT, 1);
    return low | (u64)mmio_read32(device->common + DEVICE_FEATURE) << 32;
}

static enum status negotiate(struct virtio_device *device, u64 required, u64 wanted)
{
    u64 offered = offered_features(device);

    if ((offered & required) != required) {
        log_error("virtio: the device lacks features 0x%lx", required & ~offered);
        return ERR_UNSUPPORTED;
    }
    device->features = offered & (required | wanted);
    mmio_write32(device->common + DRIVER_FEATURE_SELECT, 0);
    mmio_write32(device->common + DRIVER_FEATURE, (u32)device->features);
    mmio_write32(device->common + DRIVER_FEATURE_SELECT, 1);
    mmio_write32(device->common + DRIVER_FEATURE, (u32)(device->features >> 32));
    add_status(device, STATUS_FEATURES_OK);
    if (!(mmio_read8(device->common + DEVICE_STATUS) & STATUS_FEATURES_OK)) {
        log_error("virtio: the device refuses features 0x%lx", device->features);
        return ERR_UNSUPPORTED;
    }
    return OK;
}

void virtio_reset(struct virtio_device *device)
{
    u64 start = timer_microseconds();

    mmio_write8(device->common + DEVICE_STATUS, 0);
    while (mmio_read8(device->common + DEVICE_STATUS) != 0)
        if (timer_microseconds() - start > RESET_WAIT_MICROSECONDS) {
            log_error("virtio: the device does not finish its reset");
            return;
        }
}

enum status virtio_open(const struct pci_function *function, u64 required, u64 wanted,
                        struct virtio_device *device)
{
    *device = (struct virtio_device){ .function = *function };
    pci_enable(function);
    enum status status = map_registers(device);
    if (status != OK) {
        log_error(
            "virtio: device %02x:%02x.%u: no usable registers (virtio 1.0 is needed)",
            function->bus, function->device, function->function);
        return status;
    }
    virtio_reset(device);
    add_status(device, STATUS_ACKNOWLEDGE);
    add_status(device, STATUS_DRIVER);
    status = negotiate(device, required | VIRTIO_FEATURE_VERSION_1, wanted);
    if (status != OK)
        virtio_fail(device);
    return status;
}

enum status virtio_start(struct virtio_device *device)
{
    add_status(device, STATUS_DRIVER_OK);
    return virtio_is_broken(device) ? ERR_IO : OK;
}

bool virtio_is_broken(const struct virtio_device *device)
{
    return mmio_read8(device->common + DEVICE_STATUS) & STATUS_NEEDS_RESET;
}

void virtio_fail(struct virtio_device *device)
{
    add_status(device, STATUS_FAILED);
}

static enum status alloc_zeroed(u64 size, physical_address *address, u8 **memory)
{
    size_t frames = (size + PAGE_SIZE - 1) / PAGE_SIZE;

    enum status status = frame_alloc_contiguous(frames, address);
    if (status != OK)
        return status;
    *memory = physical_to_virtual(*address);
    memset(*memory, 0, frames * PAGE_SIZE);
    return OK;
}

enum status virtio_queue_open(struct virtio_device *device, u16 index,
                              struct virtio_queue *queue)
{
    volatile u8 *common = device->common;
    physical_address descriptors, available, used;
    u8 *available_memory, *used_memory;

    mmio_write16(common + QUEUE_SELECT, index);
    u16 size = mmio_read16(common + QUEUE_SIZE);
    if (size == 0 || (size & (size - 1)) != 0) {
        log_error("virtio: queue %u has impossible size %u", index, size);
        return ERR_UNSUPPORTED;
    }
    if (size > QUEUE_SIZE_MAX)
        size = QUEUE_SIZE_MAX;
    u64 offset =
        (u64)mmio_read16(common + QUEUE_NOTIFY_OFFSET) * device->notify_multiplier;
    if (offset > device->notify_size - sizeof(u16))
        return ERR_CORRUPT;

    *queue = (struct virtio_queue){ .device = device, .index = index, .size = size };
    enum status status = alloc_zeroed((u64)size * VIRTIO_DESCRIPTOR_SIZE, &descriptors,
                                      &queue->descriptors);
    if (status == OK)
        status = alloc_zeroed(6 + 2ULL * size, &available, &available_memory);
    if (status == OK)
        status = alloc_zeroed(6 + 8ULL * size, &used, &used_memory);
    if (status != OK)
        return status;
    queue->available = available_memory;
    queue->used = used_memory;
    queue->notify = device->notify + offset;

    mmio_write16(common + QUEUE_SIZE, size);
    mmio_write16(common + QUEUE_MSIX_VECTOR, 0);
    write64(common, QUEUE_DESCRIPTORS, descriptors);
    write64(common, QUEUE_AVAILABLE, available);
    write64(common, QUEUE_USED, used);
    mmio_write16(common + QUEUE_ENABLE, 1);
    return OK;
}

static void put_descriptor(u8 *table, u32 at, physical_address address, u32 size,
                           u16 flags, u16 next)
{
    u8 *descriptor = table + (size_t)at * VIRTIO_DESCRIPTOR_SIZE;

    put_le64(descriptor, address);
    put_le32(descriptor + 8, size);
    put_le16(descriptor + 12, flags);
    put_le16(descriptor + 14, next);
}

void virtio_put_descriptor(u8 *table, u32 at, physical_address address, u32 size,
                           bool device_writes, bool last)
{
    u16 flags =
        (u16)((device_writes ? DESCRIPTOR_WRITE : 0) | (last ? 0 : DESCRIPTOR_NEXT));

    put_descriptor(table, at, address, size, flags, last ? 0 : (u16)(at + 1));
}

void virtio_queue_submit(struct virtio_queue *queue, u16 slot, physical_address table,
                         u32 count)
{
    put_descriptor(queue->descriptors, slot, table, count * VIRTIO_DESCRIPTOR_SIZE,
                   DESCRIPTOR_INDIRECT, 0);
    mmio_write16(queue->available + 4 + 2u * (queue->next_available & (queue->size - 1u)),
                 slot);
    barrier(); /* the entry before its index */
    queue->next_available++;
    mmio_write16(queue->available + 2, queue->next_available);
    barrier(); /* the index before the bell */
    mmio_write16(queue->notify, queue->index);
}

bool virtio_queue_next_done(struct virtio_queue *queue, u32 *slot)
{
    if (mmio_read16(queue->used + 2) == queue->next_used)
        return false;
    barrier(); /* the index before the entry, and before the data */
    u32 id = mmio_read32(queue->used + 4 + 8u * (queue->next_used & (queue->size - 1u)));
    queue->next_used++;
    *slot = id < queue->size ? id : UINT32_MAX;
    return true;
}
