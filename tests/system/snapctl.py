"""The host's tool in its sanitized build, as the tests call it."""

import json

from tests.system.machine import BUILD, IMAGES, _environment

import subprocess

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
