#!/usr/bin/env python3
"""Measures `lapis check` and `lapis inspect`, which are to answer in milliseconds: cold processes, in turn, many times.

Each runs on a latent of 3 kB and on one of 400 MB, with no model named, with one and with all. `check` reads headers
alone: its time and memory are not to depend on the latent's size. `inspect` reads every number, for the channels'
statistics. --version is what a process costs that does nothing. With --against, another lapis runs in turn with the first.
"""

from __future__ import annotations

import argparse
import json
import statistics
import struct
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import program
from bench import process

SHAPES = {"3 kB": (1, 4, 12, 12), "400 MB": (25, 4, 1000, 1000)}  # [B, C, h, w] of float32
EXAMPLES = """examples:
  python scripts/bench/check.py models/tiny-sd15 models/tiny-sdxl models/tiny-flux
  python scripts/bench/check.py models/tiny-sd15 --rounds 20 --against ../other/build/release/lapis --json check.json
"""


def write_latent(path: Path, space: dict[str, Any], shape: tuple[int, int, int, int]) -> Path:
    """A latent of zeros in the model's space, as docs/latent-format.md has it; the zeros take no room on the disk."""
    batch, channels, height, width = shape
    size = 4 * batch * channels * height * width
    passport = {"format": "lapis.latent.1", **{key: str(value) for key, value in space.items() if key != "id"},
                "space": space["id"], "units": "model", "sigma": "0", "width": str(width * space["downscale"]),
                "height": str(height * space["downscale"])}
    header = json.dumps({"__metadata__": passport,
                         "latent": {"dtype": "F32", "shape": shape, "data_offsets": [0, size]}}).encode()
    header += b" " * (-len(header) % 8)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(header)) + header)
        file.truncate(8 + len(header) + size)
    return path


def commands(models: list[Path], folder: Path) -> dict[str, list[str]]:
    """Arguments by what they do."""
    space = json.loads((models[0] / "model.json").read_text(encoding="utf-8"))["space"]
    latents = {size: str(write_latent(folder / f"{shape[0]}.safetensors", space, shape))
               for size, shape in SHAPES.items()}
    names = [str(model) for model in models]
    found = {"--version": ["--version"], "inspect, a model": ["inspect", names[0]]}
    for size, latent in latents.items():
        found[f"check, {size}, no model named"] = ["check", latent]
        found[f"check, {size}, 1 model"] = ["check", latent, names[0]]
        if len(names) > 1:
            found[f"check, {size}, {len(names)} models"] = ["check", latent, *names]
    for size, latent in latents.items():
        found[f"inspect, {size}"] = ["inspect", latent]
    return found


def bench(programs: list[Path], todo: dict[str, list[str]], rounds: int) -> list[dict[str, Any]]:
    """A row for each command and program: medians over the rounds, in milliseconds and MB."""
    runs: dict[tuple[str, Path], list[process.Run]] = {}
    for i in range(rounds):
        if i % 10 == 0:
            program.progress(f"round {i + 1} of {rounds}")
        for name, arguments in todo.items():
            for binary in programs:
                runs.setdefault((name, binary), []).append(process.run([str(binary), *arguments]))
    return [{"command": name, "program": str(binary), "exit_code": done[0].exit_code,
             "ms": 1000 * statistics.median(run.seconds for run in done),
             "least_ms": 1000 * min(run.seconds for run in done),
             "cpu_ms": 1000 * statistics.median(run.cpu_seconds for run in done),
             "peak_mb": statistics.median(run.peak_mb for run in done)} for (name, binary), done in runs.items()]


def print_table(rows: list[dict[str, Any]], rounds: int) -> None:
    print(f"{rounds} rounds, medians:\n")
    print("| command | program | ms | least, ms | of the processor, ms | peak memory, MB |\n|---|---|---|---|---|---|")
    for row in rows:
        print(f"| {row['command']} | {row['program']} | {row['ms']:.1f} | {row['least_ms']:.1f} | {row['cpu_ms']:.1f} | "
              f"{row['peak_mb']:.1f} |")


def parse_arguments() -> argparse.Namespace:
    parser = program.parser_of(__doc__, EXAMPLES)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="model folders; the first one's is the latent")
    parser.add_argument("--rounds", type=int, default=50, help="runs of each command (default: %(default)s)")
    parser.add_argument("--against", type=Path, metavar="PROGRAM", help="another lapis to run in turn")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all values to FILE too")
    program.add_program_option(parser)
    return parser.parse_args()


@program.reported
def main() -> int:
    arguments = parse_arguments()
    programs = [arguments.program, *([arguments.against] if arguments.against else [])]
    for binary in programs:
        program.run([str(binary), "--version"])
    with tempfile.TemporaryDirectory() as folder:
        todo = commands(arguments.models, Path(folder))
        for words in todo.values():  # one that fails would be fast for nothing
            if words[0] == "inspect":
                program.run([str(programs[0]), *words])
        rows = bench(programs, todo, arguments.rounds)
    print_table(rows, arguments.rounds)
    program.write_rows(arguments.json, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
