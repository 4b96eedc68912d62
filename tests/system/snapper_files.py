"""Reads Snapper's files off an image with debugfs alone: a second opinion on FORMAT.md."""

import datetime
import pathlib
import shutil
import struct
import tempfile
import zlib

from tests.system.machine import IMAGES, run

PAGE = 4096
SCRATCH_FIRST_PAGE = 64 * 1024 * 1024 // PAGE
MASK = (1 << 64) - 1


def name_of(time):
    """A generation's name from its time in microseconds."""
    seconds, microseconds = divmod(time, 1_000_000)
    moment = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + f".{microseconds:06}Z"


class Numbers:
    """Fields one after the other."""

    def __init__(self, raw):
        self.raw, self.at = raw, 0

    def take(self, layout):
        fields = struct.unpack_from("<" + layout, self.raw, self.at)
        self.at += struct.calcsize("<" + layout)
        return fields if len(fields) > 1 else fields[0]

    def leb128(self):
        value = shift = 0
        while True:
            byte = self.take("B")
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value


class Generation:
    """One archive: parent, description, and the snapshot files that it lists."""

    def __init__(self, name, raw):
        self.name = name
        numbers = Numbers(raw)
        version, crc = numbers.take("BI")
        assert version == 2, (name, version)
        assert zlib.crc32(raw[5:]) == crc, name
        magic, layout, flags, described, _ = numbers.take("4sBBBB")
        assert (magic, layout, flags) == (b"SNAP", 1, 0)
        generations, runs, self.objects, parent, self.files_written = numbers.take("IIQQI")
        self.parent = None if parent == MASK else name_of(parent)
        self.description = numbers.take(f"{described}s").decode()
        table = [numbers.take("QI") for _ in range(generations)]
        assert name_of(table[0][0]) == name
        self.files = []  # (rank, object id, path)
        self.read_groups(numbers, runs, table)
        assert numbers.at == len(raw)

    def read_groups(self, numbers, runs, table):
        first = 0
        while runs:
            first += numbers.leb128()
            count, size = numbers.leb128(), numbers.leb128()
            assert size == PAGE
            in_group = numbers.leb128()
            for rank in range(in_group):
                of, ordinal, _age = numbers.leb128(), numbers.leb128(), numbers.leb128()
                numbers.take("I")
                time, threshold = table[of]
                self.files += [(rank, first + n, path_of(name_of(time), threshold, ordinal + n))
                               for n in range(count)]
            first += count
            runs -= in_group


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

    def contents(self):
        """All files, by path."""
        return {str(path.relative_to(self.root)): path.read_bytes()
                for path in self.root.rglob("*") if path.is_file()}

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
