"""One boot of the kernel to be measured: what is the same in all of them, and what they are asked."""

import re
import time

from tests.system import machine

OPTIONS = "interval=0 snapper.redundancy=0 snapper.max_snapshots=1000"
UNMERGED = ["-global", "virtio-blk-device.request-merging=off"]
COUNTING = ("-icount", "shift=0,sleep=off")  # the time stamp counts instructions
COUNTED = ("wr_operations", "wr_bytes", "flush_operations", "rd_operations", "rd_bytes")


class Bench:
    """One boot, of which counters are read before and after."""

    def __init__(self, image, memory, *options, boot_options="", session=OPTIONS,
                 environment=None):
        self.start = time.monotonic()
        self.machine = machine.Machine(image, memory=memory, timeout=600,
                                       append=session + boot_options,
                                       qemu_options=[*UNMERGED, *options],
                                       environment=environment)
        self.seconds_to_prompt = time.monotonic() - self.start
        self.at_prompt = self.machine.disk_counters()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.machine.kill9()

    def fill(self, seed, count, first=0):
        reply = self.machine.command(f"mem fill {seed} {first} {count}")
        assert reply == f"mem: {count} pages filled", reply

    def count(self):
        return self.machine.disk_counters()

    def stats(self):
        return keyed(self.machine.command("stats"))

    def reboot(self):
        """A clean one: everything is checkpointed, nothing is settled (sync did that)."""
        self.machine.command("sync")
        synced = self.count()
        self.machine.send("reboot")
        self.machine.wait_prompt()
        return synced

    def create(self):
        """What the disk saw of one generation, and what `snapper create` printed, by key."""
        before = self.machine.disk_counters()
        reply = self.machine.command("snapper create")
        assert "\ngeneration: " in "\n" + reply, reply  # a purge is told before
        counted = difference(self.machine.disk_counters(), before)
        return counted, keyed(reply)


def keyed(reply):
    return dict(line.split(": ", 1) for line in reply.splitlines() if ": " in line)


def difference(after, before):
    return {key: after[key] - before[key] for key in COUNTED}


def first_number(text):
    return int(re.search(r"\d+", text)[0])
