#!/usr/bin/env python3
"""Write tests/data/scaled.safetensors: weights as quantizers keep them, beside what torch makes of them.

Each case has the tensors of a checkpoint, "CASE/NAME", and the weight times its scales in fp32, "CASE=". The metadata
"CASE" is the checkpoint's `_quantization_metadata`, where it has one. Quantization is that of the programs that are named:
the largest number of a tensor, row or block comes to the largest of the type.

    .venv/parity/bin/python tests/data/make_scaled_data.py
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import save_file

FILE = Path(__file__).with_name("scaled.safetensors")
E4M3, E5M2 = torch.float8_e4m3fn, torch.float8_e5m2
Tensors = dict[str, torch.Tensor]


def spread(scale: torch.Tensor, block: tuple[int, int], shape: tuple[int, ...]) -> torch.Tensor:
    """A grid of scales over a matrix, each as often as its block has numbers."""
    rows, columns = shape
    return scale.repeat_interleave(block[0], 0)[:rows].repeat_interleave(block[1], 1)[:, :columns]


class Cases:
    """What is written."""

    def __init__(self) -> None:
        self.tensors: Tensors = {}
        self.metadata: dict[str, str] = {}

    def add(self, name: str, whole: torch.Tensor, tensors: Tensors, layers: dict | None = None) -> None:
        self.tensors |= {f"{name}/{key}": tensor.contiguous() for key, tensor in tensors.items()}
        self.tensors[f"{name}="] = whole.contiguous()
        if layers:
            self.metadata[name] = json.dumps({"format_version": "1.0", "layers": layers})

    def tensor(self, name: str, key: str, dtype: torch.dtype, shape: tuple[int, ...] = (),
               kernel: tuple[int, ...] = (), scales: torch.dtype = torch.float32, **others: torch.Tensor) -> None:
        weight = torch.randn(24, 16, *kernel) * 0.05
        scale = (weight.abs().max() / torch.finfo(dtype).max).to(scales).reshape(shape)
        stored = (weight / scale.float()).to(dtype)
        whole = stored.float() * scale.float().reshape(())
        self.add(name, whole, {"layer.weight": stored, f"layer.{key}": scale, **others})

    def rows(self, name: str, key: str, dtype: torch.dtype, shape: tuple[int, ...], kernel: tuple[int, ...] = ()) -> None:
        weight = torch.randn(24, 16, *kernel) * torch.rand(24).reshape(-1, *[1] * (1 + len(kernel)))
        scale = weight.flatten(1).abs().amax(1) / torch.finfo(dtype).max
        over = scale.reshape(-1, *[1] * (1 + len(kernel)))
        stored = (weight / over).to(dtype)
        self.add(name, stored.float() * over, {"layer.weight": stored, f"layer.{key}": scale.reshape(shape)})

    def blocks(self, name: str, key: str, shape: tuple[int, int], block: tuple[int, int], note: dict | None = None,
               trailing: bool = False, second: bool = False) -> None:
        grid = [-(-size // side) for size, side in zip(shape, block)]
        scale = torch.rand(*grid) * 0.01 + 0.001
        factor = scale.max() if second else torch.ones(())
        scale = scale / factor
        over = spread(scale * factor, block, shape)
        stored = (torch.randn(*shape) / over * 0.3).clamp(-448, 448).to(E4M3)
        tensors = {"layer.weight": stored, f"layer.{key}": scale[..., None] if trailing else scale}
        if second:
            tensors[f"layer.{key}_tensor"] = factor
        self.add(name, stored.float() * over, tensors, {"layer": note} if note else None)


def comfy(**facts: object) -> torch.Tensor:
    return torch.tensor(list(json.dumps(facts).encode()), dtype=torch.uint8)


def main() -> None:
    torch.manual_seed(14)
    cases = Cases()
    cases.tensor("ComfyUI's scaled_fp8", "scale_weight", E4M3, scaled_fp8=torch.zeros(2, dtype=E4M3))
    cases.tensor("ComfyUI's scaled_fp8, e5m2, [1]", "scale_weight", E5M2, (1,), scaled_fp8=torch.zeros(0, dtype=E5M2))
    cases.tensor("ComfyUI's comfy_quant", "weight_scale", E4M3,
                 **{"layer.comfy_quant": comfy(format="float8_e4m3fn", full_precision_matrix_mult=True),
                    "layer.input_scale": torch.tensor(0.7)})
    cases.tensor("ModelOpt's, with a scale of what comes in", "weight_scale", E4M3,
                 **{"layer.input_scale": torch.tensor([0.7])})
    cases.tensor("a scale in bf16", "weight_scale", E4M3, (1, 1), scales=torch.bfloat16)
    cases.tensor("a scale in f16, of a convolution", "weight_scale", E5M2, kernel=(3, 3), scales=torch.float16)
    cases.tensor("a scale in f64", "weight_scale_inv", E4M3, scales=torch.float64)
    cases.rows("rows [N]", "weight_scale", E4M3, (24,))
    cases.rows("rows [N, 1], fbgemm's", "weight_scale", E4M3, (24, 1))
    cases.rows("rows [N, 1] in e5m2, kohya's", "scale_weight", E5M2, (24, 1))
    cases.rows("rows of a convolution", "weight_scale", E4M3, (24, 1, 1, 1), (3, 3))
    cases.blocks("blocks of 128, the last ones cut short", "weight_scale_inv", (136, 130), (128, 128))
    cases.blocks("blocks of 32", "weight_scale", (96, 64), (32, 32))
    cases.blocks("blocks of 24 that are said", "weight_scale", (56, 48), (24, 24),
                 {"format": "float8_e4m3fn_blockwise", "group_size": 24})
    cases.blocks("blocks of a row, musubi-tuner's", "scale_weight", (12, 64), (1, 16), trailing=True)
    cases.blocks("blocks of a row in two levels, musubi-tuner's", "scale_weight", (12, 64), (1, 16), trailing=True,
                 second=True)
    half = (torch.randn(24, 16) * 0.1).half()
    cases.add("a layer that was left in f16, convert_to_quant's", half.float(),
              {"layer.weight": half, "layer.scale_weight": torch.ones(1)})
    whole_numbers = torch.randint(-127, 128, (24, 16), dtype=torch.int8)
    scale = torch.rand(24, 1) * 0.01
    cases.add("integers of ComfyUI's int8_tensorwise", whole_numbers.float() * scale,
              {"layer.weight": whole_numbers, "layer.weight_scale": scale,
               "layer.comfy_quant": comfy(format="int8_tensorwise")})
    save_file(cases.tensors, FILE, cases.metadata)


if __name__ == "__main__":
    main()
