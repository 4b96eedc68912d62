"""What all system tests share."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))

from tests.system import machine  # noqa: E402


@pytest.fixture
def image():
    """A fresh 64 MiB image with mkfs.ext4's defaults (1 KiB blocks)."""
    return machine.make_image("64M")


@pytest.fixture(autouse=True)
def remove_own_images():
    """Images of a test that passed are gone; those of a failure stay for a look."""
    before = set(machine.IMAGES.glob(f"{os.getpid()}-*")) if machine.IMAGES.exists() else set()
    yield
    if os.environ.get("KEEP_IMAGES"):
        return
    for path in set(machine.IMAGES.glob(f"{os.getpid()}-*")) - before:
        path.unlink(missing_ok=True)
