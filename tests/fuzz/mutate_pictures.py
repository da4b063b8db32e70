#!/usr/bin/env python3
"""Send mutated pictures through the program's picture door, and require that each is read or refused in a sentence.

A JPEG is mutated in its tables and headers (DHT, DQT, SOF, SOS, DRI), other pictures anywhere. The program is run without its
engine beside it, so that it ends once the pixels are decoded and brought to size. What counts as a failure: a signal, more than
10 seconds, another exit code than that of a refusal or of the missing engine, more than 1 GB of memory.

Examples:
  tests/fuzz/mutate_pictures.py build/release                    2000 JPEGs
  tests/fuzz/mutate_pictures.py build/release gif bmp -n 500     other kinds, by the beginnings of names in data/pictures/golden
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
GOLDEN = ROOT / "tests" / "data" / "pictures" / "golden"
TABLES = {0xC0, 0xC1, 0xC2, 0xC4, 0xDA, 0xDB, 0xDD}
REFUSED, NO_ENGINE = 3, 6
LONGEST, LARGEST = 10, 1_000_000  # seconds, kB
EDGES = (0, 1, 2, 15, 16, 17, 63, 64, 127, 128, 254, 255)


def segments(jpeg: bytes) -> list[tuple[int, int]]:
    """Begin and end of the content of each table and header."""
    found, at = [], 2
    while at + 4 <= len(jpeg):
        if jpeg[at] != 0xFF or jpeg[at + 1] in (0x00, 0xFF, 0xD9) or 0xD0 <= jpeg[at + 1] <= 0xD7:
            at += 1
            continue
        end = at + 2 + struct.unpack_from(">H", jpeg, at + 2)[0]
        if jpeg[at + 1] in TABLES:
            found.append((at + 4, min(end, len(jpeg))))
        at = end
    return found


def mutated_jpeg(dice: random.Random, jpeg: bytes) -> bytes:
    content = bytearray(jpeg)
    for _ in range(dice.choice((1, 1, 2, 4))):
        begin, end = dice.choice(segments(jpeg))
        kind = dice.random()
        if kind < 0.5:  # the first bytes are counts, sizes and numbers of tables
            content[min(begin + dice.randrange(18), end - 1)] = dice.choice((*EDGES, dice.randrange(256)))
        elif kind < 0.8:
            content[dice.randrange(begin, end)] = dice.randrange(256)
        elif kind < 0.9:
            content[begin:end] = dice.randbytes(end - begin)
        else:  # the length says otherwise
            content[begin - 2:begin] = struct.pack(">H", dice.choice((2, 19, end - begin, end - begin + 30, 65535)))
    return bytes(content)


def mutated(dice: random.Random, picture: bytes) -> bytes:
    if picture.startswith(b"\xff\xd8"):
        return mutated_jpeg(dice, picture)
    content = bytearray(picture)
    for _ in range(dice.choice((1, 1, 2, 8))):
        at = min(dice.randrange(len(content)), dice.choice((64, len(content) - 1)))
        content[at] = dice.choice((*EDGES, dice.randrange(256)))
    return bytes(content[:dice.randrange(len(content))] if dice.random() < 0.1 else content)


class Door:
    """A copy of the program without its engine, and a folder for it to work in."""

    def __init__(self, build: Path, folder: Path) -> None:
        self.folder = folder
        shutil.copy(build / "lapis", folder / "lapis")

    def answer(self, name: str) -> tuple[int, int, str]:
        """Exit code (negative: a signal, or time that ran out), kB of memory, and what was said."""
        words = [self.folder / "lapis", "encode", name, "-m", ROOT / "models" / "tiny-sd15", "-W", "64", "-H", "64",
                 "-o", "a.safetensors"]
        with subprocess.Popen(words, cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as child:
            late = threading.Timer(LONGEST, child.kill)
            late.start()
            said = child.stderr.read().decode(errors="replace")
            _, status, usage = os.wait4(child.pid, 0)
            late.cancel()
            child.returncode = os.waitstatus_to_exitcode(status)
        return child.returncode, usage.ru_maxrss, said


def failures(build: Path, kinds: list[str], count: int, seed: int = 1, keep: Path | None = None) -> tuple[list[str], Counter]:
    """What went wrong, and how often each exit code came."""
    seeds = sorted(path for kind in kinds for path in GOLDEN.glob(f"{kind}*"))
    wrong: list[str] = []
    codes: Counter = Counter()
    with tempfile.TemporaryDirectory() as folder:
        door = Door(build, Path(folder))
        for number in range(count):
            dice = random.Random(seed * 1_000_003 + number)
            source = dice.choice(seeds)
            picture = Path(folder) / f"a{source.suffix}"
            picture.write_bytes(mutated(dice, source.read_bytes()))
            code, memory, said = door.answer(picture.name)
            codes[code] += 1
            # Without the engine it is the last thing that is missed: nothing of the picture was refused.
            if (code == REFUSED and "error: " in said or code == NO_ENGINE and "liblapis_engine" in said) \
                    and memory < LARGEST:
                continue
            wrong.append(f"{source.name}, number {number} of seed {seed}: exit {code}, {memory} kB, {said.strip()!r}")
            if keep:
                shutil.copy(picture, keep / f"{number}-{source.name}")
    return wrong, codes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=Path, help="folder of the built program")
    parser.add_argument("kinds", nargs="*", default=["jpeg"], metavar="KIND", help="jpeg, png, gif, bmp, tga, pnm, pam (jpeg)")
    parser.add_argument("-n", "--number", type=int, default=2000, metavar="N", help="how many pictures (2000)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="where the dice begin (1)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="where pictures that fail are kept")
    options = parser.parse_args()
    if options.keep:
        options.keep.mkdir(parents=True, exist_ok=True)
    wrong, codes = failures(options.build.resolve(), options.kinds or ["jpeg"], options.number, options.seed, options.keep)
    for line in wrong:
        print(line, file=sys.stderr)
    print(f"{options.number} pictures: {codes[REFUSED]} refused, {codes[NO_ENGINE]} decoded, {len(wrong)} failures")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
