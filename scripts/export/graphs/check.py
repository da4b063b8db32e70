"""Comparing an exported graph, bound to weights, with the eager module the weights belong to."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors import safe_open
from torch import nn

from . import ExportError
from .flatten import build_without_numbers
from .part import Config, Part, Reference, Sizes, example_inputs

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
    """One comparison: the largest difference of any output, beside the largest value, and the seconds of each side."""

    part: str
    dtype: str
    sizes: Sizes
    difference: float
    largest: float
    limit: float
    eager_seconds: float
    graph_seconds: float

    @property
    def passed(self) -> bool:
        return self.difference <= self.limit  # false for NaN


def bound_graph(folder: Path, graph: str, weights: list[str], dtype: torch.dtype) -> torch.jit.ScriptModule:
    """The graph with every parameter bound to the folder's tensors, as the engine does it."""
    module = torch.jit.load(folder / graph)
    wanted = {name.replace("/", ".") for name, _ in module.named_parameters()}
    found = {}
    for file in weights:
        with safe_open(folder / file, "pt") as tensors:
            found |= {name: tensors.get_tensor(name).to(dtype) for name in wanted & set(tensors.keys())}
    return bind_weights(module, graph, found)


def bind_weights(module: torch.jit.ScriptModule, graph: str, weights: dict[str, torch.Tensor]
                 ) -> torch.jit.ScriptModule:
    """Gives every parameter of `module` the tensor of its name."""
    names = [name for name, _ in module.named_parameters()]
    missing = sorted({name.replace("/", ".") for name in names} - weights.keys())
    if missing:
        raise ExportError(f"{graph}: no weights for {', '.join(missing[:3])} and {len(missing)} names in all. "
                          f"Export it again.")
    for name in names:
        setattr(module, name, nn.Parameter(weights[name.replace("/", ".")], requires_grad=False))
    return module


def eager_module(part: Part, config: Config, weights: dict[str, torch.Tensor]) -> nn.Module:
    """The library's module on the very tensors of `weights`; what these do not hold stays on the meta device, where
    using it is an error."""
    kind = part.eager(config)
    with torch.device("meta"):
        module = kind.from_config(config) if hasattr(kind, "from_config") else kind(kind.config_class(**config))
    names = {candidate: part.checkpoint_names(name)[0]
             for name, _ in build_without_numbers(part, config).named_parameters()
             for candidate in part.checkpoint_names(name)}
    for name, _ in list(module.named_parameters(remove_duplicate=False)):
        if names.get(name) in weights:
            owner, _, own = name.rpartition(".")
            module.get_submodule(owner).register_parameter(own, nn.Parameter(weights[names[name]], requires_grad=False))
    for name, buffer in list(module.named_buffers()):
        owner, _, own = name.rpartition(".")
        if own != "position_ids":
            raise ExportError(f"{part.name}: the eager module has a buffer {name}. Make it in eager_module.")
        positions = torch.arange(buffer.shape[-1]).expand(buffer.shape)
        module.get_submodule(owner).register_buffer(own, positions, persistent=False)
    return module.eval()


def compare(part: Part, config: Config, folder: Path, weights: list[str], dtype: torch.dtype) -> Iterator[Row]:
    """One row for every case of CASES: a part of a diffusers folder with its weights."""
    graph = bound_graph(folder, f"graphs/{part.name}.pt", weights, dtype)
    reference = part.reference(part.eager(config).from_pretrained(folder / part.folder, dtype=dtype).eval())
    for sizes in CASES:
        yield compare_once(part, config, graph, reference, sizes, dtype)


@torch.inference_mode()
def compare_once(part: Part, config: Config, graph: torch.jit.ScriptModule, reference: Reference, sizes: Sizes,
                 dtype: torch.dtype) -> Row:
    inputs = example_inputs(part, config, sizes, dtype)
    start = time.perf_counter()
    expected = reference(*inputs)
    middle = time.perf_counter()
    found = graph(*inputs)
    end = time.perf_counter()
    largest = max(float(value.abs().max()) for value in expected)
    difference = max(float((one.float() - other.float()).abs().max())
                     for one, other in zip(found, expected, strict=True))
    return Row(part.name, str(dtype).removeprefix("torch."), sizes, difference, largest,
               TOLERANCES[dtype] * max(1.0, largest), middle - start, end - middle)
