"""snapctl, end to end, on images that the kernel made, and back into the kernel."""

import os
import re

import pexpect
import pytest

from tests.system.machine import (IMAGES, Machine, ROOT, SHUT_DOWN, copy_image, debugfs_bytes,
                                  empty_image, fsck_complaints, make_image, run)
from tests.system.snapctl import (FAILED, PAGES, PROBLEMS, PROGRAM, USAGE, assert_sound, digest,
                                  fill, names, snapctl)
from tests.system.snapctl import fresh_copy, three  # noqa: F401  (fixtures)
from tests.system.snapper_files import SCRATCH_FIRST_PAGE, SnapperFiles, pattern

# --- looking ---

def test_list__dirty_image__shows_what_the_console_showed_and_changes_nothing(image, three):
    before = digest(image)
    answer = snapctl(image, "list")
    without_age = r"^(\S+Z) +\d+ (s|min)"
    assert (re.sub(without_age, r"\1", answer.text, flags=re.M).rstrip()
            == re.sub(without_age, r"\1", three[1], flags=re.M).rstrip())
    assert "replayed in memory" in answer.errors
    assert digest(image) == before


def test_list__json__is_an_array_oldest_first(image):
    listed = snapctl(image, "--json", "list").json
    assert [g["description"] for g in listed] == ["first", "second", "third"]
    assert [g["parent"] for g in listed] == [None, listed[0]["name"], listed[1]["name"]]
    assert listed[0]["pages"] == listed[0]["files"] and listed[0]["pages"] >= PAGES
    assert all(not g["pinned"] and g["archive"] == "good" and g["time"] > 10**15 for g in listed)
    with SnapperFiles(copy_replayed(image)) as files:
        assert [g.name for g in files.generations] == [g["name"] for g in listed]


def copy_replayed(image):
    copy = copy_image(image)
    run("e2fsck", "-E", "journal_only", "-y", copy)
    return copy


@pytest.mark.parametrize("which, index", [("latest", 2), ("oldest", 0), ("latest~1", 1),
                                          ("latest~2", 0)])
def test_show__words_for_generations__mean_them(image, which, index):
    assert snapctl(image, "--json", "show", which).json["name"] == names(image)[index]


def test_show__unique_beginning__is_enough_and_a_shared_one_is_not(image):
    known = names(image)
    length = next(n for n in range(28) if len({name[:n] for name in known}) == 3)
    assert snapctl(image, "--json", "show", known[1][:length]).json["name"] == known[1]
    assert "beginning of 3" in snapctl(image, "show", "20", code=FAILED).errors


@pytest.mark.parametrize("verb", [["list"], ["show", "latest"], ["status"], ["config"], ["ls"],
                                  ["ls", "/snapper"], ["verify"], ["diff", "oldest", "latest"]])
def test_json__every_verb_that_looks__is_json(image, verb):
    assert snapctl(image, "--json", *verb).json is not None
    assert snapctl(image, *verb).text != ""


def test_status__what_deleting_would_free__is_what_it_frees(image):
    free = snapctl(image, "--json", "status").json
    promised = free["would_free"][0]
    deleted = snapctl(image, "--json", "delete", "oldest").json["deleted"][0]
    assert (deleted["name"], deleted["files"]) == (promised["name"], promised["files"])
    after = snapctl(image, "--json", "status").json
    assert after["free"] - free["free"] >= promised["bytes"]


def test_config__file_and_option__values_with_their_source(image):
    write_config(image, "max_snapshots = 9\n")
    values = {entry["key"]: entry for entry in
              snapctl(image, "--json", "-o", "reserve=7", "config").json["config"]}
    assert values["max_snapshots"] == {"key": "max_snapshots", "value": "9",
                                       "source": "/snapper.conf"}
    assert values["reserve"]["source"] == "command line"
    assert values["threshold"] == {"key": "threshold", "value": "100", "source": "default"}


def test_config__lines_that_make_no_sense__are_named(image):
    write_config(image, "nonsense = 1\nthreshold = many\n")
    answer = snapctl(image, "config", code=PROBLEMS)
    assert "line 1" in answer.errors and "nonsense" in answer.errors
    assert "line 2" in answer.errors and "many" in answer.errors
    assert "threshold = 100 (default)" in answer.text


def write_config(image, text):
    run("e2fsck", "-E", "journal_only", "-y", image)
    source = IMAGES / f"{image.name}.conf"
    source.write_text(text)
    run("debugfs", "-w", "-R", f"write {source} snapper.conf", image)
    source.unlink()


def test_cat__archive__is_what_debugfs_has(image):
    path = f"/snapper/{names(image)[0]}/archive"
    assert snapctl(image, "cat", path).out == debugfs_bytes(copy_replayed(image), path)


def test_extract__all_and_one__are_the_pages_that_were_filled(image, tmp_path):
    snapctl(image, "extract", "latest", "all", tmp_path / "pages")
    for number, seed in ((0, 3), (5, 2), (10, 1), (PAGES - 1, 1)):
        page = tmp_path / "pages" / f"000000-{SCRATCH_FIRST_PAGE + number:010x}"
        assert page.read_bytes() == pattern(seed, number)
    snapctl(image, "extract", "oldest", f"0:{SCRATCH_FIRST_PAGE}", tmp_path / "one")
    assert [p.read_bytes() for p in (tmp_path / "one").iterdir()] == [pattern(1, 0)]
    snapctl(image, "-n", "extract", "oldest", "all", tmp_path / "none")
    assert not (tmp_path / "none").exists()


# --- wrong input: one clear line, a documented exit code, nothing changed ---

@pytest.mark.parametrize("words, code, line", [
    ([], USAGE, "no verb"),
    (["frobnicate"], USAGE, "frobnicate: no such verb"),
    (["list", "more"], USAGE, "usage: snapctl -i IMAGE list"),
    (["show"], USAGE, "usage: snapctl -i IMAGE show G"),
    (["delete"], USAGE, "usage: snapctl -i IMAGE delete [--force] G..."),
    (["list", "--force"], USAGE, "usage: snapctl -i IMAGE list"),
    (["--frobnicate"], USAGE, "unrecognized option '--frobnicate'"),
    (["archive", "lose", "latest", "x"], USAGE, "archive"),
    (["show", "latest~9"], FAILED, "none is 9 before the latest"),
    (["show", "latest~x"], FAILED, "latest~x"),
    (["show", ""], FAILED, ""),
    (["show", "2031"], FAILED, "2031"),
    (["delete", "oldest", "2031"], FAILED, "2031"),
    (["pin", "2031"], FAILED, "2031"),
    (["unpin", "latest"], FAILED, "is not pinned"),
    (["rollback", "2031"], FAILED, "2031"),
    (["cat", "/nothing"], FAILED, "/nothing: not found"),
    (["cat", "/snapper"], FAILED, "/snapper: not a file"),
    (["cat", "snapper"], FAILED, "a path begins with /"),
    (["ls", "/nothing"], FAILED, "/nothing: not found"),
    (["extract", "latest", "x", "/tmp/x"], USAGE, "SPACE:PAGE"),
    (["extract", "latest", "12345678", "/tmp"], FAILED, "no object 12345678"),
    (["extract", "latest", "all", "/proc/x"], FAILED, "/proc/x"),
    (["-o", "colour=red", "list"], USAGE, "colour=red: no such key"),
    (["-o", "threshold=0", "list"], USAGE, "threshold=0"),
    (["-o", "threshold", "list"], USAGE, "not KEY=VALUE"),
    (["-o", "max_snapshots=x", "list"], USAGE, "max_snapshots=x"),
    (["diff", "--page", "zz", "oldest", "latest"], USAGE, "--page zz"),
    (["diff", "--page", "0:1", "--summary", "oldest", "latest"], USAGE, "not both"),
    (["archive"], USAGE, "archive: which form"),
    (["import", "/nothing"], FAILED, "/nothing"),
    (["export", "latest..2031"], FAILED, "2031"),
    (["archive", "restore", "latest", "/nothing"], FAILED, "/nothing"),
    (["archive", "restore", "latest", "/dev/null"], FAILED, "/dev/null"),
])
def test_wrong_input__one_line_and_the_image_unchanged(three, words, code, line):
    before = digest(three[0])
    rehearse = [] if "extract" in words else ["-n"]  # which would not make its directory
    answer = snapctl(three[0], *rehearse, *words, code=code)
    said = [text for text in answer.errors.splitlines() if "journal is dirty" not in text]
    assert len(said) == 1 and line in said[0] and said[0].startswith("snapctl: "), answer.errors
    assert digest(three[0]) == before


def test_images_that_are_none__are_named():
    assert "No such file" in snapctl("/nowhere", "list", code=FAILED).errors
    assert "directory" in snapctl("/tmp", "list", code=FAILED).errors
    assert "not ext4" in snapctl(empty_image("8M"), "list", code=FAILED).errors
    assert "too small" in snapctl(empty_image(0), "list", code=FAILED).errors
    qcow2 = empty_image(0)
    run("qemu-img", "create", "-f", "qcow2", qcow2, "8M")
    assert "qemu-img convert" in snapctl(qcow2, "list", code=FAILED).errors
    assert "which image" in run(PROGRAM, "list").stdout


def test_standard_output_full__is_an_error(image):
    done = run("bash", "-c", f"{PROGRAM} -i {image} list >/dev/full")
    assert done.returncode == FAILED and "cannot be written" in done.stdout


# --- changing ---

@pytest.mark.parametrize("words", [["delete", "oldest"], ["pin", "latest"], ["cleanup"],
                                   ["rollback", "oldest"], ["verify", "--repair"],
                                   ["-o", "max_snapshots=1", "cleanup"]])
def test_dry_run__says_what_the_run_then_does(image, words):
    before = digest(image)
    rehearsed = snapctl(image, "-n", "--json", *words)
    assert digest(image) == before
    done = snapctl(image, "--json", *words)
    assert rehearsed.text.replace('"dry_run": true', '"dry_run": false') == done.text
    assert fsck_complaints(image) == []
    assert_sound(image)


def test_dry_run__says_would(image):
    assert "would have deleted" in snapctl(image, "-n", "delete", "oldest").text


def test_delete__middle_one__others_are_whole_and_counts_exact(image):
    middle = names(image)[1]
    assert snapctl(image, "delete", "latest~1").text.startswith(f"deleted {middle}: ")
    with SnapperFiles(image) as files:
        assert files.complaints() == []
        assert [g.description for g in files.generations] == ["first", "third"]
        assert files.page(files.generations[1], 0) == pattern(3, 0)
        assert files.page(files.generations[1], 7) == pattern(2, 7)
        assert files.page(files.generations[0], 7) == pattern(1, 7)
    assert fsck_complaints(image) == []


def test_delete__several__are_chosen_before_the_first_goes(image):
    first, second, third = names(image)
    snapctl(image, "delete", "oldest", "latest")
    assert names(image) == [second]
    assert {first, third}.isdisjoint(names(image))


def test_delete__the_same_twice__the_second_is_named(image):
    oldest = names(image)[0]
    refused = snapctl(image, "delete", "oldest", "oldest", code=FAILED).errors
    assert f"{oldest}: there is no such generation" in refused
    assert len(names(image)) == 2


def test_man_page__forms__have_their_blanks():
    page = run("nroff", "-man", ROOT / "snapper/host/snapctl.1").stdout
    page = re.sub(r"\x1b\[[0-9;]*m|.\x08", "", page)
    assert "archive save G FILE" in page and "import --reference DIR" in page, page


def test_delete__pinned_or_target__is_refused_until_released(image):
    snapctl(image, "pin", "oldest")
    assert "it is pinned" in snapctl(image, "delete", "oldest", code=FAILED).errors
    snapctl(image, "unpin", "oldest")
    snapctl(image, "rollback", "oldest")
    assert "rollback target" in snapctl(image, "delete", "oldest", code=FAILED).errors
    assert len(names(image)) == 3


def test_delete__archive_unreadable__nothing_goes_until_it_is_given_up(image):
    first, second, third = names(image)
    run("e2fsck", "-E", "journal_only", "-y", image)
    spoil(image, f"/snapper/{second}/archive")
    refused = snapctl(image, "delete", first, code=FAILED).errors
    assert f"{second}/archive" in refused
    assert names(image, code=PROBLEMS) == [first, second, third]
    snapctl(image, "verify", code=PROBLEMS)
    snapctl(image, "delete", "--force", second)
    snapctl(image, "delete", first)
    assert names(image) == [third]
    with SnapperFiles(image) as files:
        assert files.complaints() == []
        assert files.page(files.generations[0], PAGES - 1) == pattern(1, PAGES - 1)
    assert fsck_complaints(image) == []


def test_delete__two_archives_unreadable__one_given_up_is_done_with_a_problem_left(image):
    first, second, third = names(image)
    run("e2fsck", "-E", "journal_only", "-y", image)
    spoil(image, f"/snapper/{second}/archive")
    spoil(image, f"/snapper/{third}/archive")
    answer = snapctl(image, "delete", "--force", third, code=PROBLEMS)
    assert f"deleted {third}" in answer.text
    lines = answer.errors.splitlines()
    assert len(lines) == len(set(lines)), answer.errors
    assert f"/snapper/{second}/archive" in answer.errors
    snapctl(image, "delete", "--force", second)
    assert names(image) == [first]
    assert_sound(image)
    assert fsck_complaints(image) == []


def test_look__archive_unreadable__is_a_problem_and_the_rest_is_told(image):
    first, second, third = names(image)
    run("e2fsck", "-E", "journal_only", "-y", image)
    spoil(image, f"/snapper/{second}/archive")
    listed = snapctl(image, "--json", "list", code=PROBLEMS).json
    assert [g["archive"] == "good" for g in listed] == [True, False, True]
    told = snapctl(image, "--json", "status", code=PROBLEMS).json
    assert told["generations"] == 3 and told["unreadable_archives"] == 1
    assert told["snapshots"].startswith("unknown") and told["free"] > 0
    assert told["reference_counts"] == "to settle"
    snapctl(image, "verify", code=PROBLEMS)
    snapctl(image, "show", second, code=FAILED)
    assert snapctl(image, "--json", "show", third).json["name"] == third


def spoil(image, path, offset=20):
    """Flips a byte of a file on a clean image, behind everybody's back."""
    block_size = int(re.search(r"Block size: +(\d+)", run("dumpe2fs", "-h", image).stdout).group(1))
    index, within = divmod(offset, block_size)
    found = run("debugfs", "-R", f'bmap "{path}" {index}', image).stdout.splitlines()[-1]
    with open(image, "r+b") as raw:
        raw.seek(int(found) * block_size + within)
        byte = raw.read(1)[0]
        raw.seek(-1, 1)
        raw.write(bytes([byte ^ 0x40]))


def test_verify__damaged_page_with_a_good_copy__is_mended(image):
    with Machine(image) as machine:  # the copies come with the third further generation
        for seed in (4, 5, 6):
            fill(machine, seed, 1, 1)
            machine.command("snapper create", timeout=120)
        assert machine.shutdown() == SHUT_DOWN
    oldest = names(image)[0]
    spoil(image, f"/snapper/{oldest}/snapshot/0032", offset=100)
    found = snapctl(image, "--json", "verify", code=PROBLEMS).json
    assert found["damaged_copies"] == 1 and found["snapshots"] == "not clean"
    before = digest(image)
    rehearsed = snapctl(image, "-n", "verify", "--repair")
    assert ": would be repaired" in rehearsed.text and ": repaired" not in rehearsed.text
    assert "in the dry run: snapper: object" in rehearsed.errors, rehearsed.errors
    assert "would have deleted as zombies" in snapctl(image, "-n", "cleanup").text
    assert snapctl(image, "-n", "--json", "verify", "--repair").json["repaired_copies"] == 1
    assert digest(image) == before
    assert snapctl(image, "--json", "verify", "--repair").json["repaired_copies"] == 1
    assert_sound(image)
    assert fsck_complaints(image) == []
    with SnapperFiles(image) as files:
        assert files.complaints() == []


def test_verify__wrong_reference_count__is_mended_and_no_problem_is_left(image):
    snapctl(image, "delete", "latest")  # settles
    oldest = names(image)[0]
    spoil(image, f"/snapper/{oldest}/snapshot/0032", offset=5)  # where the count is
    snapctl(image, "verify", code=PROBLEMS)
    assert snapctl(image, "--json", "verify", "--repair").json["wrong_reference_counts"] == 1
    assert_sound(image)


# --- diff ---

def test_diff__pages_filled_anew__are_those_that_changed(image):
    found = snapctl(image, "--json", "diff", "oldest", "latest").json
    ranges = [(d["change"], d["first"], d["count"]) for d in found["differences"]]
    assert ("changed", SCRATCH_FIRST_PAGE, 10) in ranges
    assert found["added"] == found["removed"] == 0
    assert found["same"] >= PAGES - 10
    summary = snapctl(image, "--json", "diff", "--summary", "oldest", "latest").json
    assert [(d["space"], d["changed"]) for d in summary["differences"]] == [(0, found["changed"])]
    same = snapctl(image, "--json", "diff", "latest", "latest").json
    assert same["differences"] == [] and same["changed"] == 0


def test_diff__one_page__its_bytes(image):
    page = f"0:{SCRATCH_FIRST_PAGE}"
    rows = snapctl(image, "--json", "diff", "--page", page, "oldest", "latest").json["rows"]
    assert len(rows) == 256 and rows[0]["offset"] == 0
    assert bytes.fromhex(rows[0]["-"]) == pattern(1, 0)[:16]
    assert bytes.fromhex(rows[255]["+"]) == pattern(3, 0)[-16:]
    text = snapctl(image, "diff", "--page", page, "oldest", "latest").text
    assert text.startswith("- 000000  " + pattern(1, 0)[:16].hex(" "))
    snapctl(image, "diff", "--page", "0:999999", "oldest", "latest", code=FAILED)


# --- on a terminal ---

def test_progress__takes_longer_than_a_second__is_shown_and_gone(image):
    """The stream comes slowly."""
    with open(IMAGES / f"{image.name}.stream", "w+b") as stream:
        stream.write(snapctl(image, "export", "latest").out)
        target = make_image("64M")
        console = pexpect.spawn("bash", ["-c", f"(head -c 500000 {stream.name}; sleep 2; tail -c"
                                         f" +500001 {stream.name}) | {PROGRAM} -i {target} import"],
                                encoding="utf-8", timeout=60, dimensions=(24, 200))
        console.expect(r"\rimport: \d+ bytes")
        console.expect(r"\r\x1b\[K")
        console.expect("imported ")
        console.expect(pexpect.EOF)
        console.wait()
    os.unlink(stream.name)
    assert names(target) == names(image)[-1:]
