"""Random weights for networks that are larger than memory.

Every tensor is a window into one of a few pools of random numbers, each window at its own offset: no two tensors are
equal, and Flux in float32 takes well under a gigabyte. A pool holds the numbers of one spread, which is chosen so that
activations keep their size through the depth of a network.
"""

from __future__ import annotations

import math

import torch

Shapes = dict[str, tuple[int, ...]]
SHIFT = 64  # numbers between two windows of a pool, which keeps them aligned as a file's tensors are
BIAS_SPREAD, NORM_SPREAD = 0.1, 0.1


def spread_of(name: str, shape: tuple[int, ...]) -> tuple[float, float]:
    """Mean and standard deviation of a tensor: 1 and a little of a norm's weight, 1 / sqrt(inputs) of a matrix."""
    if len(shape) < 2:
        return (1.0, NORM_SPREAD) if name.endswith("weight") else (0.0, BIAS_SPREAD)
    return 0.0, 1 / math.sqrt(math.prod(shape[1:]))


def random_weights(shapes: Shapes, dtype: torch.dtype, seed: int = 0) -> dict[str, torch.Tensor]:
    """A tensor for each name; the same seed gives the same numbers, whatever the dtype rounds them to."""
    groups: dict[tuple[float, float], list[str]] = {}
    for name, shape in shapes.items():
        groups.setdefault(spread_of(name, shape), []).append(name)
    weights = {}
    for (mean, spread), names in groups.items():
        numbers = torch.Generator().manual_seed(seed)
        longest = max(math.prod(shapes[name]) for name in names)
        pool = torch.randn(longest + SHIFT * len(names), generator=numbers).mul_(spread).add_(mean).to(dtype)
        for place, name in enumerate(names):
            start = SHIFT * place
            weights[name] = pool[start:start + math.prod(shapes[name])].view(shapes[name])
    return weights
