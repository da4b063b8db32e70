#!/usr/bin/env python3
"""Opens one model with another program and prints one JSON line with the seconds, for scripts/bench/open.py."""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from pathlib import Path


def open_diffusers(path: Path) -> object:
    import diffusers
    import torch

    return diffusers.DiffusionPipeline.from_pretrained(path, dtype=torch.float32)


def open_self_contained(path: Path) -> object:
    import torch

    return [torch.jit.load(part) for part in sorted(path.glob("*.pt"))]


def open_sdcpp(path: Path) -> object:
    from stable_diffusion_cpp import StableDiffusion

    return StableDiffusion(model_path=str(path), verbose=False)


PEERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "diffusers": ("diffusers", open_diffusers), "self-contained": ("torch", open_self_contained),
    "sdcpp": ("stable_diffusion_cpp", open_sdcpp)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__,
                                     epilog="example: python scripts/bench/open_peers.py diffusers ./sd15")
    parser.add_argument("peer", choices=PEERS)
    parser.add_argument("path", type=Path, help="a diffusers folder, a folder of .pt files, or a single-file checkpoint")
    arguments = parser.parse_args()
    package, open_model = PEERS[arguments.peer]
    __import__(package)
    start = time.perf_counter()
    model = open_model(arguments.path)
    print(json.dumps({"seconds": time.perf_counter() - start, "model": type(model).__name__}))


if __name__ == "__main__":
    main()
