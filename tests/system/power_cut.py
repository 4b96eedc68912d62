"""What a power cut can leave behind of a disk that the real driver wrote to.

QEMU's blklogwrites records every write and flush. Cut after record N, with F the last flush
before it: all up to F is durable; of the records between, each sector of 512 bytes holds, on its
own, what it held at F or what any of these records wrote to it.
"""

import pathlib
import random
import struct
from typing import NamedTuple

from tests.system.machine import copy_image

MAGIC = 0x6a736677736872
FLUSH, FUA, DISCARD = 1, 2, 4
HEADER, RECORD = struct.Struct("<QQQI"), struct.Struct("<QQQQ")
SECTOR = 512


class Record(NamedTuple):
    """One request, in the order of completion."""

    sector: int
    sectors: int
    flags: int
    data: bytes


class RecordedDisk:
    """A disk for Machine(qemu_options=...), several boots in turn, every request of it on record."""

    def __init__(self, image):
        self.image = pathlib.Path(image)
        self.before = copy_image(image)
        self.log = self.image.with_suffix(".log.img")
        self.log.write_bytes(b"")

    def options(self):
        """QEMU's, for the next boot. Requests are not merged, and reach the log one by one."""
        append = "on" if self.log.stat().st_size else "off"
        return [
            "-blockdev", f"driver=file,filename={self.image},node-name=f0",
            "-blockdev", f"driver=file,filename={self.log},node-name=l0",
            "-blockdev", "driver=blklogwrites,file=f0,log=l0,log-super-update-interval=1,"
                         f"log-append={append},node-name=d0",
            "-device", "virtio-blk-pci,drive=d0,disable-legacy=on,write-cache=on,"
                       "request-merging=off,queue-size=1024",
        ]

    def records(self):
        """All so far. After a kill the count in the header lags behind, so the end is where no
        record is."""
        raw = self.log.read_bytes()
        magic, version, _, sector_size = HEADER.unpack_from(raw)
        assert (magic, version, sector_size) == (MAGIC, 1, SECTOR), (magic, version, sector_size)
        found, at = [], SECTOR
        while at + SECTOR <= len(raw):
            # The fourth field is the length of a mark's data, not of these.
            sector, sectors, flags, _ = RECORD.unpack_from(raw, at)
            length = 0 if flags & DISCARD else sectors * SECTOR
            at += SECTOR
            if (sectors == 0 and flags == 0) or at + length > len(raw):
                break
            found.append(Record(sector, sectors, flags, raw[at:at + length]))
            at += length
        return found

    def close(self):
        for path in (self.before, self.log):
            path.unlink(missing_ok=True)


def write(file, record):
    if record.flags & DISCARD:
        data = bytes(record.sectors * SECTOR)
    else:
        data = record.data
    file.seek(record.sector * SECTOR)
    file.write(data)


def survivors(records, chance):
    """The bytes of each sector that the unflushed records may have changed, where one survives.

    Of several versions of a sector the last one that survives is drawn too, so none is certain."""
    probability = chance.choice([0.1, 0.5, 0.9])
    left = {}
    for record in records:
        data = bytes(record.sectors * SECTOR) if record.flags & DISCARD else record.data
        for offset in range(0, len(data), SECTOR):
            if chance.random() < probability:
                left[record.sector + offset // SECTOR] = data[offset:offset + SECTOR]
    return left


def states(disk, count, seed):
    """(records before the cut, path of the image after it), `count` of them, oldest cut first.

    The image is only valid until the next one is asked for."""
    records = disk.records()
    chance = random.Random(seed)
    cuts = sorted(chance.sample(range(1, len(records) + 1), min(count, len(records))))
    durable, done = copy_image(disk.before), 0
    state = None
    try:
        for cut in cuts:
            flush = max((n + 1 for n in range(cut) if records[n].flags & FLUSH), default=0)
            with open(durable, "r+b") as file:
                for record in records[done:flush]:
                    write(file, record)
            done = max(done, flush)
            state = copy_image(durable)
            with open(state, "r+b") as file:
                for sector, data in sorted(survivors(records[flush:cut], chance).items()):
                    file.seek(sector * SECTOR)
                    file.write(data)
            yield cut, state
            state.unlink()
    finally:
        for path in (durable, state):
            if path:
                pathlib.Path(path).unlink(missing_ok=True)
