"""Memory outlives its machine: whatever ends it, the last generation is back, to the byte."""

import os
import random
import re
import time

import pytest

from tests.system.machine import (Machine, PANICKED, SHUT_DOWN, fsck_complaints, make_image,
                                  replayed)
from tests.system.snapper_files import SnapperFiles, pattern

LINE_OF_GENERATION = re.compile(r"^(\d{4}-\d\d-\d\dT[\d:.]{15}Z) ", re.M)


def generations(machine):
    """The names that `snapper list` shows, oldest first."""
    return LINE_OF_GENERATION.findall(machine.command("snapper list"))


def create(machine, *words):
    """One generation; what `snapper create` printed, by key, without what was logged on the way."""
    reply = machine.command(" ".join(["snapper create", *words]), timeout=120)
    reply = re.sub(r"^\[ .*\n", "", reply, flags=re.M)
    assert reply.startswith("generation: "), reply
    return dict(line.split(": ", 1) for line in reply.splitlines())


def files_written(report):
    return int(re.match(r"(\d+) written", report["files"]).group(1))


def fill(machine, seed, first, count):
    reply = machine.command(f"mem fill {seed} {first} {count}", timeout=120)
    assert reply == f"mem: {count} pages filled", reply


def assert_memory(machine, seed, first, count):
    reply = machine.command(f"mem check {seed} {first} {count}", timeout=120)
    assert reply == f"mem: {count} pages ok", reply


def shut_down(machine, image):
    assert machine.shutdown() == SHUT_DOWN
    assert fsck_complaints(image) == []


def test_snapshot__plug_pulled__memory_is_back():
    image = make_image("256M")
    with Machine(image) as machine:
        fill(machine, 7, 0, 2000)
        assert files_written(create(machine)) >= 2000
        fill(machine, 9, 0, 100)

    assert fsck_complaints(replayed(image)) == []
    with Machine(image) as machine:
        assert_memory(machine, 7, 0, 2000)
        assert len(generations(machine)) == 1
        for seed in (11, 12):
            fill(machine, seed, 500, 10)
            assert 10 <= files_written(create(machine, "-d", f"seed {seed}")) < 40
        shut_down(machine, image)

    with SnapperFiles(image) as files:
        assert files.complaints() == []
        assert [g.description for g in files.generations] == ["", "seed 11", "seed 12"]
        for number in (0, 499, 510, 1999):
            assert files.page(files.generations[2], number) == pattern(7, number)
        for number in (500, 509):
            assert files.page(files.generations[0], number) == pattern(7, number)
            assert files.page(files.generations[2], number) == pattern(12, number)


def test_check__page_never_written__is_wrong_and_not_made(image):
    with Machine(image) as machine:
        fill(machine, 1, 0, 3)
        assert machine.command("mem check 1 0 4") == "mem: page 3 was never written"
        assert machine.command("mem check 1 3 1") == "mem: page 3 was never written"
        assert "page 0 is wrong" in machine.command("mem check 2 0 1")


def test_create__nothing_but_the_shell_changed__few_files(image):
    with Machine(image) as machine:
        fill(machine, 1, 0, 300)
        create(machine)
        assert files_written(create(machine)) < 30


def test_create__page_rewritten_with_the_same_bytes__is_unchanged(image):
    with Machine(image) as machine:
        fill(machine, 1, 0, 300)
        create(machine)
        fill(machine, 1, 0, 300)
        report = create(machine)
        assert files_written(report) < 30
        assert int(report["pages"].split(" taken, ")[1].split(" ")[0]) >= 300


def test_resume__after_a_panic__memory_is_back(image):
    with Machine(image) as machine:
        fill(machine, 3, 0, 200)
        create(machine)
        machine.send("crash panic")
        assert machine.wait_exit() == PANICKED
    with Machine(image) as machine:
        assert_memory(machine, 3, 0, 200)
        shut_down(machine, image)


def test_resume__after_reboot__memory_is_back_twice(image):
    with Machine(image) as machine:
        fill(machine, 3, 0, 200)
        for _ in range(2):
            machine.send("reboot --save")
            machine.wait_prompt()
            assert_memory(machine, 3, 0, 200)
        assert len(generations(machine)) == 2
        shut_down(machine, image)


def test_resume__by_iso__memory_is_back(image):
    with Machine(image, iso=True, timeout=120) as machine:
        fill(machine, 3, 0, 200)
        create(machine)
    with Machine(image, iso=True, timeout=120) as machine:
        assert_memory(machine, 3, 0, 200)
        shut_down(machine, image)


def test_shutdown__without_save__says_what_it_drops(image):
    with Machine(image) as machine:
        fill(machine, 3, 0, 200)
        machine.send("shutdown")
        count = int(machine.expect(r"(\d+) dirty pages are dropped").group(1))
        assert 200 <= count < 240
        assert machine.wait_exit() == SHUT_DOWN
    assert fsck_complaints(image) == []
    with Machine(image) as machine:
        assert machine.command("mem check 3 0 1") == "mem: page 0 was never written"


def test_shutdown__with_interval__takes_a_generation(image):
    with Machine(image, append="interval=1000") as machine:
        fill(machine, 3, 0, 200)
        shut_down(machine, image)
    with Machine(image) as machine:
        assert_memory(machine, 3, 0, 200)


def test_interval__memory_changes__generations_come_and_stop_when_idle(image):
    with Machine(image, append="interval=0.3") as machine:
        fill(machine, 3, 0, 50)
        deadline = time.monotonic() + 30
        while not generations(machine) and time.monotonic() < deadline:
            pass
        machine.send("")
        machine.wait_prompt()
        time.sleep(1.5)
        before = machine.disk_counters()["wr_bytes"]
        time.sleep(1.5)
        assert machine.disk_counters()["wr_bytes"] == before
    with Machine(image) as machine:
        assert_memory(machine, 3, 0, 50)


def test_fresh__generations_on_the_image__left_alone_and_a_new_line_begins(image):
    with Machine(image) as machine:
        fill(machine, 3, 0, 200)
        create(machine)
        machine.shutdown()
    with Machine(image, append="fresh") as machine:
        assert machine.command("mem check 3 0 1") == "mem: page 0 was never written"
        assert len(generations(machine)) == 1
        fill(machine, 4, 0, 20)
        create(machine)
        shut_down(machine, image)
    with SnapperFiles(image) as files:
        first, second = files.generations
        assert second.parent is None and second.objects < 100
        assert files.page(first, 199) == pattern(3, 199)
        assert files.complaints() == []
    with Machine(image, append="generation=oldest") as machine:
        assert_memory(machine, 3, 0, 200)


def test_generation__named_on_the_command_line__is_resumed(image):
    with Machine(image) as machine:
        for seed in (1, 2, 3):
            fill(machine, seed, 0, 20)
            create(machine)
        names = generations(machine)
        assert len(names) == 3
    for wanted, seed in ((names[1], 2), ("latest~2", 1), ("latest", 3)):
        with Machine(image, append=f"generation={wanted}") as machine:
            assert_memory(machine, seed, 0, 20)
    with Machine(image, append=f"generation={names[0]}") as machine:
        fill(machine, 8, 0, 5)
        create(machine)
        shut_down(machine, image)
    with SnapperFiles(image) as files:
        assert files.generations[-1].parent == names[0]


def test_generation__unknown__not_resumed_and_creation_refused(image):
    with Machine(image) as machine:
        fill(machine, 1, 0, 20)
        create(machine)
        machine.shutdown()
    with SnapperFiles(image) as files:
        before = files.contents()
    with Machine(image, append="generation=1999") as machine:
        assert "not resumed" in machine.log
        assert "refused" in machine.command("snapper create")
        assert len(generations(machine)) == 1
        assert "not resumed" in machine.command("snapper status")
    with SnapperFiles(replayed(image)) as files:
        assert files.contents() == before
    with Machine(image) as machine:
        assert_memory(machine, 1, 0, 20)


def damage(image, needle):
    """Flips one bit of the first place where these bytes are on the image."""
    data = bytearray(image.read_bytes())
    at = data.find(needle)
    assert at >= 0
    while at >= 0:
        data[at] ^= 1
        at = data.find(needle, at)
    image.write_bytes(data)


def test_resume__page_damaged__who_needs_it_is_told_and_never_zeros(image):
    with Machine(image) as machine:
        fill(machine, 1, 0, 20)
        create(machine)
        machine.shutdown()
    damage(image, pattern(1, 7)[:512])
    with Machine(image) as machine:
        assert_memory(machine, 1, 0, 7)
        reply = machine.command("mem check 1 7 1")
        assert re.search(r"^mem: page 7: integrity", reply, re.M), reply
        assert_memory(machine, 1, 8, 12)
        create(machine)
    with Machine(image, append="fresh") as machine:
        fill(machine, 2, 0, 20)
        create(machine)


def test_resume__archive_damaged__older_one_only_without_integrity(image):
    with Machine(image) as machine:
        for seed in (1, 2):
            fill(machine, seed, 0, 20)
            create(machine, "-d", f"number-{seed}")
        machine.shutdown()
    damage(image, b"number-2")
    with Machine(image) as machine:
        assert "not resumed" in machine.log
        assert "refused" in machine.command("snapper create")
    with Machine(image, append="snapper.integrity=false") as machine:
        assert_memory(machine, 1, 0, 20)


@pytest.mark.parametrize("memory", ["64M", "2G"])
def test_persistence__sizes_of_memory__all_pages_back(memory):
    image = make_image("256M")
    with Machine(image, memory=memory) as machine:
        fill(machine, 5, 0, 3000)
        create(machine)
        fill(machine, 6, 1000, 100)
        create(machine)
    assert fsck_complaints(replayed(image)) == []
    with Machine(image, memory=memory) as machine:
        assert_memory(machine, 5, 0, 1000)
        assert_memory(machine, 6, 1000, 100)
        assert_memory(machine, 5, 1100, 1900)
        shut_down(machine, image)


def test_fill__twice_the_memory__all_of_it_is_there_and_after_a_crash():
    image = make_image("256M")
    with Machine(image, memory="64M") as machine:
        assert machine.command("mem fill 5 0 32768", timeout=120) == "mem: 32768 pages filled"
        assert len(generations(machine)) == 1  # of those that memory forced, the newest
        assert_memory(machine, 5, 0, 32768)
        create(machine)
        machine.command("mem touch 0 100 1")
    with Machine(image, memory="64M") as machine:
        assert_memory(machine, 5, 0, 32768)
        fill(machine, 6, 100, 1000)
        assert_memory(machine, 5, 1100, 31000)
        assert_memory(machine, 6, 100, 1000)


def test_fill__memory_and_image_full__one_line_and_the_system_lives():
    image = make_image("64M")
    with Machine(image, memory="64M") as machine:
        reply = machine.command("mem fill 5 0 100000", timeout=120)
        refused = re.search(r"^mem: page (\d+): no space left, after \1 pages", reply, re.M)
        assert refused, reply
        pages = int(refused.group(1))
        assert pages > 4000
        assert_memory(machine, 5, 0, pages)
    assert fsck_complaints(replayed(image)) == []


@pytest.mark.parametrize("size, pages", [("64M", 500), ("128M", 16000)])
def test_resume__memory_of_any_size__little_is_read_before_the_prompt(size, pages):
    image = make_image(size)
    with Machine(image, memory="256M") as machine:
        fill(machine, 5, 0, pages)
        create(machine)
        machine.shutdown()
    with Machine(image, memory="256M") as machine:
        told = re.search(r"^disk bytes read until resumed: (\d+)$", machine.command("stats"), re.M)
        assert int(told.group(1)) <= 256 * 1024
        assert_memory(machine, 5, 0, pages)


def test_resume__less_memory_than_the_generation__pages_take_turns():
    image = make_image("256M")
    with Machine(image, memory="256M") as machine:
        fill(machine, 5, 0, 20000)
        create(machine)
    with Machine(image, memory="64M") as machine:
        assert_memory(machine, 5, 0, 20000)
        assert len(generations(machine)) == 1


def test_create__image_full__refused_and_the_generations_intact():
    image = make_image("16M")
    with Machine(image) as machine:
        fill(machine, 1, 0, 300)
        create(machine)
        fill(machine, 2, 0, 6000)
        assert "no space" in machine.command("snapper create", timeout=120)
        assert_memory(machine, 2, 0, 6000)
        assert len(generations(machine)) == 1
    assert fsck_complaints(replayed(image)) == []
    with Machine(image) as machine:
        assert_memory(machine, 1, 0, 300)


def pull_plug_in_a_loop(image, draw, round_number, pages):
    """Generations of one whole pattern each, until the plug goes; the last one acknowledged."""
    with Machine(image, append="snapper.fallback=0") as machine:
        seed = held_seed(machine, round_number, pages)
        start = time.monotonic()
        for _ in range(draw.randrange(3)):
            seed += 1
            fill(machine, seed, 0, pages)
            create(machine)
        fill(machine, seed + 1, 0, pages)
        machine.send("snapper create")
        time.sleep(draw.random() * draw.choice([0.02, 0.1, min(1.0, time.monotonic() - start)]))
        machine.kill9()
    return seed


def held_seed(machine, acknowledged, pages):
    """The pattern that memory holds: of the last acknowledged generation, or of the one after."""
    if not acknowledged:
        return 0
    for seed in (acknowledged, acknowledged + 1):
        if machine.command(f"mem check {seed} 0 {pages}") == f"mem: {pages} pages ok":
            return seed
    raise AssertionError(f"neither pattern {acknowledged} nor the next is there")


def test_snapshot_loop__plug_pulled_at_random__last_generation_intact():
    start = int(os.environ.get("SEED", "20261121"))
    kills = int(os.environ.get("KILLS", "8"))
    print(f"SEED={start} KILLS={kills}")
    draw = random.Random(start)
    image = make_image("128M")
    seed = 0
    for kill in range(kills):
        seed = pull_plug_in_a_loop(image, draw, seed, 200)
        assert fsck_complaints(replayed(image)) == [], f"SEED={start}, kill {kill}"
    with Machine(image) as machine:
        held_seed(machine, seed, 200)
        machine.command("sync", timeout=120)
        shut_down(machine, image)
    with SnapperFiles(image) as files:
        assert files.complaints() == []
