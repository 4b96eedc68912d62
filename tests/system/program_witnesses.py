"""The programs whose lives are watched: how each is begun, found again and judged."""

import re

from tests.system.machine import lines_of
from tests.system.program_checks import (HANOI_LINE, HELLO_LINE, Hanoi, LIFE_LINE, Life,
                                         PRIMES_LINE, Primes)
from tests.system.program_scripts import ESCAPES, Edit, FLUSHES_OF_TWO, Kv, Lisp
from tests.system.test_programs import image_with_programs, output_of

LIFE_SEED, DISKS = 7, 40


def assert_reached(progress, held):
    """Nothing that a generation held is gone."""
    for name, step in held.items():
        assert progress.get(name, 0) >= step, ("held", held, "found", progress)


def assert_consecutive(name, steps, every):
    for before, step in zip(steps, steps[1:]):
        assert step == before + every, (name, "behind", before, "came", step)


class Stream:
    """A program in the foreground that shows step after step; every step's line can be computed again."""

    name = command = line = None
    every = 1  # so many steps to a line
    memory, timeout, flushes_of_two = "128M", 60, FLUSHES_OF_TWO
    can_hold = True

    def __init__(self, kills):
        self.kills = kills

    def image(self):
        return image_with_programs()

    def lines(self, text):
        return self.line.findall(ESCAPES.sub("", text))

    def steps(self, text):
        return [self.step(found) for found in self.lines(text)]

    def step(self, found):
        """The number of the step that a line shows."""
        return int(found[0])

    def progress(self, text):
        steps = self.steps(text)
        return {self.name: steps[-1]} if steps else {}

    def check(self, text):
        """Every line as computed, and each the one after the one before."""
        assert ": wrong" not in text, text[-1000:]
        steps = self.steps(text)
        assert_consecutive(self.name, steps, self.every)
        for found in self.lines(text):
            self.check_line(found)

    def check_line(self, found):
        raise NotImplementedError

    def start(self, session):
        session.machine.console.send(f"run {self.command}\r")
        session.look_until(lambda: session.progress, "first step")

    def resume(self, session, hold):
        """On hold the screen shows how far the generation had come."""
        background = session.in_background()
        if hold:
            session.settle(5)
            assert_reached(session.progress, session.held)
            self.release(session, background)
        if hold or background:
            session.send("fg 1")
        shown = {name: step + self.every
                 for name, step in {**session.held, **session.progress}.items()}
        session.look_until(lambda: all(session.progress.get(name, 0) >= step
                                       for name, step in shown.items()), shown)

    def release(self, session, background):
        if not background:
            session.to_background()
        assert " held " in session.command("ps")
        session.command("resume")

    def work(self, session, draw):
        for _ in range(draw.randrange(2, 12)):
            session.look(0.05)

    def create(self, session):
        session.to_background()
        session.create()
        session.send("fg 1")

    def end(self, session):
        session.machine.console.send("\x03")
        session.read(session.machine.wait_prompt())


class PrimesLives(Stream):
    name, command, line, every = "primes", "primes 500 20000", PRIMES_LINE, 500

    def __init__(self, kills):
        super().__init__(kills)
        self.walk, self.known = Primes(), {}

    def step(self, found):
        return int(found[1])

    def below(self, limit):
        for known in range(len(self.known) + 1, limit // self.every + 1):
            self.known[known * self.every] = self.walk.below(known * self.every)
        return self.known[limit]

    def check_line(self, found):
        count, limit, value = found
        assert self.below(int(limit)) == (int(count), int(value, 16)), found

    def end(self, session):
        """The program's own check."""
        super().end(session)
        count, below, value = PRIMES_LINE.findall(session.text)[-1]
        answer = output_of(session.machine, f"run primes --check {below} 0x{value}")
        assert answer.endswith(f"primes: ok, all {count} below {below}"), answer


class LifeLives(Stream):
    name, command, line = "life", f"life {LIFE_SEED} 20000", LIFE_LINE

    def __init__(self, kills):
        super().__init__(kills)
        self.life = Life(LIFE_SEED)

    def check_line(self, found):
        step, alive, value = found
        assert self.life.at(int(step)) == (int(alive), int(value, 16)), found


class HanoiLives(Stream):
    name, command, line, every = "hanoi", f"hanoi {DISKS} 1000 10000", HANOI_LINE, 1000

    def __init__(self, kills):
        super().__init__(kills)
        self.hanoi = Hanoi(DISKS)

    def check_line(self, found):
        moves, value = found
        assert self.hanoi.after(int(moves)) == int(value, 16), found


class HelloLives(Stream):
    name, command, line = "hello", "hello 10000", HELLO_LINE

    def step(self, found):
        return int(found)

    def check_line(self, found):
        pass


class MandelLives(Stream):
    """Its rows are those of a machine whose plug nobody pulls, asked for them in the end."""

    name = "mandel"
    line = re.compile(r"^([^\d\n]{72}) (\d+)\n", re.M)

    def __init__(self, kills):
        super().__init__(kills)
        self.command = f"mandel 20000 {60 * (kills + 2)}"
        self.rows = []  # as shown, each with the sum up to its end

    def step(self, found):
        return int(found[1])

    def check(self, text):
        """Each row known already is the same as then; a new one comes behind all known."""
        shown = self.lines(text)
        if not shown:
            return
        at = self.rows.index(shown[0]) if shown[0] in self.rows else len(self.rows)
        overlap = self.rows[at:at + len(shown)]
        assert shown[:len(overlap)] == overlap, (shown, self.rows[-5:])
        self.rows += shown[len(overlap):]
        sums = [int(total) for _, total in self.rows]
        assert sums == sorted(set(sums)), sums[-60:]

    def end(self, session):
        super().end(session)
        self.check(session.text)
        machine = session.machine
        machine.console.send(f"run {self.command}\r")
        machine.console.expect(rf" {self.rows[-1][1]}\r*\n", timeout=60 + 2 * self.kills)
        undisturbed = self.lines(lines_of(machine.console.before + machine.console.after))
        assert undisturbed == self.rows, [pair for pair in zip(undisturbed, self.rows)
                                          if pair[0] != pair[1]][:3]
        machine.console.send("\x03")
        machine.wait_prompt()


class HogLives(Stream):
    """Writes and checks, round after round, twice the machine's memory."""

    name, command = "hog", "--memory 200 hog 130"
    line = re.compile(r"hog: (?:round )?(\d+)(?:: \d+)? pages (?:ok|filled)\n")
    memory, timeout = "64M", 300
    flushes_of_two = 60  # one generation is many transactions, and older ones go for its space

    def image(self):
        return image_with_programs("1G", "-i", "8192")

    def step(self, found):
        """0: all is filled."""
        return 0 if found == str(130 * 256) else int(found)

    def check_line(self, found):
        pass  # it has looked itself

    def start(self, session):
        """Behind this generation there is always a line on the screen."""
        super().start(session)
        self.create(session)

    def resume(self, session, hold):
        """A round takes too long to be waited for."""
        background = session.in_background()
        assert_reached(session.progress, session.held)
        if hold:
            self.release(session, background)
        if hold or background:
            session.send("fg 1")

    def work(self, session, draw):
        for _ in range(draw.randrange(2, 12)):
            session.look(0.5)

    def end(self, session):
        """One more round, so that every page has been looked at."""
        rounds = session.progress[self.name] + 2
        session.look_until(lambda: session.progress[self.name] >= rounds, rounds)
        super().end(session)


class Mix(Stream):
    """Several in the background, one of which does nothing but write and check its memory."""

    name = "mix"
    commands = (f"hanoi {DISKS} 1000 20000", "primes 500 30000", "hello 30000", "hog 2")

    def __init__(self, kills):
        super().__init__(kills)
        self.parts = [HanoiLives(kills), PrimesLives(kills), HelloLives(kills)]

    def image(self):
        return image_with_programs("128M")

    def progress(self, text):
        progress = {}
        for part in self.parts:
            progress.update(part.progress(text))
        return progress

    def check(self, text):
        for part in self.parts:
            part.check(text)

    def start(self, session):
        for command in self.commands:
            session.command(f"run {command} &")
        session.look_until(lambda: len(session.progress) == len(self.parts), "all begin")

    def resume(self, session, hold):
        session.settle(0.3)
        if hold:
            assert_reached(session.progress, session.held)
            assert session.command("ps").count(" held ") == len(self.commands)
            session.command("resume")
        reached = dict(session.held)
        session.look_until(lambda: all(session.progress.get(name, 0) > step
                                       for name, step in reached.items()), reached)

    def create(self, session):
        session.create()

    def end(self, session):
        running = session.command("ps")
        assert all(f" {command.split()[0]}" in running for command in self.commands), running
        session.command("kill all")


WITNESSES = {witness.name: witness for witness in
             (PrimesLives, LifeLives, HanoiLives, HelloLives, MandelLives, Lisp, Kv, Edit, Mix,
              HogLives)}
