"""Odd disks, clocks and ends: the console is always there, and no committed generation is lost."""

import contextlib
import random
import re
import time

import pexpect
import pytest

from tests.system.machine import (Machine, PANICKED, SHUT_DOWN, fsck_complaints, make_image,
                                  replayed)
from tests.system.test_persistence import assert_memory, create, fill, generations, shut_down

DEVICE = "virtio-blk-pci,drive=disk0,disable-legacy=on,werror=report,rerror=report"


def disk_options(image, device="", blockdev="driver=raw,file=file0,node-name=disk0", file=""):
    """QEMU's options for a disk of one's own making."""
    return ["-blockdev", f"driver=file,filename={image},node-name=file0{file}",
            "-blockdev", blockdev, "-device", DEVICE + device]


def reset(machine):
    """The reset button; returns at the prompt of the next boot."""
    machine.qmp("stop")
    while machine.console.expect(["(?s).+", pexpect.TIMEOUT], timeout=0.2) == 0:
        pass  # what was printed before
    machine.qmp("system_reset")
    machine.qmp("cont")
    machine.wait_prompt()


def inject_nmi(machine):
    """Ends in a panic, perhaps before QEMU has answered."""
    with contextlib.suppress(OSError, ValueError):
        machine.qmp("inject-nmi")


def fill_and_create(machine, seed):
    fill(machine, seed, 0, 50)
    return create(machine)


@pytest.mark.parametrize("device", [
    ",queue-size=256", ",queue-size=128", ",queue-size=16", ",num-queues=4", ",packed=on",
    ",event_idx=off", ",write-cache=off", ",seg-max-adjust=off,queue-size=64",
    ",logical_block_size=512,physical_block_size=4096",
    ",discard=off,write-zeroes=off", ",iothread=t0"])
def test_disk__other_shapes_of_the_device__carries_generations(image, device):
    options = disk_options(image, device)
    options = ["-object", "iothread,id=t0", *options] if "iothread" in device else options
    with Machine(qemu_options=options) as machine:
        fill_and_create(machine, 1)
        machine.kill9()
    with Machine(qemu_options=options) as machine:
        assert_memory(machine, 1, 0, 50)
        shut_down(machine, image)


@pytest.mark.parametrize("device", [
    ",logical_block_size=4096,physical_block_size=4096", ",queue-size=4", ",indirect_desc=off", ",vectors=0"])
def test_disk__that_the_driver_cannot_use__says_why_and_writes_nothing(image, device):
    before = image.read_bytes()
    with Machine(qemu_options=disk_options(image, device)) as machine:
        assert "storage: no usable disk" in machine.log
        fill(machine, 1, 0, 5)
        assert "refused: no image" in machine.command("snapper create")
        assert machine.shutdown() == SHUT_DOWN
    assert image.read_bytes() == before


def test_disk__slow__is_waited_for(image):
    options = ["-object", "throttle-group,id=g,x-iops-total=40,x-iops-total-max=40",
               *disk_options(image, blockdev="driver=throttle,throttle-group=g,file=file0,"
                                             "node-name=disk0")]
    with Machine(qemu_options=options, timeout=120) as machine:
        fill_and_create(machine, 1)
        machine.kill9()
    with Machine(image) as machine:
        assert_memory(machine, 1, 0, 50)


def test_disk__slow_where_idle_time_is_skipped__is_waited_for(image):
    """Virtual minutes pass within a real request; the battery clock knows better."""
    options = ["-icount", "shift=0,sleep=off",
               "-object", "throttle-group,id=g,x-bps-write=400000",
               *disk_options(image, blockdev="driver=throttle,throttle-group=g,file=file0,"
                                             "node-name=disk0")]
    with Machine(qemu_options=options, timeout=120) as machine:
        fill(machine, 1, 0, 200)
        create(machine)
        machine.kill9()
    with Machine(image) as machine:
        assert_memory(machine, 1, 0, 200)


def test_disk__read_only__memory_is_back_and_nothing_is_written(image):
    with Machine(image) as machine:
        fill_and_create(machine, 1)
        machine.shutdown()
    before = image.read_bytes()
    with Machine(qemu_options=disk_options(image, file=",read-only=on",
                                           blockdev="driver=raw,file=file0,node-name=disk0,"
                                                    "read-only=on")) as machine:
        assert "read-only" in machine.log
        assert_memory(machine, 1, 0, 50)
        assert "read-only" in machine.command("snapper create")
        assert machine.shutdown() == SHUT_DOWN
    assert image.read_bytes() == before


def test_image__without_a_journal__is_read_only_in_one_line():
    image = make_image("64M", "-O", "^has_journal")
    before = image.read_bytes()
    with Machine(image) as machine:
        assert len([line for line in machine.log.splitlines() if "journal" in line]) == 1
        fill(machine, 1, 0, 5)
        assert "read-only" in machine.command("snapper create")
        assert_memory(machine, 1, 0, 5)
        assert machine.shutdown() == SHUT_DOWN
    assert image.read_bytes() == before


def test_clock__set_back_by_years__the_newest_generation_is_still_the_last_one(image):
    for seed, year in enumerate((2030, 2020, 2030, 2000), start=1):
        with Machine(image, qemu_options=["-rtc", f"base={year}-03-01T12:00:00"]) as machine:
            if seed > 1:
                assert_memory(machine, seed - 1, 0, 50)
            fill_and_create(machine, seed)
            names = generations(machine)
            assert names == sorted(names) and len(names) == seed
            assert machine.shutdown() == SHUT_DOWN
    assert fsck_complaints(image) == []


def test_memory__filled_beyond_the_disk__is_refused_and_what_was_captured_comes_back():
    image = make_image("160M")
    with Machine(image, memory="64M") as machine:
        reply = machine.command("mem fill 1 0 100000", timeout=240)
        refused = re.search(r"mem: page \d+: (no space left|out of memory), after (\d+) pages", reply)
        assert refused, reply
        count = int(refused[2])
        assert count > 15000  # what RAM alone would take
        assert_memory(machine, 1, 0, count)
        machine.kill9()
    with Machine(image, memory="64M") as machine:
        reply = machine.command(f"mem check 1 0 {count}", timeout=120)
        came_back = re.match(r"mem: (?:page )?(\d+) (?:pages ok|was never written)", reply)
        assert came_back and int(came_back[1]) > 15000, reply
        machine.kill9()
    assert fsck_complaints(replayed(image)) == []


@pytest.mark.parametrize("end", ["kill", "system_reset", "inject-nmi"])
def test_boot__ended_at_any_moment__the_next_one_has_the_memory(image, end):
    draw = random.Random(end)
    with Machine(image) as machine:
        fill_and_create(machine, 1)
        fill(machine, 2, 0, 50)
        machine.send("snapper create")
        time.sleep(0.02)
    with Machine(image) as machine:
        seed = 2 if machine.command("mem check 2 0 50") == "mem: 50 pages ok" else 1
    for _ in range(4):
        with Machine(image, append="snapper.fallback=0", wait=False) as machine:
            if end != "kill":
                machine.expect("boot:")
            time.sleep(0.6 * draw.random())
            if end == "system_reset":
                reset(machine)
                assert_memory(machine, seed, 0, 50)
            elif end == "inject-nmi":
                inject_nmi(machine)
        assert fsck_complaints(replayed(image)) == []
    with Machine(image) as machine:
        assert_memory(machine, seed, 0, 50)
        shut_down(machine, image)


@pytest.mark.parametrize("end", ["system_reset", "inject-nmi"])
def test_snapshot_loop__machine_ended_at_random__last_generation_intact(image, end):
    draw = random.Random(end)
    seed = 0
    for _ in range(4):
        with Machine(image) as machine:
            seed += 1
            fill(machine, seed, 0, 50)
            create(machine)
            fill(machine, seed + 1, 0, 50)
            machine.send("snapper create")
            time.sleep(draw.random() * 0.08)
            if end == "inject-nmi":
                inject_nmi(machine)
                assert machine.wait_exit() == PANICKED
            else:
                reset(machine)
                reply = machine.command(f"mem check {seed + 1} 0 50")
                seed += reply == "mem: 50 pages ok"
                assert_memory(machine, seed, 0, 50)
        assert fsck_complaints(replayed(image)) == []
        with Machine(image) as machine:
            seed += machine.command(f"mem check {seed + 1} 0 50") == "mem: 50 pages ok"
            assert_memory(machine, seed, 0, 50)


@pytest.mark.parametrize("options, routine", [
    (["-icount", "shift=0,sleep=off"], "multiplication"),  # where time is instructions
    (["-cpu", "qemu64"], "tables"),
])
def test_checksums__routine_of_this_machine__read_by_another(image, options, routine):
    with Machine(image, qemu_options=options) as machine:
        stats = machine.command("stats").splitlines()
        assert {f"crc-32: by {routine}", f"crc-32c: by {routine}"} < set(stats)
        fill_and_create(machine, 3)
        machine.kill9()
    with Machine(image) as machine:
        assert_memory(machine, 3, 0, 50)
        assert machine.command("snapper verify").endswith("snapshots: clean")
        assert machine.shutdown() == SHUT_DOWN
