"""Figures as they are measured: a line each on the screen, a row each in build/bench.

    P<n> <what>: <figure> <unit>, limit <x>, goal <y>: met

A figure is deterministic if it repeats exactly on every machine: requests, bytes, flushes and
instructions are, times are not.
"""

import csv
import json
import re

from tests.system import machine

FOLDER = machine.BUILD / "bench"
WORSE_IS = 1.02  # a deterministic figure may grow by so much before it counts as worse

_rows = []


def say(what, figure, unit, limit=None, goal=None, least=False):
    """`least`: the goal is a lower bound. Without a goal there is no verdict."""
    number = f"{figure:.2f}".rstrip("0").rstrip(".")
    good = goal is None or (figure >= goal if least else figure <= goal)
    _rows.append({"what": what, "figure": round(figure, 4), "unit": unit, "limit": limit,
                  "goal": goal, "met": None if goal is None else good, "more_is_better": least,
                  "deterministic": unit not in ("s", "us", "times as fast")})
    if goal is None:
        what = re.sub(r"^P\d+ ", "", what)  # a P-line ends with its verdict
    text = f"{what}: {number} {unit}"
    text += "" if limit is None else f", limit {limit}"
    text += "" if goal is None else f", goal {goal}: " + ("met" if good else "missed")
    print(text, flush=True)


def save():
    if not _rows:
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "bench.json").write_text(json.dumps(_rows, indent=1) + "\n", encoding="utf-8")
    with open(FOLDER / "bench.csv", "w", newline="", encoding="utf-8") as target:
        table = csv.DictWriter(target, list(_rows[0]))
        table.writeheader()
        table.writerows(_rows)
    print(f"saved: {FOLDER.relative_to(machine.ROOT)}/bench.json and bench.csv")


def compare(base, now):
    """Prints each deterministic figure that is worse than in `base`; how many there are."""
    before = {row["what"]: row for row in json.loads(base.read_text(encoding="utf-8"))}
    worse = compared = 0
    for row in json.loads(now.read_text(encoding="utf-8")):
        old = before.get(row["what"])
        if not old or not row["deterministic"]:
            continue
        compared += 1
        small, large = sorted((old["figure"], row["figure"]))
        is_worse = (row["figure"] < old["figure"]) == row["more_is_better"]
        if is_worse and large > small * WORSE_IS:
            worse += 1
            print(f"{row['what']}: {old['figure']} -> {row['figure']} {row['unit']}")
    print(f"{compared} figures compared, {worse} worse by more than {WORSE_IS - 1:.0%}")
    return worse
