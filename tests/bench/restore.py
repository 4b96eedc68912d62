"""
P11: what the disk reads for pages that come back: in order, as the background brings them and as they are
asked for, and scattered.

On a machine with less memory than there are pages the background ends when that is full, and whoever
touches one of the rest waits for it alone. QEMU traces every read: inodes and directories are read in
whole blocks, what a file holds to the sector, and a block that is read again is seen.
"""

import collections
import random
import re
import time

from tests.bench.boot import Bench, difference
from tests.bench.report import say
from tests.system import machine

LIVE, DIRTY, INCREMENTS = 16384, 64, 10  # S1
ROOMY, SCARCE = "256M", "64M"
TAIL = LIVE * 3 // 4  # from here on nothing finds room in the scarce machine by itself
SCATTERED = 1000
PER_LINE = 10
SECTOR = 512
PAGE_FILE_SECTORS = 9  # 4,102 bytes: a page and its header


def run(block_size):
    image = machine.make_image("512M", "-b", str(block_size), "-i", "8192", "-J", "size=32")
    where = f"S1, {block_size}-byte blocks"
    try:
        make_history(image)
        say(f"P11 pages a read, in order in the background, {where}", read_behind(image), "pages",
            64, 32, least=True)
        say(f"P11 pages a read, in order as they are asked for, {where}", read_in_order(image),
            "pages", 64, 32, least=True)
        report_scattered(where, image, block_size)
    finally:
        image.unlink(missing_ok=True)


def make_history(image):
    with Bench(image, ROOMY) as bench:
        bench.fill(1, LIVE)
        bench.create()
        for number in range(INCREMENTS):
            bench.fill(number + 2, DIRTY)
            bench.create()
        bench.machine.command("sync")
        assert bench.machine.shutdown() == machine.SHUT_DOWN


def read_behind(image):
    """The kernel counts: at the first prompt the background would already have read."""
    check = f"mem check {INCREMENTS + 1} 0 {DIRTY}; mem check 1 {DIRTY} {LIVE - DIRTY}"
    with Bench(image, ROOMY, boot_options=f' run="stats; {check}; stats"') as bench:
        assert f"mem: {LIVE - DIRTY} pages ok" in bench.machine.log
        before, after = map(int, re.findall(r"disk reads: (\d+)", bench.machine.log))
    return LIVE / (after - before)


def brought(told):
    return int(told["pages brought when touched"]) + int(told["pages brought in advance"])


def settled(bench):
    """The counters once the background has ended."""
    before, told = None, bench.stats()
    while told["pages brought in the background"] != before:
        before = told["pages brought in the background"]
        time.sleep(0.3)
        told = bench.stats()
    return told


def read_in_order(image):
    """The first pass puts out what the second one wants."""
    with Bench(image, SCARCE) as bench:
        settled(bench)
        for _ in range(2):
            told, before = bench.stats(), bench.count()
            reply = bench.machine.command(f"mem check 1 {DIRTY} {LIVE - DIRTY}")
            assert reply == f"mem: {LIVE - DIRTY} pages ok", reply
        reads = difference(bench.count(), before)["rd_operations"]
        pages = brought(bench.stats()) - brought(told)
    assert pages >= LIVE // 2, pages
    return pages / reads


def report_scattered(where, image, block_size):
    trace = machine.empty_image(0)
    options = ("-trace", f"enable=virtio_blk_handle_read,file={trace}")
    pages = random.Random(1).sample(range(TAIL, LIVE), SCATTERED)
    try:
        with Bench(image, SCARCE, *options) as bench:
            told, before = settled(bench), bench.count()
            passed = len(reads_of(trace))
            for first in range(0, SCATTERED, PER_LINE):
                some = pages[first:first + PER_LINE]
                reply = bench.machine.command("; ".join(f"mem check 1 {page} 1" for page in some))
                assert reply.count("mem: 1 pages ok") == len(some), reply
            counted = difference(bench.count(), before)["rd_operations"]
            asked = brought(bench.stats()) - brought(told)
            reads = reads_of(trace)[passed:]
    finally:
        trace.unlink(missing_ok=True)
    assert len(reads) == counted, (len(reads), counted)
    data = sum(count == PAGE_FILE_SECTORS for _, count in reads)
    say(f"P11 data reads for {asked} scattered pages, {where}", data, "reads", asked, asked)
    say(f"P11 reads of one inode or directory block for these, the most, {where}",
        most_often(reads, block_size // SECTOR), "reads", 1, 1)
    say(f"all reads for these, {where}", counted, "reads")


def reads_of(trace):
    """First sector and sectors of each."""
    text = trace.read_text(encoding="utf-8")
    return [(int(first), int(count))
            for first, count in re.findall(r"sector (\d+) nsectors (\d+)$", text, re.MULTILINE)]


def most_often(reads, sectors_per_block):
    """How many times one block was read as a whole."""
    times = collections.Counter()
    for first, count in reads:
        if count % sectors_per_block == 0:
            times.update(range(first // sectors_per_block, (first + count) // sectors_per_block))
    return max(times.values())
