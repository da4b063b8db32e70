#!/usr/bin/env python3
"""Writes the parts of a model folder as plain TorchScript files with their weights inside, as other exporters make them:
what `lapis import --torchscript` takes. For checks of that command; a model folder itself needs none of it.

    scripts/export/self_contained.py models/tiny-sd15 -o parts
    lapis import --torchscript parts/*.pt --like tiny-sd15 --name again
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import torch
from safetensors import safe_open


def part_with_weights(model: Path, part: dict) -> torch.jit.ScriptModule:
    """The part's graph, every parameter a copy of the tensor of its name, in float32."""
    module = torch.jit.load(str(model / part["graph"]), map_location="cpu")
    files = [safe_open(model / file, "pt") for file in part["weights"]]
    where = {name: file for file in files for name in file.keys()}
    for name, _ in list(module.named_parameters()):
        tensor = where[name.replace("/", ".")].get_tensor(name.replace("/", ".")).float()
        setattr(module, name, torch.nn.Parameter(tensor.contiguous(), requires_grad=False))
    return module


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("model", type=Path, help="a folder with a model.json whose weights are named as diffusers names them")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the parts")
    arguments = parser.parse_args()
    document = json.loads((arguments.model / "model.json").read_text())
    arguments.output.mkdir(parents=True, exist_ok=True)
    for name, part in document["parts"].items():
        target = arguments.output / f"{name}.pt"
        part_with_weights(arguments.model, part).save(str(target))
        print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
