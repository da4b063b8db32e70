"""Tensors that are made one at a time, and safetensors files that are written of them without holding them all."""

from __future__ import annotations

import dataclasses
import json
import math
import struct
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

DTYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16", torch.float8_e4m3fn: "F8_E4M3"}


@dataclasses.dataclass(frozen=True)
class Lazy:
    """A tensor of a file to be: its name there, its shape, and what makes its values."""

    name: str
    shape: tuple[int, ...]
    make: Callable[[], torch.Tensor]


def write(path: Path, tensors: Iterable[Lazy], dtype: torch.dtype, stray: bytes = b"") -> None:
    """Writes `tensors` in their order, all of `dtype`, and then `stray`, which the format does not know."""
    tensors, header, end = list(tensors), {}, 0
    for tensor in tensors:
        begin, end = end, end + math.prod(tensor.shape) * dtype.itemsize
        header[tensor.name] = {"dtype": DTYPES[dtype], "shape": list(tensor.shape), "data_offsets": [begin, end]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for tensor in tensors:
            values = tensor.make().to(dtype).contiguous()
            assert tuple(values.shape) == tensor.shape, tensor.name
            file.write(values.view(torch.uint8).numpy().data)
        file.write(stray)
