"""A few boots of the real kernel, each cut short; `make boots` does hundreds."""

from tests.system.boots import live
from tests.system.machine import make_image


def test_boots__cut_at_seeded_writes__nothing_lost():
    said = []
    life, lost = live(12, 3, make_image("64M"), said.append)
    assert lost == 0, said
    assert len(said) == 12
    assert life.ways["kill"] > 0 and life.ways["reset"] > 0
    assert len(life.resumed) > 4
