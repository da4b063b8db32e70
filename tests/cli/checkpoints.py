"""Checkpoints of the published architectures as other programs write them: real names and shapes, and no numbers, as
sparse files. What diffusers and transformers name stands in models/graphs; where the original programs have each
tensor, diffusers' own converters told (tests/golden/checkpoint_names.json).
"""

from __future__ import annotations

import json
import math
import struct
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
Shapes = dict[str, list[int]]
WIDTHS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "U8": 1, "I64": 8}
POSITIONS = {"text_model.embeddings.position_ids": [1, 77]}  # transformers wrote it into files until 4.31
SECOND_TABLE = {"encoder.embed_tokens.weight": [32128, 4096]}  # T5's, under its other name


def write_sparse(path: Path, tensors: Shapes, dtype: str = "F16", metadata: dict[str, str] | None = None,
                 others: dict[str, str] | None = None) -> None:
    """Numbers are zeros that take no room on the disk; `others` have a dtype of their own."""
    header: dict[str, dict] = {"__metadata__": metadata} if metadata else {}
    at = 0
    for name, shape in tensors.items():
        own = "I64" if name.endswith("position_ids") else (others or {}).get(name, dtype)
        end = at + math.prod(shape) * WIDTHS[own]
        header[name] = {"dtype": own, "shape": shape, "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.truncate(8 + len(text) + at)


@cache
def graph(name: str) -> Shapes:
    """The tensors of a graph of models/graphs, as diffusers and transformers name them."""
    return json.loads((ROOT / "models" / "graphs" / f"{name}.json").read_text())["tensors"]


@cache
def golden(name: str) -> dict:
    cases = json.loads((ROOT / "tests" / "golden" / "checkpoint_names.json").read_text())["cases"]
    return next(case for case in cases if case["graph"] == name)


def looked_up(name: str, prefixes: dict[str, str]) -> str:
    parts = name.split(".")
    length = next(n for n in range(len(parts), -1, -1) if ".".join(parts[:n]) in prefixes)
    return ".".join(filter(None, [prefixes[".".join(parts[:length])], *parts[length:]]))


def original(name: str, prefix: str = "", held: Shapes | None = None) -> Shapes:
    """The tensors of a graph, or those `held` of a network that has its names, as the original program has them: fused
    ones are as high as their pieces together."""
    tensors: Shapes = {}
    for tensor, shape in (graph(name) if held is None else held).items():
        part = golden(name).get("parts", {}).get(tensor)
        if part is None:
            tensors[prefix + looked_up(tensor, golden(name)["whole"])] = shape
        elif len(part[1]) > 1 or part[2]:  # halves of one tensor the other way round; a transpose
            tensors[prefix + part[0]] = shape[::-1] if part[2] else shape
        else:
            above = tensors.get(prefix + part[0], [0])[0]
            tensors[prefix + part[0]] = [above + shape[0], *shape[1:]]
    return tensors


def prefixed(prefix: str, tensors: Shapes) -> Shapes:
    return {prefix + name: shape for name, shape in tensors.items()}


def vae(kind: str) -> Shapes:
    return graph(f"{kind}-vae-encoder") | graph(f"{kind}-vae-decoder")


def original_vae(kind: str, prefix: str) -> Shapes:
    """The attention's layers are 1 x 1 convolutions there."""
    tensors = original(f"{kind}-vae-encoder", prefix) | original(f"{kind}-vae-decoder", prefix)
    return {name: [*shape, 1, 1] if ".mid.attn_1." in name and len(shape) == 2 else shape
            for name, shape in tensors.items()}


@cache
def relatives() -> list[dict]:
    """Networks that differ a little from a graph of models/graphs (scripts/golden/relatives.py)."""
    return json.loads((ROOT / "tests" / "golden" / "relatives.json").read_text())["rows"]


def relative_tensors(row: dict) -> Shapes:
    """As diffusers names them."""
    kept = {name: shape for name, shape in graph(row["graph"]).items() if not name.startswith(tuple(row["lacks"]))}
    return kept | row["reshaped"] | row["more"]


def unet(name: str) -> Shapes:
    return original(name, "model.diffusion_model.")


def single_sd15(name: str = "sd15-unet", text: Shapes | None = None) -> Shapes:
    text = graph("clip-l") if text is None else text
    return unet(name) | original_vae("sd", "first_stage_model.") | prefixed("cond_stage_model.transformer.", text)


def single_sdxl(text: Shapes | None = None) -> Shapes:
    text = graph("clip-l") if text is None else text
    return (unet("sdxl-unet") | original_vae("sd", "first_stage_model.")
            | prefixed("conditioner.embedders.0.transformer.", text) | original("clip-g", "conditioner.embedders.1.model."))


def write_folder(folder: Path, pipeline: str, parts: dict[str, Shapes], dtype: str = "F16") -> None:
    """As diffusers' save_pretrained: a folder a component."""
    folder.mkdir(parents=True)
    (folder / "model_index.json").write_text(json.dumps({"_class_name": pipeline}))
    for part, tensors in parts.items():
        stem = "model" if part.startswith("text") else "diffusion_pytorch_model"
        write_sparse(folder / part / f"{stem}.safetensors", tensors, dtype)
