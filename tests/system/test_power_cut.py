"""The real driver's writes and flushes, cut anywhere: no committed generation is ever lost."""

import os
import re

import pytest

from tests.system.machine import (BUILD, Machine, ROOT, SHUT_DOWN, empty_image, fsck_complaints, make_image,
                                  replayed, run)
from tests.system.power_cut import FLUSH, HEADER, MAGIC, RECORD, SECTOR, RecordedDisk, states

SESSIONS, GENERATIONS, PAGES = 2, 4, 20
STATES = int(os.environ.get("POWER_CUTS", "16"))
RECORDED = int(os.environ.get("RECORDED_STATES", "600"))
SEED = int(os.environ.get("POWER_CUT_SEED", "1"))
LISTED = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]{15}Z ", re.M)


def record_sessions(disk):
    """Generation k holds the pattern of seed k. The plug is pulled at the end of each session.

    For each generation, the number of records when it was begun and when it was acknowledged."""
    begun, acknowledged = [], []
    for _ in range(SESSIONS):
        with Machine(qemu_options=disk.options()) as machine:
            for _ in range(GENERATIONS):
                seed = len(begun) + 1
                machine.command(f"mem fill {seed} 0 {PAGES}")
                begun.append(len(disk.records()))
                assert machine.command("snapper create").startswith("generation: ")
                acknowledged.append(len(disk.records()))
    return begun, acknowledged


def assert_resumes(image, at_least, at_most):
    """The kernel finds a generation in this range, its memory to the byte, and can go on."""
    with Machine(image) as machine:
        newest = len(LISTED.findall(machine.command("snapper list")))
        assert at_least <= newest <= at_most, (newest, at_least, at_most)
        expected = f"mem: {PAGES} pages ok" if newest else "mem: page 0 was never written"
        assert machine.command(f"mem check {newest} 0 {PAGES}") == expected
        machine.command(f"mem fill 99 0 {PAGES}")
        assert machine.command("snapper create").startswith("generation: ")
        assert machine.shutdown() == SHUT_DOWN
    assert fsck_complaints(image) == []


def judge_recording(disk, begun, acknowledged):
    """The crash explorer's judge over many states of the log; how many distinct ones."""
    prefix = disk.image.with_suffix(".recorded")
    files = {suffix: prefix.with_name(prefix.name + suffix) for suffix in (".img", ".log", ".marks")}
    try:
        files[".img"].symlink_to(disk.before)
        files[".log"].symlink_to(disk.log)
        files[".marks"].write_text("".join(f"{a} {b}\n" for a, b in zip(begun, acknowledged)))
        judged = run(BUILD / "crash", "--recorded", prefix, "--states", RECORDED, "--seed", SEED,
                     cwd=ROOT)
    finally:
        for path in files.values():
            path.unlink(missing_ok=True)
    assert judged.returncode == 0, judged.stdout
    return int(re.search(r"^(\d+) states, 0 lost$", judged.stdout, re.M).group(1))


def test_power_cut__any_sector_of_the_log__judged_in_memory():
    disk = RecordedDisk(make_image("64M"))
    try:
        begun, acknowledged = record_sessions(disk)
        distinct = judge_recording(disk, begun, acknowledged)
        print(f"{len(disk.records())} records, {distinct} states")
        assert distinct > len(acknowledged) * 10
        too_early = [mark - 3 for mark in acknowledged]
        with pytest.raises(AssertionError, match="generations"):
            judge_recording(disk, begun, too_early)
    finally:
        disk.close()


def test_power_cut__anywhere__last_acknowledged_generation_is_back():
    image = make_image("64M")
    disk = RecordedDisk(image)
    try:
        begun, acknowledged = record_sessions(disk)
        assert acknowledged[-1] > 2 * SESSIONS * GENERATIONS  # at least the flushes are on record
        for cut, state in states(disk, STATES, SEED):
            print(f"again with POWER_CUT_SEED={SEED}: cut behind record {cut}")
            assert fsck_complaints(replayed(state)) == []
            assert_resumes(state, sum(mark <= cut for mark in acknowledged),
                           sum(mark < cut for mark in begun))
    finally:
        disk.close()


def log_of(*records):
    """A log as blklogwrites writes it: (sector, data), or None for a flush."""
    raw = HEADER.pack(MAGIC, 1, len(records), SECTOR).ljust(SECTOR, b"\0")
    for record in records:
        sector, data = record or (0, b"")
        fields = (sector, len(data) // SECTOR, 0 if record else FLUSH, 0)
        raw += RECORD.pack(*fields).ljust(SECTOR, b"\0") + data
    return raw


def test_states__records_around_a_flush__durable_before_it_any_subset_behind():
    disk = RecordedDisk(empty_image("4K"))
    a, b, c = (bytes([n]) * SECTOR for n in (1, 2, 3))
    seen = set()
    try:
        disk.log.write_bytes(log_of((0, a), None, (1, b + c), (0, c)))
        for seed in range(60):
            for cut, state in states(disk, 4, seed):
                raw = state.read_bytes()
                seen.add((cut, *raw[:3 * SECTOR:SECTOR]))
    finally:
        disk.close()
    assert seen == {(1, 0, 0, 0), (1, 1, 0, 0), (2, 1, 0, 0),
                    *((3, 1, second, third) for second in (0, 2) for third in (0, 3)),
                    *((4, first, second, third) for first in (1, 3) for second in (0, 2)
                      for third in (0, 3))}
