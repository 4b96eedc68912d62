"""Damaged images on a few seeds; `make damage` tries many more."""

import re

import pytest

from tests.system.machine import BUILD, ROOT, run

DAMAGE = BUILD / "damage"


@pytest.mark.parametrize("seed", [1, 100001])
def test_damage__images_are_used__nothing_is_broken(seed):
    tried = run(DAMAGE, "--seed", seed, "--count", 120, "--fsck", 6, cwd=ROOT)
    assert tried.returncode == 0, tried.stdout
    assert int(re.search(r"^(\d+) judged by e2fsck", tried.stdout, re.M).group(1)) > 5
    assert tried.stdout.endswith("120 images, 0 broken\n")


@pytest.mark.parametrize("words", [["--count", "0"], ["--seed", "x"], ["more"], ["--jobs", "99"]])
def test_damage__wrong_words__one_line_and_code_2(words):
    refused = run(DAMAGE, *words, cwd=ROOT)
    assert refused.returncode == 2
    assert len(refused.stdout.splitlines()) <= 1


def test_damage__journals__replayed_as_by_e2fsck():
    compared = run(DAMAGE, "--journals", "--count", 240, cwd=ROOT)
    assert compared.returncode == 0, compared.stdout
    assert int(re.search(r"^same: (\d+)$", compared.stdout, re.M).group(1)) > 60
    assert compared.stdout.endswith("120 journals, 0 broken\n")


def test_damage__sectors__right_or_an_error():
    tried = run(DAMAGE, "--rot", "--count", 900, cwd=ROOT)
    assert tried.returncode == 0, tried.stdout
    assert tried.stdout.endswith("600 sectors, 0 broken\n")


def test_damage__full_disks__refused_by_name_and_nothing_leaked():
    tried = run(DAMAGE, "--full", "--seed", 7000, "--count", 96, cwd=ROOT)
    assert tried.returncode == 0, tried.stdout
    assert int(re.search(r"^refused: (\d+)$", tried.stdout, re.M).group(1)) > 10
    assert tried.stdout.endswith("80 disks, 0 broken\n")


def test_damage__short_disks__survived():
    tried = run(DAMAGE, "--shrink", "--count", 120, cwd=ROOT)
    assert tried.returncode == 0, tried.stdout
    assert int(re.search(r"^survived: (\d+)$", tried.stdout, re.M).group(1)) > 50
    assert tried.stdout.endswith("120 disks, 0 broken\n")
