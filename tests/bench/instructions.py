"""
P1 to P3 and P7: what a generation costs the processor, by stage, counted by the kernel under -icount.

What programs run beside it, and what passes while it waits for the disk, is not in it.
"""

from tests.bench.boot import COUNTING, Bench
from tests.bench.report import say
from tests.system import machine

INCREMENTS = 3  # the last one is measured
UNTIL_QUEUED = ("prepare", "harvest", "capture", "files", "data")
STAGES = (*UNTIL_QUEUED, "crc", "journal", "checkpoint", "flush", "finish")


def run(workloads):
    """Workloads by name: live and dirty pages, memory, image."""
    totals = {}
    for name, (live, dirty, memory, size) in workloads.items():
        told = measure(live, dirty, memory, size)
        totals[name] = report(name, dirty, told)
    if "S1" in totals and "S3" in totals:
        say("P7 instructions of a generation, S3 / S1", totals["S3"] / totals["S1"], "times", 1.00,
            1.05)


def measure(live, dirty, memory, size):
    image = machine.make_image(size, "-b", "1024", "-i", "8192", "-J", "size=32")
    try:
        with Bench(image, memory, *COUNTING) as bench:
            bench.fill(1, live)
            bench.create()
            for number in range(INCREMENTS):
                bench.fill(number + 2, dirty)
                bench.create()
            return bench.stats()
    finally:
        image.unlink(missing_ok=True)


def report(name, dirty, told):
    """Says it all; the sum of all stages but the flushes, which are waits: what is polled depends on the host."""
    stages = {stage: int(told[f"last generation cycles of {stage}"]) for stage in STAGES}
    # Written are the tables of these pages, that of the kernel's objects, and the two above them.
    tables = -(-dirty // 512) + 3

    print(f"--- instructions of a generation, {name}: " +
          ", ".join(f"{stage} {count}" for stage, count in stages.items()))
    say(f"P1 demarcation alone, {name}", int(told["last generation cycles of the line"]),
        "instructions", 100, 500)
    say(f"P2 page-table entries read per generation, {name}",
        int(told["last generation table entries"]), "entries", dirty, dirty + 512 * tables)
    queued = sum(stages[stage] for stage in UNTIL_QUEUED)
    say(f"P3 instructions per dirty page until its write is queued, beside the CRC, {name}",
        queued / dirty, "instructions", 700, 3000)
    say(f"CRC by {told['crc-32'].removeprefix('by ')}, per dirty page, {name}",
        stages["crc"] / dirty, "instructions")
    return sum(count for stage, count in stages.items() if stage != "flush")
