#!/usr/bin/env python3
"""Write tests/data/deltas.safetensors: weights, factors of LoRAs, and the weights that peft merges of them.

Cases are named "KIND, WHAT"; tensors "CASE/weight", "CASE/merged" and "CASE/ROLE", and the metadata "CASE" is the scale.
What peft has not (a core between two factors, DoRA by columns, rows of a fused layer) is computed here in float64, by the
formula alone.

    .venv/parity/bin/python tests/data/make_lora_data.py
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import torch
from peft import LoHaConfig, LoKrConfig, LoraConfig, get_peft_model
from safetensors.torch import save_file
from torch import nn

FILE = Path(__file__).with_name("deltas.safetensors")
Tensors = dict[str, torch.Tensor]
ROLES = {"lora_A": "down", "lora_B": "up", "lora_magnitude_vector": "magnitude"}


class Cases:
    """What is written."""

    def __init__(self) -> None:
        self.tensors: Tensors = {}
        self.scales: dict[str, str] = {}

    def add(self, name: str, scale: float, tensors: Tensors) -> None:
        self.scales[name] = repr(scale)
        self.tensors |= {f"{name}/{role}": tensor.detach().clone().contiguous() for role, tensor in tensors.items()}


def linear() -> nn.Module:
    return nn.Sequential(nn.Linear(12, 20, bias=False))


def convolution() -> nn.Module:
    return nn.Sequential(nn.Conv2d(4, 12, 3, bias=False))


def by_peft(cases: Cases, name: str, network: nn.Module, config: Any, weight: float) -> None:
    """One layer, its factors drawn, merged at `weight`."""
    base = network[0].weight.detach().clone()
    layer = get_peft_model(network, config).base_model.model[0]
    factors: Tensors = {}
    for path, parameter in layer.named_parameters():
        role = path.replace(".default", "").removesuffix(".weight")
        if role.startswith("base_layer"):
            continue
        with torch.no_grad():
            if role == "lora_magnitude_vector":
                parameter.mul_(1 + 0.2 * torch.rand_like(parameter))
            else:
                parameter.copy_(torch.randn_like(parameter) * 0.4)
        factors[ROLES.get(role, role)] = parameter.detach().clone()
    layer.set_scale("default", weight)
    scale = layer.scaling["default"]
    layer.merge()
    cases.add(name, scale, {"weight": base, "merged": layer.get_base_layer().weight, **factors})


def peft_cases(cases: Cases) -> None:
    common: dict[str, Any] = {"target_modules": ["0"]}
    for name, network in (("linear", linear), ("convolution", convolution)):
        by_peft(cases, f"lora, {name}", network(), LoraConfig(r=4, lora_alpha=2, **common), 0.8)
        by_peft(cases, f"lora, {name}, DoRA", network(), LoraConfig(r=4, lora_alpha=4, use_dora=True, **common), 1.0)
        by_peft(cases, f"lora, {name}, DoRA of weight 0.6", network(),
                LoraConfig(r=4, lora_alpha=4, use_dora=True, **common), 0.6)
        by_peft(cases, f"loha, {name}", network(), LoHaConfig(r=3, alpha=6, **common), -0.5)
        by_peft(cases, f"lokr, {name}", network(), LoKrConfig(r=2, alpha=3, **common), 0.7)
        by_peft(cases, f"lokr, {name}, both of two", network(),
                LoKrConfig(r=1, alpha=3, decompose_both=True, decompose_factor=4, **common), 0.7)
    by_peft(cases, "lora, negative", linear(), LoraConfig(r=4, lora_alpha=4, **common), -1.0)
    by_peft(cases, "lora, rsLoRA", linear(), LoraConfig(r=4, lora_alpha=4, use_rslora=True, **common), 1.0)
    by_peft(cases, "loha, core", convolution(), LoHaConfig(r=3, alpha=6, use_effective_conv2d=True, **common), 1.0)
    by_peft(cases, "lokr, core", convolution(), LoKrConfig(r=1, alpha=3, use_effective_conv2d=True, **common), 1.0)


def formula_cases(cases: Cases) -> None:
    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape) * 0.4

    weight, up, mid, down = draw(12, 4, 3, 3), draw(12, 4, 1, 1), draw(4, 4, 3, 3), draw(4, 4, 1, 1)
    core = torch.einsum("ri,ijkl,jc->rckl", up.flatten(1).double(), mid.double(), down.flatten(1).double())
    cases.add("lora, core", 0.5, {"weight": weight, "up": up, "mid": mid, "down": down, "merged": weight + 0.5 * core})

    up, down, columns = draw(12, 4, 1, 1), draw(4, 4, 3, 3), 1 + torch.rand(1, 4, 1, 1)
    sum_ = (weight + 0.5 * torch.einsum("ri,ickl->rckl", up.flatten(1), down)).double()
    norm = sum_.square().sum(dim=(0, 2, 3), keepdim=True).sqrt()
    cases.add("lora, DoRA by columns", 0.5, {"weight": weight, "up": up, "down": down, "dora_scale": columns,
                                             "merged": sum_ * columns / norm})

    weight, up, down, rows = draw(20, 12), draw(20, 4), draw(4, 12), 1 + torch.rand(20, 1)
    sum_ = (weight + up @ down).double()
    cases.add("lora, DoRA of kohya", 1.0, {"weight": weight, "up": up, "down": down, "dora_scale": rows,
                                           "merged": sum_ * rows / sum_.norm(dim=1, keepdim=True)})

    half = {"up": up.half(), "down": down.bfloat16()}
    cases.add("lora, halves", 2.0, {"weight": weight.bfloat16(), **half,
                                    "merged": weight.bfloat16().double() + 2 * half["up"].double() @ half["down"].double()})
    diff = draw(20, 12)
    cases.add("full", 0.25, {"weight": weight, "diff": diff, "merged": weight + 0.25 * diff.double()})
    bias, diff = draw(20), draw(20)
    cases.add("full, bias", -2.0, {"weight": bias, "diff": diff, "merged": bias - 2 * diff.double()})


def main() -> None:
    argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    torch.manual_seed(7)
    cases = Cases()
    peft_cases(cases)
    formula_cases(cases)
    merged = {name: tensor.float() if name.endswith("/merged") else tensor for name, tensor in cases.tensors.items()}
    save_file(merged, FILE, cases.scales)
    print(f"{FILE}: {len(cases.scales)} cases, {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    main()
