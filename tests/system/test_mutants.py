"""Planted bugs are caught; `make mutants` tries all of them."""

import re

import pytest

from tests.mutants.mutants import Mutant, mutated, read_mutants
from tests.system.machine import ROOT, run

SLICE = ["a-flush-removed-before-the-commit-block", "archive-before-files",
         "journal-sequence-reset", "replay-ignores-a-write-error", "a-missing-revoke",
         "a-freed-block-is-used-before-its-commit", "a-harvested-page-is-forgotten-after-an-abort"]


def test_mutants__one_of_each_kind__caught_and_the_sound_build_is_not():
    judged = run("make", "mutants", "MUTANTS=" + " ".join(SLICE), cwd=ROOT)
    assert judged.returncode == 0, judged.stdout
    assert judged.stdout.endswith(f"{len(SLICE)} mutants, 0 survived\n")
    assert len(re.findall(r" caught ", judged.stdout)) == len(SLICE)


def test_mutants__every_table__still_fits_its_source():
    mutants = read_mutants()
    assert len({mutant.name for mutant in mutants}) == len(mutants) >= 40
    for mutant in mutants:
        assert mutated(mutant) != (ROOT / mutant.file).read_text(), mutant.name


def test_mutated__text_not_found_once__refused():
    for old in ("no such text anywhere", "status"):
        with pytest.raises(SystemExit, match="found"):
            mutated(Mutant("x", "kernel/fs/jbd2/journal.c", [[old, ""]], ""))
