#!/usr/bin/env python3
"""Measures what a LoRA on all attention weights of a full-size SD1.5 costs: seconds of loading, and private memory.

Makes a checkpoint of seeded numbers (4.3 GB, float32) and a LoRA of it in a folder, imports the checkpoint, draws one step
of a small picture with the LoRA and without, in turn, and looks at the process while it runs. The folder is removed at
the end.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import peer_python
import program
from program import ROOT

GRAPHS = ROOT / "models" / "graphs"
PARTS = {"unet/diffusion_pytorch_model.safetensors": ("sd15-unet",),
         "vae/diffusion_pytorch_model.safetensors": ("sd-vae-decoder", "sd-vae-encoder"),
         "text_encoder/model.safetensors": ("clip-l",)}
ATTENTION = re.compile(r"attn[12]\.(to_[qkv]|to_out\.0)\.weight$")
MB = 1 << 20
Shapes = dict[str, list[int]]
EXAMPLES = """examples:
  python scripts/bench/lora.py --rounds 5
  python scripts/bench/lora.py --folder /var/tmp --threads 2 --json lora.json
"""


def shapes_of(graphs: tuple[str, ...]) -> Shapes:
    found: Shapes = {}
    for graph in graphs:
        found |= json.loads((GRAPHS / f"{graph}.json").read_text("utf-8"))["tensors"]
    return found


def size_of(shape: list[int]) -> int:
    size = 1
    for side in shape:
        size *= side
    return size


def numbers(name: str, shape: list[int], pool: Any, at: int) -> bytes:
    """Norms of one, all else from a pool of small random numbers."""
    import numpy as np

    if "norm" in name and len(shape) == 1:
        return (np.ones if name.endswith("weight") else np.zeros)(shape, "float32").tobytes()
    return np.resize(pool[at % 1000:], size_of(shape)).tobytes()


def write(path: Path, shapes: Shapes) -> None:
    """A safetensors file, one tensor after the other."""
    import numpy as np

    pool = np.random.default_rng(3).normal(0, 0.02, 1 << 22).astype("float32")
    header, offset = {}, 0
    for name, shape in shapes.items():
        end = offset + 4 * size_of(shape)
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for number, (name, shape) in enumerate(shapes.items()):
            file.write(numbers(name, shape, pool, 37 * number))


def make_model(folder: Path) -> None:
    for path, graphs in PARTS.items():
        program.progress(f"writing {path} ...")
        write(folder / path, shapes_of(graphs))
    (folder / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}), encoding="utf-8")


def make_lora(path: Path, rank: int) -> tuple[int, int]:
    """A LoRA in kohya's form. Returns how many weights it is for, and the bytes they take in float32."""
    lora: Shapes = {}
    touched = [(name, shape) for name, shape in shapes_of(("sd15-unet",)).items() if ATTENTION.search(name)]
    for name, shape in touched:
        key = "lora_unet_" + name.removesuffix(".weight").replace(".", "_")
        lora |= {f"{key}.lora_down.weight": [rank, shape[1]], f"{key}.lora_up.weight": [shape[0], rank]}
    write(path, lora)
    return len(touched), sum(4 * size_of(shape) for _, shape in touched)


def anonymous_bytes(process: int) -> int:
    """Private memory of a process that no file backs; 0 once it is gone."""
    try:
        found = re.search(r"RssAnon:\s+(\d+) kB", Path(f"/proc/{process}/status").read_text())
    except OSError:
        return 0
    return int(found[1]) * 1024 if found else 0


def run(command: list[str], environment: dict[str, str]) -> dict[str, float]:
    """wall, load (seconds) and the peak of private memory (bytes) of one process."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               env=os.environ | environment)
    peak = 0
    while process.poll() is None:
        peak = max(peak, anonymous_bytes(process.pid))
        time.sleep(0.005)
    wall = time.perf_counter() - start
    output, errors = process.communicate()
    if process.returncode != 0:
        raise program.ProgramError(f"{' '.join(command)}\nended with exit code {process.returncode}:\n{errors[-2000:]}")
    timings = json.loads(output.splitlines()[0])["timings"]
    return {"wall": wall, "load": timings["load"], "read": timings["read"], "peak": peak}


def measure(arguments: argparse.Namespace, folder: Path) -> Iterator[tuple[str, list[dict[str, float]]]]:
    """Runs without and with the LoRA, in turn; the first round is not counted."""
    environment = {"XDG_DATA_HOME": str(folder / "data")}
    base = [str(arguments.program), "generate", "a lake", "-m", "bench", "-W", "64", "-H", "64", "--steps", "1", "--guidance",
            "1", "-s", "1", "-q", "--json", "--overwrite", "--latent", str(folder / "latent.safetensors"), "--threads",
            str(arguments.threads)]
    commands = {"without": base, "with": [*base, "--lora", str(folder / "lora.safetensors:0.8")]}
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in commands}
    for number in range(arguments.rounds + 1):
        for name, command in commands.items():
            found = run(command, environment)
            if number:
                runs[name].append(found)
    yield from runs.items()


def report(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    make_model(folder / "model")
    tensors, bytes_ = make_lora(folder / "lora.safetensors", arguments.rank)
    imported = [str(arguments.program), "import", str(folder / "model"), "--name", "bench"]
    done = subprocess.run(imported, env=os.environ | {"XDG_DATA_HOME": str(folder / "data")}, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise program.ProgramError(f"the import failed:\n{done.stderr}")
    document: dict[str, Any] = {"rank": arguments.rank, "threads": arguments.threads, "tensors": tensors,
                                "touched_mb": bytes_ / MB}
    for name, runs in measure(arguments, folder):
        document[name] = {key: statistics.median(each[key] for each in runs) for key in runs[0]}
    return document


def print_report(document: dict[str, Any]) -> None:
    without, with_ = document["without"], document["with"]
    print(f"rank {document['rank']}, {document['tensors']} weights of {document['touched_mb']:.0f} MB, "
          f"{document['threads']} threads\n")
    print("| | without | with | added |\n|---|---|---|---|")
    for key, label, unit in (("read", "reading and checking, s", 1), ("load", "loading, s", 1),
                             ("wall", "whole process, s", 1), ("peak", "private memory, MB", MB)):
        print(f"| {label} | {without[key] / unit:.2f} | {with_[key] / unit:.2f} | "
              f"{(with_[key] - without[key]) / unit:.2f} |")


def parse_arguments() -> argparse.Namespace:
    parser = program.parser_of(__doc__, EXAMPLES)
    parser.add_argument("--rank", type=int, default=16, metavar="N", help="of the LoRA (default: 16)")
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="runs of each kind (default: 3)")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="of lapis (default: 2)")
    parser.add_argument("--folder", type=Path, metavar="DIR", help="where the 4.3 GB go (default: the temporary folder)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to FILE too")
    return peer_python.arguments_of(parser)


@program.reported
def main() -> int:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        document = report(arguments, Path(folder))
    print_report(document)
    program.write_rows(arguments.json, document)
    return 0


if __name__ == "__main__":
    sys.exit(main())
