#!/usr/bin/python3
"""Measures generations on the real kernel and prints each figure beside its limit and goal.

    P<n> <what>: <figure> <unit>, limit <x>, goal <y>: met

The disk's requests, bytes and flushes are counted by QEMU (query-blockstats), instructions by its
-icount; both repeat exactly. Times do not; they come last and have no goal. A workload is one
full generation of L live pages and ten increments of D dirty ones, seed 1, without redundancy
copies, requests not merged. Its increments lie between two clean reboots, so that what they leave to
be checkpointed is counted; the settling of reference counts (sync) is not. Environment: BENCH="S1 restore" selects.
"""

import os
import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.bench import history, instructions, pause, peers, plot, report, restore  # noqa: E402
from tests.bench.boot import Bench, difference, first_number  # noqa: E402
from tests.bench.report import say  # noqa: E402
from tests.system import machine  # noqa: E402

PAGE, MIB = 4096, 2**20
INCREMENTS = 10
BLOCK_SIZES = (1024, 4096)
# Live and dirty pages, memory, image; block size -> limit and goal of P4 (None: none is set).
WORKLOADS = {
    "N1000": (1000, 1000, "256M", "256M", {1024: (1.39, None), 4096: (2.15, None)}),
    "S1": (16384, 64, "256M", "512M", {1024: (1.39, 1.60), 4096: (2.15, None)}),
    "S2": (16384, 1024, "256M", "1G", {1024: (1.39, 1.42), 4096: (2.15, 2.2)}),
    "S3": (262144, 64, "2G", "4G", {1024: (1.39, None), 4096: (2.15, None)}),
}


def run_workload(name, block_size):
    live, dirty, memory, size, _ = WORKLOADS[name]
    journal = 128 if live > 100000 else 64 if size == "1G" else 32
    image = machine.make_image(size, "-b", str(block_size), "-i", "8192", "-J", f"size={journal}")
    print(f"--- {name}: {live} live pages, {dirty} dirty, {block_size}-byte blocks")
    try:
        with Bench(image, memory) as bench:
            bench.fill(1, live)
            full, first = bench.create()
            bench.reboot()
            before = bench.count()
            reports, flushes = [], []
            for number in range(INCREMENTS):
                bench.fill(number + 2, dirty)
                counted, told = bench.create()
                reports.append(told)
                flushes.append(counted["flush_operations"])
            increments = difference(bench.count(), before)
            synced = bench.reboot()
            rest = difference(bench.count(), synced)
            assert bench.machine.shutdown() == machine.SHUT_DOWN
        complaints = machine.fsck_complaints(image)
        assert complaints == [], complaints
        report_disk(name, block_size, (full, first), (increments, rest), reports)
        # The first one after a mount also flushes the mark that the file system is in use.
        say(f"P6 flushes per transaction, {name}, {block_size}-byte blocks, the most",
            max(flushes[1:]), "flushes", 2, 2)
        say(f"flushes of the first after a boot, {name}", flushes[0], "flushes")
        with Bench(image, memory, boot_options=" run=stats") as bench:
            # Behind the prompt the rest is read in the background, so the kernel says it itself.
            read = int(re.search(r"disk read bytes: (\d+)", bench.machine.log)[1])
            say(f"P10 bytes read before the first command, clean boot, {name}, "
                f"{block_size}-byte blocks", read, "bytes", f"{live * PAGE} (all pages at once)",
                256 * 1024)
            say(f"time from QEMU's start to the prompt, {name}", bench.seconds_to_prompt, "s",
                goal=5)
    finally:
        image.unlink(missing_ok=True)
    return increments


def report_disk(name, block_size, first_generation, writes, reports):
    full, first = first_generation
    increments, rest = writes
    live, dirty, _, _, targets = WORKLOADS[name]
    limit, goal = targets[block_size]
    where = f"{name}, {block_size}-byte blocks"
    files = sum(first_number(report["files"]) for report in reports) / INCREMENTS
    written = (increments["wr_bytes"] + rest["wr_bytes"]) / INCREMENTS
    metadata = max(0.0, written - files * (PAGE + block_size))

    print(f"full generation: {full['wr_bytes']} bytes, {full['wr_operations']} writes, "
          f"{full['flush_operations']} flushes, {first['files']}")
    say(f"bytes written per byte of it before its checkpoint, {where}",
        full["wr_bytes"] / (live * PAGE), "bytes", limit)
    say(f"P4 bytes written per dirty byte, {where}", written / (dirty * PAGE), "bytes", limit,
        goal)
    say(f"P5 device writes per generation, {where}", increments["wr_operations"] / INCREMENTS,
        "writes", 3, round(4 + files / 120 + metadata / MIB, 1))
    print(f"of this, left to the checkpoint of the clean reboot: {rest['wr_bytes']} bytes in "
          f"{rest['wr_operations']} writes, {where}")
    for key in ("pause", "total"):
        print(f"{key} of the last increment, {where}: {reports[-1][key].split(',')[0]}")


# Files of 4,102 bytes through ext4 alone; block size -> limits and goals of bytes a file.
FILES = 10000
FILE_BYTES = {4096: (8798, 8900), 1024: (5689, 5800)}


def run_files(block_size):
    """P13 to P15; what is left to the checkpoint of a clean reboot is counted."""
    image = machine.make_image("512M", "-b", str(block_size), "-i", "8192", "-J", "size=64")
    where = f"{FILES} files, {block_size}-byte blocks"
    limit, goal = FILE_BYTES[block_size]
    print(f"--- {where}")
    try:
        with Bench(image, "256M") as bench:
            def load(verb):
                before = bench.count()
                reply = bench.machine.command(f"bench files {verb} {FILES}")
                assert reply.startswith("files "), reply
                ran = difference(bench.count(), before)
                bench.reboot()
                return ran, difference(bench.count(), before)

            created, with_checkpoint = load("create")
            say(f"P13 bytes a file, {where}", with_checkpoint["wr_bytes"] / FILES, "bytes", limit,
                goal)
            say(f"P14 device writes, {where}", with_checkpoint["wr_operations"], "writes", 90, 150)
            say(f"P14 flushes beside the mark of the first after a boot, {where}",
                created["flush_operations"] - 1, "flushes", 2, 2)
            read, _ = load("read")
            say(f"P15 requests to read them cold, in order, {where}", read["rd_operations"],
                "requests", 60, 300)
            deleted, with_checkpoint = load("delete")
            say(f"P15 requests to delete them all, cold, {where}",
                deleted["rd_operations"] + with_checkpoint["wr_operations"], "requests", 20, 40)
            assert bench.machine.shutdown() == machine.SHUT_DOWN
        complaints = machine.fsck_complaints(image)
        assert complaints == [], complaints
    finally:
        image.unlink(missing_ok=True)


THROTTLE = 200 * 10**6


def goes_past_the_cache(image):
    """Can this image's file system do without the host's page cache?"""
    try:
        os.close(os.open(image, os.O_RDONLY | os.O_DIRECT))
    except OSError:
        return False
    return True


def run_throughput(block_size):
    """
    P9: a generation of S2 against what the same machine could do, in the same boot; and one of all pages
    on a slow disk, because QEMU lets a tenth of a second's bytes pass at full speed. Through the host's
    page cache nothing reaches its disk before a flush; past it, the disk works while we compute.
    """
    live, dirty, _, size, _ = WORKLOADS["S2"]
    for direct, way in (("off", "through"), ("on", "past")):
        image = machine.make_image(size, "-b", str(block_size), "-i", "8192", "-J", "size=64")
        where = f"{block_size}-byte blocks"
        try:
            if direct == "on" and not goes_past_the_cache(image):
                continue
            # What is written once more lies in memory as a whole.
            with Bench(image, "1G", environment={"DIRECT": direct}) as bench:
                bench.fill(1, live)
                bench.create()
                report_throughput(bench, dirty, INCREMENTS,
                                  f"S2, {where}, unthrottled, {way} the host's cache")
                if direct == "off":
                    bench.machine.throttle_disk(THROTTLE)
                    report_throughput(bench, live, INCREMENTS // 2,
                                      f"{live} dirty pages, {where}, {THROTTLE // 10**6} MB/s")
        finally:
            image.unlink(missing_ok=True)


def report_throughput(bench, dirty, rounds, where):
    """The shortest of some rounds on either side: others may use the machine meanwhile."""
    times, written = [], 0
    for number in range(rounds):
        bench.fill(number + 2, dirty)
        counted, told = bench.create()
        times.append(first_number(told["total"]))
        written = counted["wr_bytes"]
    reply = bench.machine.command(f"bench limits {written}")
    limits = dict(line.split(": ", 1) for line in reply.splitlines())
    raw, crc = first_number(limits["raw write"]), first_number(limits["crc"])
    median = sorted(times)[len(times) // 2]
    print(f"time of a generation of {written} bytes, {where}: {min(times)} us, median {median} us; "
          f"raw writes {raw} us, CRC {crc} us")
    say(f"P9 throughput to the slower of these, {where}", max(raw, crc) / min(times), "times", 1.0,
        0.6, least=True)


def logged_blocks(image):
    """The distinct metadata blocks in the live part of the journal, as debugfs sees it."""
    live = set(re.findall(r"expected sequence (\d+)", machine.debugfs(image, "logdump")))
    blocks, sequence = set(), None
    for line in machine.debugfs(image, "logdump -a").splitlines():
        begins = re.search(r"descriptor block, sequence (\d+)", line)
        block = re.search(r"FS block (\d+) logged", line)
        sequence = begins[1] if begins else sequence
        if block and sequence in live:
            blocks.add(int(block[1]))
    return blocks


def run_purge(block_size):
    """
    P12: the oldest of four generations of S1 goes. The machine is killed then, before anything settles
    reference counts, so that the next boot's replay is the checkpoint.
    """
    live, dirty, memory, size, _ = WORKLOADS["S1"]
    image = machine.make_image(size, "-b", str(block_size), "-i", "8192", "-J", "size=32")
    where = f"S1, {block_size}-byte blocks"
    try:
        with Bench(image, memory) as bench:
            bench.fill(1, live)
            bench.create()
            for number in range(3):
                bench.fill(number + 2, dirty)
                bench.create()
            bench.reboot()
            before = bench.count()
            reply = bench.machine.command("snapper delete oldest")
            assert "deleted" in reply, reply
            purged = difference(bench.count(), before)
        touched = len(logged_blocks(image))
        with Bench(image, memory) as bench:
            replayed = bench.at_prompt["wr_bytes"]
            assert bench.machine.shutdown() == machine.SHUT_DOWN
        complaints = machine.fsck_complaints(image)
        assert complaints == [], complaints
    finally:
        image.unlink(missing_ok=True)
    print(f"purge of the oldest, {where}: {reply.splitlines()[-1]}")
    say(f"P12 blocks written by the purge of the oldest, {where}",
        (purged["wr_bytes"] + replayed) / block_size, "blocks", 2 * touched, 2 * touched + 16)


def run_peers():
    """Ours and theirs, in the same run: S2's dirty set."""
    live, dirty, memory, size, _ = WORKLOADS["S2"]
    image = machine.make_image(size, "-b", "4096", "-i", "8192", "-J", "size=64")
    try:
        with Bench(image, memory) as bench:
            bench.fill(1, live)
            bench.create()
            times = []
            for number in range(INCREMENTS // 2):
                bench.fill(number + 2, dirty)
                counted, told = bench.create()
                times.append(first_number(told["total"]))
    finally:
        image.unlink(missing_ok=True)
    ours = sorted(times)[len(times) // 2]
    stopped, size_bytes = peers.run_savevm(live, dirty, memory)
    say("savevm's time to ours, S2", stopped / ours, "times as fast")
    say("savevm's bytes to ours, S2", size_bytes / counted["wr_bytes"], "times")
    files = peers.run_files(dirty)
    if files is not None:
        say("files on Linux, their time to ours, S2", files / ours, "times as fast")


CHANGED = (1, 4, 16, 64, 256, 1024, 4096, 16384)
ALIVE = (64, 256, 1024, 4096, 16384, 65536)


def measure_increment(bench, alive, changed):
    """Its bytes; an increment before it pays for the checkpoint of what the first one left."""
    bench.fill(1, alive)
    bench.create()
    for seed in (2, 3):
        bench.fill(seed, changed)
        counted, _ = bench.create()
    return counted["wr_bytes"]


def run_curves():
    """The bytes of one increment, for the plot: against what changed, and against what lives."""
    points = []
    for block_size in BLOCK_SIZES:
        image = machine.make_image("4G", "-b", str(block_size), "-i", "8192", "-J", "size=128")
        try:
            with Bench(image, "1G") as bench:
                for pages in ALIVE:
                    points.append(("alive", block_size, pages,
                                   measure_increment(bench, pages, 64)))
                for pages in CHANGED:
                    points.append(("changed", block_size, pages,
                                   measure_increment(bench, CHANGED[-1], pages)))
        finally:
            image.unlink(missing_ok=True)
    plot.write(points)


def run_workloads(names):
    """S1, S2 ...; what their increments cost, beside each other."""
    written = {}
    for name in [name for name in names if name in WORKLOADS]:
        for block_size in BLOCK_SIZES:
            written[name, block_size] = run_workload(name, block_size)
    for block_size in BLOCK_SIZES:
        if ("S1", block_size) in written and ("S3", block_size) in written:
            small, large = written["S1", block_size], written["S3", block_size]
            for key, unit in (("wr_bytes", "bytes"), ("wr_operations", "requests")):
                say(f"P7 {unit} of a generation, S3 / S1, {block_size}-byte blocks",
                    large[key] / small[key], "times", 1.00, 1.05)
    instructions.run({name: WORKLOADS[name][:4] for name in names if name in ("S1", "S2", "S3")})


LOADS = {"files": run_files, "restore": restore.run, "purge": run_purge,
         "defaults": history.run_defaults, "aged": history.run_aged, "throughput": run_throughput}
OTHERS = {"pause": pause.run, "peers": run_peers, "plot": run_curves}


def main():
    names = os.environ.get("BENCH", " ".join([*WORKLOADS, *LOADS, *OTHERS])).split()
    unknown = set(names) - set(WORKLOADS) - set(LOADS) - set(OTHERS)
    if unknown:
        sys.exit(f"bench: {min(unknown)}: there are {' '.join([*WORKLOADS, *LOADS, *OTHERS])}")
    run_workloads(names)
    for name in [name for name in names if name in LOADS]:
        for block_size in BLOCK_SIZES:
            LOADS[name](block_size)
    for name in [name for name in names if name in OTHERS]:
        OTHERS[name]()
    report.save()


main()
