"""What programs have to say, computed again: any step lost or done twice would show."""

import re

MASK = (1 << 64) - 1
FNV_BASIS, FNV_PRIME = 0xcbf29ce484222325, 0x100000001b3

PRIMES_LINE = re.compile(r"primes: (\d+) below (\d+), hash 0x([0-9a-f]{16})")
LIFE_LINE = re.compile(r"life: step (\d+), (\d+) alive, hash 0x([0-9a-f]{16})")
HANOI_LINE = re.compile(r"hanoi: (?:solved, )?(\d+) moves, hash 0x([0-9a-f]{16})")
HELLO_LINE = re.compile(r"hello, number (\d+)\n")


class Primes:
    """kernel/user/logic/primes.c in Python; asked for ascending limits."""

    def __init__(self):
        self.candidate, self.count, self.hash = 2, 0, FNV_BASIS
        self.sieve = bytearray(1)

    def _sieve_to(self, limit):
        if limit < len(self.sieve):
            return
        size = max(limit + 1, 2 * len(self.sieve))
        sieve = bytearray([1]) * size
        sieve[0:2] = b"\0\0"
        for number in range(2, int(size ** 0.5) + 1):
            if sieve[number]:
                sieve[number * number::number] = bytes(len(range(number * number, size, number)))
        self.sieve = sieve

    def below(self, limit):
        """How many there are, and the hash of the way there."""
        self._sieve_to(limit)
        while self.candidate < limit:
            prime = self.sieve[self.candidate]
            self.count += prime
            self.hash = (self.hash ^ (self.candidate << 1 | prime)) * FNV_PRIME & MASK
            self.candidate += 1
        return self.count, self.hash


def _random_draw(seed):
    seed = (seed + 0x9e3779b97f4a7c15) & MASK
    mixed = (seed ^ seed >> 30) * 0xbf58476d1ce4e5b9 & MASK
    mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111eb & MASK
    return seed, mixed ^ mixed >> 31


class Life:
    """kernel/user/logic/life.c in Python: the hash of each step, by its number."""

    COLUMNS, ROWS = 64, 20

    def __init__(self, seed):
        alive = set()
        for row in range(self.ROWS):
            for column in range(self.COLUMNS):
                seed, number = _random_draw(seed)
                if number % 3 == 0:
                    alive.add((row, column))
        self.alive, self.steps = alive, []

    def at(self, step):
        """How many are alive after that many steps, and the hash."""
        while len(self.steps) <= step:
            self.steps.append((len(self.alive), self._hash()))
            self._next()
        return self.steps[step]

    def _hash(self):
        value = FNV_BASIS
        for row in range(self.ROWS):
            for column in range(self.COLUMNS):
                value = (value ^ ((row, column) in self.alive)) * FNV_PRIME & MASK
        return value

    def _next(self):
        around = {}
        for row, column in self.alive:
            for down in (-1, 0, 1):
                for right in (-1, 0, 1):
                    if down or right:
                        place = (row + down) % self.ROWS, (column + right) % self.COLUMNS
                        around[place] = around.get(place, 0) + 1
        self.alive = {place for place, count in around.items()
                      if count == 3 or count == 2 and place in self.alive}


class Hanoi:
    """The moves of kernel/user/programs/hanoi.c and their hash, by how many."""

    def __init__(self, disks):
        self.moves, self.hash, self.known = 0, FNV_BASIS, {}
        self.steps = self._solve(disks, 0, 2)

    def _solve(self, disks, source, target):
        if disks:
            yield from self._solve(disks - 1, source, 3 - source - target)
            yield disks * 16 + source * 4 + target
            yield from self._solve(disks - 1, 3 - source - target, target)

    def after(self, moves):
        while self.moves < moves:
            self.hash = (self.hash ^ next(self.steps)) * FNV_PRIME & MASK
            self.moves += 1
            self.known[self.moves] = self.hash
        return self.known[moves]


def mandel_rows(limit, rows):
    """What kernel/user/programs/mandel.c draws: IEEE doubles are the same everywhere."""
    shades = ".,:;-~+=ox*%#&@"
    total = 0
    for row in range(rows):
        text = ""
        for column in range(72):
            x, y = -2.2 + 3.2 * column / 72, 1.2 - 2.4 * row / rows
            a = b = 0.0
            count = limit
            for step in range(limit):
                a, b = a * a - b * b + x, 2 * a * b + y
                if a * a + b * b > 4:
                    count = step
                    break
            text += " " if count == limit else shades[count % len(shades)]
            total += count
        yield f"{text} {total}"
    yield f"mandel: {rows} rows, {total} steps"
