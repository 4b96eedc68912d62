"""A disk that fails: the error is said, memory goes on, and what was committed stays."""

import random

import pytest

from tests.system.machine import Machine, SHUT_DOWN, fsck_complaints, replayed
from tests.system.test_persistence import assert_memory, create, fill
from tests.system.test_rough_machines import disk_options

PAGES = 50


# Rules of blkdebug: it is in state 1 until the mount's flush, in 3 from the next write on.
AFTER_MOUNT = 3
STATES = "set-state.0.event=flush_to_disk,set-state.0.state=1,set-state.0.new_state=2," \
         "set-state.1.event=write_aio,set-state.1.state=2,set-state.1.new_state=3"


def counting(event, count):
    """More of these states: one further with each request of this kind after the mount."""
    return [{"event": event, "state": AFTER_MOUNT + number, "new_state": AFTER_MOUNT + number + 1}
            for number in range(count)]


def failing_disk(image, *rules, states=()):
    """Each rule: a dictionary of blkdebug's inject-error; each state: one of its set-state."""
    text = ",".join(f"inject-error.{n}.{key}={value}" for n, rule in enumerate(rules)
                    for key, value in {"event": "none", "errno": 5, **rule}.items())
    text += "".join(f",set-state.{n}.{key}={value}" for n, state in enumerate(states, start=2)
                    for key, value in state.items())
    options = disk_options(image, blockdev="driver=raw,file=failing,node-name=disk0")
    return ["-blockdev", f"driver=file,filename={image},node-name=under",
            "-blockdev", f"driver=blkdebug,image=under,node-name=failing,{STATES},{text}",
            *options[2:]]


def prepare(image):
    """Two generations, the second of pattern 2."""
    with Machine(image) as machine:
        for seed in (1, 2):
            fill(machine, seed, 0, PAGES)
            create(machine)
        assert machine.shutdown() == SHUT_DOWN


def assert_recovers(image, *seeds):
    """On the same image with a disk that works again."""
    assert fsck_complaints(replayed(image)) == []
    with Machine(image) as machine:
        replies = {seed: machine.command(f"mem check {seed} 0 {PAGES}") for seed in seeds}
        assert f"mem: {PAGES} pages ok" in replies.values(), replies
        fill(machine, 77, 0, PAGES)
        create(machine)
        assert machine.shutdown() == SHUT_DOWN
    assert fsck_complaints(image) == []


def test_every_write_fails__create_says_so_and_memory_goes_on(image):
    prepare(image)
    rules = {"event": "write_aio", "iotype": "write", "state": AFTER_MOUNT, "once": "off"}
    with Machine(qemu_options=failing_disk(image, rules)) as machine:
        assert_memory(machine, 2, 0, PAGES)
        fill(machine, 3, 0, PAGES)
        reply = machine.command("snapper create")
        assert "snapper: create: input/output error" in reply, reply
        assert "snapper: create: " in machine.command("snapper create")
        assert_memory(machine, 3, 0, PAGES)
        assert machine.command("sync").count("sync: ") == 1
        machine.send("shutdown")
        assert machine.wait_exit() == SHUT_DOWN
    assert_recovers(image, 2)


def test_every_flush_fails__no_generation_is_acknowledged(image):
    prepare(image)
    rules = {"event": "flush_to_disk", "iotype": "flush", "state": AFTER_MOUNT, "once": "off"}
    with Machine(qemu_options=failing_disk(image, rules)) as machine:
        assert_memory(machine, 2, 0, PAGES)
        fill(machine, 3, 0, PAGES)
        reply = machine.command("snapper create")
        assert "generation: " not in reply, reply
        assert_memory(machine, 3, 0, PAGES)
    assert_recovers(image, 2, 3)


def test_every_read_fails__one_line_and_console(image):
    prepare(image)
    rules = {"iotype": "read", "once": "off"}
    with Machine(qemu_options=failing_disk(image, rules)) as machine:
        assert "storage: " in machine.log
        assert "refused" in machine.command("snapper create")
        assert machine.shutdown() == SHUT_DOWN
    assert_recovers(image, 2)


@pytest.mark.parametrize("seed", range(4))
def test_one_request_at_a_random_place_fails__nothing_acknowledged_is_lost(image, seed):
    prepare(image)
    draw = random.Random(seed)
    kind = draw.choice(["write", "write", "read"])
    rules = [{"iotype": kind, "once": "on",
              "sector": draw.randrange(0, 20000) & ~1} for _ in range(40)]
    kept = 2
    with Machine(qemu_options=failing_disk(image, *rules)) as machine:
        for number in range(3, 9):
            fill(machine, number, 0, PAGES)
            reply = machine.command("snapper create", timeout=120)
            if "generation: " in reply:
                kept = number
            assert_memory(machine, number, 0, PAGES)
        machine.send("shutdown")
        assert machine.wait_exit() == SHUT_DOWN
    assert_recovers(image, *range(kept, 9))


@pytest.mark.parametrize("event, iotype, number", [
    ("write_aio", "write", 1), ("write_aio", "write", 2), ("write_aio", "write", 5),
    ("write_aio", "write", 11), ("flush_to_disk", "flush", 1), ("flush_to_disk", "flush", 2),
    ("flush_to_disk", "flush", 4)])
def test_nth_request_fails_once__nothing_acknowledged_is_lost(image, event, iotype, number):
    prepare(image)
    rule = {"event": event, "iotype": iotype, "state": AFTER_MOUNT + number - 1, "once": "on"}
    kept, failed = 2, 0
    options = failing_disk(image, rule, states=counting(event, number - 1))
    with Machine(append="snapper.fallback=0", qemu_options=options) as machine:
        for seed in range(3, 7):
            fill(machine, seed, 0, PAGES)
            reply = machine.command("snapper create", timeout=120)
            if "generation: " in reply:
                kept = seed
            failed += "snapper: create: " in reply
            assert_memory(machine, seed, 0, PAGES)
        machine.send("shutdown")
        assert machine.wait_exit() == SHUT_DOWN
    assert failed > 0
    assert_recovers(image, *range(kept, 7))


def test_flush_of_the_boots_count_fails__resumed_and_said(image):
    prepare(image)
    rule = {"event": "flush_to_disk", "iotype": "flush", "state": AFTER_MOUNT, "once": "on"}
    with Machine(qemu_options=failing_disk(image, rule)) as machine:
        assert "this boot is not counted: " in machine.log
        assert_memory(machine, 2, 0, PAGES)
        machine.send("shutdown")
        assert machine.wait_exit() == SHUT_DOWN
    assert_recovers(image, 2)
