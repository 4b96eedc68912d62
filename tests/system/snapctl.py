"""The host's tool in its sanitized build, as the tests call it."""

import hashlib
import json
import subprocess

import pytest

from tests.system.machine import BUILD, IMAGES, Machine, _environment, copy_image, make_image

FINE, PROBLEMS, USAGE, FAILED = 0, 1, 2, 3
PROGRAM = BUILD / "snapctl.checked"


class Answer:
    """What a call printed, and its exit code."""

    def __init__(self, done):
        self.code, self.out = done.returncode, done.stdout
        self.errors = done.stderr.decode(errors="replace")
        assert "Sanitizer" not in self.errors and "runtime error" not in self.errors, self.errors

    @property
    def text(self):
        return self.out.decode()

    @property
    def json(self):
        return json.loads(self.out)


def snapctl(image, *words, stdin=b"", code=FINE):
    """`snapctl -i IMAGE WORDS`, which must end with this exit code."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    done = subprocess.run([str(PROGRAM), "-i", str(image), *map(str, words)], input=stdin,
                          env=_environment, timeout=300, check=False,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    answer = Answer(done)
    assert answer.code == code, (words, answer.code, answer.text[-2000:], answer.errors)
    return answer


def names(image, code=FINE):
    """Of all generations, oldest first."""
    listed = snapctl(image, "--json", "list", code=code).json
    return [generation["name"] for generation in listed]


def assert_sound(image):
    """snapctl's own audit finds nothing, and whatever it says is in JSON too."""
    found = snapctl(image, "--json", "verify").json
    assert found["snapshots"] == "clean" and found["file_system"] == "clean", found


# --- three generations, made by the kernel ---

PAGES = 300


def digest(image):
    return hashlib.sha256(image.read_bytes()).hexdigest()


def fill(machine, seed, first, count):
    reply = machine.command(f"mem fill {seed} {first} {count}", timeout=120)
    assert reply == f"mem: {count} pages filled", reply


def assert_memory(machine, seed, first, count):
    reply = machine.command(f"mem check {seed} {first} {count}", timeout=120)
    assert reply == f"mem: {count} pages ok", reply


@pytest.fixture(scope="module")
def three():
    """Three generations: 300 pages; 10 of them changed; 5 of these changed. The plug was pulled."""
    image = make_image("64M")
    with Machine(image) as machine:
        for seed, count, text in ((1, PAGES, "first"), (2, 10, "second"), (3, 5, "third")):
            fill(machine, seed, 0, count)
            assert "generation: " in machine.command(f"snapper create -d {text}")
        listed = machine.command("snapper list")
    kept = image.with_suffix(".three")
    image.rename(kept)
    yield kept, listed
    kept.unlink()


@pytest.fixture(name="image")
def fresh_copy(three):
    return copy_image(three[0])
