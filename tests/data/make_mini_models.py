#!/usr/bin/env python3
"""Makes mini_sdxl and mini_flux: whole model folders with the real ports and formulas in place of networks.

Run in this folder, with torch 2.11. Their pictures mean nothing, but depend on every input, and each number that a text
encoder gives says which layer, token and column it comes from. mini_flux/tokenizer_2/spiece.model is from
scripts/golden/t5_tokenizer.py --vocabulary.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from strip_graph import strip
from torch import nn

LENGTH = 9
LAYERS = 3


class Clip(nn.Module):
    """ids [B, L] -> states [layers, B, L, W]: layer + id / 1000 + column / 100; normed: its negative; pooled [B, P]:
    10 + mean id / 1000 + column / 100."""

    def __init__(self, width: int, pooled: int) -> None:
        super().__init__()
        self.columns = nn.Parameter(torch.arange(width) / 100)
        self.pooled_columns = nn.Parameter(torch.arange(pooled) / 100)

    def forward(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        numbers = ids.type_as(self.columns) / 1000
        states = torch.stack([numbers[..., None] + self.columns + layer for layer in range(LAYERS)])
        return states, -states, numbers.mean(1, keepdim=True) + self.pooled_columns + 10


class T5(nn.Module):
    """ids [B, L] -> last [B, L, W]: 20 + id / 1000 + column / 100."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.columns = nn.Parameter(torch.arange(width) / 100)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return ids.type_as(self.columns)[..., None] / 1000 + self.columns + 20


class Denoiser(nn.Module):
    """The sample's tenth, plus a hundredth of all that it is told. Tables without a batch count for every row."""

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, *told: torch.Tensor) -> torch.Tensor:
        total = timestep / 1000
        for each in told:
            rows = each.float().reshape(each.shape[0], -1).mean(1)
            mean = rows if each.shape[0] == sample.shape[0] else rows.mean()
            total = total + mean / 100
        return 0.1 * sample + 0.01 * total.type_as(sample).reshape(-1, *[1] * (sample.dim() - 1))


class Decoder(nn.Module):
    """latent [B, C, h, w] -> its first three channels, each cell 8 x 8 pixels."""

    def forward(self, latent: torch.Tensor) -> torch.Tensor:
        return torch.tanh(latent[:, :3]).repeat_interleave(8, 2).repeat_interleave(8, 3)


def port(name: str, dtype: str, *shape: int | str) -> dict:
    return {"name": name, "dtype": dtype, "shape": list(shape)}


def clip_ports(width: int, pooled: int) -> tuple[list[dict], list[dict]]:
    states = (LAYERS, "batch", "tokens", width)
    return ([port("ids", "i64", "batch", "tokens")],
            [port("states", "model", *states), port("normed", "model", *states), port("pooled", "model", "batch", pooled)])


def decoder_ports(channels: int) -> tuple[list[dict], list[dict]]:
    return ([port("latent", "model", "batch", channels, "height", "width")],
            [port("picture", "model", "batch", 3, "8*height", "8*width")])


IDS = torch.ones(2, 7, dtype=torch.long)
CELLS = ("batch", 4, "height", "width")
PATCHES = ("batch", "image_tokens", 64)

# Name of a part -> the module, example inputs, ports.
SDXL = {
    "text_encoder": (Clip(4, 4), (IDS,), clip_ports(4, 4)),
    "text_encoder_2": (Clip(6, 5), (IDS,), clip_ports(6, 5)),
    "denoiser": (
        Denoiser(),
        (torch.ones(2, 4, 3, 5), torch.ones(2), torch.ones(2, 7, 10), torch.ones(2, 5), torch.ones(2, 6)),
        ([port("sample", "model", *CELLS), port("timestep", "f32", "batch"),
          port("context", "model", "batch", "tokens", 10), port("pooled", "model", "batch", 5),
          port("time_ids", "f32", "batch", 6)], [port("prediction", "model", *CELLS)])),
    "vae_decoder": (Decoder(), (torch.ones(2, 4, 3, 5),), decoder_ports(4)),
}
FLUX = {
    "text_encoder": (Clip(4, 4), (IDS,), clip_ports(4, 4)),
    "text_encoder_2": (T5(6), (IDS,), ([port("ids", "i64", "batch", "tokens")],
                                       [port("last", "model", "batch", "tokens", 6)])),
    "denoiser": (
        Denoiser(),
        (torch.ones(2, 15, 64), torch.ones(2), torch.ones(2, 7, 6), torch.ones(2, 4), torch.ones(22, 16),
         torch.ones(22, 16), torch.ones(2)),
        ([port("sample", "model", *PATCHES), port("timestep", "f32", "batch"),
          port("context", "model", "batch", "text_tokens", 6), port("pooled", "model", "batch", 4),
          port("rope_cos", "f32", "all_tokens", 16), port("rope_sin", "f32", "all_tokens", 16),
          port("guidance", "f32", "batch")], [port("prediction", "model", *PATCHES)])),
    "vae_decoder": (Decoder(), (torch.ones(2, 16, 3, 5),), decoder_ports(16)),
}


def clip_vocabulary(folder: Path) -> dict:
    """A tokenizer that knows letters alone: what the ids are does not matter here."""
    units = [chr(byte) for byte in [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100), *range(0x100, 0x144)]]
    tokens = units + [unit + "</w>" for unit in units] + ["<|startoftext|>", "<|endoftext|>"]
    folder.mkdir(exist_ok=True)
    (folder / "vocab.json").write_text(json.dumps({token: index for index, token in enumerate(tokens)}) + "\n")
    (folder / "merges.txt").write_text("#version: 0.2\n")
    return {"kind": "clip", "vocabulary": "tokenizer/vocab.json", "merges": "tokenizer/merges.txt", "length": LENGTH,
            "start": len(tokens) - 2, "end": len(tokens) - 1, "pad": len(tokens) - 1}


def make(family: str, parts: dict, space: dict, second_tokenizer: dict | None, sampling: dict, conditioning: dict) -> None:
    folder = Path(f"mini_{family}")
    (folder / "graphs").mkdir(parents=True, exist_ok=True)
    described = {}
    for name, (module, inputs, (ins, outs)) in parts.items():
        torch.jit.trace(module.eval(), inputs, check_trace=False).save(str(folder / "graphs" / f"{name}.pt"))
        strip(folder / "graphs" / f"{name}.pt")
        described[name] = {"graph": f"graphs/{name}.pt", "weights": [], "inputs": ins, "outputs": outs}
    clip = clip_vocabulary(folder / "tokenizer")
    document = {
        "version": 1, "name": folder.name, "family": family, "space": space | {"lineage": folder.name},
        "parts": described, "tokenizers": {"tokenizer": clip, "tokenizer_2": second_tokenizer or clip | {"pad": 0}},
        "conditioning": conditioning, "sampling": sampling,
        "defaults": {"width": 128, "height": 64, "steps": 3, "sampler": "euler", "guidance": 3.5},
    }
    named = {part["graph"] for part in described.values()}
    named |= {tokenizer[key] for tokenizer in document["tokenizers"].values() for key in ("vocabulary", "merges", "model")
              if key in tokenizer}
    document["files"] = {name: {"sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest(),
                                "size": (folder / name).stat().st_size} for name in sorted(named)}
    document |= {"licence": "MIT", "origin": "tests/data/make_mini_models.py"}
    (folder / "model.json").write_text(json.dumps(document, indent=1) + "\n")


def main() -> None:
    make("sdxl", SDXL, {"id": "sdxl", "channels": 4, "downscale": 8, "scale": 0.13025, "shift": 0}, None,
         {"prediction": "epsilon", "train_steps": 1000, "beta_curve": "scaled_linear", "beta_start": 0.00085,
          "beta_end": 0.012, "spacing": "leading", "steps_offset": 1}, {"zero_empty_negative": True})
    make("flux", FLUX, {"id": "flux", "channels": 16, "downscale": 8, "scale": 0.3611, "shift": 0.1159},
         {"kind": "t5", "model": "tokenizer_2/spiece.model", "length": 12, "end": 1, "pad": 0},
         {"prediction": "flow", "train_steps": 1000,
          "flow_shift": {"dynamic": True, "base_shift": 0.5, "max_shift": 1.15, "base_tokens": 256, "max_tokens": 4096}},
         {"rope_axes": [4, 6, 6]})


if __name__ == "__main__":
    main()
