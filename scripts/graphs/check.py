"""Comparing an exported graph, bound to the folder's weights, with the eager module the weights belong to."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import safe_open

from . import ExportError
from .part import Config, Part, Sizes, example_inputs

CASES: tuple[Sizes, ...] = (
    {"batch": 1, "height": 8, "width": 8, "tokens": 77},
    {"batch": 2, "height": 8, "width": 16, "tokens": 77},
    {"batch": 4, "height": 12, "width": 8, "tokens": 30},
    {"batch": 1, "height": 9, "width": 7, "tokens": 77},
    {"batch": 2, "height": 13, "width": 10, "tokens": 77},
)
TOLERANCES = {torch.float32: 5e-6, torch.bfloat16: 2e-2}  # of the largest value of the output


@dataclasses.dataclass(frozen=True)
class Row:
    """One comparison: the largest difference of any output, beside the largest value."""

    part: str
    dtype: str
    sizes: Sizes
    difference: float
    largest: float
    limit: float

    @property
    def passed(self) -> bool:
        return self.difference <= self.limit  # false for NaN


def bound_graph(folder: Path, graph: str, weights: list[str], dtype: torch.dtype) -> torch.jit.ScriptModule:
    """The graph with every parameter bound, as the engine does it."""
    module = torch.jit.load(folder / graph)
    waiting = {name.replace("/", "."): name for name, _ in module.named_parameters()}
    for file in weights:
        with safe_open(folder / file, "pt") as tensors:
            for name in waiting.keys() & set(tensors.keys()):
                value = tensors.get_tensor(name).to(dtype)
                setattr(module, waiting.pop(name), torch.nn.Parameter(value, requires_grad=False))
    if waiting:
        raise ExportError(f"{graph}: no weights for {', '.join(sorted(waiting)[:3])} and {len(waiting)} names in all. "
                          f"Export the folder again.")
    return module


@torch.inference_mode()
def compare(part: Part, config: Config, folder: Path, weights: list[str], dtype: torch.dtype) -> Iterator[Row]:
    """One row for every case of CASES."""
    graph = bound_graph(folder, f"graphs/{part.name}.pt", weights, dtype)
    reference = part.reference(folder / part.folder, dtype)
    for sizes in CASES:
        inputs = example_inputs(part, config, sizes, dtype)
        pairs = list(zip(graph(*inputs), reference(*inputs), strict=True))
        largest = max(float(expected.abs().max()) for _, expected in pairs)
        difference = max(float((found.float() - expected.float()).abs().max()) for found, expected in pairs)
        yield Row(part.name, str(dtype).removeprefix("torch."), sizes, difference, largest,
                  TOLERANCES[dtype] * max(1.0, largest))
