"""Commands for gdb on a running kernel: `make debug`, or
gdb build/kernel.debug -ex 'target remote :1234' -x scripts/gdb/snapper.py

  kernel-log [LINES]    the newest lines of the log ring
  kernel-page ADDRESS   how the page tables in CR3 translate an address
  kernel-frames         frames in all and available
"""

import gdb

DIRECT_MAP_BASE = 0xFFFF800000000000
ADDRESS_MASK = 0x000FFFFFFFFFF000
FLAGS = [
    (0, "present"), (1, "writable"), (2, "user"), (4, "uncached"), (5, "accessed"),
    (6, "dirty"), (7, "large"), (8, "global"), (9, "software-0"), (10, "software-1"),
    (11, "software-2"), (63, "no-execute"),
]


def number(expression):
    return int(gdb.parse_and_eval(f"(unsigned long)({expression})")) & (2**64 - 1)


def read_u64(physical):
    memory = gdb.selected_inferior().read_memory(DIRECT_MAP_BASE + physical, 8)
    return int.from_bytes(bytes(memory), "little")


class KernelLog(gdb.Command):
    """kernel-log [LINES]: the newest lines of the log ring (default 20)."""

    def __init__(self):
        super().__init__("kernel-log", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        ring = gdb.parse_and_eval("'port_kernel.c'::ring")
        size = ring["text"].type.sizeof
        text = bytes(gdb.selected_inferior().read_memory(ring["text"].address, size))
        first, end = int(ring["first"]), int(ring["end"])
        written = bytes(text[i % size] for i in range(first, end)).decode("latin-1")
        for line in written.splitlines()[-int(argument or 20):]:
            print(line)


class KernelPage(gdb.Command):
    """kernel-page ADDRESS: how the page tables in CR3 translate an address."""

    def __init__(self):
        super().__init__("kernel-page", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        address = number(argument)
        table = number("$cr3") & ADDRESS_MASK
        for level in (3, 2, 1, 0):
            index = address >> (12 + 9 * level) & 511
            entry = read_u64(table + 8 * index)
            flags = " ".join(name for bit, name in FLAGS if entry >> bit & 1)
            print(f"level {level} [{index:3}] {entry:016x} {flags}")
            if not entry & 1 or level == 0 or entry >> 7 & 1:
                return
            table = entry & ADDRESS_MASK


class KernelFrames(gdb.Command):
    """kernel-frames: frames in all and available."""

    def __init__(self):
        super().__init__("kernel-frames", gdb.COMMAND_DATA)

    def invoke(self, argument, from_tty):
        print("total    ", number("'frame.c'::total"))
        print("available", number("'frame.c'::map.available"))


KernelLog()
KernelPage()
KernelFrames()
