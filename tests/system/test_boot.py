"""The kernel comes up, says what is wrong, and goes down."""

import pytest

from tests.system.machine import (BUILD, Machine, PANICKED, SHUT_DOWN, empty_image,
                                  fsck_complaints, make_image, run)


def test_boot__fresh_image__reaches_the_prompt(image):
    with Machine(image) as machine:
        assert "boot:" in machine.log
        assert "snapper" in machine.command("help")
        assert machine.shutdown() == SHUT_DOWN
    assert fsck_complaints(image) == []


@pytest.mark.parametrize("memory", ["64M", "2G", "4G"])
def test_boot__any_memory__reaches_the_prompt(image, memory):
    with Machine(image, memory=memory) as machine:
        assert machine.command("mem fill 1 0 10") != ""
        assert machine.command("mem check 1 0 10") == "mem: 10 pages ok"


@pytest.mark.parametrize("environment", [{"MACHINE": "q35"}, {"CPU": "qemu64"}])
def test_boot__other_machines__reach_the_prompt(image, environment):
    with Machine(image, environment=environment) as machine:
        assert "generation" in machine.command("snapper create")


def test_boot__no_disk__console_is_there():
    with Machine() as machine:
        assert "disk" in machine.log
        assert "help" in machine.command("help")


@pytest.mark.parametrize("size", ["512", "1K", "64K"])
def test_boot__tiny_disk__one_line_and_console(size):
    with Machine(empty_image(size)) as machine:
        assert "ext4" in machine.log
        assert "help" in machine.command("help")


def test_boot__not_ext4__one_line_and_nothing_written():
    image = empty_image("16M")
    with open(image, "r+b") as file:
        file.write(bytes(range(256)) * 4096)
    before = image.read_bytes()
    with Machine(image) as machine:
        assert "not ext4" in machine.log
        assert machine.log.count("error: ") == 1
        assert "help" in machine.command("help")
        assert machine.command("sync") == "sync: no device"
        assert machine.shutdown() == SHUT_DOWN
    assert image.read_bytes() == before


def test_boot__feature_that_forbids_writing__read_only_and_not_called_damaged():
    image = make_image("64M", "-O", "quota")
    with Machine(image) as machine:
        assert "read-only because of feature quota" in machine.log
        assert "read-only" in machine.command("snapper create").lower()
        assert machine.shutdown() == SHUT_DOWN
    verified = run(BUILD / "snapctl", "-i", image, "verify")
    assert verified.returncode == 0 and "file_system: not checked" in verified.stdout


def test_boot__generation_of_no_name__is_not_the_newest(image):
    with Machine(image, append="generation=") as machine:
        assert "generation= without a name not resumed" in machine.log
        assert "integrity=false" not in machine.log


def test_boot__iso__reaches_the_prompt(image):
    with Machine(image, iso=True, timeout=120) as machine:
        assert "snapper" in machine.command("help")
        assert machine.shutdown() == SHUT_DOWN


def test_command__unknown__is_named(image):
    with Machine(image) as machine:
        assert "frobnicate" in machine.command("frobnicate now")


def test_crash_panic__registers_backtrace_and_log__and_exit_code(image):
    with Machine(image) as machine:
        machine.send("crash panic")
        assert machine.wait_exit() == PANICKED
        assert "rip" in machine.log.lower()
        assert "shell" in machine.log  # a symbol in the backtrace
        assert "boot:" in machine.log


def test_crash_triple__resets_the_machine(image):
    with Machine(image, qemu_options=["-no-reboot"]) as machine:
        machine.send("crash triple")
        assert machine.wait_exit() == SHUT_DOWN


def test_run__commands_on_the_command_line__then_exit(image):
    with Machine(image, append='run="mem fill 3 0 5; mem check 3 0 5; exit"',
                 wait=False) as machine:
        assert machine.wait_exit() == SHUT_DOWN
        assert "mem: 5 pages ok" in machine.log


def test_image__every_default_of_mkfs__mounts_and_stays_clean():
    for size in ("16M", "64M", "1G"):
        image = make_image(size)
        with Machine(image) as machine:
            assert "generation" in machine.command("snapper create")
            assert machine.shutdown() == SHUT_DOWN
        assert fsck_complaints(image) == []
