#!/usr/bin/env python3
"""Write tests/golden/relatives.json: how the networks that people take for ours differ from ours, by diffusers' classes.

Each is built without numbers from the configuration that its authors published, and held against the graph of
models/graphs whose names it has: what it lacks, what has another shape (in its first blocks), what it has beside.

Examples:
  scripts/golden/relatives.py
"""

from __future__ import annotations

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import torch
from diffusers import ChromaTransformer2DModel, FluxTransformer2DModel, UNet2DConditionModel

from program import ROOT

GOLDEN = ROOT / "tests" / "golden" / "relatives.json"
FIRST = ("conv_in.", "down_blocks.0.", "x_embedder.", "add_embedding.", "class_embedding.", "time_embedding.")

SD1 = {"cross_attention_dim": 768, "attention_head_dim": 8}
SD2 = {"cross_attention_dim": 1024, "attention_head_dim": [5, 10, 20, 20], "use_linear_projection": True}
SDXL = {"block_out_channels": [320, 640, 1280], "cross_attention_dim": 2048, "attention_head_dim": [5, 10, 20],
        "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
        "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"], "use_linear_projection": True,
        "transformer_layers_per_block": [1, 2, 10], "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
        "projection_class_embeddings_input_dim": 2816}
X4 = {"block_out_channels": [256, 512, 512, 1024], "cross_attention_dim": 1024, "attention_head_dim": 8, "in_channels": 7,
      "num_class_embeds": 1000, "only_cross_attention": [True, True, True, False], "use_linear_projection": True,
      "down_block_types": ["DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"],
      "up_block_types": ["CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"]}
BK = SD1 | {"layers_per_block": 1, "up_block_types": ["UpBlock2D", *["CrossAttnUpBlock2D"] * 3]}


def fewer(down: list[Any], up: list[Any], **more: Any) -> dict[str, Any]:
    return SDXL | {"transformer_layers_per_block": down, "reverse_transformer_layers_per_block": up,
                   "mid_block_type": "UNetMidBlock2D"} | more


FLUX = {"guidance_embeds": True}
ROWS: list[tuple[str, str, type, dict[str, Any]]] = [
    ("Stable Diffusion 2", "sd15-unet", UNet2DConditionModel, SD2),
    ("Stable Diffusion's x4 upscaler", "sd15-unet", UNet2DConditionModel, X4),
    ("InstructPix2Pix", "sd15-unet", UNet2DConditionModel, SD1 | {"in_channels": 8}),
    ("Stable Diffusion 1.x for inpainting", "sd15-unet", UNet2DConditionModel, SD1 | {"in_channels": 9}),
    ("a Stable Diffusion 1.x of fewer blocks", "sd15-unet", UNet2DConditionModel, BK),
    ("a Stable Diffusion 1.x of fewer blocks", "sd15-unet", UNet2DConditionModel, BK | {"mid_block_type": None}),
    ("a latent consistency model", "sd15-unet", UNet2DConditionModel, SD1 | {"time_cond_proj_dim": 256}),
    ("Stable Diffusion XL for inpainting", "sdxl-unet", UNet2DConditionModel, SDXL | {"in_channels": 9}),
    ("InstructPix2Pix for Stable Diffusion XL, or CosXL Edit", "sdxl-unet", UNet2DConditionModel, SDXL | {"in_channels": 8}),
    ("SSD-1B", "sdxl-unet", UNet2DConditionModel, fewer([1, [2, 2], [4, 4]], [[4, 4, 10], [2, 1, 1], 1])),
    ("Segmind Vega", "sdxl-unet", UNet2DConditionModel, fewer([1, [1, 1], [2, 2]], [[2, 2, 2], [1, 1, 1], 1])),
    ("KOALA", "sdxl-unet", UNet2DConditionModel,
     SDXL | {"transformer_layers_per_block": [1, 2, 5], "layers_per_block": 1, "mid_block_type": None}),
    ("KOALA", "sdxl-unet", UNet2DConditionModel,
     SDXL | {"transformer_layers_per_block": [1, 2, 6], "layers_per_block": 1}),
    ("FLUX.1 Fill", "flux-dev", FluxTransformer2DModel, FLUX | {"in_channels": 384, "out_channels": 64}),
    ("FLUX.1 Canny or Depth", "flux-dev", FluxTransformer2DModel, FLUX | {"in_channels": 128, "out_channels": 64}),
    ("FLUX.1 Lite", "flux-dev", FluxTransformer2DModel, FLUX | {"num_layers": 8}),
    ("FLUX.1 Kontext", "flux-dev", FluxTransformer2DModel, FLUX),
    ("Chroma", "flux-dev", ChromaTransformer2DModel, {}),
]


def shortened(names: list[str], kept: set[str]) -> list[str]:
    """Prefixes that stand for all of `names` and begin none of `kept`."""
    prefixes: list[str] = []
    for name in sorted(names):
        parts = name.split(".")
        ends = (".".join(parts[:length]) + "." for length in range(1, len(parts)))
        shortest = next((end for end in ends if not any(other.startswith(end) for other in kept)), name)
        if shortest not in prefixes:
            prefixes.append(shortest)
    return prefixes


def difference(graph: str, network: type, config: dict[str, Any]) -> dict[str, Any]:
    base = json.loads((ROOT / "models" / "graphs" / f"{graph}.json").read_text(encoding="utf-8"))["tensors"]
    with torch.device("meta"):
        found = {name: list(tensor.shape) for name, tensor in network(**config).state_dict().items()}

    def thinned(names: set[str]) -> dict[str, list[int]]:
        firsts = {name: found[name] for name in sorted(names) if name.startswith(FIRST)}
        return firsts or {name: found[name] for name in sorted(names)[:8]}

    return {"lacks": shortened(list(base.keys() - found.keys()), set(found)),
            "reshaped": thinned({name for name in base.keys() & found.keys() if base[name] != found[name]}),
            "more": thinned(found.keys() - base.keys())}


def main() -> None:
    rows = [{"title": title, "graph": graph} | difference(graph, network, config) for title, graph, network, config in ROWS]
    lines = ",\n".join("  " + json.dumps(row) for row in rows)
    head = json.dumps({"made_by": "scripts/golden/relatives.py", "versions": {"diffusers": version("diffusers")}})
    GOLDEN.write_text(f'{head[:-1]}, "rows": [\n{lines}\n]}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
