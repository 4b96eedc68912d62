"""What the scripts promise on their own."""

import os
import subprocess

import pytest

from tests.system.machine import ROOT, debugfs_bytes, fsck_complaints

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


@pytest.mark.parametrize("block_size", ["1024", "4096"])
def test_make_image__with_programs__a_clean_image_that_has_them(tmp_path, block_size):
    (tmp_path / "bin").mkdir()
    for name, size in (("small", 7), ("large", 300_000)):
        (tmp_path / "bin" / name).write_bytes(bytes(range(256)) * (size // 256) + bytes(size % 256))
    image = tmp_path / "disk.img"
    made = subprocess.run([ROOT / "scripts/make_image", "--size", "64M", "--block-size", block_size,
                           "--bin", tmp_path / "bin", image],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=60, check=False)
    assert made.returncode == 0, made.stdout
    assert fsck_complaints(image) == []
    for name in ("small", "large"):
        assert debugfs_bytes(image, f"/bin/{name}") == (tmp_path / "bin" / name).read_bytes()


# A project in small: programs that pass, fail, die, hold no test, and do not build.
SMALL_MAKEFILE = r"""
build/%: %.sh
	@cp $< $@ && chmod +x $@
build/kernel.elf:
	@echo "ld: undefined reference to journal" && false
build/test_unlinked: FORCE
	@echo "ld: undefined reference to helper" && false
FORCE:
"""
SMALL_PROGRAMS = {
    "test_good.sh": "echo '[       OK ] one'; echo '[       OK ] two'",
    "test_bad.sh": "echo '[       OK ] one'; echo '[  FAILED  ] three'; echo '[  FAILED  ] three'; "
                   "exit 1",
    "test_dead.sh": "echo '[       OK ] one'; echo '[ RUN      ] crash'; kill -SEGV $$",
    "test_empty.sh": "exit 0",
}


@pytest.fixture
def small_project(tmp_path):
    (tmp_path / "Makefile").write_text(SMALL_MAKEFILE)
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/deps").write_text("#!/bin/sh\n")
    (tmp_path / "scripts/deps").chmod(0o755)
    for name, text in SMALL_PROGRAMS.items():
        (tmp_path / name).write_text("#!/bin/bash\n" + text + "\n")
    (tmp_path / "build").mkdir()
    (tmp_path / "build/kernel.elf").write_text("stale")
    os.utime(tmp_path / "build/kernel.elf", (0, 0))
    (tmp_path / "tests/system").mkdir(parents=True)
    return tmp_path


def run_tests(folder, products, programs, **environment):
    done = subprocess.run(
        [ROOT / "scripts/run_tests", "build", *products, "--", *programs], cwd=folder,
        env={**os.environ, "JOBS": "2", "SYSTEM_TESTS": "", **environment},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
    return done.returncode, done.stdout.splitlines()


def test_run_tests__all_pass__last_line_counts_them(small_project):
    (small_project / "tests/system/test_fine.py").write_text("def test_a(): pass\n")
    code, lines = run_tests(small_project, [], ["build/test_good"],
                            SYSTEM_TESTS="tests/system/test_fine.py")
    assert (code, lines[-1]) == (0, "3 passed, 0 failed")


def test_run_tests__some_do_not_build__are_named_and_the_others_run(small_project):
    (small_project / "tests/system/test_broken.py").write_text("this is no python\n")
    (small_project / "Makefile").write_text(SMALL_MAKEFILE + "build/kernel.elf: FORCE\n")
    code, lines = run_tests(small_project, ["build/kernel.elf"],
                            ["build/test_unlinked", "build/test_good"],
                            SYSTEM_TESTS="tests/system/test_broken.py")
    assert (code, lines[-1]) == (1, "2 passed, 3 failed")
    named = [line.split()[1] for line in lines if line.startswith("failed: ")]
    assert named == ["kernel.elf", "test_broken.system", "test_unlinked"]
    assert not (small_project / "build/kernel.elf").exists()


def test_run_tests__a_program_dies_or_tests_nothing__counts_as_failed(small_project):
    code, lines = run_tests(small_project, [],
                            ["build/test_bad", "build/test_dead", "build/test_empty"])
    assert (code, lines[-1]) == (1, "2 passed, 3 failed")
    assert lines[lines.index("failed: test_bad (exit code 1)") + 1] == "    three"
    assert lines[lines.index("failed: test_dead (exit code 139)") + 1] == "    crash"


def test_run_tests__no_time_left__what_did_not_run_has_failed(small_project):
    (small_project / "test_slow.sh").write_text("#!/bin/sh\nsleep 30\n")
    code, lines = run_tests(small_project, [], ["build/test_slow", "build/test_good"],
                            TESTS_LIMIT="2", JOBS="1")
    assert (code, lines[-1]) == (1, "0 passed, 2 failed")
    assert any("no time left" in line for line in lines)
