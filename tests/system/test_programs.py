"""Programs in ring 3: what they do, what they may not do, what one may put on the image."""

import os
import random
import re

import pytest

from tests.system.machine import BUILD, Machine, SHUT_DOWN, fsck_complaints, lines_of
from tests.system.machine import make_image, run
from tests.system.program_checks import (HANOI_LINE, Hanoi, LIFE_LINE, Life, PRIMES_LINE, Primes,
                                         mandel_rows)

SEED = int(os.environ.get("SEED", "20261121"))
CALLS = int(os.environ.get("CALLS", "10000"))
PROGRAMS = sorted(path.name for path in (BUILD / "bin").iterdir())


@pytest.fixture
def programs_image():
    return image_with_programs()


def image_with_programs(size="64M", *mkfs_options):
    """An image with all programs under /bin, as debugfs puts them there."""
    image = make_image(size, "-b", "4096", *mkfs_options)
    put_files(image, {f"/bin/{name}": BUILD / "bin" / name for name in PROGRAMS})
    return image


def put_files(image, files):
    """Host files on the image, by their paths there."""
    requests = image.with_suffix(".debugfs")
    requests.write_text("mkdir /bin\n" + "".join(f"write {source} {path}\n"
                                                 for path, source in files.items()))
    put = run("debugfs", "-w", "-f", requests, image)
    requests.unlink()
    assert put.returncode == 0 and "rror" not in put.stdout.replace("EXT2 file sys", ""), put.stdout


def output_of(machine, command, timeout=None):
    """What a program in the foreground prints until it ends."""
    return re.sub(r"\x1b\[K|^\[ .*\n", "", machine.command(command, timeout=timeout), flags=re.M)


def type_to(machine, text, answer):
    """A line for the program in the foreground."""
    machine.console.send(text + "\r")
    return machine.expect(answer)


def test_programs__on_the_image__listed_and_clean(programs_image):
    assert fsck_complaints(programs_image) == []
    with Machine(programs_image) as machine:
        assert sorted(machine.command("programs").split()) == PROGRAMS
        assert "not found" in machine.command("run nothing")
        assert machine.shutdown() == SHUT_DOWN
    assert fsck_complaints(programs_image) == []


def test_primes_hanoi_mandel__computed_again__the_same(programs_image):
    with Machine(programs_image) as machine:
        count, value = Primes().below(50000)
        assert output_of(machine, f"run primes --check 50000 {value:#x}") == \
            f"primes: ok, all {count} below 50000"
        assert "wrong" in output_of(machine, f"run primes --check 50000 {value ^ 1:#x}")
        assert "wrong" in output_of(machine, f"run primes --check 49999 {value:#x}")
        assert output_of(machine, "run mandel 200 12").splitlines() == list(mandel_rows(200, 12))
        hanoi = Hanoi(12)
        lines = HANOI_LINE.findall(output_of(machine, "run hanoi 12 1000"))
        assert [int(moves) for moves, _ in lines] == [1000, 2000, 3000, 4000, 4095]
        assert all(int(value, 16) == hanoi.after(int(moves)) for moves, value in lines)


def test_primes_and_life__side_by_side__each_step_as_computed(programs_image):
    with Machine(programs_image) as machine:
        machine.command("run primes 20000 &")
        machine.console.send("run life 7 1000\r")
        text = ""
        while "life: step 60," not in text or not PRIMES_LINE.search(text):
            text += machine.watch(0.1)
        machine.console.send("\x03")
        machine.wait_prompt()
        life, primes = Life(7), Primes()
        steps = LIFE_LINE.findall(text)
        assert [int(step) for step, _, _ in steps][-1] >= 59
        for step, alive, value in steps:
            assert life.at(int(step)) == (int(alive), int(value, 16))
        for count, below, value in PRIMES_LINE.findall(text):
            assert primes.below(int(below)) == (int(count), int(value, 16))


def test_lisp__talked_to__keeps_what_it_was_told(programs_image):
    with Machine(programs_image) as machine:
        machine.console.send("run lisp\r")
        machine.expect("lisp> ")
        type_to(machine, "(define (sum n) (if (= n 0) 0 (+ n (sum (- n 1)))))", r"\nsum\r")
        type_to(machine, "(sum 10000)", r"\n50005000\r")
        type_to(machine, "(sum 1000000)", "error: too deep")
        type_to(machine, "(+ (sum 3)", "    > ")
        type_to(machine, "1)", r"\n7\r")
        machine.console.send("\x1a")
        machine.wait_prompt()
        assert "lisp" in machine.command("ps")
        machine.console.send("fg 1\r")
        type_to(machine, "(sum 4)", r"\n10\r")


@pytest.mark.parametrize("program, typed, shown", [
    ("hello 10000000", "", "^C"), ("lisp", "(+ 1", "(+ 1^C"), ("lisp", "", "^C")])
def test_program__ended_by_a_key__prompt_starts_a_line(programs_image, program, typed, shown):
    with Machine(programs_image) as machine:
        machine.console.send(f"run {program}\r")
        machine.expect(r"number 1\r*\n|lisp> ")
        machine.console.send(typed + "\x03")
        assert machine.wait_prompt().rstrip("\n") == shown
        assert len(machine.command("ps").splitlines()) == 1


def test_kv__filled_and_asked__answers(programs_image):
    with Machine(programs_image) as machine:
        machine.console.send("run kv\r")
        machine.expect("kv> ")
        type_to(machine, "set where here", r"\nok\r")
        type_to(machine, "fill 5000", r"\n5000 filled")
        type_to(machine, "check 5000", r"\n5000 ok")
        type_to(machine, "get where", r"\nhere\r")
        machine.console.send("quit\r")
        machine.wait_prompt()


def test_edit__keys__text_and_place_are_shown(programs_image):
    with Machine(programs_image) as machine:
        machine.console.send("run edit\r")
        machine.expect("line 1, column 1, 0 bytes")
        machine.console.send("first\rsecond\x1b[A\x1b[D!")
        machine.expect(r"firs?!t?.*line 1, column \d, 13 bytes")
        machine.console.send("\x11")
        machine.wait_prompt()


def test_crasher__every_attack__ends_as_it_has_to_and_the_neighbour_goes_on(programs_image):
    with Machine(programs_image) as machine:
        machine.command("run primes 20000 &")
        reply = machine.command("run crasher all", timeout=120)
        assert re.search(r"crasher: \d{2,} attacks, 0 wrong$", reply, re.M), reply
        ended = re.findall(r"process \d+ \(crasher\) ended: ", reply)
        assert len(ended) > 80
        _, below, value = PRIMES_LINE.findall(machine.command("ps") + reply)[-1]
        assert Primes().below(int(below))[1] == int(value, 16)
        assert machine.shutdown() == SHUT_DOWN


def test_calls__at_random__refused_or_done_and_nothing_else_harmed(programs_image):
    with Machine(programs_image) as machine:
        machine.command("run hello 10000 &")
        for seed in range(SEED, SEED + 2):
            reply = output_of(machine, f"run calls {seed} {CALLS // 2}", timeout=60 + CALLS // 200)
            assert re.search(rf"calls: {CALLS // 2} made from seed {seed}, \d+ refused", reply), reply
        machine.expect(r"hello, number \d+")
        assert machine.command("ps").count("\n") == 1
        assert machine.shutdown() == SHUT_DOWN
    assert fsck_complaints(programs_image) == []


def test_bomb__starts_itself_without_end__shell_answers_and_all_end(programs_image):
    with Machine(programs_image) as machine:
        machine.command("run bomb 3 &")
        machine.expect("bomb: ", timeout=60)
        assert "help" in machine.command("help")
        deadline = 20
        while "bomb" in machine.command("ps") and deadline:
            deadline -= 1
        assert deadline
        assert output_of(machine, "run mandel 10 2").endswith("steps")


def changed(*changes):
    """A program with these little endian numbers (offset, size, value) put in."""
    data = bytearray((BUILD / "bin/hello").read_bytes())
    for offset, size, value in changes:
        data[offset:offset + size] = value.to_bytes(size, "little")
    return bytes(data)


FIRST, SECOND = 64, 64 + 56  # program headers: type, flags, offset, address, -, sizes
FOREIGN_FILES = {
    "empty": b"",
    "short": changed()[:40],
    "text": b"#!/bin/sh\necho hello\n",
    "magic": changed((0, 1, 0x7e)),
    "narrow": changed((4, 1, 1)),
    "machine": changed((18, 2, 3)),
    "shared": changed((16, 2, 3)),
    "headers-beyond": changed((32, 8, 1 << 40)),
    "headers-around": changed((32, 8, (1 << 64) - 8)),
    "headers-many": changed((56, 2, 65535)),
    "no-headers": changed((56, 2, 0)),
    "entry-nowhere": changed((24, 8, 0)),
    "entry-kernel": changed((24, 8, 0xffffffff80100000)),
    "entry-data": changed((24, 8, 0x402000)),
    "interpreter": changed((SECOND, 4, 3)),
    "write-and-run": changed((FIRST + 4, 4, 7)),
    "data-beyond": changed((FIRST + 8, 8, 1 << 62)),
    "in-kernel": changed((FIRST + 16, 8, 0xffffffff80100000)),
    "in-stack": changed((FIRST + 16, 8, 0x3ffff0000)),
    "at-zero": changed((FIRST + 16, 8, 0)),
    "overlapping": changed((SECOND + 16, 8, 0x400000)),
    "larger-in-file": changed((FIRST + 32, 8, 1 << 60)),
    "larger-than-all": changed((FIRST + 40, 8, (1 << 64) - 1)),
    "largest": changed((FIRST + 40, 8, 1 << 63)),
}


def test_run__hostile_files__refused_with_a_line_and_nothing_runs(programs_image, tmp_path):
    files = {}
    for name, data in FOREIGN_FILES.items():
        (tmp_path / name).write_bytes(data)
        files[f"/bin/{name}"] = tmp_path / name
    put_files(programs_image, files)
    with Machine(programs_image) as machine:
        for name in FOREIGN_FILES:
            reply = machine.command(f"run {name}")
            assert re.search(rf"^run: {name}: |elf: ", reply, re.M), (name, reply)
            assert "hello" not in reply.replace(f"run: {name}", ""), (name, reply)
        assert len(machine.command("ps").splitlines()) == 1
        assert output_of(machine, "run mandel 10 1").endswith("steps")


def test_run__random_damage_to_a_file__system_stays_up(programs_image, tmp_path):
    draw = random.Random(SEED)
    files, good = {}, changed()
    for number in range(30):
        data = bytearray(good)
        for _ in range(draw.choice((1, 3, 40))):
            where = draw.choice((draw.randrange(240), draw.randrange(4096, 8192)))
            data[where] = draw.randrange(256)
        (tmp_path / str(number)).write_bytes(data)
        files[f"/bin/bad{number}"] = tmp_path / str(number)
    put_files(programs_image, files)
    with Machine(programs_image) as machine:
        for number in range(30):
            machine.command(f"run bad{number} &")
        assert output_of(machine, "run mandel 10 1").endswith("steps")
        assert machine.shutdown() == SHUT_DOWN
    assert fsck_complaints(programs_image) == []
