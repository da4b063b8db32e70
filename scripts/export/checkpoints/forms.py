"""The same tensors under the names of the original programs.

Which tensor lies where comes from diffusers' own converters, through tests/golden/checkpoint_names.json
(scripts/golden/checkpoint_names.py), read the other way round here.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import torch

from program import ROOT

from .tensors import Lazy

GOLDEN = ROOT / "tests" / "golden" / "checkpoint_names.json"


@cache
def golden_of(graph: str) -> dict[str, Any]:
    cases = json.loads(GOLDEN.read_text(encoding="utf-8"))["cases"]
    return next(case for case in cases if case["graph"] == graph)


def looked_up(name: str, prefixes: dict[str, str]) -> str:
    """The longest prefix, in whole components, in the place of `name`'s own."""
    parts = name.split(".")
    for length in range(len(parts), -1, -1):
        prefix = ".".join(parts[:length])
        if prefix in prefixes:
            return ".".join(filter(None, [prefixes[prefix], *parts[length:]]))
    raise KeyError(name)


def joined(source: str, pieces: dict[int, Lazy], transposed: bool) -> Lazy:
    """One tensor of those that lie in it, by their first row."""
    inside = [pieces[first] for first in sorted(pieces)]
    if transposed:
        whole = inside[0]
        return Lazy(source, whole.shape[::-1], lambda: whole.make().T)
    rows = sum(piece.shape[0] for piece in inside)
    return Lazy(source, (rows, *inside[0].shape[1:]), lambda: torch.cat([piece.make() for piece in inside]))


def swapped_halves(tensor: Lazy) -> Lazy:
    """Flux's last modulation, whose halves diffusers has the other way round."""
    return Lazy(tensor.name, tensor.shape, lambda: torch.cat(tensor.make().chunk(2)[::-1]))


def original(graph: str, tensors: list[Lazy], prefix: str) -> list[Lazy]:
    """`tensors` of a graph of models/graphs, or of one with fewer blocks, as the original program names them."""
    golden, renamed, fused, turned = golden_of(graph), [], {}, set()
    for tensor in tensors:
        part = golden["parts"].get(tensor.name)
        if part is None:
            renamed.append(Lazy(prefix + looked_up(tensor.name, golden["whole"]), tensor.shape, tensor.make))
            continue
        source, rows, transposed = part
        if len(rows) > 1:
            renamed.append(swapped_halves(Lazy(prefix + source, tensor.shape, tensor.make)))
            continue
        turned |= {source} if transposed else set()
        fused.setdefault(source, {})[rows[0][0] if rows else 0] = tensor
    return renamed + [joined(prefix + source, pieces, source in turned) for source, pieces in fused.items()]


def vae(kind: str, tensors: list[Lazy], prefix: str) -> list[Lazy]:
    """A VAE of kind "sd" or "flux": both its halves. The attention's layers are 1 x 1 convolutions there."""
    def shaped(tensor: Lazy) -> Lazy:
        if ".mid.attn_1." not in tensor.name or len(tensor.shape) != 2:
            return tensor
        return Lazy(tensor.name, (*tensor.shape, 1, 1), lambda: tensor.make()[:, :, None, None])

    decodes = ("decoder.", "post_quant_conv.")
    halves = {"decoder": [tensor for tensor in tensors if tensor.name.startswith(decodes)],
              "encoder": [tensor for tensor in tensors if not tensor.name.startswith(decodes)]}
    return [shaped(tensor) for half, part in halves.items() for tensor in original(f"{kind}-vae-{half}", part, prefix)]


def prefixed(tensors: list[Lazy], prefix: str) -> list[Lazy]:
    return [Lazy(prefix + tensor.name, tensor.shape, tensor.make) for tensor in tensors]


OLD_ATTENTION = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}


def old_vae(tensors: list[Lazy]) -> list[Lazy]:
    """A VAE as diffusers named it in 2022."""
    def old(name: str) -> str:
        for new, former in OLD_ATTENTION.items():
            name = name.replace(f"attentions.0.{new}.", f"attentions.0.{former}.")
        return name

    return [Lazy(old(tensor.name), tensor.shape, tensor.make) for tensor in tensors]


def averages(tensors: list[Lazy]) -> list[Lazy]:
    """What a checkpoint that was not pruned holds beside its UNet: the moving average, of other values, under names
    without dots."""
    def other(make: Callable[[], torch.Tensor]) -> Callable[[], torch.Tensor]:
        return lambda: make() * 0.5

    return [Lazy("model_ema." + tensor.name.removeprefix("model.").replace(".", ""), tensor.shape, other(tensor.make))
            for tensor in tensors if tensor.name.startswith("model.diffusion_model.")]
