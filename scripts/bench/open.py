#!/usr/bin/env python3
"""How long it takes to open a full-size Stable Diffusion 1.5, and what memory that takes, side by side with others.

The weights are random and seeded; files are in the page cache. lapis draws one step at 64 x 64 besides, so its memory
includes that; the others only open. "open" leaves out what a process needs before it: libtorch, or Python's imports.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import peer_python
import program
from bench import process

PEERS = Path(__file__).with_name("open_peers.py")
GRAPHS = {"unet": ["sd15-unet"], "vae": ["sd-vae-decoder", "sd-vae-encoder"], "text_encoder": ["clip-l"]}
OWN = ("read", "tokens", "load")  # of lapis' timings: opening, but for libtorch
EXAMPLES = """examples:
  python scripts/bench/open.py
  python scripts/bench/open.py --rounds 5 --sdcpp-python ~/sdcpp/bin/python --folder /data
"""

Opening = tuple[float, process.Run]  # seconds of it, and the whole process


def parse_arguments() -> argparse.Namespace:
    parser = program.parser_of(__doc__, EXAMPLES)
    parser.add_argument("--rounds", type=int, default=3, help="of all, one after the other (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where 15 GB are written and taken away again (default: a temporary "
                                                    "folder)")
    parser.add_argument("--sdcpp-python", metavar="PATH", help="a Python that has stable-diffusion-cpp-python; without "
                                                               "one, stable-diffusion.cpp is left out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the medians here too")
    return peer_python.arguments_of(parser)


def write_forms(home: Path) -> None:
    """fp32 and fp16 folders of diffusers, a single file, and self-contained graphs, all of the same numbers."""
    import torch
    from export.checkpoints import forms, seeded
    from export.checkpoints.tensors import write

    made = seeded.pipeline("sd15", (0, 0), 0)
    weights = {name: seeded.weights_of(component, torch.float16, 0) for name, component in made.components.items()}
    for folder, dtype in (("fp32", torch.float32), ("fp16", torch.float16)):
        seeded.write_folder(made, home / folder)
        for name, component in made.components.items():
            seeded.write_weights(weights[name], home / folder / name, component.stem, dtype)
    write(home / "single.safetensors",
          [*forms.original("sd15-unet", weights["unet"], "model.diffusion_model."),
           *forms.vae("sd", weights["vae"], "first_stage_model."),
           *forms.prefixed(weights["text_encoder"], "cond_stage_model.transformer.")], torch.float32)
    (home / "self-contained").mkdir()
    for name, tensors in weights.items():
        values = {tensor.name: tensor for tensor in tensors}
        for graph in GRAPHS[name]:
            module = torch.jit.load(program.ROOT / "models" / "graphs" / f"{graph}.pt")
            for parameter, _ in list(module.named_parameters()):
                setattr(module, parameter, torch.nn.Parameter(values[parameter.replace("/", ".")].make(), False))
            torch.jit.save(module, home / "self-contained" / f"{graph}.pt")


def open_lapis(arguments: argparse.Namespace, home: Path, model: str) -> Opening:
    command = program.generate_command(arguments.program, "a red house", home / "a.png", model=model, steps=1, width=64,
                                       height=64, guidance=1, device="cpu", dtype="fp32")
    done = process.run_watched(command, {"XDG_DATA_HOME": str(home)})
    timings = process.answer_of(done, "lapis generate")["timings"]
    return sum(timings[name] for name in OWN), done


def open_peer(python: str, peer: str, path: Path) -> Opening:
    done = process.run_watched([python, str(PEERS), peer, str(path)], peer_python.QUIET)
    return float(process.answer_of(done, peer)["seconds"]), done


def openings(arguments: argparse.Namespace, home: Path) -> dict[str, Callable[[], Opening]]:
    for dtype in ("fp32", "fp16"):
        done = process.run([str(arguments.program), "import", str(home / dtype), "--json"],
                                 {"XDG_DATA_HOME": str(home)})
        process.answer_of(done, "lapis import")
    ways = {
        "lapis, fp32 in the file": lambda: open_lapis(arguments, home, "fp32"),
        "diffusers from_pretrained, fp32": lambda: open_peer(sys.executable, "diffusers", home / "fp32"),
        "self-contained .pt, torch.jit.load": lambda: open_peer(sys.executable, "self-contained",
                                                                home / "self-contained"),
        "lapis, fp16 in the file, computing in fp32": lambda: open_lapis(arguments, home, "fp16"),
        "diffusers from_pretrained, fp16 to fp32": lambda: open_peer(sys.executable, "diffusers", home / "fp16"),
    }
    if arguments.sdcpp_python:
        ways["stable-diffusion.cpp, fp32 single file"] = lambda: open_peer(
            arguments.sdcpp_python, "sdcpp", home / "single.safetensors")
    return ways


def medians(found: list[Opening]) -> dict[str, float]:
    def middle(value: Callable[[Opening], float]) -> float:
        return statistics.median(value(each) for each in found)

    return {"open": middle(lambda each: each[0]), "whole": middle(lambda each: each[1].seconds),
            "private_mb": middle(lambda each: each[1].private_mb or 0), "peak_mb": middle(lambda each: each[1].peak_mb)}


@program.reported
def main() -> int:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="lapis-open-") as folder:
        program.progress("writing 15 GB of seeded weights")
        write_forms(Path(folder))
        os.sync()
        ways = openings(arguments, Path(folder))
        found: dict[str, list[Opening]] = {name: [] for name in ways}
        for way in ways.values():
            way()  # brings its files into the page cache
        for turn in range(arguments.rounds):
            program.progress(f"round {turn + 1} of {arguments.rounds}")
            for name, way in ways.items():
                found[name].append(way())
    rows: dict[str, Any] = {name: medians(each) for name, each in found.items()}
    print("| opened by | open s | whole process s | private MB | peak MB |\n|---|---|---|---|---|")
    for name, row in rows.items():
        print(f"| {name} | {row['open']:.2f} | {row['whole']:.2f} | {row['private_mb']:.0f} | {row['peak_mb']:.0f} |")
    program.write_rows(arguments.json, rows)
    return 0


if __name__ == "__main__":
    sys.exit(main())
