"""import --reference: the original program's trees become ours, to the page."""

import hashlib

import pytest

from tests.system import reference_trees
from tests.system.machine import Machine, fsck_complaints, make_image, run
from tests.system.snapctl import (FAILED, FINE, PROBLEMS, USAGE, assert_sound, names, snapctl)

TREES = reference_trees.load()


def converted(name):
    """The time of an original as we name generations."""
    return name.replace(" ", "T") + ".000000Z"


def digest(folder):
    """Of all names and contents."""
    found = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        found.update(str(path).encode())
        found.update(path.read_bytes() if path.is_file() else b"/")
    return found.hexdigest()


@pytest.fixture(name="target")
def empty_target():
    return make_image("64M")


@pytest.mark.parametrize("tree", TREES)
def test_import__every_tree__all_pages_of_its_listing(tree, target, tmp_path):
    folder = reference_trees.build(TREES[tree]["files"], tmp_path / "tree")
    before = digest(folder)
    wanted = TREES[tree]["pages"]
    lost = sum(version is None for pages in wanted.values() for version in pages.values())
    answer = snapctl(target, "--json", "import", "--reference", folder,
                     code=PROBLEMS if lost else FINE)
    assert digest(folder) == before
    assert sum(generation["lost"] for generation in answer.json["imported"]) == lost
    assert names(target) == [converted(name) for name in sorted(wanted)]
    described = {g["name"]: g["description"] for g in snapctl(target, "--json", "list").json}
    for name, pages in wanted.items():
        gone = sum(version is None for version in pages.values())
        assert described[converted(name)] == (f"{name} of the original program"
                                              + (f", {gone} objects lost" if gone else ""))
        out = tmp_path / name
        snapctl(target, "extract", converted(name), "all", out)
        there = {int(path.name.split("-")[1], 16): path.read_bytes() for path in out.iterdir()}
        assert there == {int(number): reference_trees.page(int(number), version)
                         for number, version in pages.items() if version is not None}
    assert_sound(target)
    assert fsck_complaints(target) == []


def test_import__again__changes_nothing(target, tmp_path):
    folder = reference_trees.build(TREES["tree7-older-crc32-format"]["files"], tmp_path)
    snapctl(target, "import", "--reference", folder)
    before = target.read_bytes()
    assert "is here already" in snapctl(target, "import", "--reference", folder).errors
    assert len(names(target)) == 2
    assert len(before) == len(target.read_bytes())


def test_import__damaged_archive__is_named_and_left_out(target, tmp_path):
    folder = reference_trees.build(TREES["tree7-older-crc32-format"]["files"], tmp_path)
    archive = folder / "2025-06-15 16:06:40" / "archive"
    raw = bytearray(archive.read_bytes())
    raw[-600] ^= 1
    archive.write_bytes(raw)
    answer = snapctl(target, "import", "--reference", folder, code=PROBLEMS)
    assert f"{archive}: wrong hash" in answer.errors
    assert names(target) == [converted("2025-06-15 15:06:40")]


def test_import__the_image_has_newer_generations__is_refused_by_name(target, tmp_path):
    with Machine(target) as machine:
        machine.command("snapper create")
    ours = names(target)
    folder = reference_trees.build(TREES["tree7-older-crc32-format"]["files"], tmp_path)
    refused = snapctl(target, "import", "--reference", folder, code=FAILED).errors
    assert f"would come before {ours[0]}" in refused
    assert names(target) == ours


def test_import__rules_of_the_image__delete_nothing(target, tmp_path):
    folder = reference_trees.build(TREES["tree2-5gens-redundancy3"]["files"], tmp_path)
    snapctl(target, "-o", "max_snapshots=1", "-o", "expiration=1", "import", "--reference", folder)
    assert len(names(target)) == 5


def test_import__dry_run__writes_nothing(target, tmp_path):
    folder = reference_trees.build(TREES["tree6-hash-collision"]["files"], tmp_path)
    before = target.read_bytes()
    assert "would have imported" in snapctl(target, "-n", "import", "--reference", folder).text
    assert target.read_bytes() == before


def test_import__no_such_tree__is_named(target, tmp_path):
    assert "no generation of the original" in snapctl(target, "import", "--reference", tmp_path,
                                                      code=FAILED).errors
    assert "/nowhere" in snapctl(target, "import", "--reference", "/nowhere", code=FAILED).errors
    snapctl(target, "list", "--reference", tmp_path, code=USAGE)


def test_list__tree_of_the_original_on_the_image__is_named_and_left_alone(target, tmp_path):
    folder = reference_trees.build(TREES["tree7-older-crc32-format"]["files"], tmp_path / "snapper")
    commands = ["mkdir snapper", "cd snapper"]
    for name in sorted(path.name for path in folder.iterdir()):
        commands += [f'mkdir "{name}"', f'write "{folder}/{name}/archive" "{name}/archive"']
    (tmp_path / "commands").write_text("\n".join(commands) + "\n")
    run("debugfs", "-w", "-f", tmp_path / "commands", target)
    answer = snapctl(target, "list")
    assert "original" in answer.errors, answer.errors
    before = snapctl(target, "ls", "/snapper").text
    snapctl(target, "cleanup")
    assert snapctl(target, "ls", "/snapper").text == before
