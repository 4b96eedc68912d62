"""Programs never notice a power cut: a few lives of each; `make programs` pulls the plug a hundred times.

KILLS (2) is how often in each test, SEED chooses the moments.
"""

import os
import random
import re
import time

import pytest

from tests.system import program_lives
from tests.system.machine import BUILD, Machine, SHUT_DOWN, fsck_complaints, run
from tests.system.program_checks import HANOI_LINE, HELLO_LINE, Hanoi
from tests.system.program_lives import live, newest_generation
from tests.system.program_witnesses import WITNESSES
from tests.system.test_programs import image_with_programs, output_of

SEED = int(os.environ.get("SEED", "20261121"))
KILLS = int(os.environ.get("KILLS", "2"))
DISKS = 40
OFTEN = "interval=0.1"


@pytest.fixture
def draw():
    print(f"SEED={SEED}")
    return random.Random(SEED)


def watch_for(machine, pattern):
    """What appears until it contains that."""
    text, deadline = "", time.monotonic() + machine.timeout
    while not re.search(pattern, text):
        assert time.monotonic() < deadline, (pattern, text[-500:])
        text += machine.watch(0.05)
    return text


@pytest.mark.parametrize("name", [name for name in WITNESSES if name != "hog"])
def test_program__plug_pulled_at_random__no_step_lost_or_done_twice(name):
    said = []
    lost = live(WITNESSES[name](KILLS), KILLS, SEED, said.append)
    assert lost == 0, said


def test_lives__generations_taken_away_behind_their_back__loss_is_noticed(monkeypatch):
    def steal(image):
        for _ in range(3):
            run(BUILD / "snapctl", "-i", image, "delete", "latest")
        return newest_generation(image)

    said = []
    monkeypatch.setattr(program_lives, "newest_generation", steal)
    assert live(WITNESSES["primes"](10), 10, 3, said.append) == 1
    assert "LOST" in said[0]


def test_rollback__programs_running__go_on_from_that_generation():
    image, hanoi = image_with_programs(), Hanoi(DISKS)
    with Machine(image) as machine:
        machine.command(f"run hanoi {DISKS} 1000 10000 &")
        machine.command("run hello 5000 &")
        watch_for(machine, r"hello, number 50\n")
        name = re.search(r"generation: (\S+)", machine.command("snapper create")).group(1)
        first = int(HELLO_LINE.findall(machine.log)[-1])
        watch_for(machine, rf"hello, number {first + 100}\n")
        machine.command("snapper create")
    with Machine(image, append=f"generation={name} hold") as machine:
        assert 50 <= int(HELLO_LINE.findall(machine.watch(0.5))[-1]) <= first + 1
        machine.command("resume")
        watch_for(machine, rf"hello, number {first + 50}\n")
        moves = HANOI_LINE.findall(machine.log)
        assert [int(number) for number, _ in moves] == list(
            range(int(moves[0][0]), int(moves[-1][0]) + 1, 1000))
        assert all(hanoi.after(int(number)) == int(value, 16) for number, value in moves)
        machine.send("")
        machine.wait_prompt()
        machine.command("snapper create")
        assert machine.shutdown() == SHUT_DOWN
    assert fsck_complaints(image) == []


def test_bomb__plug_pulled_among_spawns__all_end_and_the_system_stays_up(draw):
    image = image_with_programs()
    with Machine(image, append=OFTEN) as machine:
        machine.command("run bomb 4 &")
        assert "generation: " in machine.command("snapper create")
        machine.watch(draw.random())
    with Machine(image, append=OFTEN) as machine:
        assert "bomb" in machine.command("ps")
        deadline = time.monotonic() + 60
        while "bomb" in machine.command("ps"):
            assert time.monotonic() < deadline
        assert output_of(machine, "run mandel 10 2").endswith("steps")
        assert machine.shutdown() == SHUT_DOWN
    assert fsck_complaints(image) == []


def test_hog__twice_the_memory_and_plug_pulled__every_page_as_written(draw):
    image = image_with_programs("1G", "-i", "8192")
    with Machine(image, memory="64M", timeout=200) as machine:
        machine.send("run --memory 200 hog 130 1")
        machine.expect("hog: 33280 pages filled")
        machine.watch(draw.uniform(0, 2))
    with Machine(image, memory="64M", timeout=200, wait=False) as machine:
        machine.expect("resumed")
        text = machine.wait_prompt()
        assert "round 1: 33280 pages ok" in text and "wrong" not in text, text
        assert machine.command("mem check 1 0 1") == "mem: page 0 was never written"
        assert machine.shutdown() == SHUT_DOWN
    assert fsck_complaints(image) == []
