"""
P1: how long programs stand still for a generation, and what their first writes after it cost.

The kernel counts it itself, from a program's last instruction to its next, under -icount. It must be
the same whatever the memory, the pages that are dirty and the number of processes.
"""

from tests.bench.boot import COUNTING, Bench
from tests.bench.report import say
from tests.system import machine

GENERATIONS = 3
# Pages that live beside the programs', and their size; pages that are dirty; memory and image.
LOADS = (
    (4096, "16 MiB", 1, "256M", "512M"),
    (4096, "16 MiB", 16384, "256M", "512M"),
    (262144, "1 GiB", 1, "2G", "4G"),
    (262144, "1 GiB", 16384, "2G", "4G"),
)
PROCESSES = (1, 100)


def run():
    for load in LOADS:
        for processes in PROCESSES:
            run_load(processes, *load)


def run_load(processes, alive, size, dirty, memory, image_size):
    image = machine.empty_image(0)
    machine.run(machine.ROOT / "scripts/make_image", "--force", "--size", image_size, "--bin",
                machine.BUILD / "bin", image)
    try:
        with Bench(image, memory, *COUNTING) as bench:
            bench.fill(1, alive)
            bench.create()
            run_programs(bench, processes, dirty)
            for _ in range(GENERATIONS):
                bench.create()
            told = bench.stats()
    finally:
        image.unlink(missing_ok=True)
    where = f"{size}, {dirty} dirty pages, {processes} processes"
    say(f"P1 pause of programs, {where}", int(told["longest pause cycles"]), "instructions", 100,
        500)
    say(f"P1 longest write fault, {where}", int(told["longest write fault cycles"]),
        "instructions", 1600, 12000)


def run_programs(bench, count, dirty):
    """One of them writes all pages that are to be dirty, again and again; a counter is one page."""
    if dirty > 1:
        bench.machine.command(f"run hog {dirty // 256} &")
        bench.machine.expect(f"hog: {dirty} pages filled")
        count -= 1
    for _ in range(count):
        bench.machine.command("run primes 1000000000 &")
