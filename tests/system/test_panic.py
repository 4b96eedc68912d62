"""Each protection of the kernel stops what it is there to stop, and the panic says what it was."""

import pytest

from tests.system.machine import Machine, PANICKED


def log_of(append, **options):
    with Machine(append=append, wait=False, **options) as machine:
        assert machine.wait_exit() == PANICKED
        return machine.log


@pytest.mark.parametrize("kind, complaint", [
    ("panic", "panic: asked for"),
    ("null", "null pointer (read, page absent)"),
    ("stack", "double fault: kernel stack overflow"),
    ("smash", "stack smashed"),
    ("text", "write to read-only memory"),
    ("text-alias", "write to read-only memory"),
    ("constant", "write to read-only memory"),
    ("execute", "instruction fetch from data"),
    ("divide", "division error"),
])
def test_crash__each_kind__is_stopped_and_named(kind, complaint):
    log = log_of(f"crash={kind}")
    assert complaint in log
    assert f"command line: build/kernel.elf crash={kind}" in log.split("last log lines")[1]
    assert "rip " in log and "cr2 " in log and "cr3 " in log


@pytest.mark.parametrize("kind", ["panic", "null", "text", "divide"])
def test_crash__backtrace__names_the_functions(kind):
    log = log_of(f"crash={kind}")
    assert f"crash_{kind}+0x" in log
    assert "kernel_main+0x" in log


@pytest.mark.parametrize("cpu, missing", [
    ("qemu32", "no long mode"), ("486", "no long mode"), ("qemu64,-nx", "no execute-disable"),
])
def test_boot__cpu_lacks_what_is_needed__says_so(cpu, missing):
    assert missing in log_of("", environment={"CPU": cpu})


def test_boot__lesser_cpu__reports_lost_protections():
    log = log_of("crash=panic", environment={"CPU": "qemu64"})
    assert "lacks SMEP SMAP UMIP" in log


@pytest.mark.parametrize("memory", ["64M", "128M", "2G", "4G"])
@pytest.mark.parametrize("machine", ["pc", "q35"])
@pytest.mark.parametrize("cpu", ["qemu64", "max"])
def test_boot__memory_and_machines__all_memory_is_found(memory, machine, cpu):
    log = log_of("crash=panic", memory=memory, environment={"MACHINE": machine, "CPU": cpu})
    megabytes = {"64M": 62, "128M": 126, "2G": 2046, "4G": 4094}[memory]
    assert f"boot: memory {megabytes} MiB" in log
    assert "none writable and executable" in log


def test_boot__unknown_options__are_named_in_one_line():
    log = log_of("fresh foo bar=1 snapper.threshold=3 crash=panic")
    assert "ignored: foo bar\n" in log

