"""What the scripts promise on their own."""

import subprocess

import pytest

from tests.system.machine import ROOT

# Stands in for grub-mkrescue: says where the tree is, and lists it while its output is captured.
LISTING_MKRESCUE = """#!/bin/sh
echo "a first line of the log"
for last; do :; done
(cd "$last" && find . -type f | sort) > "$LISTING"
[ -z "$FAIL" ] || { echo "made to fail"; exit 1; }
while [ "$1" != -o ]; do shift; done
echo image > "$2"
"""


@pytest.fixture
def mkrescue(tmp_path, monkeypatch):
    """A grub-mkrescue that records in `listing` what it would have imaged."""
    tool = tmp_path / "bin/grub-mkrescue"
    tool.parent.mkdir()
    tool.write_text(LISTING_MKRESCUE)
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tool.parent}:/usr/bin:/bin")
    monkeypatch.setenv("LISTING", str(tmp_path / "listing"))
    monkeypatch.setenv("FAIL", "")
    return tmp_path


def make_iso(folder, *words):
    (folder / "kernel").write_bytes(b"kernel")
    return subprocess.run([ROOT / "scripts/make_iso", folder / "kernel", folder / "out.iso", *words],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=60, check=False)


def test_make_iso__images_a_tree__that_holds_nothing_but_kernel_and_menu(mkrescue):
    made = make_iso(mkrescue)
    assert made.returncode == 0, made.stdout
    assert (mkrescue / "listing").read_text().split() == ["./boot/grub/grub.cfg",
                                                         "./boot/kernel.elf"]
    assert (mkrescue / "out.iso").read_text() == "image\n"
    assert list(mkrescue.glob("iso.*")) == []


def test_make_iso__grub_fails__its_log_is_shown_and_no_image_is_left(mkrescue, monkeypatch):
    monkeypatch.setenv("FAIL", "yes")
    made = make_iso(mkrescue)
    assert made.returncode == 3
    assert "made to fail" in made.stdout
    assert not (mkrescue / "out.iso").exists()
    assert list(mkrescue.glob("iso.*")) == []
