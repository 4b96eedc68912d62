#!/usr/bin/python3
"""Planted bugs: each must be caught by the tests that are to catch its kind.

    tests/mutants/mutants.py [NAME...]      (make mutants, which builds what is needed first)

A table of tests/mutants/*.toml is one bug:

    [name-that-says-what-is-wrong]
    file = "the one that is changed"
    edits = [["exact text, found once", "what stands there instead"], ...]
    judge = "crash ARGUMENTS"   the crash explorer
            "faults ARGUMENTS"  the same, requests and allocations fail
            "unit NAME"         a unit test

Only the changed file is compiled, in build/mutants, beside the objects that are there; the tree stays as it
is. Each judge is run on the sound build, too, and has to pass there. What hangs or dies is caught
as well. The last line is `N mutants, M survived`; exit code 0 if none did and every judge is sound.

From the environment, as the Makefile knows it: FAST_CC and HOST_CC (compiler and flags), FAST_OBJECTS
(of build/crash), HOST_LIBRARY.
"""

import os
import pathlib
import shlex
import subprocess
import sys
import time
import tomllib
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "mutants"
SECONDS = 300
GOOD = 0


class Mutant(NamedTuple):
    name: str
    file: str
    edits: list
    judge: str


def complain(text):
    sys.exit(f"mutants: {text}")


def read_mutants():
    found = []
    for table in sorted(pathlib.Path(__file__).parent.glob("*.toml")):
        for name, fields in tomllib.loads(table.read_text()).items():
            found.append(Mutant(name, fields["file"], fields["edits"], fields["judge"]))
    return found


def mutated(mutant):
    """The source with the bug in it. An edit whose old text is not there exactly once is an error."""
    text = (ROOT / mutant.file).read_text()
    for old, new in mutant.edits:
        if text.count(old) != 1:
            complain(f"{mutant.name}: found {text.count(old)} times in {mutant.file}:\n{old}")
        text = text.replace(old, new)
    return text


def run(command, seconds=SECONDS):
    """(exit code, output); 124: it hung."""
    try:
        done = subprocess.run(command, cwd=ROOT, timeout=seconds, text=True, errors="replace",
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except subprocess.TimeoutExpired:
        return 124, "it hangs"
    return done.returncode, done.stdout


def build(command, what):
    code, output = run(command)
    if code != 0:
        complain(f"{what} does not build:\n{output}")


def program_of(judge, mutant=None):
    """The command that judges the sound build (no mutant), or one with the bug linked in."""
    kind, *words = shlex.split(judge)
    compiler = shlex.split(os.environ["HOST_CC" if kind == "unit" else "FAST_CC"])
    changed = []
    program = BUILD / f"sound-{words[0]}" if kind == "unit" else ROOT / "build" / "crash"
    if mutant:
        source = BUILD / mutant.name / pathlib.Path(mutant.file).name
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_text(mutated(mutant))
        changed, program = [source.with_suffix(".o")], source.parent / "judge"
        build([*compiler, "-w", "-c", source, "-o", changed[0]], mutant.name)
    if kind == "unit":
        build([*compiler, f"tests/unit/{words[0]}.c", *changed, os.environ["HOST_LIBRARY"],
               "-lcmocka", "-o", program], judge)
        return [program]
    if mutant:
        objects = [name for name in os.environ["FAST_OBJECTS"].split()
                   if not name.endswith("/" + mutant.file.removesuffix(".c") + ".o")]
        build([*compiler, *objects, *changed, "-o", program], mutant.name)
    mode = ["--faults"] if kind == "faults" else ["--fsck", "0", "--depth", "1"]
    return [program, *mode, *words, "--stop"]


def reason(code, output):
    """The line that says by what it was caught."""
    for line in output.splitlines():
        if line.startswith("FAILED") or "[  FAILED  ]" in line:
            return line.replace("FAILED ", "", 1)[:100]
    last = output.strip().splitlines()[-1:] or [""]
    return f"exit code {code}: {last[0]}"[:100]


def check_judges(mutants):
    """Those that fail without any bug."""
    wrong = []
    for judge in sorted({mutant.judge for mutant in mutants}):
        code, output = run(program_of(judge))
        if code != GOOD:
            wrong.append(judge)
            print(f"the sound build fails: {judge}: {reason(code, output)}", flush=True)
    return wrong


def main(names):
    mutants = read_mutants()
    unknown = set(names) - {mutant.name for mutant in mutants}
    if unknown:
        complain(f"no such bug: {' '.join(sorted(unknown))}")
    if names:
        mutants = [mutant for mutant in mutants if mutant.name in names]
    BUILD.mkdir(parents=True, exist_ok=True)
    survived = 0
    for mutant in mutants:
        start = time.monotonic()
        code, output = run(program_of(mutant.judge, mutant))
        survived += code == GOOD
        verdict = "SURVIVED" if code == GOOD else "caught"
        detail = mutant.judge if code == GOOD else reason(code, output)
        print(f"{mutant.name:48} {verdict:8} {time.monotonic() - start:4.0f} s  {detail}",
              flush=True)
    wrong = check_judges(mutants)
    print(f"{len(mutants)} mutants, {survived} survived")
    return 1 if survived or wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
