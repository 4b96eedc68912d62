"""What README.md shows is what happens: its transcript is typed again, its commands are run."""

import re
import subprocess
import time

import pytest

from tests.system.machine import ROOT, Machine, _environment, empty_image

README = (ROOT / "README.md").read_text(encoding="utf-8")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
PROMPT = "snapper> "


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S)


def steps(transcript):
    """(typed after a prompt, or a host command; the lines shown below it), in order."""
    found = []
    for line in transcript.splitlines():
        if line.startswith((PROMPT, "$ ")):
            found.append((line, []))
        elif found:
            found[-1][1].append(line)
    return found


def alike(text):
    """Without what differs from run to run: times, counts, and the width of columns."""
    text = re.sub(r"\d+", "N", TIME.sub("TIME", text))
    return re.sub(r"\b(s|min|h|d|B|[KMGT]iB)\b", "UNIT", re.sub(r"\s+", " ", text)).strip()


def assert_shows(typed, shown, reply):
    """A reply is shown whole; `...` stands for any number of lines."""
    same = alike if typed.startswith("$ ") or "snapper " in typed[len(PROMPT):] else str.strip
    pattern = r"\n".join(".*" if line.strip() == "..." else re.escape(same(line))
                         for line in shown)
    text = "\n".join(same(line) for line in reply.splitlines() if line.strip())
    assert re.fullmatch(pattern, text, re.S), f"{typed}\nREADME: {shown}\nkernel: {reply}"


def play(transcript, image):
    """Types the transcript; what `snapper list` replied last."""
    machine, listed = None, ""
    try:
        for typed, shown in steps(transcript):
            if typed.startswith("$ make run"):
                machine = Machine(command=[*typed[2:].split(), f"IMAGE={image}"])
                assert_shows(typed, shown, machine.log)
            elif typed == PROMPT + "^A x":
                machine.console.send("\x01x")
                machine.wait_exit()
            elif typed == PROMPT + "shutdown":
                machine.send("shutdown")
                assert machine.wait_exit() == 0
            else:
                reply = machine.command(typed[len(PROMPT):])
                assert_shows(typed, shown, reply)
                listed = reply if typed.endswith("snapper list") else listed
    finally:
        if machine:
            machine.kill9()
    return listed


@pytest.fixture(scope="module")
def played():
    """The image that the transcript leaves behind, and its newest generation."""
    image = empty_image(0)
    image.unlink()
    listed = play("".join(blocks("console")), image)
    yield image, TIME.findall(listed)[-1]
    image.unlink(missing_ok=True)


def test_readme__transcript__is_what_happens(played):
    assert played[0].exists()


def test_readme__make_run_as_it_is__takes_generations_by_itself():
    image = empty_image(0)
    image.unlink()
    try:
        machine = Machine(command=["make", "run", f"IMAGE={image}"])
        try:
            machine.command("mem fill 7 0 50")
            deadline = time.monotonic() + 30
            while not TIME.search(machine.command("snapper list")):
                assert time.monotonic() < deadline
                time.sleep(0.2)
        finally:
            machine.kill9()
        machine = Machine(command=["make", "run", f"IMAGE={image}"])
        try:
            assert machine.command("mem check 7 0 50") == "mem: 50 pages ok"
        finally:
            machine.kill9()
    finally:
        image.unlink(missing_ok=True)


@pytest.mark.parametrize("line", [line for block in blocks("sh") for line in block.splitlines()])
def test_readme__command__works(line, played):
    image, generation = played
    if line.startswith("make run"):
        return  # that is how the transcript begins
    command = line.replace("make test", "make -n test")  # here we are
    command = command.replace("build/disk.img", str(image)).replace("GENERATION", generation)
    done = subprocess.run(["bash", "-c", "set -o pipefail; " + command], cwd=ROOT, timeout=120,
                          env={**_environment, "MEMORY": "128M"}, text=True, check=False,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)
    assert done.returncode == 0 and len(done.stdout) > 0, done.stdout
    assert "not found" not in done.stdout, done.stdout
