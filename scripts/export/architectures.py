#!/usr/bin/env python3
"""Writes the graphs of the published architectures, from their configurations alone: models/graphs/NAME.pt and .json.

docs/model-folder.md says what they hold. --check compares each graph with the eager module of diffusers or transformers
on the same random weights, at full width and depth, one part at a time.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")

import torch

from export.graphs import ExportError
from export.graphs.architectures import ARCHITECTURES, Architecture, chosen
from export.graphs.check import Row, bind_weights, compare_once, eager_module
from export.graphs.flatten import build_without_numbers, pack, save, trace
from export.graphs.folder import port_facts
from export.graphs.random_weights import random_weights
from program import ROOT

EXAMPLES = """examples:
  python scripts/export/architectures.py
  python scripts/export/architectures.py sd15-unet clip-l --check
  python scripts/export/architectures.py --no-export --check --threads 2
"""
HEADS = ("graph", "dtype", "batch", "cells", "tokens", "max difference", "largest value", "eager s", "graph s",
         "peak GB", "")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME",
                        help=f"which (default: all): {', '.join(row.name for row in ARCHITECTURES)}")
    parser.add_argument("--output", type=Path, default=ROOT / "models" / "graphs", metavar="DIR",
                        help="folder of the graphs (default: models/graphs)")
    parser.add_argument("--check", action="store_true", help="compare the graphs with the eager modules")
    parser.add_argument("--no-export", action="store_true", help="leave the graphs as they are, for --check alone")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="of each comparison (default: %(default)s)")
    return parser.parse_args()


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def tensor_shapes(row: Architecture) -> dict[str, tuple[int, ...]]:
    """Tensor name of the published diffusers or transformers checkpoint -> shape; both counts must be the published."""
    module = build_without_numbers(row.part, row.config)
    shapes = {row.part.checkpoint_names(name)[0]: tuple(value.shape) for name, value in module.named_parameters()}
    parameters = sum(value.numel() for value in module.parameters())
    if (len(shapes), parameters) != (row.tensors, row.parameters):
        raise ExportError(f"{row.name}: {len(shapes)} tensors of {parameters} parameters, expected {row.tensors} of "
                          f"{row.parameters}. Is its configuration in scripts/export/graphs/architectures.py the published "
                          f"one?")
    return shapes


def describe(row: Architecture) -> dict[str, Any]:
    inputs, outputs = row.part.ports(row.config)
    return {"version": 1, "name": row.name, "part": row.part.name, "inputs": [port_facts(port) for port in inputs],
            "outputs": [port_facts(port) for port in outputs],
            "tensors": {name: list(shape) for name, shape in sorted(tensor_shapes(row).items())},
            "origin": f"traced from the configuration alone: {row.source}"}


def document_text(document: dict[str, Any]) -> str:
    """JSON with one line for each key, port and tensor."""
    lines = []
    for key, value in document.items():
        if isinstance(value, dict):
            rows = [f"    {json.dumps(name)}: {json.dumps(shape)}" for name, shape in value.items()]
            lines.append(f"  {json.dumps(key)}: {{\n" + ",\n".join(rows) + "\n  }")
        elif isinstance(value, list):
            rows = [f"    {json.dumps(port)}" for port in value]
            lines.append(f"  {json.dumps(key)}: [\n" + ",\n".join(rows) + "\n  ]")
        else:
            lines.append(f"  {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(lines) + "\n}\n"


def export(row: Architecture, folder: Path) -> None:
    start, graph, facts = time.perf_counter(), folder / f"{row.name}.pt", folder / f"{row.name}.json"
    text = document_text(describe(row))
    names = {name: row.part.checkpoint_names(name)[0]
             for name, _ in build_without_numbers(row.part, row.config).named_parameters()}
    save(trace(row.part, row.config, names), graph)
    pack(graph)
    facts.write_text(text, encoding="utf-8")
    progress(f"{row.name}: {row.tensors} tensors, {row.parameters / 1e6:.1f} M parameters, "
             f"{graph.stat().st_size / 1e6:.2f} MB and {facts.stat().st_size / 1e6:.2f} MB, "
             f"{time.perf_counter() - start:.0f} s")


def peak_memory() -> float:
    """GB that this process held at most."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e9


def compare_cases(name: str, folder: Path, threads: int) -> list[tuple[Row, float]]:
    """Every case of an architecture, with the peak memory of this process until then."""
    torch.set_num_threads(threads)
    row, rows = chosen([name])[0], []
    shapes = tensor_shapes(row)
    for dtype, sizes in row.cases:
        weights = random_weights(shapes, dtype)
        reference = row.part.reference(eager_module(row.part, row.config, weights))
        graph = bind_weights(torch.jit.load(folder / f"{name}.pt"), name, weights)
        rows.append((compare_once(row.part, row.config, graph, reference, sizes, dtype), peak_memory()))
    return rows


def comparisons(rows: list[Architecture], folder: Path, threads: int) -> Iterator[tuple[Architecture, Row, float]]:
    """Every case of `rows`, each row in a process of its own, so that its memory is gone before the next begins."""
    for row in rows:
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            for result, peak in pool.submit(compare_cases, row.name, folder, threads).result():
                yield row, result, peak


def check(rows: list[Architecture], folder: Path, threads: int) -> bool:
    """Prints one line for each comparison; true if all are within tolerance."""
    good = True
    print("| " + " | ".join(HEADS) + " |\n" + "|---" * len(HEADS) + "|")
    for row, result, peak in comparisons(rows, folder, threads):
        good, sizes = good and result.passed, result.sizes
        cells = f"{sizes['width']}x{sizes['height']}" if sizes["width"] else "-"
        tokens = "-" if row.part.name.startswith("vae") else sizes["tokens"]
        print(f"| {row.name} | {result.dtype} | {sizes['batch']} | {cells} | {tokens} | {result.difference:.1e} | "
              f"{result.largest:.2f} | {result.eager_seconds:.1f} | {result.graph_seconds:.1f} | {peak:.1f} | "
              f"{'ok' if result.passed else 'FAILED'} |", flush=True)
    return good


def main() -> int:
    arguments = parse_arguments()
    torch.set_num_threads(1)
    folder = arguments.output
    try:
        rows = chosen(arguments.names)
        folder.mkdir(parents=True, exist_ok=True)
        for row in rows if not arguments.no_export else ():
            export(row, folder)
        if arguments.check and not check(rows, folder, arguments.threads):
            raise ExportError("a graph differs from its eager module in the rows marked FAILED. Do not use it.")
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
