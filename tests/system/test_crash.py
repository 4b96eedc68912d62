"""The crash explorer on a slice of its scenarios; `make crash` and its like try many more."""

import re

import pytest

from tests.system.machine import BUILD, ROOT, run

CRASH = BUILD / "crash"


def number(pattern, text):
    return int(re.search(pattern, text, re.M).group(1))


def test_crash__every_scenario__no_generation_lost():
    explored = run(CRASH, "--states", 23, "--fsck", 45, "--depth", 3, cwd=ROOT)
    assert explored.returncode == 0, explored.stdout
    assert len(re.findall(r" 0 failed$", explored.stdout, re.M)) >= 40
    assert number(r"^(\d+) states, 0 lost\Z", explored.stdout.rstrip("\n")) >= 5000
    assert number(r"^(\d+) by e2fsck too", explored.stdout) >= 100


def test_crash__long_lives__nothing_lost_nothing_leaked():
    lived = run(CRASH, "--lives", 4, "--crashes", 25, cwd=ROOT)
    assert lived.returncode == 0, lived.stdout
    assert lived.stdout.endswith(": 0 lost, 0 leaked\n")
    assert number(r" (\d+) generations", lived.stdout) > 100


@pytest.mark.parametrize("program, every", [("crash", 700), ("crash.checked", 1500)])
def test_crash__requests_and_allocations_fail__an_error_and_nothing_lost(program, every):
    tried = run(BUILD / program, "--faults", "--every", every, "--seed", 2, cwd=ROOT)
    assert tried.returncode == 0, tried.stdout
    assert number(r"^(\d+) faults, 0 failed$", tried.stdout) > 100


@pytest.mark.parametrize("fault", [
    "increments:1:3:flush:2:once",
    # found, and mended: the record taken for lost; a repair that blamed what came of its failure
    "pins:1:17:read:6:once", "rollback-crashes:1:6:read:6:on", "rollback-crashes:1:4:flush:5:once",
    "repair:1:8:write:6:once", "repair:1:8:flush:7:once", "repair:1:10:write:4:on"])
def test_crash__fault__is_tried_alone(fault):
    tried = run(CRASH, "--fault", fault, cwd=ROOT)
    assert tried.returncode == 0, tried.stdout
    assert "1 faults, 0 failed" in tried.stdout


def test_crash__replay__judges_one_state_in_a_state():
    replayed = run(CRASH, "--replay", "increments:1:0:30:5:3:9", cwd=ROOT)
    assert replayed.returncode == 0, replayed.stdout
    assert "2 states, 0 lost" in replayed.stdout


@pytest.mark.parametrize("words", [["--scenario", "nonsense"], ["--depth", "9"], ["more"],
                                   ["--replay", "increments:x"], ["--lives", "many"],
                                   ["--fault", "increments:1:3:thirst:2:once"]])
def test_crash__wrong_words__one_line_and_code_2(words):
    refused = run(CRASH, *words, cwd=ROOT)
    assert refused.returncode == 2
    assert len(refused.stdout.splitlines()) == 1
