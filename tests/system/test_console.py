"""The console: what is typed, what comes back after a power cut, and who may write in between."""

import re
import time

import pexpect
import pytest

from tests.system.machine import Machine, SHUT_DOWN, fsck_complaints, make_image, replayed
from tests.system.snapper_files import SnapperFiles
from tests.system.test_persistence import assert_memory, create, fill, generations

UP, LEFT = "\x1b[A", "\x1b[D"


def screen(machine, seconds=0.3):
    """The last line of the screen after a while without output."""
    text = ""
    while machine.console.expect(["(?s).+", pexpect.TIMEOUT], timeout=seconds) == 0:
        text += machine.console.after
    line = re.split(r"[\r\n]", text.rstrip("\r\n"))[-1]
    return re.sub(r"\x1b\[K", "", line)


def flushes(machine):
    return machine.disk_counters()["flush_operations"]


def wait_for_a_generation(machine, since, on_its_way=2):
    """One that was begun after the disk had seen so many flushes, without typing anything."""
    deadline = time.monotonic() + 30
    while flushes(machine) < since + on_its_way + 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_line_half_typed__plug_pulled__is_typed_on(image):
    with Machine(image, append="interval=0.2") as machine:
        machine.console.send("mem fil 3 0 5")
        time.sleep(0.3)
        before = flushes(machine)
        machine.console.send(6 * LEFT + "l")
        time.sleep(0.3)
        machine.console.send(LEFT)
        wait_for_a_generation(machine, before)
    with Machine(image) as machine:
        shown = screen(machine)
        assert shown.startswith("snapper> mem fill 3 0 5"), repr(shown)
        machine.console.send("\r")
        machine.expect("mem: 5 pages filled")
        machine.wait_prompt()
        assert_memory(machine, 3, 0, 5)


def test_history__plug_pulled__is_still_there(image):
    with Machine(image) as machine:
        fill(machine, 3, 0, 5)
        create(machine)
    with Machine(image) as machine:
        machine.console.send(UP + UP + "\r")
        machine.expect("mem: 5 pages filled")


def test_long_command__plug_pulled_within__is_shown_as_interrupted():
    image = make_image("1G")
    with Machine(image, append="interval=0.02", memory="1G") as machine:
        before = flushes(machine)
        machine.send("mem fill 3 0 150000")
        wait_for_a_generation(machine, before, on_its_way=5)  # perhaps the boot's first, and another
    with Machine(image, memory="1G") as machine:
        assert "interrupted: mem fill 3 0 150000" in machine.log
        reply = machine.command("mem check 3 0 150000")
        filled = int(re.search(r"page (\d+) was never written", reply).group(1))
        assert filled > 0
        assert_memory(machine, 3, 0, filled)
    with Machine(image, memory="1G") as machine:
        assert "interrupted" in machine.log  # nothing was saved since


def test_long_command__control_c__ends_it(image):
    with Machine(image, memory="2G") as machine:
        machine.send("mem fill 3 0 400000")
        time.sleep(0.2)
        machine.console.send("\x03")
        assert "mem: interrupted after" in machine.wait_prompt()
        fill(machine, 4, 0, 5)


def test_control_c__behind_more_than_the_input_holds__ends_the_command(image):
    with Machine(image, memory="2G") as machine:
        machine.send("mem fill 3 0 400000")
        for _ in range(8):
            machine.console.send("x" * 250)
        machine.console.send("\x03")
        assert "mem: interrupted after" in machine.wait_prompt()
        fill(machine, 4, 0, 5)


def test_typed_ahead__during_a_command__runs_after_it(image):
    with Machine(image) as machine:
        machine.send("mem fill 3 0 3000")
        machine.console.send("mem check 3 0 7\rsnapper status\r")
        machine.expect("mem: 3000 pages filled")
        machine.expect("mem: 7 pages ok")
        machine.expect("dirty pages: ")


def test_generations_by_interval__while_typing_and_running__never_land_in_a_reply(image):
    with Machine(image, append="interval=0.05") as machine:
        for seed in range(1, 12):
            assert machine.command(f"mem fill {seed} 0 1500") == "mem: 1500 pages filled"
            for line in machine.command("snapper list").splitlines():
                assert re.match(r"(\d{4}-\d\d-\d\dT|time |no generations)", line), line


def test_disk_full__with_an_interval__console_is_usable_and_memory_goes_on():
    image = make_image("16M")
    with Machine(image, append="interval=0.1") as machine:
        fill(machine, 1, 0, 500)
        time.sleep(0.5)
        for seed in range(2, 14):
            fill(machine, seed, 0, 700)
            time.sleep(0.2)
        assert_memory(machine, 13, 0, 700)
        count = len(generations(machine))
        print(machine.log)
        assert count >= 1
    assert fsck_complaints(replayed(image)) == []
    with Machine(image) as machine:
        machine.console.send("\x15")  # a generation may hold a line that was half typed
        assert re.match("mem: [57]00 pages ok|mem: page", machine.command("mem check 1 0 500"))
        assert len(generations(machine)) >= 1


@pytest.mark.parametrize("options", [("16M", "-O", "^has_journal"), ("2M",)])
def test_interval__no_generation_can_be_made__console_is_not_flooded(options):
    with Machine(make_image(*options), append="interval=0.05") as machine:
        deadline = time.monotonic() + 2
        while time.monotonic() < deadline:
            fill(machine, 1, 0, 2000)
        machine.command("stats")
        assert 1 <= machine.log.count("no generation was made") <= 3
        assert machine.shutdown() == SHUT_DOWN
        assert re.search(r"shutdown: not saved: .*; \d+ dirty pages are dropped", machine.log)


def test_sync__control_c__stops_it_and_the_next_one_goes_on():
    image = make_image("256M")
    with Machine(image) as machine:
        fill(machine, 1, 0, 15000)
        create(machine)
        fill(machine, 1, 0, 1)
        create(machine)
        machine.send("sync")
        time.sleep(0.2)
        machine.console.send("\x03")
        assert machine.wait_prompt().strip() == "sync: interrupted"
        assert_memory(machine, 1, 0, 15000)
        assert machine.command("sync") == "sync: everything is on the disk"
        assert machine.shutdown() == SHUT_DOWN
    with SnapperFiles(image) as files:
        assert files.complaints() == []


def test_nonsense__of_every_kind__is_answered_in_a_line(image):
    lines = ["mem", "mem fill", "mem fill x 0 1", "mem fill 1 0 99999999999999999999",
             "mem fill 1 18446744073709551615 2", "mem check 1 16760832 1", "mem touch 0 2 -1",
             "mem touch 1 18446744073709551615 18446744073709551615", "snapper", "snapper lst",
             "snapper show", "snapper show latest", "snapper create -d", "snapper create x",
             "snapper create -d \"open", "crash", "crash x", "shutdown now", "stats x", "sync x",
             "\"\"", ";;;", "a" * 249, "w " * 100, "help me", "echo 'x'", "mem  fill  1  0  0"]
    with Machine(image) as machine:
        for line in lines:
            reply = machine.command(line)
            assert reply or line == ";;;", line
        assert "0 pages" in machine.command("mem fill 1 0 0")
        reply = machine.command("snapper create -d " + "long " * 40)
        assert reply.startswith("generation: ")
        assert machine.shutdown() == SHUT_DOWN
    assert fsck_complaints(image) == []
