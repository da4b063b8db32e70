"""What the program's suites share: where things lie, how the program is run, and files written and read by hand.

Every suite is run by hand as by CTest:

    tests/cli/test_NAME.py BUILD_FOLDER [unittest arguments]
"""

from __future__ import annotations

import argparse
import fcntl
import functools
import json
import math
import os
import pty
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import unicodedata
import unittest
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeVar
from unittest import mock

Value = TypeVar("Value")

ROOT = Path(__file__).resolve().parents[2]
DATA = ROOT / "tests" / "data"
MODEL, SDXL, FLUX = (ROOT / "models" / f"tiny-{family}" for family in ("sd15", "sdxl", "flux"))
SPIECE = FLUX / "tokenizer_2" / "spiece.model"
COMMANDS = (
    "", "generate", "refine", "encode", "decode", "convert", "check", "compare", "batch", "smoke", "matrix", "import", "inspect",
    "list")
# Options that make a run short: of a picture, of one that is always the same, and of all else.
QUICK = ("--steps", "2", "-W", "64", "-H", "64", "-t", "1")
WALK = ("a red house in snow", "--steps", "3", "-W", "64", "-H", "64", "-t", "1", "-s", "7", "-q")
WARM = ("-t", "1")

# Nobody's own models and LoRAs take part.
os.environ["XDG_DATA_HOME"] = os.devnull
for variable in ("LAPIS_MODELS", "LAPIS_LORAS"):
    os.environ.pop(variable, None)


# The build, and the suite

_build = ROOT / "build" / "release"


def build() -> Path:
    """The build folder that the suite was given."""
    return _build


def program() -> Path:
    """The program under test."""
    return _build / "lapis"


def has_engine() -> bool:
    """Whether the build has one; that of the sanitizers has none."""
    return (_build / "liblapis_engine.so").exists()


def some(values: Iterable[Value]) -> list[Value]:
    """All of them; of a build with the sanitizers, which takes ten times as long, every fourth."""
    return list(values)[::1 if has_engine() else 4]


def needs(condition: Callable[[], bool], reason: str) -> Callable:
    """Marks a test, or all of a class, as left out where the condition does not hold when it would run."""
    def mark(item: Callable | type[unittest.TestCase]) -> Callable:
        method = item.setUp if isinstance(item, type) else item

        @functools.wraps(method)
        def checked(self: unittest.TestCase) -> None:
            if not condition():
                self.skipTest(reason)
            method(self)

        if isinstance(item, type):
            item.setUp = checked
            return item
        return checked
    return mark


needs_engine = needs(has_engine, "this build has no engine")


def start(description: str | None,
          add: Callable[[argparse.ArgumentParser], object] = lambda parser: None) -> argparse.Namespace:
    """Reads a suite's command line: the build folder, and the options that `add` adds. What is left is unittest's."""
    global _build
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     epilog="All else is unittest's: -v, -k, TEST.", allow_abbrev=False)
    parser.add_argument("build", type=Path, metavar="BUILD_FOLDER", help="where the program was built: build/release")
    add(parser)
    options, rest = parser.parse_known_args()
    _build = options.build.resolve()
    sys.argv[1:] = rest
    return options


def main(description: str | None) -> None:
    """Runs the suite whose file is running."""
    start(description)
    unittest.main()


# Running the program

def run(*words: str | bytes | Path, **options) -> subprocess.CompletedProcess:
    """Runs the program and returns what it said, as bytes; `stdout` may be a file."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 300}
    environment = {**os.environ, "COLUMNS": "80", **options.pop("env", {})}
    return subprocess.run([program(), *words], env=environment, **streams | options)


def on_terminal(*words: str | bytes, streams: tuple[str, ...] = ("stdout",), columns: int = 0,
                **options) -> tuple[subprocess.CompletedProcess, bytes]:
    """Runs the program with these of its streams at a terminal; what it said elsewhere, and what the terminal got."""
    ours, theirs = pty.openpty()
    if columns:
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 10, columns, 0, 0))
    ends = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([program(), *words], **ends | dict.fromkeys(streams, theirs) | options) as process:
        os.close(theirs)
        shown = b""
        try:
            while piece := os.read(ours, 1 << 16):
                shown += piece
        except OSError:
            pass  # how a terminal ends
        said = process.communicate(timeout=60)
    os.close(ours)
    return subprocess.CompletedProcess(process.args, process.returncode, *said), shown


def shell(line: str, folder: Path) -> subprocess.CompletedProcess:
    """Runs a line of bash in a folder, in which a pipe fails where any of its commands does."""
    return subprocess.run(["bash", "-c", f"set -o pipefail; {line}"], cwd=folder, capture_output=True, timeout=300)


def options_of(command: str) -> list[str]:
    """Every option that takes a value, by the command's own help."""
    page = run(command, "--help").stdout.decode()
    return re.findall(r"^  (?:-\w,)?(--[\w-]+) [\[A-Z]", page, re.MULTILINE)


def unclean(output: bytes) -> str:
    """What of an output a terminal would obey or show other than it is, or a line of a stranger, FAKE; "" for nothing."""
    try:
        text = output.decode()
    except UnicodeDecodeError as error:
        return f"no UTF-8: {error}"
    for character in text:  # but for joiners, which people's languages need
        if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") and character not in "\n\u200c\u200d":
            return f"U+{ord(character):04X} in {text!r}"
    if re.search(r"^FAKE", text, re.MULTILINE):
        return f"a stranger's line in {text!r}"
    return ""


# Files: safetensors, latents, NumPy's, PNG

Tensor = tuple[str, Sequence[int], bytes]  # dtype, shape, data


def safetensors_head(sizes: Mapping[str, tuple[str, Sequence[int], int]],
                     metadata: Mapping[str, str] | None = None) -> bytes:
    """What comes before the numbers of a safetensors file, of each tensor's dtype, shape and count of bytes."""
    header: dict[str, object] = {} if metadata is None else {"__metadata__": metadata}
    at = 0
    for name, (dtype, shape, size) in sizes.items():
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text


def safetensors(tensors: Mapping[str, Tensor], metadata: Mapping[str, str] | None = None) -> bytes:
    """A safetensors file."""
    head = safetensors_head({name: (dtype, shape, len(data)) for name, (dtype, shape, data) in tensors.items()}, metadata)
    return b"".join([head, *(data for _, _, data in tensors.values())])


def read_safetensors(content: bytes) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file."""
    length, = struct.unpack("<Q", content[:8])
    header, body = json.loads(content[8:8 + length]), content[8 + length:]
    metadata = header.pop("__metadata__", {})
    return {name: (facts["dtype"], facts["shape"], body[slice(*facts["data_offsets"])])
            for name, facts in header.items()}, metadata


def read_tensors(file: Path) -> dict[str, Tensor]:
    """The tensors of a safetensors file on disk."""
    return read_safetensors(file.read_bytes())[0]


def floats(*numbers: float) -> bytes:
    """Numbers as F32 has them."""
    return struct.pack(f"<{len(numbers)}f", *numbers)


def f32(shape: Sequence[int], numbers: Sequence[float]) -> Tensor:
    """A tensor of these numbers."""
    return "F32", list(shape), floats(*numbers)


def npy(shape: tuple[int, ...], numbers: Sequence[float]) -> bytes:
    """A NumPy file, which says nothing of a latent's space."""
    header = str({"descr": "<f4", "fortran_order": False, "shape": shape}).encode()
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + floats(*numbers)


SPACES = {"sd15": (4, "0.18215", "0"), "sdxl": (4, "0.13025", "0"), "flux": (16, "0.3611", "0.1159")}


def passport(space: str, lineage: str, shape: Sequence[int], **others: str) -> dict[str, str]:
    """What docs/latent-format.md has a latent say."""
    channels, scale, shift = SPACES[space]
    return {"format": "lapis.latent.1", "program": "a test", "space": space, "lineage": lineage, "channels": str(channels),
            "downscale": "8", "scale": scale, "shift": shift, "units": "model", "sigma": "0",
            "width": str(8 * shape[3]), "height": str(8 * shape[2]), **others}


def smooth(shape: Sequence[int]) -> list[float]:
    """Numbers of about unit spread that change slowly along rows and columns."""
    draw = random.Random(5)
    values = []
    for _ in range(shape[0] * shape[1]):
        a, b, c = (draw.uniform(-1, 1) for _ in range(3))
        values += [a + b * math.sin(x / 3) + c * math.cos(y / 4) for y in range(shape[2]) for x in range(shape[3])]
    return values


def png_chunk(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG, with the checksum that it must have."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(*chunks: tuple[bytes, bytes], pixels: bytes | None = None, width: int = 64, height: int = 64, bits: int = 8,
        colour: int = 2) -> bytes:
    """A black PNG with these chunks in it, or one of these compressed pixels, be they enough or not."""
    rows = zlib.compress((b"\0" + bytes(width * 3)) * height) if pixels is None else pixels
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        png_chunk(*pair) for pair in ((b"IHDR", header), *chunks, (b"IDAT", rows), (b"IEND", b"")))


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Kind and content of each chunk of a PNG."""
    at = 8
    while at + 12 <= len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        yield kind, data[at + 8:at + 8 + length]
        at += 12 + length


def read_png(data: bytes) -> tuple[int, int, bytes]:
    """Width, height and samples of an 8-bit RGB PNG."""
    width, height = struct.unpack(">II", data[16:24])
    raw = zlib.decompress(b"".join(content for kind, content in png_chunks(data) if kind == b"IDAT"))
    rows, before = [], bytearray(3 * width)
    for y in range(height):
        line = raw[y * (3 * width + 1):(y + 1) * (3 * width + 1)]
        row = bytearray(line[1:])
        for i in range(3 * width):
            left, up, corner = (row[i - 3], before[i], before[i - 3]) if i > 2 else (0, before[i], 0)
            paeth = min((abs(up - corner), 0, left), (abs(left - corner), 1, up), (abs(left + up - 2 * corner), 2, corner))[2]
            row[i] = (row[i] + (0, left, up, (left + up) // 2, paeth)[line[0]]) % 256
        rows.append(bytes(row))
        before = row
    return width, height, b"".join(rows)


def psnr(a: bytes, b: bytes) -> float:
    """dB between two PNGs of one size."""
    (width, height, ours), (other_width, other_height, theirs) = read_png(a), read_png(b)
    assert (width, height) == (other_width, other_height)
    error = sum((x - y) ** 2 for x, y in zip(ours, theirs)) / len(ours)
    return 10 * math.log10(255 ** 2 / error) if error else math.inf


# Tests to derive from

class CliTest(unittest.TestCase):
    """A test with a folder of its own, in which the program runs."""

    def setUp(self) -> None:
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)

    def put(self, name: str | bytes, content: bytes) -> Path:
        """Writes a file into the folder; a name in bytes may be no UTF-8."""
        path = self.folder / os.fsdecode(name)
        path.write_bytes(content)
        return path

    def bytes_of(self, name: str) -> bytes:
        """A file of the folder."""
        return (self.folder / name).read_bytes()

    def ppm(self, name: str, width: int, height: int) -> Path:
        """A picture of many colours that change slowly."""
        pixels = bytes(value for y in range(height) for x in range(width)
                       for value in (255 * x // width, 255 * y // height, 127 * (x + y) // max(width, height)))
        return self.put(name, b"P6 %d %d 255\n" % (width, height) + pixels)

    def model(self) -> Path:
        """A copy of the bundled model that a test may damage."""
        return Path(shutil.copytree(MODEL, self.folder / "model"))

    def done(self, *words: str | bytes, **options) -> subprocess.CompletedProcess:
        """A run that must succeed."""
        result = run(*words, cwd=options.pop("cwd", self.folder), **options)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result

    def output(self, *words: str, **options) -> bytes:
        """What a run that must succeed says on standard output."""
        return self.done(*words, **options).stdout

    def line(self, *words: str, **options) -> dict:
        """The one JSON line of a command."""
        return json.loads(self.output(*words, "--json", **options))

    def render(self, *words: str, **options) -> list[dict]:
        """The JSON lines of the pictures that are generated."""
        return [json.loads(line) for line in self.output("generate", *words, "--json", **options).splitlines()]

    def texts(self, name: str) -> dict:
        """What a picture records."""
        return self.line("inspect", name)["texts"]

    def values(self, name: str) -> bytes:
        """The numbers of a latent file, whatever job it records."""
        return read_tensors(self.folder / name)["latent"][2]

    def opened(self, *words: str, code: int | None = 0) -> str:
        """The shared objects that a run opens; it ends with this code, if one is given."""
        result = run(*words, cwd=self.folder, env={"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": str(self.folder / "ld")})
        if code is not None:
            self.assertEqual(result.returncode, code, result.stderr.decode())
        return "".join(file.read_text() for file in self.folder.glob("ld.*"))

    def refused(self, code: int, *words: str | bytes, says: tuple[str, ...] = (), **options) -> str:
        """Runs, demands this exit code, one or two lines that say all of `says`, silence on stdout, nothing written."""
        before = sorted(self.folder.rglob("*"))
        result = run(*words, cwd=options.pop("cwd", self.folder), **options)
        text = result.stderr.decode()
        self.assertEqual(result.returncode, code, text)
        self.assertTrue(text.startswith("error: "), text)
        self.assertLessEqual(len(text.splitlines()), 2, text)
        for part in says:
            self.assertIn(part, text)
        self.assertEqual(result.stdout, b"")
        self.assertEqual(sorted(self.folder.rglob("*")), before, "something was written")
        return text


class HomeTest(CliTest):
    """A test whose imports, and LoRAs by their names, have a home of its own."""

    def setUp(self) -> None:
        super().setUp()
        self.home = self.folder / "home"
        self.home.mkdir()
        self.enterContext(mock.patch.dict(os.environ, XDG_DATA_HOME=str(self.home)))

    def picture(self, model: str, name: str) -> tuple[int, int, bytes]:
        """What a model draws."""
        self.done("generate", *WALK, "-m", model, "-o", name)
        return read_png(self.bytes_of(name))


class LatentTest(CliTest):
    """A test with latents of lapis' own format, written by hand."""

    cells = (8, 8)  # down and across, where a latent has no others

    def latent(self, name: str = "a.safetensors", space: str = "sd15", lineage: str | None = None,
               cells: tuple[int, int] | None = None, batch: int = 1, values: list[float] | None = None, **others: str) -> Path:
        """A latent; `others` are of its passport."""
        shape = (batch, SPACES[space][0], *(cells or self.cells))
        return self.put(name, safetensors({"latent": f32(shape, smooth(shape) if values is None else values)},
                                          passport(space, lineage or f"tiny-{space}", shape, **others)))
