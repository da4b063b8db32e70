#!/usr/bin/env python3
"""Measures what tiling the VAE costs and changes: time, memory, and the difference from going whole.

Prints the table of docs/performance.md. A picture of 256 x 256 is enlarged and drawn anew by one weak step, so
that both runs encode and decode a large picture with things in it.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import peer_python
import program

EXAMPLES = """examples:
  python scripts/bench/tiling.py models/tiny-sd15
  python scripts/bench/tiling.py models/tiny-sd15 --sizes 768 1024
"""
TILE = 512  # pixels of a tile's side
PROMPT = "a red house on the left, lake at sunset with mountains"


def measure(command: list[str]) -> tuple[dict, float]:
    """The result line of a run, and its peak memory in MB."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    text = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise program.ProgramError(f"{' '.join(command)}\nended with exit code {process.returncode}, expected 0")
    return json.loads(text), usage.ru_maxrss / 1024


def row(arguments: argparse.Namespace, size: int, source: Path, folder: Path) -> str:
    """One line of the table: both runs of one size, and how far apart they are."""
    import numpy as np
    from PIL import Image

    pictures, lines, memory = {}, {}, {}
    for tiling in ("off", "on"):
        path = folder / f"{tiling}.png"
        command = program.generate_command(
            arguments.program, PROMPT, path, model=arguments.model, image=source, width=size, height=size, steps=20,
            strength=0.05, seed=1, threads=arguments.threads, guidance=1, vae_tiling=tiling)
        lines[tiling], memory[tiling] = measure(command)
        pictures[tiling] = np.asarray(Image.open(path)).astype(float)
    difference = np.abs(pictures["off"] - pictures["on"])
    error = np.mean(difference**2)
    quality = "equal" if error == 0 else f"{10 * np.log10(255**2 / error):.1f}"
    times = {name: line["timings"]["vae_encoder"] + line["timings"]["vae_decoder"] for name, line in lines.items()}
    return (f"| {size} x {size} | {times['off']:.2f} | {times['on']:.2f} | {memory['off']:.0f} | {memory['on']:.0f} | "
            f"{quality} | {np.mean(difference):.2f} | {np.max(difference):.0f} |")


@program.reported
def main() -> int:
    parser = program.parser_of(__doc__, EXAMPLES)
    parser.add_argument("model", type=Path, help="a model folder with a VAE encoder")
    parser.add_argument("--sizes", type=int, nargs="+", default=[512, 640, 768, 1024], metavar="PIXELS")
    parser.add_argument("--threads", type=int, default=1)
    program.add_program_option(parser)
    peer_python.add_python_option(parser)
    arguments = parser.parse_args()
    peer_python.enter(arguments.python)
    print(f"| size | VAE whole, s | in tiles of {TILE}, s | memory whole, MB | in tiles, MB | PSNR, dB | "
          "mean difference, levels | largest |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "source.png"
        measure(program.generate_command(arguments.program, PROMPT, source, model=arguments.model, width=256,
                                         height=256, seed=7, threads=arguments.threads))
        for size in arguments.sizes:
            print(row(arguments, size, source, Path(name)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
