"""The crash explorer on a few states of each of its scenarios; `make crash` tries many more."""

import re

import pytest

from tests.system.machine import BUILD, ROOT, run

CRASH = BUILD / "crash"
SCENARIOS = run(CRASH, "--list", cwd=ROOT).stdout.split()


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_crash__scenario__no_generation_lost(scenario):
    explored = run(CRASH, "--scenario", scenario, "--states", "400", "--fsck", "50", cwd=ROOT)
    assert explored.returncode == 0, explored.stdout
    assert int(re.search(r"(\d+) states, 0 lost$", explored.stdout).group(1)) > 100


@pytest.mark.parametrize("program, every", [("crash", 100), ("crash.checked", 400)])
def test_crash__requests_and_allocations_fail__an_error_and_nothing_lost(program, every):
    tried = run(BUILD / program, "--faults", "--every", every, "--seed", 2, cwd=ROOT)
    assert tried.returncode == 0, tried.stdout
    assert int(re.search(r"^(\d+) faults, 0 failed$", tried.stdout, re.M).group(1)) > 100


def test_crash__fault__is_tried_alone():
    tried = run(CRASH, "--fault", "increments:1:3:flush:2:once", cwd=ROOT)
    assert tried.returncode == 0, tried.stdout
    assert "1 faults, 0 failed" in tried.stdout


def test_crash__replay__judges_one_state_in_a_state():
    replayed = run(CRASH, "--replay", "increments:1:0:30:5:3:9", cwd=ROOT)
    assert replayed.returncode == 0, replayed.stdout
    assert "2 states, 0 lost" in replayed.stdout


@pytest.mark.parametrize("words", [["--scenario", "nonsense"], ["--depth", "9"], ["more"],
                                   ["--replay", "increments:x"],
                                   ["--fault", "increments:1:3:thirst:2:once"]])
def test_crash__wrong_words__one_line_and_code_2(words):
    refused = run(CRASH, *words, cwd=ROOT)
    assert refused.returncode == 2
    assert len(refused.stdout.splitlines()) == 1
