"""Programs never notice a power cut: over several lives each goes on where the last generation left it.

KILLS (1) is how often the plug is pulled in each test, SEED chooses the moments.
"""

import os
import random
import re
import time

import pytest

from tests.system.machine import Machine, SHUT_DOWN, fsck_complaints, lines_of, replayed
from tests.system.program_checks import (HANOI_LINE, HELLO_LINE, Hanoi, LIFE_LINE, Life,
                                         PRIMES_LINE, Primes)
from tests.system.test_programs import image_with_programs, output_of, type_to

SEED = int(os.environ.get("SEED", "20261121"))
KILLS = int(os.environ.get("KILLS", "1"))
FLUSHES_OF_TWO = 8  # of two whole generations from now on, without the one in progress
LIFE_SEED, DISKS = 7, 40
OFTEN = "interval=0.1"


@pytest.fixture
def draw():
    print(f"SEED={SEED} KILLS={KILLS}")
    return random.Random(SEED)


def flushes(machine):
    return machine.disk_counters()["flush_operations"]


def wait_generations(machine):
    """Until what there is now is in a generation, or none is taken any more because nothing changes;
    what appears meanwhile."""
    now = flushes(machine)
    target, text = now + FLUSHES_OF_TWO, ""
    while now < target:
        last, deadline = now, time.monotonic() + 1
        while now == last and time.monotonic() < deadline:
            text += machine.watch(0.05)
            now = flushes(machine)
        if now == last:
            break
    return text


def watch_for(machine, pattern):
    """What appears until it contains that."""
    text, deadline = "", time.monotonic() + machine.timeout
    while not re.search(pattern, text):
        assert time.monotonic() < deadline, (pattern, text[-500:])
        text += machine.watch(0.05)
    return text


class Records:
    """All that the programs of a test have said, each line computed again."""

    def __init__(self):
        self.life, self.hanoi = Life(LIFE_SEED), Hanoi(DISKS)
        self.primes = {}
        self.walk = Primes()

    def _primes_below(self, limit):
        if limit not in self.primes and limit < self.walk.candidate:
            self.walk = Primes()
        if limit not in self.primes:
            self.primes[limit] = self.walk.below(limit)
        return self.primes[limit]

    def read(self, text):
        """The last number of each program in the text, after a check of all."""
        last = {}
        assert "wrong" not in text, text
        for count, below, value in PRIMES_LINE.findall(text):
            assert self._primes_below(int(below)) == (int(count), int(value, 16)), below
            last["primes"] = int(below)
        for moves, value in HANOI_LINE.findall(text):
            expected = self.hanoi.known.get(int(moves)) or self.hanoi.after(int(moves))
            assert expected == int(value, 16), moves
            last["hanoi"] = int(moves)
        for step, alive, value in LIFE_LINE.findall(text):
            assert self.life.at(int(step)) == (int(alive), int(value, 16)), step
            last["life"] = int(step)
        for number in HELLO_LINE.findall(text):
            last["hello"] = int(number)
        return last


def test_background__plug_pulled_at_random__no_step_lost_or_done_twice(draw):
    image = image_with_programs("128M")
    records, before = Records(), {}
    for kill in range(KILLS + 1):
        with Machine(image, append=OFTEN + (" hold" if kill else "")) as machine:
            machine.watch(0.5 if kill else 0)
            after = records.read(machine.log)
            for name in after:
                assert after[name] >= before.get(name, 0), (SEED, kill, before, after)
            if kill:
                assert after, "the screen was not shown again"
                assert len(machine.command("ps").splitlines()) == 5
                machine.command("resume")
            else:
                for command in ("primes 4000 10000", f"hanoi {DISKS} 5000", "hello 30000", "hog 2"):
                    machine.command(f"run {command} &")
            watch_for(machine, rf"hello, number {after.get('hello', 0) + 5}\n")
            machine.watch(draw.uniform(0.1, 0.8))
            machine.send("")
            machine.wait_prompt()
            before = records.read(machine.log)
            assert len(before) == 3
            wait_generations(machine)
            machine.watch(draw.random() * 0.3)
            records.read(machine.log)
        assert fsck_complaints(replayed(image)) == [], (SEED, kill)


def test_life__plug_pulled_at_random__goes_on_by_itself(draw):
    image = image_with_programs()
    records, reached = Records(), 0
    for kill in range(KILLS + 1):
        with Machine(image, append=OFTEN, wait=False) as machine:
            if not kill:
                machine.wait_prompt()
                machine.send(f"run life {LIFE_SEED} 20000")
            machine.expect("life: step ")
            text = "life: step " + machine.watch(draw.uniform(0.3, 1))
            text += wait_generations(machine) + machine.watch(draw.random() * 0.3)
            text += machine.pull_plug()
            steps = [int(step) for step, _, _ in LIFE_LINE.findall(text)]
            assert steps == list(range(steps[0], steps[-1] + 1)), (SEED, kill)
            assert steps[0] <= reached + 1 and steps[-1] > reached, (SEED, kill, reached, steps)
            reached = records.read(text)["life"]


def test_lisp__plug_pulled_while_a_line_is_typed__half_of_it_is_there(draw):
    image = image_with_programs()
    for kill in range(KILLS + 1):
        with Machine(image, append=OFTEN, wait=False) as machine:
            if kill:
                machine.expect(r"lisp> (?:\x1b\[K)?\(set! x \(\+ x")
                type_to(machine, " 1))", rf"\n{40 + kill}\r")
                type_to(machine, "(car kept)", r"\nhalf\r")
            else:
                machine.wait_prompt()
                machine.send("run lisp")
                machine.expect("lisp> ")
                type_to(machine, "(define x 40)", r"\nx\r")
                type_to(machine, "(define kept '(half typed))", r"\nkept\r")
            machine.expect("lisp> ")
            machine.console.send("(set! x (+ x")
            wait_generations(machine)
            machine.watch(draw.random() * 0.3)


def test_edit__plug_pulled_while_typing__the_text_is_there(draw):
    image = image_with_programs()
    for kill in range(KILLS + 1):
        with Machine(image, append=OFTEN, wait=False) as machine:
            if not kill:
                machine.wait_prompt()
                machine.send("run edit")
            machine.expect(rf"line {kill + 1}, column {5 if kill else 1}, ")
            machine.console.send("!\rmore" if kill else "\rmore")
            machine.expect(rf"line {kill + 2}, column 5, {6 * kill + 5} bytes")
            if 0 < kill < 15:
                machine.console.send("\x0c")
                machine.expect(r"more!\x1b\[K\r*\n" * kill + r"more\x1b\[K")
            wait_generations(machine)
            machine.watch(draw.random() * 0.3)


def test_kv__plug_pulled_at_random__every_key_is_there(draw):
    image = image_with_programs()
    for kill in range(KILLS + 1):
        with Machine(image, append=OFTEN, wait=False) as machine:
            if kill:
                machine.expect("kv> ")
                type_to(machine, f"check {1000 + kill}", rf"\n{1000 + kill} ok")
                type_to(machine, "get life", rf"\n{kill - 1}\r")
            else:
                machine.wait_prompt()
                machine.send("run kv")
            type_to(machine, f"fill {1001 + kill}", rf"\n{1001 + kill} filled")
            type_to(machine, f"set life {kill}", r"\nok")
            machine.expect("kv> ")
            wait_generations(machine)
            machine.watch(draw.random() * 0.3)


def test_mandel__plug_pulled_at_random__picture_as_without(draw):
    command = f"run mandel 4000 {100 * KILLS}"
    with Machine(image_with_programs()) as machine:
        whole = output_of(machine, command, timeout=600).splitlines()
    image, shown = image_with_programs(), set()
    for kill in range(KILLS + 1):
        with Machine(image, append=OFTEN, wait=False) as machine:
            if not kill:
                machine.wait_prompt()
                machine.send(command)
            if kill < KILLS:
                text = machine.watch(draw.uniform(0.3, 0.8)) + wait_generations(machine)
            else:
                text = machine.wait_prompt() + machine.watch(0.5)
            rows = [line for line in text.splitlines()[:-1] if re.fullmatch(r"\D{72} \d+", line)]
            assert set(rows) <= set(whole), (SEED, kill)
            shown |= set(rows)
    assert whole[-1] in text
    assert shown | {whole[-1]} == set(whole)


def test_rollback__programs_running__go_on_from_that_generation():
    image, records = image_with_programs(), Records()
    with Machine(image) as machine:
        machine.command(f"run hanoi {DISKS} 2000 &")
        machine.command("run hello 5000 &")
        watch_for(machine, r"hello, number 50\n")
        name = re.search(r"generation: (\S+)", machine.command("snapper create")).group(1)
        first = int(HELLO_LINE.findall(machine.log)[-1])
        watch_for(machine, rf"hello, number {first + 100}\n")
        machine.command("snapper create")
    with Machine(image, append=f"generation={name} hold") as machine:
        held = records.read(machine.watch(0.5))
        assert 50 <= held["hello"] <= first + 1
        machine.command("resume")
        text = watch_for(machine, rf"hello, number {first + 50}\n")
        assert records.read(text)["hanoi"] > held["hanoi"]
        machine.send("")
        machine.wait_prompt()
        machine.command("snapper create")
        assert machine.shutdown() == SHUT_DOWN
    assert fsck_complaints(image) == []


def test_bomb__plug_pulled_among_spawns__all_end_and_the_system_stays_up(draw):
    image = image_with_programs()
    with Machine(image, append=OFTEN) as machine:
        machine.command("run bomb 4 &")
        wait_generations(machine)
        machine.watch(draw.random())
    with Machine(image, append=OFTEN) as machine:
        assert "bomb" in machine.command("ps")
        deadline = time.monotonic() + 60
        while "bomb" in machine.command("ps"):
            assert time.monotonic() < deadline
        assert output_of(machine, "run mandel 10 2").endswith("steps")
        assert machine.shutdown() == SHUT_DOWN
    assert fsck_complaints(image) == []


def test_hog__more_than_the_memory__every_page_as_written():
    image = image_with_programs("1G", "-i", "8192")
    with Machine(image, memory="64M", timeout=200) as machine:
        reply = machine.command("run --memory 200 hog 100 1", timeout=200)
        assert "round 1: 25600 pages ok" in reply, reply
        assert machine.command("mem check 1 0 1") == "mem: page 0 was never written"
        assert machine.shutdown() == SHUT_DOWN
    assert fsck_complaints(image) == []
