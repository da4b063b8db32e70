"""A latent into the next model's space, by lapis and by the shortest diffusers script, for scripts/bench/generate.py.

Both decode with one VAE, encode with the other, decode that to measure what was lost, and save. lapis does not
compensate colours here: that takes one more encode and decode, which the script has no counterpart for.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

import peer_python
import program
from bench import process

SIZES = (128, 512)
MODULES = ("vae_decoder", "vae_encoder")
HEADINGS = {"seconds": "cold process to latent, s", "module_seconds": "module calls, s", "other_seconds": "all else, s",
            "peak_mb": "peak memory, MB"}


def picture(folder: Path, size: int) -> Path:
    """A smooth picture of every colour, as a PPM."""
    pixels = bytes(value for y in range(size) for x in range(size)
                   for value in (x * 255 // size, y * 255 // size, (x + y) * 127 // size))
    path = folder / f"picture-{size}.ppm"
    path.write_bytes(b"P6 %d %d 255\n" % (size, size) + pixels)
    return path


def facts(done: process.Run, name: str) -> dict[str, float]:
    """Seconds and memory of one run; of lapis also what it did besides opening and calling modules."""
    timings = process.answer_of(done, name)["timings"]
    modules = sum(timings[module] for module in MODULES)
    row = {"seconds": done.seconds, "module_seconds": modules, "other_seconds": done.seconds - modules,
           "peak_mb": done.peak_mb}
    if "engine" in timings:
        row["start_seconds"] = done.seconds - timings["total"] + timings["engine"]
        row["load_seconds"] = timings["load"]
        row["own_seconds"] = timings["total"] - timings["engine"] - timings["load"] - modules
    return row


def one_round(arguments: argparse.Namespace, source: Path, target: Path, latent: Path, python: str,
              folder: Path) -> tuple[dict[str, float], dict[str, float]]:
    threads = str(arguments.threads)
    ours = process.run([str(arguments.program), "convert", str(latent), "--to", str(target), "--from", str(source),
                              "-o", str(folder / "ours.safetensors"), "--overwrite", "--json", "--no-compensate",
                              "--vae-dtype", "fp32", "--device", "cpu", "--threads", threads])
    script = Path(__file__).with_name("convert_diffusers.py")
    theirs = process.run([python, str(script), str(source), str(target), str(latent),
                                str(folder / "theirs.safetensors"), "--threads", threads], peer_python.QUIET)
    return facts(ours, "lapis convert"), facts(theirs, script.name)


def bench_converts(arguments: argparse.Namespace, python: str, folder: Path) -> list[dict[str, Any]]:
    """One row for each neighbouring pair of models, and each size."""
    rows = []
    for source, target in zip(arguments.models, arguments.models[1:]):
        for size in SIZES:
            latent = folder / f"{source.name}-{size}.safetensors"
            program.run([str(arguments.program), "encode", str(picture(folder, size)), "-m", str(source), "-W", str(size),
                         "-H", str(size), "-o", str(latent), "--overwrite"])
            rounds = []
            for i in range(arguments.rounds):
                program.progress(f"{source.name} to {target.name}, {size}: round {i + 1} of {arguments.rounds}")
                rounds.append(one_round(arguments, source, target, latent, python, folder))
            rows.append(row_of(source, target, size, rounds))
    return rows


def row_of(source: Path, target: Path, size: int, rounds: list[tuple[dict, dict]]) -> dict[str, Any]:
    ours, theirs = zip(*rounds)

    def median(side: tuple[dict, ...], name: str) -> float:
        return statistics.median(run[name] for run in side)

    return {"from": source.name, "to": target.name, "size": size,
            "lapis": {name: median(ours, name) for name in ours[0]},
            "diffusers": {name: median(theirs, name) for name in theirs[0]},
            "ratios": {name: statistics.median(b[name] / max(a[name], 1e-9) for a, b in rounds) for name in HEADINGS},
            "own_share": statistics.median(100 * run["own_seconds"] / run["module_seconds"] for run in ours)}


def print_converts(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        print(f"\n| convert, {row['from']} to {row['to']}, {row['size']}x{row['size']} | lapis | diffusers | "
              f"diffusers / lapis |\n|---|---|---|---|")
        for name, heading in HEADINGS.items():
            values = (f"{row[side][name]:.2f}" for side in ("lapis", "diffusers", "ratios"))
            print(f"| {heading} | {' | '.join(values)} |")
        ours = row["lapis"]
        print(f"| of all else: process start and libtorch; loading three parts; the rest, ms | "
              f"{1000 * ours['start_seconds']:.1f}; {1000 * ours['load_seconds']:.1f}; "
              f"{1000 * ours['own_seconds']:.1f} ({row['own_share']:.1f} % of module calls) | | |")
