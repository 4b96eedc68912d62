"""Generations between images, and archives as backups: checked, resumable, nothing ever deleted."""

import re
import struct
import subprocess
import zlib

import pytest

from tests.system.machine import (Machine, SHUT_DOWN, copy_image, debugfs_bytes,
                                  fsck_complaints, make_image, run)
from tests.system.snapctl import (FAILED, PROBLEMS, PROGRAM, assert_sound, names, snapctl)
from tests.system.snapper_files import SnapperFiles, pattern

PAGES = 200


@pytest.fixture(scope="module")
def source():
    """Four generations, the first of which is deleted, but whose files the others list."""
    image = make_image("64M")
    with Machine(image) as machine:
        for seed, count in ((1, PAGES), (2, 10), (3, 5), (4, 2)):
            machine.command(f"mem fill {seed} 0 {count}", timeout=60)
            machine.command(f"snapper create -d {seed}", timeout=60)
        assert machine.shutdown() == SHUT_DOWN
    snapctl(image, "delete", "oldest")
    kept = image.with_suffix(".source")
    image.rename(kept)
    yield kept
    kept.unlink()


@pytest.fixture(name="image")
def fresh_copy(source):
    return copy_image(source)


@pytest.fixture(name="target")
def empty_target():
    return make_image("64M", "-b", "4096")


def export(image, which, path):
    snapctl(image, "export", which, path)
    return path.read_bytes()


def assert_same(image, copy, which):
    """A generation has the same archive and the same bytes in every file on both images."""
    with SnapperFiles(image) as one, SnapperFiles(copy) as two:
        generation = next(g for g in one.generations if g.name == which)
        other = next(g for g in two.generations if g.name == which)
        assert generation.files == other.files
        for _, _, path in generation.files:
            # All but the reference count, which is of the image.
            first, second = ((root / path).read_bytes() for root in (one.root, two.root))
            assert first[:5] + first[6:] == second[:5] + second[6:], path
        assert two.complaints() == []
    archive = f"/snapper/{which}/archive"
    assert debugfs_bytes(image, archive) == debugfs_bytes(copy, archive)


# --- streams ---

def test_import__whole_generation__boots_on_another_image(image, target, tmp_path):
    stream = export(image, "latest", tmp_path / "stream")
    assert snapctl(target, "import", tmp_path / "stream").text.startswith("imported ")
    newest = names(image)[-1]
    assert names(target) == [newest]
    assert_same(image, target, newest)
    assert fsck_complaints(target) == []
    assert_sound(target)
    assert len(stream) < (PAGES + 20) * 4200  # each content once
    with Machine(target) as machine:
        assert machine.command("mem check 1 10 190") == "mem: 190 pages ok"
        assert machine.command("mem check 4 0 2") == "mem: 2 pages ok"


def test_import__increments_in_order__give_the_same_image(image, target, tmp_path):
    first, second, third = names(image)
    sizes = [len(export(image, which, tmp_path / str(at))) for at, which in
             enumerate((first, f"{first}..{second}", f"{second}..{third}"))]
    assert sizes[1] < sizes[0] / 4 and sizes[2] < sizes[0] / 4
    for at in range(3):
        snapctl(target, "import", tmp_path / str(at))
    assert names(target) == [first, second, third]
    for name in (first, second, third):
        assert_same(image, target, name)
    assert fsck_complaints(target) == []
    assert_sound(target)


def test_import__through_a_pipe__is_the_same(image, target):
    piped = run("bash", "-c", f"set -o pipefail; {PROGRAM} -i {image} export latest |"
                              f" {PROGRAM} -i {target} import")
    assert piped.returncode == 0, piped.stdout
    assert_same(image, target, names(image)[-1])


def test_import__increment_without_its_base__is_refused_by_name(image, target, tmp_path):
    first, second = names(image)[:2]
    export(image, f"{first}..{second}", tmp_path / "increment")
    refused = snapctl(target, "import", tmp_path / "increment", code=FAILED).errors
    assert f"{second} builds on {first}, which is not on this image" in refused
    assert names(target) == [] and fsck_complaints(target) == []


def test_import__base_of_the_same_name_but_another__is_refused_by_name(image, target, tmp_path):
    first, second = names(image)[:2]
    export(image, f"{first}..{second}", tmp_path / "increment")
    stream = bytearray((tmp_path / "increment").read_bytes())
    stream[28] ^= 1  # the base's checksum, and with it the header's
    stream[52:56] = struct.pack("<I", zlib.crc32(bytes(stream[:52])))
    (tmp_path / "increment").write_bytes(stream)
    export(image, first, tmp_path / "base")
    snapctl(target, "import", tmp_path / "base")
    refused = snapctl(target, "import", tmp_path / "increment", code=FAILED).errors
    assert f"the {first} on this image is not the one that {second} builds on" in refused
    assert names(target) == [first]


def test_import__again__changes_nothing(image, target, tmp_path):
    export(image, "latest", tmp_path / "stream")
    snapctl(target, "import", tmp_path / "stream")
    assert "here already: nothing changed" in snapctl(target, "import", tmp_path / "stream").text
    assert snapctl(target, "--json", "import", tmp_path / "stream").json["was_there"]


@pytest.mark.parametrize("part", [0.0001, 0.3, 0.7, 0.999])
def test_import__cut_short__goes_on_where_it_was(image, target, tmp_path, part):
    stream = export(image, "oldest", tmp_path / "stream")
    (tmp_path / "cut").write_bytes(stream[:int(len(stream) * part)])
    assert "ends early" in snapctl(target, "import", tmp_path / "cut", code=FAILED).errors
    assert names(target) == [] and fsck_complaints(target) == []
    report = snapctl(target, "--json", "import", tmp_path / "stream").json
    assert (report["present"] > 0) == (part > 0.1)
    assert_same(image, target, names(image)[0])
    assert_sound(target)


def test_import__cut_short_and_given_up__leaves_nothing(image, target, tmp_path):
    stream = export(image, "oldest", tmp_path / "stream")
    (tmp_path / "cut").write_bytes(stream[:len(stream) // 2])
    snapctl(target, "import", tmp_path / "cut", code=FAILED)
    snapctl(target, "cleanup")
    assert re.search(r"/[\d-]+T", run("debugfs", "-R", "ls -p /snapper", target).stdout) is None
    assert_sound(target)
    assert fsck_complaints(target) == []


def test_import__killed_at_any_time__the_image_is_whole(image, target, tmp_path):
    stream = export(image, "oldest", tmp_path / "stream")
    for part in (len(stream) // 3, len(stream) // 2):
        with subprocess.Popen([str(PROGRAM), "-i", str(target), "import"],
                              stdin=subprocess.PIPE, stderr=subprocess.DEVNULL) as importing:
            importing.stdin.write(stream[:part])
            importing.stdin.flush()
            importing.kill()
        assert names(target) == []
    snapctl(target, "import", tmp_path / "stream")
    assert_same(image, target, names(image)[0])
    assert fsck_complaints(target) == []


@pytest.mark.parametrize("at", [3, 30, 57, 90, 400, 5000, -3, -10])
def test_import__one_byte_wrong__is_refused_and_mended_by_the_right_stream(
        image, target, tmp_path, at):
    stream = bytearray(export(image, "oldest", tmp_path / "stream"))
    stream[at] ^= 0x10
    (tmp_path / "wrong").write_bytes(stream)
    answer = snapctl(target, "import", tmp_path / "wrong", code=FAILED)
    assert answer.errors.count("\n") == 1 and "stream: " in answer.errors, answer.errors
    assert names(target) == []
    snapctl(target, "import", tmp_path / "stream")
    assert_same(image, target, names(image)[0])


def test_import__other_stuff__is_named(target, tmp_path):
    (tmp_path / "noise").write_bytes(bytes(range(256)) * 10)
    assert "not an exported generation" in snapctl(target, "import", tmp_path / "noise",
                                                   code=FAILED).errors
    assert "ends early" in snapctl(target, "import", "/dev/null", code=FAILED).errors


def test_import__does_not_fit__is_refused_and_the_rest_stays(image, tmp_path):
    small = make_image("8M", "-b", "1024")
    filler, stream = tmp_path / "filler", tmp_path / "stream"
    filler.write_bytes(b"\1" * 5_900_000)
    run("debugfs", "-w", "-R", f"write {filler} filler", small)
    export(image, "oldest", stream)
    before = names(small)
    answer = snapctl(small, "import", stream, code=FAILED)
    assert "no space left" in answer.errors
    assert names(small) == before
    snapctl(small, "cleanup")
    assert_sound(small)
    assert fsck_complaints(small) == []


def test_export__object_without_a_good_copy__fails_and_leaves_no_file(image, tmp_path):
    with SnapperFiles(image) as files:
        newest = files.generations[-1].files
        number = [identity for _, identity, _ in newest]
        path = next(path for _, identity, path in newest if number.count(identity) == 1)
    run("debugfs", "-w", "-R", f"rm /snapper/{path}", image)
    snapctl(image, "export", "latest", tmp_path / "stream", code=FAILED)
    assert not list(tmp_path.iterdir())
    snapctl(image, "verify", code=PROBLEMS)


# --- archives ---

def test_archive__damaged_and_restored__is_valid_again_with_all_files(image, tmp_path):
    middle = names(image)[1]
    snapctl(image, "archive", "save", middle, tmp_path / "backup")
    assert (tmp_path / "backup").read_bytes() == debugfs_bytes(image, f"/snapper/{middle}/archive")
    (tmp_path / "bad").write_bytes(b"\2 this is no archive")
    run("debugfs", "-w", "-R", f"rm /snapper/{middle}/archive", image)
    run("bash", "-c", f"printf 'cd /snapper/{middle}\\nwrite {tmp_path}/bad archive\\n' |"
                      f" debugfs -w -f - {image}")
    listed = snapctl(image, "--json", "list", code=PROBLEMS).json
    assert listed[1]["archive"] != "good"
    assert "archive" in snapctl(image, "delete", "oldest", code=FAILED).errors
    snapctl(image, "archive", "restore", middle, tmp_path / "backup")
    assert [g["archive"] for g in snapctl(image, "--json", "list").json] == ["good"] * 3
    assert_sound(image)
    with SnapperFiles(image) as files:
        assert files.complaints() == []
        assert files.page(files.generations[1], 0) == pattern(3, 0)


def test_archive__of_another_generation__is_refused_by_name(image, tmp_path):
    first, second = names(image)[:2]
    snapctl(image, "archive", "save", first, tmp_path / "backup")
    refused = snapctl(image, "archive", "restore", second, tmp_path / "backup", code=FAILED)
    assert f"it is of {first}, not of {second}" in refused.errors


def test_archive__purged_meanwhile__is_refused_unless_forced(image, tmp_path):
    newest = names(image)[-1]
    snapctl(image, "archive", "save", newest, tmp_path / "backup")
    snapctl(image, "delete", newest)
    refused = snapctl(image, "archive", "restore", newest, tmp_path / "backup", code=FAILED)
    assert "not all are what the archive lists" in refused.errors
    assert newest not in names(image)
    snapctl(image, "archive", "restore", "--force", newest, tmp_path / "backup")
    found = snapctl(image, "--json", "verify", code=PROBLEMS).json
    assert found["lost_objects"] > 0


def test_archive__the_one_that_is_there__may_be_put_back(image, tmp_path):
    first = names(image)[0]
    snapctl(image, "archive", "save", first, tmp_path / "backup")
    snapctl(image, "archive", "restore", first, tmp_path / "backup")
    assert names(image)[0] == first
    assert_sound(image)
