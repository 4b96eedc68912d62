#!/usr/bin/python3
"""Measures generations on the real kernel and prints each figure beside its limit and goal.

    P<n> <what>: <figure> <unit>, limit <x>, goal <y>: met

What the disk saw is counted by QEMU (query-blockstats) and repeats exactly; times do not and are
only printed. Workloads: a full generation and ten increments of live L and dirty D pages.
"""

import pathlib
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.system import machine  # noqa: E402

PAGE = 4096
INCREMENTS = 10
# name, live pages, dirty pages, memory, and for P4: block size -> (limit, goal)
WORKLOADS = [
    ("S1", 16384, 64, "256M", {1024: (1.39, 1.60), 4096: (None, None)}),
    ("S2", 16384, 1024, "256M", {1024: (1.39, 1.42), 4096: (2.15, 2.2)}),
]


def line(what, figure, unit, limit, goal):
    if goal is None:
        print(f"{what}: {figure:.2f} {unit}")
        return
    verdict = "met" if figure <= goal else "missed"
    print(f"{what}: {figure:.2f} {unit}, limit {limit}, goal {goal}: {verdict}")


def difference(after, before):
    return {key: after[key] - before[key]
            for key in ("wr_operations", "wr_bytes", "flush_operations", "rd_operations")}


def files_of(reply):
    """The number of files that `snapper create` says it wrote."""
    found = re.search(r"files[^0-9\n]*(\d+)|(\d+) files", reply)
    return int(found[1] or found[2]) if found else 0


def measure(name, live, dirty, memory, block_size, targets):
    image = machine.make_image("1G", "-b", str(block_size), "-i", "8192", "-J", "size=64")
    increments = []
    try:
        with machine.Machine(image, memory=memory, timeout=300, append="interval=0 "
                             "snapper.redundancy=0") as booted:
            booted.command(f"mem fill 1 0 {live}")
            start = time.monotonic()
            before = booted.disk_counters()
            reply = booted.command("snapper create")
            full = difference(booted.disk_counters(), before)
            seconds = time.monotonic() - start
            print(f"--- {name}: {live} live pages, {dirty} dirty, {block_size}-byte blocks")
            print(f"full generation: {full['wr_bytes']} bytes, {full['wr_operations']} writes, "
                  f"{full['flush_operations']} flushes, {seconds:.2f} s")
            for number in range(INCREMENTS):
                booted.command(f"mem fill {number + 2} 0 {dirty}")
                before = booted.disk_counters()
                reply = booted.command("snapper create")
                increments.append((difference(booted.disk_counters(), before),
                                   files_of(reply)))
            print("last reply: " + " | ".join(reply.splitlines()))
            booted.shutdown()
        complaints = machine.fsck_complaints(image)
        print("e2fsck: " + ("clean" if not complaints else complaints[0]))
    finally:
        image.unlink(missing_ok=True)
    report(name, dirty, block_size, targets, increments)


def report(name, dirty, block_size, targets, increments):
    def mean(key):
        return sum(counted[key] for counted, _ in increments) / len(increments)

    where = f"{name}, {block_size}-byte blocks"
    limit, goal = targets[block_size]
    line(f"P4 bytes written per dirty byte, {where}", mean("wr_bytes") / (dirty * PAGE), "bytes",
         limit, goal)
    files = sum(count for _, count in increments) / len(increments) or dirty
    overhead = max(0, mean("wr_bytes") - files * (PAGE + block_size))
    line(f"P5 device writes per generation, {where}", mean("wr_operations"), "writes", 3,
         round(4 + files / 120 + overhead / 2**20, 1))
    line(f"P6 flushes per generation, {where}", mean("flush_operations"), "flushes", 2, 2)


def main():
    for name, live, dirty, memory, targets in WORKLOADS:
        for block_size in (1024, 4096):
            measure(name, live, dirty, memory, block_size, targets)


main()
