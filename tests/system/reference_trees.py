"""Trees of the original program, rebuilt from tests/data/reference/trees.json.xz (README.md there)."""

import base64
import json
import lzma
import struct

from tests.system.machine import ROOT

MASK = (1 << 64) - 1


def page(identity, version, size=4096):
    """What the original's test program put into a page."""
    state, words = ((identity << 32) + version) & MASK, []
    for _ in range((size + 7) // 8):
        state = (state + 0x9E3779B97F4A7C15) & MASK
        word = ((state ^ state >> 30) * 0xBF58476D1CE4E5B9) & MASK
        word = ((word ^ word >> 27) * 0x94D049BB133111EB) & MASK
        words.append(word ^ word >> 31)
    return struct.pack(f"<{len(words)}Q", *words)[:size]


def load():
    """{tree: {"files": ..., "pages": {generation: {page: version or None}}}}"""
    packed = (ROOT / "tests/data/reference/trees.json.xz").read_bytes()
    trees = json.loads(lzma.decompress(packed))
    # Two pages with one hash: the original kept the first for both generations.
    trees["tree6-hash-collision"]["pages"] = {"2025-06-15 15:06:40": {"1": 63402},
                                              "2025-06-15 15:07:40": {"1": 63402}}
    return trees


def build(files, folder):
    """Writes the files of a tree into a folder."""
    for path, content in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            target.write_bytes(base64.b85decode(content))
        else:
            target.write_bytes(bytes.fromhex(content[0]) + page(*content[1:]))
    return folder
