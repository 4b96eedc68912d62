"""Images as people make, break and fill them: what cannot be used is named, and is not written to."""

import time

import pytest

from tests.system.machine import (Machine, SHUT_DOWN, debugfs, fsck_complaints, make_image,
                                  replayed, run)
from tests.system.test_persistence import assert_memory, create, fill, shut_down

PAGES = 50


def make_history(generation_count=2):
    """An image whose generations hold the patterns 1, 2, ..."""
    image = make_image("32M")
    with Machine(image) as machine:
        for seed in range(1, generation_count + 1):
            fill(machine, seed, 0, PAGES)
            create(machine)
        machine.shutdown()
    return image


def overwrite(image, at, data):
    with open(image, "r+b") as file:
        file.seek(at)
        file.write(data)


def journal_at(image):
    """Where the journal begins, in bytes."""
    return int(run("debugfs", "-R", "bmap <8> 0", image).stdout.splitlines()[-1]) * 1024


def change(image, *requests):
    for request in requests:
        run("debugfs", "-w", "-R", request, image)


def test_image__fewer_inodes_a_group_than_are_reserved__carries_generations():
    image = make_image("64M", "-b", "1024", "-N", "64")
    with Machine(image) as machine:
        fill(machine, 1, 0, 20)
        create(machine)
        fill(machine, 2, 0, 100)
        reply = machine.command("snapper create")
        assert "inodes are needed" in reply and "no space left" in reply, reply
        assert_memory(machine, 2, 0, 100)
        machine.kill9()
    with Machine(image) as machine:
        assert_memory(machine, 1, 0, 20)
        shut_down(machine, image)


@pytest.mark.parametrize("feature", ["bigalloc", "verity"])
def test_image__feature_that_allows_reading__is_read_only_by_name(feature):
    image = make_image("64M", "-O", feature)
    before = image.read_bytes()
    with Machine(image) as machine:
        assert f"read-only because of feature {feature}" in machine.log
        fill(machine, 1, 0, 100)
        assert machine.command("snapper create").endswith("snapper: create: read-only")
        assert machine.shutdown() == SHUT_DOWN
    assert image.read_bytes() == before


@pytest.mark.parametrize("feature", ["inline_data", "casefold"])
def test_image__feature_that_cannot_be_read__is_refused_by_name(feature):
    image = make_image("64M", "-O", feature)
    before = image.read_bytes()
    with Machine(image) as machine:
        assert f"unsupported feature: {feature}" in machine.log
        assert "refused" in machine.command("snapper create")
        assert machine.shutdown() == SHUT_DOWN
    assert image.read_bytes() == before


def test_superblock__destroyed__memory_is_back_by_the_backup_and_one_line_says_so():
    image = make_history()
    overwrite(image, 1024, bytes(1024))
    before = image.read_bytes()
    with Machine(image) as machine:
        assert machine.log.count("a backup is used, read-only: run e2fsck") == 1
        assert_memory(machine, 2, 0, PAGES)
        assert "read-only" in machine.command("snapper create")
        assert machine.shutdown() == SHUT_DOWN
    assert image.read_bytes() == before


@pytest.mark.parametrize("place", ["journal", "journal inode", "groups", "root"])
def test_image__vital_part_destroyed__one_line_says_which_and_the_console_is_there(place):
    image = make_history()
    said = {"journal": "journal: superblock", "journal inode": "inode 8", "groups": "group 0",
            "root": "inode 2"}[place]
    if place in ("journal", "groups"):
        overwrite(image, journal_at(image) if place == "journal" else 2048, bytes(64))
    else:
        change(image, "clri <8>" if place == "journal inode" else "clri <2>")
    before = image.read_bytes()
    with Machine(image) as machine:
        assert said in machine.log, machine.log
        fill(machine, 5, 0, 5)
        assert "refused" in machine.command("snapper create")
        assert machine.shutdown() == SHUT_DOWN
    assert place == "root" or image.read_bytes() == before


@pytest.mark.parametrize("loss", ["file", "directory", "archive content"])
def test_newest_generation__damaged__not_resumed_and_the_one_before_is_by_name(loss):
    image = make_history()
    newest = debugfs(image, "ls -p /snapper").rsplit("Z/", 1)[0].rsplit("/", 1)[1] + "Z"
    home = f"/snapper/{newest}"
    change(image, *{"file": [f"rm {home}/snapshot/0003"],
                    "directory": [f"rm {home}/snapshot"],
                    "archive content": [f"rm {home}/archive",
                                        f"write /dev/null {home}/archive"]}[loss])
    if loss == "directory":
        change(image, f"unlink {home}/snapshot")
    with Machine(image) as machine:
        assert "not resumed" in machine.log and "ways out" in machine.log
        assert "refused" in machine.command("snapper create")
        assert newest in machine.command("snapper list")
        assert "not clean" in machine.command("snapper verify")
    with Machine(image, append="generation=latest~1") as machine:
        assert_memory(machine, 1, 0, PAGES)
        fill(machine, 3, 0, PAGES)
        create(machine)
        machine.kill9()
    with Machine(image) as machine:
        assert_memory(machine, 3, 0, PAGES)


def test_settings_and_state__rubbish__named_by_line_and_memory_is_back(tmp_path):
    image = make_history()
    rubbish = tmp_path / "rubbish"
    rubbish.write_bytes(b"threshold = 7\nfoo = 1\n\xff\xfe\x00bad\ninterval = 0,1\n" + b"y" * 5000)
    change(image, "rm snapper.state", f"write {rubbish} snapper.state",
           f"write {rubbish} snapper.conf")
    with Machine(image) as machine:
        assert "/snapper.conf line 2: unknown key 'foo'" in machine.log
        assert "/snapper.conf line 4: bad value '0,1' for 'interval'" in machine.log
        assert "/snapper.state line 2" in machine.log
        assert_memory(machine, 2, 0, PAGES)
        assert "threshold = 7 (/snapper.conf)" in machine.command("snapper config")
        create(machine)
        shut_down(machine, image)


@pytest.mark.parametrize("options", [
    ("64M", "-b", "2048"), ("64M", "-b", "4096", "-I", "128"), ("64M", "-t", "ext3"),
    ("64M", "-O", "^metadata_csum,^64bit"), ("64M", "-O", "metadata_csum_seed,orphan_file"),
    ("64M", "-O", "meta_bg,^resize_inode"), ("64M", "-J", "size=1"), ("2M",), ("100G",)])
def test_image__made_in_another_way__carries_generations(options):
    image = make_image(*options)
    with Machine(image) as machine:
        fill(machine, 1, 0, 60)
        create(machine)
        fill(machine, 2, 0, 10)
        create(machine)
        machine.kill9()
    assert fsck_complaints(replayed(image)) == []
    with Machine(image) as machine:
        assert_memory(machine, 2, 0, 10)
        assert_memory(machine, 1, 10, 50)
        create(machine)
        shut_down(machine, image)


def read_in_the_background(machine):
    """The bytes that the disk was asked for, once all of memory has been fetched behind the prompt."""
    deadline = time.monotonic() + 30
    read = -1
    while read != machine.disk_counters()["rd_bytes"]:
        assert time.monotonic() < deadline
        read = machine.disk_counters()["rd_bytes"]
        time.sleep(1)
    return read


def test_first_generation_of_a_life__reads_no_more_from_a_larger_memory():
    read = []
    for pages in (500, 4000):
        image = make_image("256M")
        with Machine(image) as machine:
            fill(machine, 1, 0, pages)
            create(machine)
        with Machine(image, append="snapper.redundancy=0") as machine:
            fill(machine, 2, pages // 2, 10)
            before = read_in_the_background(machine)
            create(machine)
            read.append(machine.disk_counters()["rd_bytes"] - before)
    assert max(read) <= 16 * 1024, read


def test_bufsize__less_than_a_page__create_says_what_is_too_large(image):
    with Machine(image, append="snapper.bufsize=4095") as machine:
        assert "4096 bytes, bufsize is 4095" in machine.command("snapper create")
        assert machine.shutdown() == SHUT_DOWN
    assert fsck_complaints(image) == []
