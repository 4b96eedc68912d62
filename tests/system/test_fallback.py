"""Three boots in a row that die on a generation: the fourth falls back to the one before."""

import re
import time

import pytest

from tests.system.machine import (Machine, PANICKED, SHUT_DOWN, copy_image, debugfs_bytes,
                                  fsck_complaints)
from tests.system.program_checks import HELLO_LINE
from tests.system.snapctl import names
from tests.system.test_programs import image_with_programs

RESUMED = r"persist: (\S+) resumed, \d+ pages"
FALLEN_BACK = r"FALLEN BACK: .* boot word generation=(\S+),"
DEATHS = 3


@pytest.fixture(scope="module", name="two")
def two_generations():
    """An image with a program in two generations, and up to where it had counted in each."""
    image = image_with_programs("64M")
    with Machine(image) as machine:
        machine.command("run hello 20000 &")
        counted = []
        for number in (5, 60):
            machine.expect(rf"hello, number {number}\r")
            machine.command("mem fill %d 0 10" % number)
            assert "generation: " in machine.command("snapper create")
            machine.expect(r"hello, number (\d+)\r")
            counted.append(int(machine.console.match.group(1)))
    return image, names(image), counted


@pytest.fixture(name="image")
def copy_of_two(two):
    return copy_image(two[0])


def die(image, times=DEATHS, append=""):
    """Boots that end when they have just gone on; what each went on from."""
    resumed = []
    for _ in range(times):
        with Machine(image, append=append, wait=False) as machine:
            resumed.append(machine.expect(RESUMED).group(1))
            machine.expect("hello, number ")
    return resumed


def boots(image):
    """The count that the disk holds now."""
    return int(re.search(rb"^boots = (\d)$", debugfs_bytes(image, "/snapper.state"), re.M).group(1))


def test_boot__three_have_died__falls_back_to_the_one_before(two, image):
    _, (older, newer), counted = two
    assert die(image) == [newer] * DEATHS
    assert boots(image) == DEATHS
    with Machine(image) as machine:
        assert re.search(rf"\d boots in a row died on {newer}", machine.log)
        assert re.search(RESUMED, machine.log).group(1) == older
        assert re.search(FALLEN_BACK, machine.log).group(1) == newer
        assert f"resumed ({older} resumed" in machine.command("snapper status")
        assert machine.command("mem check 5 0 10") == "mem: 10 pages ok"
        machine.expect(rf"hello, number {counted[0] + 5}\r")
        listed = machine.command("snapper list")
        assert re.search(rf"{newer}.* yes\b", listed), listed
        assert machine.shutdown() == SHUT_DOWN
    assert fsck_complaints(image) == []
    with Machine(image, append=f"generation={newer}") as machine:
        assert machine.command("mem check 60 0 10") == "mem: 10 pages ok"
        assert int(HELLO_LINE.findall(machine.log)[-1]) >= 60
        machine.command("snapper create")
        last = names_now(machine)[-1]
    with Machine(image) as machine:
        assert re.search(RESUMED, machine.log).group(1) == last
        assert "FALLEN BACK" not in machine.log
    assert names(image)[:2] == [older, newer]


def names_now(machine):
    return re.findall(r"^\d{4}-\S+Z", machine.command("snapper list"), re.M)


@pytest.mark.parametrize("kind", ["panic", "triple"])
def test_boot__kernel_dies_each_time__falls_back(two, image, kind):
    _, (older, newer), _ = two
    options = ["-no-reboot"]
    for _ in range(DEATHS):
        with Machine(image, append=f'run="crash {kind}"', wait=False,
                     qemu_options=options) as machine:
            assert machine.expect(RESUMED).group(1) == newer
            assert machine.wait_exit() in (PANICKED, 0)
    with Machine(image, append=f'run="crash {kind}"', wait=False,
                 qemu_options=options) as machine:
        assert machine.expect(RESUMED).group(1) == older
        assert machine.expect(FALLEN_BACK).group(1) == newer


def test_boot__ended_by_the_user__does_not_count(two, image):
    newer = two[1][1]
    for end in ["shutdown", "exit", "reboot"] * 2:
        with Machine(image, qemu_options=["-no-reboot"]) as machine:
            assert re.search(RESUMED, machine.log).group(1) == newer
            machine.send(end)
            machine.wait_exit()
        assert boots(image) == 0


def test_boot__held_or_named__does_not_count(two, image):
    newer = two[1][1]
    die(image, 1)
    for append in ("hold", f"generation={newer}"):
        with Machine(image, append=append) as machine:
            assert re.search(RESUMED, machine.log).group(1) == newer
        assert boots(image) == 1
    die(image, DEATHS - 1)
    with Machine(image, append="hold") as machine:
        assert re.search(RESUMED, machine.log).group(1) == newer
        assert "does not fall back" in machine.log


def test_boot__stopped_by_the_integrity_policy__does_not_count(two, image):
    newer = two[1][1]
    with Machine(image, append="hold") as machine:
        machine.shutdown()  # so that debugfs sees the archive without the journal
    die(image, 1)
    flip_archive(image, newer)
    with Machine(image) as machine:
        assert "not resumed" in machine.log and "ways out" in machine.log
    flip_archive(image, newer)
    assert boots(image) == 1
    assert die(image, 1) == [newer]
    assert boots(image) == 2


def flip_archive(image, generation):
    """One bit of it, where it lies on the image."""
    sector = debugfs_bytes(image, f"/snapper/{generation}/archive")[:512]
    data = image.read_bytes()
    assert data.count(sector) == 1
    with open(image, "r+b") as raw:
        raw.seek(data.index(sector) + len(sector) - 1)
        raw.write(bytes([sector[-1] ^ 1]))


def test_boot__up_for_ten_seconds__does_not_count(two, image):
    newer = two[1][1]
    idle_jumps = ["-icount", "shift=0,sleep=off"]  # the clock, to what the machine waits for
    die(image, DEATHS - 1)
    with Machine(image, qemu_options=idle_jumps) as machine:
        deadline = time.monotonic() + machine.timeout
        while boots(image):
            assert time.monotonic() < deadline
            time.sleep(0.05)
    assert die(image, 1) == [newer]
    assert boots(image) == 1
