"""What people would use instead, with the same dirty pages, on the same machine.

    QEMU savevm       stops the guest and writes all of its memory, each time
    files on Linux    a program that stores each dirty page as a file on ext4, one syncfs at the end;
                      on an image mounted over a loop device, which takes root
"""

import os
import pathlib
import re
import subprocess
import tempfile
import time

import pexpect

from tests.bench.report import say
from tests.system import machine

PAGE, HEADER = 4096, 6


class Savable:
    """Our kernel on a qcow2 image, which savevm needs; driven over console and monitor."""

    def __init__(self, folder, memory):
        disk = folder / "disk.qcow2"
        raw = machine.make_image("1G", "-b", "4096", "-i", "8192", "-J", "size=64")
        machine.run("qemu-img", "convert", "-O", "qcow2", raw, disk)
        raw.unlink()
        self.qmp_path = folder / "qmp"
        self.console = pexpect.spawn(
            "qemu-system-x86_64",
            ["-accel", "tcg", "-display", "none", "-m", memory, "-kernel",
             str(machine.BUILD / "kernel.elf"), "-append", "interval=0", "-serial", "stdio",
             "-qmp", f"unix:{self.qmp_path},server=on,wait=off",
             "-drive", f"if=virtio,format=qcow2,file={disk}"],
            encoding="utf-8", timeout=120)
        self.console.expect(machine.PROMPT)

    def command(self, line):
        self.console.sendline(line)
        self.console.expect(machine.PROMPT)
        return self.console.before

    def ask(self, line):
        """A monitor command; the guest stands still while savevm and loadvm run."""
        start = time.monotonic()
        answer = machine.ask_qemu(self.qmp_path, 120, "human-monitor-command",
                                  **{"command-line": line})
        return time.monotonic() - start, answer

    def close(self):
        self.console.close(force=True)


def run_savevm(live, dirty, memory):
    where = f"{live} live pages, {dirty} dirty, {memory}"
    with tempfile.TemporaryDirectory(dir=machine.IMAGES) as name:
        guest = Savable(pathlib.Path(name), memory)
        try:
            guest.command(f"mem fill 1 0 {live}")
            guest.ask("savevm first")
            guest.command(f"mem fill 2 0 {dirty}")
            stopped, _ = guest.ask("savevm second")
            loaded, _ = guest.ask("loadvm second")
            _, table = guest.ask("info snapshots")
            size, unit = re.search(r"second\s+([\d.]+) ([KMG]iB)", table).groups()
        finally:
            guest.close()
    units = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
    say(f"peer savevm: time stopped, {where}", stopped * 1e6, "us")
    say(f"peer savevm: bytes, {where}", float(size) * units[unit], "bytes")
    say(f"peer loadvm: time stopped, {where}", loaded * 1e6, "us")
    return stopped * 1e6, float(size) * units[unit]


class LoopMount:
    """An ext4 image mounted on a loop device; None as `folder` where that cannot be."""

    def __init__(self):
        self.image = machine.make_image("1G", "-b", "4096", "-i", "8192", "-J", "size=64")
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=machine.IMAGES))
        mounted = machine.run("mount", "-o", "loop", self.image, self.folder)
        self.why = None if mounted.returncode == 0 else mounted.stdout.strip()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.why is None:
            machine.run("umount", self.folder)
        self.folder.rmdir()
        self.image.unlink()


def store_as_files(folder, pages, header):
    """One generation of the plain program; its time in microseconds."""
    folder.mkdir()
    start = time.monotonic()
    for number, page in enumerate(pages):
        with open(folder / f"{number:08}", "wb", buffering=0) as target:
            target.write(header + page)
    subprocess.run(["sync", "-f", str(folder)], check=True)
    return (time.monotonic() - start) * 1e6


def run_files(dirty):
    where = f"{dirty} pages"
    with LoopMount() as mount:
        if mount.why is not None:
            print(f"peer files on Linux: skipped, no loop mount here: {mount.why}")
            return None
        pages = [os.urandom(PAGE) for _ in range(dirty)]
        times = [store_as_files(mount.folder / str(number), pages, bytes(HEADER))
                 for number in range(5)]
    say(f"peer files on Linux, one syncfs: time, {where}", sorted(times)[2], "us")
    return sorted(times)[2]
