"""Reads Snapper's files off an image with debugfs alone: a second opinion on FORMAT.md."""

import pathlib
import shutil
import struct
import tempfile
import zlib

from tests.system.machine import IMAGES, run

PAGE = 4096
SCRATCH_FIRST_PAGE = 64 * 1024 * 1024 // PAGE
MASK = (1 << 64) - 1


class Generation:
    """One archive: parent, runs, and the snapshot files that it lists."""

    def __init__(self, name, raw):
        self.name = name
        version, crc = struct.unpack_from("<BI", raw, 0)
        assert version == 2, (name, version)
        assert zlib.crc32(raw[5:]) == crc, name
        layout, described, generations, runs, self.files_written, self.objects = \
            struct.unpack_from("<IIIIQQ", raw, 5)
        assert layout == 1
        self.parent = raw[5 + 32:5 + 60].rstrip(b"\0").decode()
        at = 5 + 64
        table = []
        for _ in range(generations):
            text, threshold = struct.unpack_from("<28sI", raw, at)
            table.append((text.rstrip(b"\0").decode(), threshold))
            at += 32
        self.files = []  # (rank, object id, path)
        for _ in range(runs):
            first, count, size, of, ordinal, _crc, _age, rank, _ = \
                struct.unpack_from("<QIIIIIHBB", raw, at)
            at += 32
            assert size == PAGE
            for n in range(count):
                self.files.append((rank, first + n, path_of(*table[of], ordinal + n)))
        self.description = raw[at:at + described].decode()


def path_of(generation, threshold, ordinal):
    depth, number = divmod(ordinal, threshold)
    return f"{generation}/snapshot/{'ext/' * depth}{number:04x}"


class SnapperFiles:
    """All of /snapper on an image, copied to the host while the object lives."""

    def __init__(self, image):
        IMAGES.mkdir(parents=True, exist_ok=True)
        self.folder = pathlib.Path(tempfile.mkdtemp(dir=IMAGES))
        run("debugfs", "-R", f"rdump /snapper {self.folder}", image)
        self.root = self.folder / "snapper"
        self.generations = [Generation(path.parent.name, path.read_bytes())
                            for path in sorted(self.root.glob("*/archive"))]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.folder)

    def page(self, generation, number):
        """The newest copy of a page of the scratch area, None if it is not listed."""
        for rank, identity, path in generation.files:
            if rank == 0 and identity == SCRATCH_FIRST_PAGE + number:
                return (self.root / path).read_bytes()[6:]
        return None

    def complaints(self):
        """Whatever is wrong with version, checksum or reference count of a snapshot file."""
        listed = {}
        for generation in self.generations:
            for path in {path for _, _, path in generation.files}:
                listed[path] = listed.get(path, 0) + 1
        wrong = []
        on_disk = {str(path.relative_to(self.root))
                   for path in self.root.glob("*/snapshot/**/*") if path.is_file()}
        wrong += [f"{path}: not listed" for path in on_disk - listed.keys()]
        for path, count in listed.items():
            if path not in on_disk:
                wrong.append(f"{path}: missing")
                continue
            raw = (self.root / path).read_bytes()
            version, crc, references = struct.unpack_from("<BIB", raw, 0)
            if version != 2:
                wrong.append(f"{path}: version {version}")
            if zlib.crc32(raw[6:]) != crc:
                wrong.append(f"{path}: checksum")
            if references != min(count, 255):
                wrong.append(f"{path}: rc {references}, listed by {count}")
        return wrong


def mix(value):
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9 & MASK
    value = (value ^ value >> 27) * 0x94d049bb133111eb & MASK
    return value ^ value >> 31


def pattern(seed, number):
    """What `mem fill SEED` writes into a page."""
    word = mix((mix(seed) + number) & MASK)
    words = []
    for _ in range(PAGE // 8):
        words.append(word)
        word = (word * 6364136223846793005 + 1442695040888963407) & MASK
    return struct.pack("<512Q", *words)
