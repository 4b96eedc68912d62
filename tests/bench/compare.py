#!/usr/bin/python3
"""compare.py BASE NOW: which deterministic figures of NOW are worse; exit code 1 if there are any."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.bench import report  # noqa: E402


def main():
    files = [pathlib.Path(word) for word in sys.argv[1:]]
    if len(files) != 2 or not sys.argv[1]:
        sys.exit("bench-compare: BASE=FILE is missing")
    for path in files:
        if not path.is_file():
            sys.exit(f"bench-compare: {path}: no such file (make bench writes them)")
    sys.exit(1 if report.compare(*files) else 0)


main()
