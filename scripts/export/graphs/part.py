"""What the exporter knows of one part of a family."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

Config = dict[str, Any]
Sizes = dict[str, int]
Reference = Callable[..., tuple[torch.Tensor, ...]]  # what a graph is called like and gives


@dataclasses.dataclass(frozen=True)
class Port:
    """One input or output of a graph, as model.json names it, and the largest value of an f32 one in a check."""

    name: str
    dtype: str  # "model", "f32" or "i64"
    shape: tuple[int | str, ...]
    reach: float = 1000.0


@dataclasses.dataclass(frozen=True)
class Part:
    """One graph: where its configuration and weights are, how to build it, what goes in and out."""

    name: str
    folder: str  # folder of config.json and the weights, below the model's
    stem: str  # name of the weight file, without .safetensors
    build: Callable[[Config], nn.Module]  # called under the meta device
    ports: Callable[[Config], tuple[tuple[Port, ...], tuple[Port, ...]]]  # inputs, outputs
    eager: Callable[[Config], type[nn.Module]]  # the library's class that the weights belong to, for checks
    reference: Callable[[nn.Module], Reference]  # such a module, called as the graph is
    checkpoint_names: Callable[[str], tuple[str, ...]]  # names that checkpoints give a parameter, likeliest first
    cell: int = 1  # pixels of the input for one unit of `height` and `width` in `Sizes`
    optional: bool = False


def example_inputs(part: Part, config: Config, sizes: Sizes, dtype: torch.dtype) -> tuple[torch.Tensor, ...]:
    """Random inputs of `part`, the same ones at every call: "model" ports in `dtype`, f32 ones in [0, reach),
    token ids."""
    numbers = torch.Generator().manual_seed(0)
    scaled = sizes | {side: sizes[side] * part.cell for side in ("height", "width")}
    scaled |= {"image_tokens": sizes["height"] * sizes["width"], "text_tokens": sizes["tokens"]}
    scaled["all_tokens"] = scaled["image_tokens"] + scaled["text_tokens"]

    def example(port: Port) -> torch.Tensor:
        shape = [scaled[size] if isinstance(size, str) else size for size in port.shape]
        if port.dtype == "i64":
            ids = torch.randint(config["vocab_size"] - 1, shape, generator=numbers)
            ids[:, -2:] = config["vocab_size"] - 1  # the end token, twice: pooling takes the first
            return ids
        if port.dtype == "f32":
            return port.reach * torch.rand(shape, generator=numbers)
        return torch.randn(shape, generator=numbers).to(dtype)

    return tuple(example(port) for port in part.ports(config)[0])
