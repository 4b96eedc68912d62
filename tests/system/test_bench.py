"""The bench command: its loads do what they say, and leave the image clean."""

import json
import re

from tests.system import machine
from tests.system.machine import Machine


def counters(reply):
    return dict(zip(("reads", "writes", "flushes"),
                    map(int, re.search(r"(\d+) reads of \d+ bytes, (\d+) writes of \d+ bytes, "
                                       r"(\d+) flushes", reply).groups())))


def test_files__created_read_and_deleted__image_clean(image):
    with Machine(image) as guest:
        assert counters(guest.command("bench files create 300"))["flushes"] >= 2
        guest.command("sync")
        assert guest.command("bench files read 300").startswith("files read: ")
        guest.kill9()
    assert machine.debugfs_bytes(machine.replayed(image), "/bench/00000299")[:6] == b"bench\n"
    with Machine(image) as guest:
        assert guest.command("bench files create 300").endswith("exists already")
        assert guest.command("bench files read 301").endswith("not found")
        assert counters(guest.command("bench files delete 300"))["writes"] > 0
        assert guest.shutdown() == machine.SHUT_DOWN
    assert machine.fsck_complaints(image) == []


def test_limits__written_back__memory_resumes(image):
    with Machine(image) as guest:
        guest.command("mem fill 7 0 500")
        guest.command("snapper create")
        reply = guest.command("bench limits 3000000")
        assert counters(reply)["writes"] == 3
        assert re.search(r"^crc: \d+ us\r?\ncopy: \d+ us$", reply, re.MULTILINE)
        assert guest.command("bench limits 0").startswith("bench: limits: invalid")
        guest.kill9()
    with Machine(image) as guest:
        assert guest.command("mem check 7 0 500") == "mem: 500 pages ok"
        assert guest.shutdown() == machine.SHUT_DOWN
    assert machine.fsck_complaints(image) == []


def compared(folder, before, now, deterministic=True):
    """What bench-compare says of one figure that was and is."""
    for name, figure in (("before", before), ("now", now)):
        row = {"what": "writes", "figure": figure, "unit": "writes", "more_is_better": False,
               "deterministic": deterministic}
        (folder / name).write_text(json.dumps([row]), encoding="utf-8")
    return machine.run(machine.ROOT / "tests/bench/compare.py", folder / "before", folder / "now")


def test_compare__worse_better_or_a_time__only_worse_is_told(tmp_path):
    worse = compared(tmp_path, 100, 103)
    assert (worse.returncode, worse.stdout.splitlines()[0]) == (1, "writes: 100 -> 103 writes")
    assert compared(tmp_path, 100, 101).returncode == 0
    assert compared(tmp_path, 103, 100).returncode == 0
    assert compared(tmp_path, 100, 200, deterministic=False).returncode == 0
    missing = machine.run(machine.ROOT / "tests/bench/compare.py", tmp_path / "none", tmp_path / "now")
    assert missing.returncode != 0 and "none: no such file" in missing.stdout
