"""snapctl beside the kernel: what the one has done the other goes on from, in the same words."""

import re
import subprocess
import time

from tests.system.machine import Machine, SHUT_DOWN, fsck_complaints
from tests.system.snapctl import (FAILED, PAGES, PROGRAM, assert_memory, assert_sound, fill,
                                  names, snapctl)
from tests.system.snapctl import fresh_copy, three  # noqa: F401  (fixtures)
from tests.system.snapper_files import SCRATCH_FIRST_PAGE


# --- to the kernel and back ---

def test_rollback__the_kernel_runs_on_from_there_and_the_newer_ones_stay(image):
    first = names(image)[0]
    snapctl(image, "rollback", "oldest")
    with Machine(image) as machine:
        assert_memory(machine, 1, 0, PAGES)
        fill(machine, 9, 20, 1)
        machine.command("snapper create -d branch")
        assert machine.shutdown() == SHUT_DOWN
    listed = snapctl(image, "--json", "list").json
    assert [g["description"] for g in listed] == ["first", "second", "third", "branch"]
    assert listed[3]["parent"] == first
    snapctl(image, "delete", "oldest", "latest~1")
    assert fsck_complaints(image) == []
    with Machine(image) as machine:
        assert_memory(machine, 1, 0, 20)
        assert_memory(machine, 9, 20, 1)


def test_purged_image__boots_on_what_is_left(image):
    snapctl(image, "delete", "oldest", "latest")
    with Machine(image) as machine:
        assert_memory(machine, 2, 0, 10)
        assert_memory(machine, 1, 10, PAGES - 10)
        assert machine.command("snapper verify").endswith("snapshots: clean")


def test_running_machine__is_read_with_a_word_and_never_written(image):
    with Machine(image) as machine:
        answer = snapctl(image, "list")
        assert "in use by a running machine" in answer.errors
        for words in (["delete", "oldest"], ["pin", "latest"], ["cleanup"],
                      ["verify", "--repair"]):
            refused = snapctl(image, *words, code=FAILED).errors
            assert "not changed" in refused and refused.count("\n") == 1, refused
        snapctl(image, "-n", "delete", "oldest")
        assert_memory(machine, 3, 0, 5)
        assert len(re.findall(r"^\d{4}-", machine.command("snapper list"), re.M)) == 3
    snapctl(image, "delete", "oldest")


def test_image_being_changed__does_not_boot(image):
    with subprocess.Popen([str(PROGRAM), "-i", str(image), "import"], stdin=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as held:  # waits for its stream
        deadline = time.monotonic() + 30
        while "in use" not in snapctl(image, "list").errors:
            assert time.monotonic() < deadline
        assert "not changed" in snapctl(image, "pin", "latest", code=FAILED).errors
        with Machine(image, wait=False, timeout=20) as machine:
            assert machine.wait_exit() != SHUT_DOWN
            assert "lock" in machine.log
        held.stdin.close()
    snapctl(image, "pin", "latest")


# --- the console has the same verbs ---

def plain(text):
    """A line without what differs from boot to boot."""
    return re.sub(r" +(\d+ (s|min)|-)  ", " ", text)


def test_console__verbs_in_common__answer_in_the_same_words(image):
    with Machine(image) as machine:
        asked = {words: machine.command("snapper " + words, timeout=60) for words in (
            "list", "show oldest", "diff oldest latest", "diff oldest latest --summary",
            "diff --summary oldest latest", f"diff oldest latest 0:{SCRATCH_FIRST_PAGE}",
            f"diff --page 0:{SCRATCH_FIRST_PAGE} oldest latest", "config")}
        assert "diff [--summary|--page ID] A B" in machine.command(
            "snapper diff oldest latest --summary --page 1")
        machine.command("sync")
        verified = machine.command("snapper verify", timeout=60)
        assert machine.shutdown() == SHUT_DOWN
    for words, reply in asked.items():
        answer = snapctl(image, *words.split()).text
        assert [plain(line) for line in reply.splitlines()] == [
            plain(line) for line in answer.splitlines()]
    assert verified.splitlines() == snapctl(image, "verify").text.splitlines()[:-2]


def test_console__delete_pin_cleanup__as_on_the_host(image):
    first, second, third = names(image)
    with Machine(image) as machine:
        assert machine.command("snapper pin oldest") == f"pinned {first}"
        assert "it is pinned" in machine.command(f"snapper delete {first}")
        assert machine.command("snapper unpin oldest") == f"unpinned {first}"
        assert f"deleted {first}: " in machine.command(f"snapper delete {first}")
        assert "the system runs on it" in machine.command("snapper delete latest")
        assert "deleted by rule: 0 generations" in machine.command("snapper cleanup")
        for wrong in ("delete", "delete --force", "pin", "show", "rollback", "frobnicate",
                      "diff latest", "verify --all"):
            assert machine.command("snapper " + wrong).startswith("usage:"), wrong
        assert machine.shutdown() == SHUT_DOWN
    assert names(image) == [second, third]
    assert_sound(image)
    assert fsck_complaints(image) == []


def test_console__rollback__starts_again_from_there(image):
    first = names(image)[0]
    with Machine(image) as machine:
        machine.send("snapper rollback oldest")
        machine.wait_prompt()
        assert_memory(machine, 1, 0, PAGES)
        machine.command("snapper create -d branch")
        assert machine.shutdown() == SHUT_DOWN
    assert snapctl(image, "--json", "list").json[3]["parent"] == first
