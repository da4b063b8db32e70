"""Checkpoints as other programs write them.

Those of the published architectures have real names and shapes, and no numbers: sparse files. What diffusers and
transformers name stands in models/graphs; where the original programs have each tensor, diffusers' own converters told
(tests/golden/checkpoint_names.json). That of the bundled model has its numbers, under names written here after CompVis'
program.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

from support import MODEL, ROOT, HomeTest, Tensor, read_tensors, safetensors, safetensors_head

Shapes = dict[str, list[int]]
WIDTHS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "U8": 1, "I64": 8}
POSITIONS = {"text_model.embeddings.position_ids": [1, 77]}  # transformers wrote it into files until 4.31
SECOND_TABLE = {"encoder.embed_tokens.weight": [32128, 4096]}  # T5's, under its other name


def write_sparse(path: Path, tensors: Shapes, dtype: str = "F16", metadata: dict[str, str] | None = None,
                 others: dict[str, str] | None = None) -> None:
    """Numbers are zeros that take no room on the disk; `others` have a dtype of their own."""
    sizes = {}
    for name, shape in tensors.items():
        own = "I64" if name.endswith("position_ids") else (others or {}).get(name, dtype)
        sizes[name] = own, shape, math.prod(shape) * WIDTHS[own]
    head = safetensors_head(sizes, metadata)
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "wb") as file:
        file.write(head)
        file.truncate(len(head) + sum(size for _, _, size in sizes.values()))


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


# The bundled model

RESNET = {"norm1": "in_layers.0", "conv1": "in_layers.2", "time_emb_proj": "emb_layers.1", "norm2": "out_layers.0",
          "conv2": "out_layers.3", "conv_shortcut": "skip_connection"}
UNET = {"time_embedding.linear_1": "time_embed.0", "time_embedding.linear_2": "time_embed.2",
        "conv_in": "input_blocks.0.0", "conv_norm_out": "out.0", "conv_out": "out.2"}


def unet_name(name: str, config: dict) -> str:
    """The name that CompVis' UNetModel gives a tensor of diffusers' UNet2DConditionModel."""
    stem, kind = name.rsplit(".", 1)
    if stem in UNET:
        return f"{UNET[stem]}.{kind}"
    layers = config["layers_per_block"]
    if found := re.match(r"mid_block\.(resnets|attentions)\.(\d)\.(.*)", stem):
        what, index, rest = found.groups()
        place = 1 if what == "attentions" else 2 * int(index)
        return f"middle_block.{place}.{RESNET.get(rest, rest)}.{kind}"
    way, block, what, index, rest = re.match(r"(down|up)_blocks\.(\d)\.(\w+)\.(\d)\.(.*)", stem).groups()
    block, index = int(block), int(index)
    if way == "down":
        start = 1 + block * (layers + 1)
        if what == "downsamplers":
            return f"input_blocks.{start + layers}.0.op.{kind}"
        prefix = f"input_blocks.{start + index}"
    else:
        start = block * (layers + 1)
        if what == "upsamplers":
            attends = config["up_block_types"][block].startswith("CrossAttn")
            return f"output_blocks.{start + layers}.{2 if attends else 1}.conv.{kind}"
        prefix = f"output_blocks.{start + index}"
    return f"{prefix}.{1 if what == 'attentions' else 0}.{RESNET.get(rest, rest)}.{kind}"


def vae_name(name: str, blocks: int) -> str:
    """The name that CompVis' AutoencoderKL gives a tensor of diffusers'."""
    name = re.sub(r"mid_block\.resnets\.(\d)", lambda found: f"mid.block_{int(found[1]) + 1}", name)
    name = re.sub(r"down_blocks\.(\d)\.resnets", r"down.\1.block", name)
    name = re.sub(r"down_blocks\.(\d)\.downsamplers\.0", r"down.\1.downsample", name)
    name = re.sub(r"up_blocks\.(\d)\.resnets", lambda found: f"up.{blocks - 1 - int(found[1])}.block", name)
    name = re.sub(r"up_blocks\.(\d)\.upsamplers\.0", lambda found: f"up.{blocks - 1 - int(found[1])}.upsample", name)
    return name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")


def single_file(model: Path) -> dict[str, Tensor]:
    """A model of the sd15 architecture under the names of the first Stable Diffusion checkpoints."""
    network, autoencoder = (json.loads((model / part / "config.json").read_text()) for part in ("unet", "vae"))
    weights = "diffusion_pytorch_model.safetensors"
    tensors = {f"model.diffusion_model.{unet_name(name, network)}": tensor
               for name, tensor in read_tensors(model / "unet" / weights).items()}
    tensors |= {f"first_stage_model.{vae_name(name, len(autoencoder['block_out_channels']))}": tensor
                for name, tensor in read_tensors(model / "vae" / weights).items()}
    tensors |= {f"cond_stage_model.transformer.text_model.{name}": tensor
                for name, tensor in read_tensors(model / "text_encoder" / "model.safetensors").items()}
    return tensors


class ImportTest(HomeTest):
    """A test that imports the bundled model from one file."""

    def checkpoint(self, name: str, edit: Callable[[dict[str, Tensor]], dict[str, Tensor]] = lambda tensors: tensors,
                   tail: bytes = b"") -> Path:
        """That file, its tensors edited, with bytes behind them."""
        return self.put(name, safetensors(edit(single_file(MODEL))) + tail)
