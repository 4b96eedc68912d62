"""Programs that are talked to: an endless script is typed, of which the plug cuts off a piece again and again.

What the screen shows after a resume tells how far in the script the generation had come, to the key: that is the
progress. The typing goes on from there.
"""

import re

from tests.system.test_programs import image_with_programs

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\a")
# In the time of so many the generation in progress, what it removes of older ones, and a whole one are done.
FLUSHES_OF_TWO = 12
ERASED = re.compile(r"[^\n]*\n\x1b\[K")  # a carriage return has become a newline here
MESSAGES = re.compile(r"^(?:\[ *\d+\.\d{6}\]|snapper>) [^\n]*\n", re.M)
ROWS = 20  # that the editor shows


def plain(text):
    """As it stands on the screen in the end, without the kernel's messages and its shell."""
    return re.sub(r"\n+", "\n", MESSAGES.sub("", ESCAPES.sub("", ERASED.sub("", text))))


class Script:
    """What resume, typing and checking have in common."""

    name = None
    memory, timeout, flushes_of_two = "128M", 60, FLUSHES_OF_TWO
    typed = 0  # keys so far, in any life
    can_hold = False  # it waits by itself

    def __init__(self, kills):
        self.kills = kills

    def image(self):
        return image_with_programs()

    def start(self, session):
        session.machine.console.send(f"run {self.name}\r")
        session.look_until(lambda: session.progress, "begins")

    def resume(self, session, _hold):
        if session.in_background():
            session.send("fg 1")
        session.look_until(lambda: session.progress, "its screen")
        session.settle(5)
        found, held = session.progress[self.name], session.held.get(self.name, 0)
        assert held <= found <= self.typed, (held, found, self.typed, session.text[-300:])

    def create(self, session):
        session.to_background()
        session.create()
        session.send("fg 1")

    def work(self, session, draw):
        for _ in range(draw.randrange(2, 8)):
            self.type(session, draw.randrange(1, 20))
            session.look(draw.uniform(0, 0.1))

    def type(self, session, count):
        """The next keys of the script, and wait until they show."""
        while count > 0:
            at = session.progress[self.name]
            keys = self.keys(at, count)
            session.machine.console.send(keys)
            self.typed = max(self.typed, at + len(keys))
            goal, count = at + len(keys), count - len(keys)
            session.look_until(lambda: session.progress.get(self.name) == goal, (at, keys))


class Dialogue(Script):
    """Lines and answers behind a prompt. Each line occurs once."""

    number = 0  # of the line being typed

    def __init__(self, kills):
        super().__init__(kills)
        self.lines, self.starts, self.numbers, self.end_at = [], [], {}, 0
        self.prompt = f"{self.name}> "
        self.whole = re.compile(rf"^{self.prompt}([^\n]+)\n([^\n]*)\n", re.M)
        self.last = re.compile(rf"^{self.prompt}([^\n]*)\Z", re.M)

    def line(self, number):
        """(what is typed, what it answers)"""
        raise NotImplementedError

    def at(self, number):
        """The line of that number, with the key at which it starts."""
        while len(self.lines) <= number:
            self.lines.append(self.line(len(self.lines)))
            self.starts.append(self.end_at)
            self.numbers[self.lines[-1][0]] = len(self.lines) - 1
            self.end_at += len(self.lines[-1][0]) + 1
        return self.lines[number], self.starts[number]

    def keys(self, at, count):
        number = 0
        while self.at(number + 1)[1] <= at:
            number += 1
        (line, _), start = self.at(number)
        return (line + "\r")[at - start:at - start + count]

    def dialogue(self, text):
        """(number, answer) of each line that was ended; the rest is what the shell was told."""
        return [(self.numbers[line], answer) for line, answer in self.whole.findall(plain(text))
                if line in self.numbers]

    def progress(self, text):
        last = self.last.search(plain(text))
        if not last:
            return {}
        said = self.dialogue(text)
        number = said[-1][0] + 1 if said else self.number
        (line, _), start = self.at(number)
        assert line.startswith(last.group(1)), (number, line, last.group(1), text[-300:])
        self.number = number
        return {self.name: start + len(last.group(1))}

    def check(self, text):
        """Each answer as computed; each line the one after the one before."""
        said = self.dialogue(text)
        for number, answer in said:
            assert answer == self.at(number)[0][1], (self.at(number), answer)
        numbers = [number for number, _ in said]
        if numbers:
            assert numbers == list(range(numbers[0], numbers[-1] + 1)), numbers

    def end(self, session):
        self.type(session, len(self.keys(session.progress[self.name], 1000)))
        line, answer = self.last_question(self.number)
        session.machine.console.send(line + "\r")
        session.machine.expect(rf"\n{answer}\r*\n")
        session.machine.console.send("\x03")
        session.machine.wait_prompt()


class Lisp(Dialogue):
    """A heap of closures and lists that grows by a number with each line, and is now and then looked through."""

    name = "lisp"
    setup = (("(define all nil)", "all"),
             ("(define (push n) (set! all (cons n all)) n)", "push"),
             ("(define (whole? l n) (if (null? l) (= n 0) (and (= (car l) n) (whole? (cdr l) (- n 1)))))",
              "whole?"))

    def line(self, number):
        if number < len(self.setup):
            return self.setup[number]
        step = number - len(self.setup) + 1
        pushed = f"(push {step})"
        return (f"(and (whole? all {step - 1}) {pushed})" if step % 10 == 0 else pushed), str(step)

    def last_question(self, number):
        return f"(whole? all {number - len(self.setup)})", "t"


class Kv(Dialogue):
    """Keys that are set once, asked for later, and counted."""

    name = "kv"

    def line(self, number):
        if number % 10 == 7:
            return f"get key{number - 5}", f"value{number - 5}"
        if number % 10 == 9:
            return f"count {number}", str(number - 2 * (number // 10) - 1)
        return f"set key{number} value{number}", "ok"

    def last_question(self, number):
        sets = sum(self.line(at)[0].startswith("set ") for at in range(number))
        return "count", str(sets)


class Edit(Script):
    """A text typed at its end, of which the screen shows the last lines."""

    name = "edit"
    status = re.compile(r"line \d+, column \d+, (\d+) bytes ")
    picture = re.compile(r"\x1b\[H((?:[^\n]*\x1b\[K\n){20})\x1b\[7m line (\d+), column (\d+), (\d+) bytes "
                        r"[^\x1b\n]*\x1b\[K\x1b\[m")

    def text(self, length):
        text, number = "", 0
        while len(text) < length:
            number += 1
            text += f"line {number}, that nobody saves" + "!" * (number % 7) + "\n"
        return text[:length]

    def keys(self, at, count):
        return self.text(at + count)[at:].replace("\n", "\r")

    def progress(self, text):
        drawn = self.status.findall(text)
        return {self.name: int(drawn[-1])} if drawn else {}

    def check(self, text):
        """Every picture shows the end of the text as it was then, and the cursor behind it."""
        for picture, line, column, length in self.picture.findall(text):
            lines = self.text(int(length)).split("\n")
            rows = [row for row in picture.split("\x1b[K\n")[:-1] if row != "~"]
            assert rows == lines[-len(rows):] if rows else length == "0", (rows, lines[-25:])
            assert (int(line), int(column)) == (len(lines), len(lines[-1]) + 1), (line, column)

    def end(self, session):
        """Up through the whole text."""
        length = session.progress[self.name]
        lines = self.text(length).split("\n")
        self.check(session.text)
        line, seen = len(lines), []
        while line > 1:
            up = min(ROWS - 1, line - 1)
            line -= up
            session.machine.console.send("\x10" * up)
            session.machine.expect(rf"line {line}, column \d+, {length} bytes")
            picture = session.machine.console.before.rsplit("\x1b[H", 1)[1]
            rows = re.sub(r"\r*\n", "\n", picture).split("\x1b[K\n")[:ROWS]
            shown = [row for row in rows if row != "~"]
            assert shown == lines[line - 1:line - 1 + len(shown)], (line, shown)
            seen += shown
        assert set(lines) <= set(seen) | {""}
        session.machine.console.send("\x11")
        session.machine.wait_prompt()
