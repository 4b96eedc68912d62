#!/usr/bin/python3
"""One image, many boots of the real kernel, each cut short: the last generation is always back.

    tests/system/boots.py [BOOTS [SEED]]        (make boots, which builds the kernel first)

A boot checks the memory that it finds, fills it anew and takes a generation. It is cut at a seeded
write of that, on which QEMU stops the machine, then by SIGKILL or by a reset; or by `exit` from the
console after a while. A generation that was acknowledged must be back, to the byte; one in flight may.
In between the image is read by snapctl and e2fsck. The last line is `N boots, M lost`.
"""

import json
import pathlib
import random
import re
import sys
import time

import pexpect

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.system.machine import (  # noqa: E402
    BUILD, Machine, PROMPT, SHUT_DOWN, fsck_complaints, make_image, replayed, run)

PAGES = 24
WRITES_MAX = 24  # a boot, a generation and what is purged for it take about as many
RESUMED = re.compile(r"\[ *(\d+\.\d+)\] persist: \S+ resumed, (\d+) pages in (\d+) ms")
WAYS = ("kill", "reset", "exit")


def stopping_disk(image, writes):
    """A disk on which the machine stops at the write of this number; None: it never does."""
    rules = {"driver": "blkdebug", "node-name": "d0", "image": "f0"}
    if writes:
        if writes > 1:
            rules["set-state"] = [{"event": "pwritev", "state": n, "new_state": n + 1}
                                  for n in range(1, writes)]
        rules["inject-error"] = [{"event": "pwritev", "state": writes, "errno": 5, "once": True}]
    return ["-blockdev", f"driver=file,filename={image},node-name=f0",
            "-blockdev", json.dumps(rules),
            "-device", "virtio-blk-pci,drive=d0,disable-legacy=on,write-cache=on,werror=stop"]


def has_stopped(machine):
    try:
        return machine.qmp("query-status")["status"] == "io-error"
    except OSError:  # it has not begun
        return False


def until_stopped(machine, pattern):
    """What the console shows before the pattern; None: the machine stopped at a write instead."""
    deadline = time.monotonic() + machine.timeout
    while time.monotonic() < deadline:
        if machine.console.expect([pattern, pexpect.TIMEOUT], timeout=0.2) == 0:
            return machine.console.before
        if has_stopped(machine):
            return None
    raise AssertionError(f"neither {pattern} nor a stop:\n{machine.console.before}")


class Life:
    """What the image must hold."""

    def __init__(self, image, seed):
        self.image = image
        self.chance = random.Random(seed)
        self.acknowledged = 0  # the pattern of the last one; 0: there is none
        self.in_flight = None
        self.next_pattern = 1
        self.resumed = []  # seconds of the guest's clock
        self.ways = dict.fromkeys(WAYS, 0)

    def find_memory(self, machine):
        """One of the patterns that are allowed; AssertionError: neither."""
        allowed = [self.acknowledged] + ([self.in_flight] if self.in_flight else [])
        replies = []
        for pattern in allowed:
            reply = machine.command(f"mem check {pattern or 1} 0 {PAGES}")
            replies.append(reply)
            expected = f"mem: {PAGES} pages ok" if pattern else "mem: page 0 was never written"
            if reply == expected:
                self.acknowledged, self.in_flight = pattern, None
                return
        raise AssertionError(f"patterns {allowed}: {replies}")

    def note_resumed(self, text):
        if match := RESUMED.search(text):
            self.resumed.append(float(match.group(1)))

    def begin(self, machine):
        self.in_flight, self.next_pattern = self.next_pattern, self.next_pattern + 1
        reply = machine.command(f"mem fill {self.in_flight} 0 {PAGES}")
        assert reply == f"mem: {PAGES} pages filled", reply

    def acknowledge(self):
        self.acknowledged, self.in_flight = self.in_flight, None

    def create(self, machine):
        """A generation; False: the machine has stopped in it."""
        machine.send("snapper create")
        if until_stopped(machine, r"total: \d+ us") is None:
            return False
        machine.wait_prompt()
        self.acknowledge()
        return True

    def boot(self):
        way = self.chance.choice(WAYS)
        writes = self.chance.randint(1, WRITES_MAX)
        disk = stopping_disk(self.image, None if way == "exit" else writes)
        with Machine(append="snapper.max_snapshots=4 snapper.redundancy=2 snapper.fallback=0",
                     qemu_options=disk, wait=False) as machine:
            if not self.reach_prompt(machine):
                return self.cut("kill", f"at write {writes}, while booting")
            self.find_memory(machine)
            self.begin(machine)
            done = self.create(machine)
            if way == "exit":
                machine.send("exit")
                machine.wait_exit()
                return self.cut("exit", "")
            if way == "reset":
                self.reset(machine)
                return self.cut("reset", "behind a generation" if done else f"at write {writes}")
            return self.cut("kill", "behind a generation" if done else f"at write {writes}")

    def cut(self, way, where):
        self.ways[way] += 1
        return f"{way} {where}".strip()

    def reach_prompt(self, machine):
        """False: it stopped before, in the replay."""
        text = until_stopped(machine, r"[\r\n]" + PROMPT)
        self.note_resumed(text or "")
        return text is not None

    def reset(self, machine):
        """The same machine from its first instruction; the write that stopped it is lost. If it was not
        reached it may stop now, in the boot."""
        machine.qmp("system_reset")
        machine.qmp("cont")
        if self.reach_prompt(machine):
            self.find_memory(machine)

    def check_image(self):
        copy = replayed(self.image)
        complaints = fsck_complaints(copy)
        verified = run(BUILD / "snapctl", "-i", copy, "verify")
        copy.unlink()
        assert complaints == [], complaints
        for line in ("unreadable_archives: 0", "damaged_copies: 0", "lost_objects: 0",
                     "file_system: clean"):
            assert line in verified.stdout, verified.stdout


def live(boots, seed, image, say):
    """How many boots lost something."""
    life, lost = Life(image, seed), 0
    for number in range(1, boots + 1):
        try:
            what = life.boot()
            if number % 5 == 0:
                life.check_image()
        except AssertionError as failure:
            lost += 1
            what = f"LOST: {failure}"
            life.acknowledged, life.in_flight = life.next_pattern - 1, None
        say(f"boot {number} of seed {seed}: {what}")
    with Machine(image) as machine:
        life.find_memory(machine)
        assert machine.shutdown() == SHUT_DOWN
    assert fsck_complaints(image) == []
    return life, lost


def main(words):
    boots, seed = (int(word) for word in (words + ["200", "1"][len(words):])[:2])
    image = make_image("64M")
    try:
        life, lost = live(boots, seed, image, lambda line: print(line, flush=True))
    finally:
        image.unlink()
    print(f"cut by: {', '.join(f'{way} {count}' for way, count in life.ways.items())}")
    print(f"resumed after {max(life.resumed):.2f} s at most, {len(life.resumed)} times "
          "(from the kernel's first line, without KVM)")
    print(f"{boots} boots, {lost} lost")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
