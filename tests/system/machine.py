"""A machine under test: the kernel in QEMU on an image, driven over its serial console.

Every wait is bounded, and no QEMU outlives its Machine.
"""

import contextlib
import itertools
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time

import pexpect

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
IMAGES = BUILD / "test-images"
PROMPT = "snapper> "
SHUT_DOWN, PANICKED = 0, 35

_numbers = itertools.count()
_environment = {**os.environ, "PATH": os.environ["PATH"] + ":/sbin:/usr/sbin"}


def run(*command, **options):
    """A host command's finished process, output as text."""
    return subprocess.run([str(word) for word in command], env=_environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
                          check=False, **options)


def make_image(size="64M", *mkfs_options):
    """A fresh image by mkfs.ext4 with its own defaults, and whatever options are given."""
    path = empty_image(size)
    made = run("mkfs.ext4", "-q", "-F", *mkfs_options, path)
    assert made.returncode == 0, made.stdout
    return path


def empty_image(size):
    IMAGES.mkdir(parents=True, exist_ok=True)
    path = IMAGES / f"{os.getpid()}-{next(_numbers)}.img"
    path.unlink(missing_ok=True)
    run("truncate", "-s", size, path)
    return path


def copy_image(image):
    path = empty_image(0)
    run("cp", "--sparse=always", image, path)
    return path


def debugfs(image, request, *options):
    return run("debugfs", *options, "-R", request, image).stdout.split("\n", 1)[1]


def debugfs_bytes(image, path):
    """The content of a file on the image."""
    with tempfile.NamedTemporaryFile(dir=IMAGES) as target:
        run("debugfs", "-R", f'dump "{path}" {target.name}', image)
        return pathlib.Path(target.name).read_bytes()


def fsck_complaints(image):
    """What `e2fsck -fn` has against the image; empty: nothing."""
    checked = run("e2fsck", "-fn", image)
    ordinary = re.compile(r"^(e2fsck [\d.]+ .*|Pass \d.*|\S+: \d+/\d+ files .*|)$")
    lines = [line for line in checked.stdout.splitlines() if not ordinary.match(line)]
    if checked.returncode != 0 and not lines:
        lines = [f"exit code {checked.returncode}"]
    return lines


def replayed(image):
    """A copy of the image whose journal e2fsck has replayed."""
    copy = copy_image(image)
    run("e2fsck", "-E", "journal_only", "-y", copy)
    return copy


def lines_of(text):
    """What a terminal shows: the guest ends a line with CR LF, to which the host's adds a CR."""
    return re.sub(r"\r*\n", "\n", text).replace("\r", "\n")


def ask_qemu(path, timeout, command, **arguments):
    """One command of QEMU's machine protocol at this socket, and its answer."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout)
        connection.connect(str(path))
        stream = connection.makefile("rw", encoding="utf-8")
        stream.readline()
        for request in ({"execute": "qmp_capabilities"},
                        {"execute": command, "arguments": arguments}):
            stream.write(json.dumps(request) + "\n")
            stream.flush()
            answer = json.loads(stream.readline())
            while "event" in answer:
                answer = json.loads(stream.readline())
        return answer["return"]


def await_end_of_group(group):
    """QEMU is the child of a script: that one is waited for, this one only asked after."""
    deadline = time.monotonic() + 20
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.01)


class Machine:
    """`with Machine(image) as machine: machine.command("help")`"""

    def __init__(self, image=None, *, append="", memory="128M", iso=False, wait=True,
                 timeout=60, qemu_options=(), environment=None, command=None):
        """`command` starts the machine in another way than scripts/qemu, on a terminal."""
        IMAGES.mkdir(parents=True, exist_ok=True)
        self.qmp_path = tempfile.mktemp(prefix="qmp-", dir=tempfile.gettempdir())
        if not command:
            command = [str(ROOT / "scripts/qemu"), "--append", append]
            command += ["--iso"] if iso else []
            command += [str(image) if image else "--no-disk", "--", *qemu_options]
        self.timeout = timeout
        self.console = pexpect.spawn(
            command[0], command[1:], cwd=str(ROOT), timeout=timeout, encoding="utf-8",
            codec_errors="replace", echo=False, dimensions=(24, 500),
            env={**_environment, "MEMORY": memory, "QMP": self.qmp_path, "ACCEL": "tcg",
                 **(environment or {})})
        self.log = ""
        if wait:
            self.wait_prompt()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill9()

    def wait_prompt(self):
        """Everything printed up to the next prompt at the start of a line."""
        self.console.expect(r"(?:^|[\r\n])(?:\x1b\[K)?" + re.escape(PROMPT))
        text = lines_of(self.console.before)
        self.log += text + "\n"
        return text

    def send(self, text):
        """Types a command. What the echo shows of it, perhaps redrawn under a message, is over
        when the whole text stands before the end of a line."""
        self.console.send(text + "\r")
        self.console.expect(re.escape(text) + r"(?:\x1b\[[0-9;]*[A-Za-z])*\r*\n")
        self.log += lines_of(self.console.before + self.console.after)

    def command(self, text, timeout=None):
        """Types a command; the reply, up to the next prompt, without the echo."""
        self.console.timeout = timeout or self.timeout
        self.send(text)
        reply = self.wait_prompt()
        self.console.timeout = self.timeout
        return reply.strip("\n")

    def expect(self, pattern, timeout=None):
        self.console.expect(pattern, timeout=timeout or self.timeout)
        return self.console.match

    def watch(self, seconds):
        """What appears in that time."""
        text, deadline = "", time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            if self.console.expect([r"(?s).+", pexpect.TIMEOUT], timeout=left) == 0:
                text += self.console.after
        text = lines_of(text)
        self.log += text
        return text

    def wait_exit(self, timeout=None):
        """The exit code: SHUT_DOWN, PANICKED, or QEMU's own. The rest of the output is in log."""
        self.console.expect(pexpect.EOF, timeout=timeout or self.timeout)
        self.log += lines_of(self.console.before)
        self.console.wait()
        return self.console.exitstatus

    def shutdown(self, *words):
        self.send(" ".join(["shutdown", *words]))
        return self.wait_exit()

    def kill9(self):
        """Pulls the plug: QEMU dies at once, and has let go of its image on return."""
        if self.console.isalive():
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.console.pid, signal.SIGKILL)  # with all that it has started
            self.console.wait()
            await_end_of_group(self.console.pid)
        self.console.close(force=True)
        pathlib.Path(self.qmp_path).unlink(missing_ok=True)

    def pull_plug(self):
        """kill9(); what had been said until then and nobody has read."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.console.pid, signal.SIGKILL)
        self.console.expect(pexpect.EOF, timeout=self.timeout)
        text = lines_of(self.console.before)
        self.kill9()
        return text

    def qmp(self, command, **arguments):
        """One command of QEMU's machine protocol."""
        return ask_qemu(self.qmp_path, self.timeout, command, **arguments)

    def throttle_disk(self, bytes_per_second):
        """0: as fast as it goes."""
        limits = {key: 0 for key in ("bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr")}
        device = next(entry for entry in self.qmp("query-block") if entry.get("qdev"))
        name = {"id": device["qdev"]} if not device["device"] else {"device": device["device"]}
        self.qmp("block_set_io_throttle", **name, **{**limits, "bps": bytes_per_second})

    def disk_counters(self):
        """Requests, bytes and flushes that the disk has seen so far."""
        for device in self.qmp("query-blockstats"):
            if device.get("qdev"):
                return device["stats"]
        return self.qmp("query-blockstats")[0]["stats"]
