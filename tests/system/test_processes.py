"""Processes go on where the last generation has found them, and the console with them."""

import re

import pytest

from tests.system.machine import Machine, SHUT_DOWN, fsck_complaints, replayed
from tests.system.program_checks import HELLO_LINE
from tests.system.test_programs import image_with_programs, type_to


@pytest.fixture
def image():
    return image_with_programs("256M")


def resumed(image, append=""):
    """The next life, without waiting for a prompt: a program may have the console."""
    machine = Machine(image, append=append, wait=False)
    machine.expect(r"persist: \S+ resumed")
    return machine


def to_background(machine):
    machine.console.send("\x1a")
    machine.wait_prompt()


def numbers(text):
    return [int(number) for number in HELLO_LINE.findall(text.replace("\r", ""))]


def stats(machine):
    return dict(line.split(": ", 1) for line in machine.command("stats").splitlines()
                if ": " in line)


def test_process__plug_pulled__counts_on(image):
    with Machine(image) as machine:
        machine.command("run hello 50000 &")
        machine.expect(r"hello, number 7\r")
        machine.command("snapper create")
    assert fsck_complaints(replayed(image)) == []
    with resumed(image) as machine:
        machine.expect(r"hello, number 1\r")  # the screen again
        shown = machine.expect(r"(?s).*hello, number (1\d)\r").group(0)
        counted = [1] + numbers(shown)
        assert counted == list(range(1, counted[-1] + 1))


def test_line_half_typed__another_program_prints__its_prompt_stays_before_it(image):
    with Machine(image, append="interval=0.1") as machine:
        machine.command("run hello 100000 &")
        machine.console.send("run lisp\r")
        machine.expect("lisp> ")
        machine.console.send("(+ 40")
        for _ in range(3):  # above the line, which is drawn again
            machine.expect(r"[\r\n](?:\x1b\[K)?hello, number (\d+)\r*\n(?:\r?\x1b\[K)?lisp> ")
            machine.expect(re.escape("(+ 40"))
        number = int(machine.expect(r"number (\d+)\r").group(1))
        machine.expect(rf"hello, number {number + 12}\r")  # in a generation meanwhile
    with resumed(image, "interval=0.1") as machine:
        machine.expect(r"hello, number \d+\r*\n(?:\r?\x1b\[K)?lisp> ")
        for _ in range(3):
            machine.expect(r"hello, number \d+\r*\n(?:\r?\x1b\[K)?lisp> (?:\r?\x1b\[K)?\(\+ 40")
        machine.console.send(" 2)\r")
        machine.expect(r"[\r\n]42\r")


def test_line_half_typed__plug_pulled__goes_on_in_the_middle(image):
    with Machine(image, append="interval=0.1") as machine:
        machine.command("run hello 100000 &")  # so that there is always something to save
        machine.console.send("run lisp\r")
        machine.expect("lisp> ")
        type_to(machine, "(define x 41)", r"\nx\r")
        machine.console.send("(+ x")
        machine.expect(re.escape("(+ x"))
        number = int(machine.expect(r"hello, number (\d+)\r").group(1))
        machine.expect(rf"hello, number {number + 12}\r")
    with resumed(image) as machine:
        machine.expect(re.escape("(+ x"))
        type_to(machine, " 1)", r"\n42\r")


def test_output_commit__plug_pulled__nothing_shown_is_taken_back(image):
    with Machine(image, append="output=commit interval=3600") as machine:
        machine.command("run hello 20000 &")
        assert numbers(machine.watch(1)) == []
        machine.command("snapper create")
        machine.expect(r"hello, number 1\r")
        shown = [1] + numbers(machine.watch(0.5))
        assert shown == list(range(1, shown[-1] + 1)) and shown[-1] > 10
        assert numbers(machine.watch(0.5)) == []  # it goes on, and waits
    with resumed(image, "output=commit interval=3600") as machine:
        again = numbers(machine.watch(1))
        assert again[-1] == shown[-1]


def test_output_commit__no_interval__each_output_has_its_generation(image):
    with Machine(image, append="output=commit") as machine:
        machine.command("run hello 50000 &")
        machine.expect(r"hello, number 12\r")
        machine.console.send("run lisp\r")
        machine.expect("lisp> ")
        type_to(machine, "(* 6 7)", r"\n42\r")
        to_background(machine)
        machine.command("kill all")
        listed = machine.command("snapper list")
        assert len(re.findall("asked for by output", listed)) == 1
    with resumed(image) as machine:
        machine.wait_prompt()
        assert len(machine.command("snapper list").splitlines()) == 2
        machine.command("snapper create -d mine")
    with resumed(image, "output=commit") as machine:  # the one that is left over goes, too
        machine.send("run hello 50000")
        machine.expect(r"hello, number 3\r")
        to_background(machine)
        machine.command("kill all")
        descriptions = machine.command("snapper list").splitlines()[1:]
        assert [line.rsplit("  ", 1)[1].strip() for line in descriptions] == [
            "mine", "asked for by output"]


def test_hold__restored__nothing_runs_before_resume(image):
    with Machine(image) as machine:
        machine.command("run hello 50000 &")
        machine.command("run hello 50000 &")
        machine.command("snapper create")
    with Machine(image, append="hold") as machine:
        held = machine.command("ps")
        assert len(re.findall(r"^ +\d+ .* held .* hello$", held, re.M)) == 2
        machine.command("kill 1")
        assert re.findall(r"^ +(\d+) .* held ", machine.command("ps"), re.M) == ["2"]
        machine.command("resume")
        machine.expect(r"hello, number \d+\r")
        machine.command("kill all")
        assert "hello" not in machine.command("ps")
        assert machine.shutdown() == SHUT_DOWN


def test_lives__crash_and_shutdown__are_told_apart(image):
    with Machine(image) as machine:
        machine.command("snapper create")
    with Machine(image) as machine:
        assert re.search(r"boots: 2\ncrashes: 1\ngenerations: 1\n", machine.command("lives"))
        assert machine.shutdown("--save") == SHUT_DOWN
    with Machine(image) as machine:
        assert re.search(r"boots: 3\ncrashes: 1\ngenerations: 2\n", machine.command("lives"))


def test_page_tables__programs_running__nothing_forbidden(image):
    with Machine(image) as machine:
        machine.command("run primes 100000000 &")
        machine.command("run hello 50000 &")
        machine.command("snapper create")
        shown = stats(machine)
        assert int(shown["pages mapped"]) > 1000
        assert shown["pages writable and executable"] == "0"
        assert shown["pages that make constants writable"] == "0"
        assert shown["pages on the wrong side of ring 3"] == "0"
        assert 0 < int(shown["longest pause cycles"])


def test_generation__of_one_of_many__the_ended_are_forgotten(image):
    with Machine(image) as machine:
        for _ in range(5):
            machine.command("run hello 50000 &")
        machine.command("snapper create")
        machine.command("kill all")
        before = int(re.search(r"(\d+) in the generation",
                               machine.command("snapper create")).group(1))
        machine.command("run hello 50000 &")
        after = int(re.search(r"(\d+) in the generation",
                              machine.command("snapper create")).group(1))
        assert 3 <= after - before < 20
    with Machine(image) as machine:
        assert machine.command("ps").count("hello") == 1
