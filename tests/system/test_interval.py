"""Generations ten times a second while programs work: for 8 seconds here, for INTERVAL_SECONDS in a campaign.

Every step is computed again, none is refused, and neither memory nor disk fill up: history expires.
"""

import os
import re
import time

from tests.system.machine import Machine, SHUT_DOWN, fsck_complaints, replayed
from tests.system.program_witnesses import Mix
from tests.system.test_programs import image_with_programs

SECONDS = int(os.environ.get("INTERVAL_SECONDS", "8"))
KEPT = 8
APPEND = f"interval=0.1 snapper.max_snapshots={KEPT}"
# What caches and tables may have taken for good.
HEAP_GROWTH_MAX, FRAMES_LOST_MAX, DISK_GROWTH_MAX = 8 << 20, (8 << 20) // 4096, 2 << 20
UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}


def numbers_of(machine, command):
    """The lines `key: number` of a command, sizes in bytes."""
    found = {}
    for line in machine.command(command).splitlines():
        if match := re.fullmatch(r"([a-z 0-9-]+): ([\d.]+)(?: ([KMG]?i?B))?", line):
            found[match[1]] = float(match[2]) * UNITS.get(match[3], 1)
    return found


def generations_made(machine):
    return numbers_of(machine, "lives")["generations"]


def used(machine):
    """What is in use once nothing is in flight: heap, frames, disk."""
    for _ in range(KEPT + 1):
        machine.command("snapper create")
    stats, status = numbers_of(machine, "stats"), numbers_of(machine, "snapper status")
    return stats["heap bytes"], stats["frames"] - stats["frames free"], status["snapshots"]


def work(machine, mix, seconds):
    """The programs go on meanwhile; all that they say is right."""
    text, deadline = "", time.monotonic() + seconds
    while time.monotonic() < deadline:
        text += machine.watch(1)
        kept = len(machine.command("snapper list").splitlines()) - 1
        assert kept <= KEPT, kept
    machine.send("")
    machine.wait_prompt()
    mix.check(machine.log)
    assert mix.progress(machine.log).keys() == mix.progress(text).keys()
    for word in ("no generation was made", "refused", "error:", "is full"):
        assert word not in machine.log, machine.log[-2000:]


def test_interval__a_tenth_of_a_second_under_load__none_refused_and_nothing_grows():
    image, mix = image_with_programs("256M"), Mix(0)
    with Machine(image, append=APPEND) as machine:
        before = used(machine)
        for command in mix.commands[:-1] + ("hog 1",):
            machine.command(f"run {command} &")
        first = generations_made(machine)
        work(machine, mix, SECONDS)
        made = generations_made(machine) - first
        assert made >= SECONDS / 4, made
        machine.command("kill all")
        after = used(machine)
        print(f"{made:.0f} generations in {SECONDS} s; heap, frames, disk: {before} then {after}")
        for grown, limit in zip((now - then for now, then in zip(after, before)),
                                (HEAP_GROWTH_MAX, FRAMES_LOST_MAX, DISK_GROWTH_MAX)):
            assert grown <= limit, (before, after)
        assert machine.command("snapper verify").endswith("snapshots: clean")
        machine.kill9()
    assert fsck_complaints(replayed(image)) == []
    with Machine(image) as machine:
        assert "resumed" in machine.log
        assert machine.shutdown() == SHUT_DOWN
    assert fsck_complaints(image) == []
