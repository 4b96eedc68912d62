#!/usr/bin/python3
"""Programs over many lives, each ended by the plug: no step that a generation held is lost or done twice.

    tests/system/program_lives.py [KILLS [SEED [PROGRAM...]]]     (make programs, which builds all first)

Each program (program_witnesses.py) has an image of its own and KILLS lives on it. What it shows is computed again
line by line. How much of it the last generation holds at least is known in one of three ways: the disk's flushes are
counted while it runs; it is left in the background and a generation taken by hand; or nothing is shown before a
generation holds it (output=commit). The plug is pulled at a drawn moment, now and then in the boot already. The
next life must go on from the newest generation that snapctl finds on the image, with at least that progress.
The last line is `N kills, M lost`.
"""

import json
import pathlib
import random
import subprocess
import sys
import time
import traceback

import pexpect

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.system.machine import (BUILD, Machine, PROMPT, SHUT_DOWN, fsck_complaints,  # noqa: E402
                                  replayed)
from tests.system.program_witnesses import WITNESSES  # noqa: E402

# Few are kept, so that none goes for want of space, in the time of which many flushes may pass.
OFTEN = "interval=0.1 snapper.max_snapshots=8"
COMMITTED = "output=commit"  # what is shown a generation holds: the last step to be seen is not lost
DEAD_IN_A_ROW_MAX = 2  # boots without a generation of their own: a third one is the reason to fall back
CHECK_EVERY = 5


def newest_generation(image):
    """As snapctl reads it off the image, with the journal that the kill left; "": there is none."""
    listed = subprocess.run([BUILD / "snapctl", "-i", image, "list", "--json"], timeout=60,
                            capture_output=True, check=True)
    generations = json.loads(listed.stdout)
    return generations[-1]["name"] if generations else ""


class Session:
    """One life: all that it shows, and how much of that a generation holds for sure."""

    def __init__(self, machine, program, held):
        self.machine, self.program = machine, program
        self.text, self.progress, self.held = "", {}, dict(held)
        self.samples = []
        self.acknowledged = self.held_by = ""

    def hold(self, progress, how):
        """A generation has this, and it is known from that."""
        self.held.update(progress)
        self.held_by = how

    def read(self, text):
        self.text += text
        self.progress = self.program.progress(self.text)

    def look(self, seconds):
        """What appears in that time; then how many flushes there were."""
        self.read(self.machine.watch(seconds))
        flushes = self.machine.disk_counters()["flush_operations"]
        self.samples.append((flushes, self.progress))
        while self.samples[0][0] + self.program.flushes_of_two <= flushes:
            self.hold(self.samples.pop(0)[1], "flushes")

    def look_until(self, reached, what):
        """`reached` is asked again and again, until it is true."""
        deadline = time.monotonic() + self.machine.timeout
        while not reached():
            assert time.monotonic() < deadline, (what, self.progress, self.text[-600:])
            self.look(0.05)

    def settle(self, limit):
        """Until nothing appears any more, or for so many seconds."""
        before, deadline = None, time.monotonic() + limit
        while before != self.text and time.monotonic() < deadline:
            before = self.text
            self.look(0.1)

    def expect(self, pattern):
        """What was shown up to the end of it."""
        self.machine.expect(pattern)
        self.read(self.machine.console.before + self.machine.console.after)
        return self.machine.console.match

    def send(self, text):
        """To the shell, instead of the half of a line that may have come back there."""
        before = len(self.machine.log)
        self.machine.console.send("\x15")
        self.machine.send(text)
        self.read(self.machine.log[before:])

    def command(self, text):
        """The shell's answer."""
        self.send(text)
        reply = self.machine.wait_prompt()
        self.read(reply + "\n")
        return reply

    def in_background(self):
        """Did the generation find the program there? Then the shell has a prompt."""
        self.look_until(lambda: self.progress or PROMPT in self.text, "a screen")
        self.settle(0.3)
        return PROMPT in self.text

    def to_background(self):
        self.machine.console.send("\x1a")
        self.read(self.machine.wait_prompt() + "\n")

    def create(self):
        """A generation by hand: what was shown before it is in it."""
        progress = self.progress
        reply = self.command("snapper create")
        assert "generation: " in reply, reply
        self.acknowledged = reply.split("generation: ")[1].split()[0]
        self.hold(progress, "by hand")


class Lives:
    """One program on one image, life after life."""

    def __init__(self, program, seed):
        self.program, self.draw = program, random.Random(f"{seed} {program.name}")
        self.image = program.image()
        self.held = {}  # what the newest generation holds at least
        self.newest = self.held_by = ""
        self.number = self.early = self.by_hand = 0
        self.dead_in_a_row = 0

    def machine(self, append):
        return Machine(self.image, append=f"{OFTEN} {append}", memory=self.program.memory, wait=False,
                       timeout=self.program.timeout)

    def live(self):
        """One life and its end."""
        before, there = self.newest, self.newest != ""
        hold = there and self.program.can_hold and self.draw.random() < 0.6
        early = there and self.draw.random() < 0.12 and not self.must_stand()
        committed = not hold and self.program.can_hold and self.draw.random() < 0.4
        self.number += 1
        with self.machine("hold" if hold else COMMITTED if committed else "") as machine:
            session = Session(machine, self.program, self.held)
            if early:
                session.read(machine.watch(self.draw.uniform(0, 0.4)))
            else:
                self.spend(session, hold)
            session.read(machine.pull_plug())
            self.program.check(session.text)
            if committed:
                session.hold(session.progress, "shown")
            self.held = session.held
            self.held_by = session.held_by or self.held_by
        self.early += early
        newest = newest_generation(self.image)
        assert newest >= self.newest, (newest, self.newest)
        self.dead_in_a_row = 0 if newest > before else self.dead_in_a_row + 1
        self.newest = newest
        if self.number % CHECK_EVERY == 0:
            self.check_file_system()

    def must_stand(self):
        """This life needs a generation of its own."""
        return self.dead_in_a_row >= DEAD_IN_A_ROW_MAX

    def spend(self, session, hold):
        self.begin(session, hold)
        self.program.work(session, self.draw)
        if self.draw.random() < 0.3 or self.must_stand():
            self.program.create(session)
            self.by_hand += 1
        for _ in range(self.draw.randrange(6)):
            session.look(self.draw.uniform(0, 0.1))
        self.newest = max(self.newest, session.acknowledged)

    def begin(self, session, hold):
        """The program as it was left, after the first life."""
        if not self.newest:
            session.machine.wait_prompt()
            self.program.start(session)
            return
        match = session.expect(r"(?:persist: (\S+) resumed|memory starts empty)")
        assert match.group(1) == self.newest, (match.group(0), "on the image", self.newest)
        self.program.resume(session, hold)

    def check_file_system(self):
        copy = replayed(self.image)
        complaints = fsck_complaints(copy)
        copy.unlink()
        assert complaints == [], complaints

    def end(self):
        """The last life: the program's own check, and an orderly end."""
        self.number += 1
        with self.machine("") as machine:
            session = Session(machine, self.program, self.held)
            self.begin(session, False)
            self.program.end(session)
            self.program.check(session.text)
            assert machine.shutdown() == SHUT_DOWN
        assert fsck_complaints(self.image) == []


def live(program, kills, seed, say=print):
    """How many of the kills lost something: at the first one the program's lives end."""
    lives = Lives(program, seed)
    begun = time.monotonic()
    try:
        for _ in range(kills):
            lives.live()
        lives.end()
    except (AssertionError, pexpect.ExceptionPexpect) as failure:
        where = traceback.extract_tb(failure.__traceback__)[-1]
        say(f"{program.name}: LOST in life {lives.number} of seed {seed}, {lives.image}: "
            f"(held: {lives.held_by}) {where.line}: {failure!r}"[:3000])
        return 1
    lives.image.unlink()
    say(f"{program.name}: {kills} killed, {lives.early} of them in the boot, "
        f"{lives.by_hand} behind a generation by hand; "
        + ", ".join(f"{name} {step}" for name, step in lives.held.items())
        + f"; {time.monotonic() - begun:.0f} s")
    return 0


def main(words):
    kills, seed = (int(word) for word in (words + ["100", "1"][len(words):])[:2])
    names = words[2:] or list(WITNESSES)
    lost = sum(live(WITNESSES[name](kills), kills, seed, lambda line: print(line, flush=True))
               for name in names)
    print(f"{kills * len(names)} kills, {lost} lost")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
