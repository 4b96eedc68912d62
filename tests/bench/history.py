"""
What a generation of S1 writes once there are many: with the defaults, when every page that is due has its
copy, and in an aged history, whose oldest generation goes whenever one comes. Rows beside P4 and P5,
without goals.

As in the workloads, what is measured lies between two clean reboots, so that it pays for its
checkpoint; the settling of reference counts (sync) is not in it.
"""

from tests.bench.boot import Bench, difference
from tests.bench.report import say
from tests.system import machine

PAGE = 4096
LIVE, DIRTY = 16384, 64  # S1
LIMITS = {1024: 1.39, 4096: 2.15}
COPYING = 24  # increments until the defaults have made the copies of the full generation
STEADY = 10
HISTORY, MEASURED = 1000, 100
DEFAULTS = "interval=0"
AGED = "interval=0 snapper.redundancy=0 snapper.max_snapshots=16"


def run_defaults(block_size):
    where = f"S1, {block_size}-byte blocks"
    image = new_image(block_size)
    try:
        with Bench(image, "256M", session=DEFAULTS) as bench:
            bench.fill(1, LIVE)
            bench.create()
            generations(bench, 2, COPYING, same_pages)
            report(f"the defaults, the same pages each time, {where}", block_size,
                   *measure(bench, 2 + COPYING, STEADY, same_pages))
            # A few first, as a page is due for a copy only when some generations share it.
            generations(bench, 2, STEADY, other_pages)
            report(f"the defaults, other pages each time, {where}", block_size,
                   *measure(bench, 2 + STEADY, STEADY, other_pages))
            end(bench, image)
    finally:
        image.unlink(missing_ok=True)


def run_aged(block_size):
    where = f"S1, {block_size}-byte blocks"
    image = new_image(block_size)
    try:
        with Bench(image, "256M", session=AGED) as bench:
            bench.fill(1, LIVE)
            bench.create()
            generations(bench, 2, HISTORY - MEASURED, same_pages)
            report(f"{HISTORY} increments, 16 kept, {where}", block_size,
                   *measure(bench, 2 + HISTORY - MEASURED, MEASURED, same_pages))
            end(bench, image)
    finally:
        image.unlink(missing_ok=True)


def new_image(block_size):
    return machine.make_image("512M", "-b", str(block_size), "-i", "8192", "-J", "size=32")


def end(bench, image):
    assert bench.machine.shutdown() == machine.SHUT_DOWN
    complaints = machine.fsck_complaints(image)
    assert complaints == [], complaints


def same_pages(_):
    return 0


def other_pages(number):
    return number * DIRTY % LIVE


def generations(bench, first, count, place):
    """What the last one printed."""
    for number in range(first, first + count):
        bench.fill(number, DIRTY, place(number))
        _, told = bench.create()
    return told


def measure(bench, first, count, place):
    """Bytes and writes a generation, and the files of the last one."""
    bench.reboot()
    before = bench.count()
    told = generations(bench, first, count, place)
    ran = difference(bench.count(), before)
    synced = bench.reboot()
    checkpoint = difference(bench.count(), synced)
    return ((ran["wr_bytes"] + checkpoint["wr_bytes"]) / count, ran["wr_operations"] / count,
            told["files"])


def report(what, block_size, written, writes, files):
    print(f"{what}: {files}")
    say(f"bytes written per dirty byte, {what}", written / (DIRTY * PAGE), "bytes",
        LIMITS[block_size])
    say(f"device writes per generation, {what}", writes, "writes", 3)
