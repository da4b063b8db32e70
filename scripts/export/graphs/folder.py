"""Reading a diffusers folder, and the model.json that describes it (docs/model-folder.md is its grammar)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from safetensors import safe_open
from torch import nn

from . import ExportError
from .families import FAMILIES, Family
from .part import Config, Part, Port
from .vae import downscale

GRAPHS = "graphs"
MODEL_FILE = "model.json"
TOKENIZER_FILES = ("vocabulary", "merges", "model")  # keys of a tokenizer that name one


def read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ExportError(f"{path}: not found. A diffusers folder has it: save one with "
                          f"StableDiffusionPipeline.save_pretrained.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ExportError(f"{path}: not valid JSON: {error}. Restore the file.") from None


def family_of(folder: Path) -> Family:
    """The row of the families table that model_index.json and the denoiser's configuration name."""
    name = read_json(folder / "model_index.json").get("_class_name")
    for family in FAMILIES:
        if family.pipeline == name and family.fits(part_config(folder, find_part(family, "denoiser"))):
            return family
    known = ", ".join(dict.fromkeys(family.pipeline for family in FAMILIES))
    raise ExportError(f"{folder / 'model_index.json'}: _class_name is {name!r}, expected one of {known}. "
                      f"Other families cannot be exported yet.")


def find_part(family: Family, name: str) -> Part:
    return next(part for part in family.parts if part.name == name)


def part_config(folder: Path, part: Part) -> Config:
    return read_json(folder / part.folder / "config.json")


# ---- weights ----


def weight_files(folder: Path, part: Part) -> list[str]:
    """The part's safetensors files, as paths below `folder`: one file, the shards of an index, or the fp16 variant."""
    place = folder / part.folder
    index = place / f"{part.stem}.safetensors.index.json"
    if (place / f"{part.stem}.safetensors").exists():
        names = {f"{part.stem}.safetensors"}
    elif index.exists():
        names = set(read_json(index)["weight_map"].values())
    elif (place / f"{part.stem}.fp16.safetensors").exists():
        names = {f"{part.stem}.fp16.safetensors"}
    else:
        raise ExportError(f"{place}: no {part.stem}.safetensors, no index of shards and no fp16 variant. "
                          f"Save the model with safe_serialization=True.")
    return [f"{part.folder}/{name}" for name in sorted(names)]


def weight_shapes(folder: Path, files: list[str]) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor in `files`."""
    shapes: dict[str, tuple[int, ...]] = {}
    for file in files:
        with safe_open(folder / file, "pt") as weights:
            shapes |= {name: tuple(weights.get_slice(name).get_shape()) for name in weights.keys()}
    return shapes


def checkpoint_names(part: Part, module: nn.Module, shapes: dict[str, tuple[int, ...]]) -> dict[str, str]:
    """Parameter of `module` -> the checkpoint's name for it; the shapes must agree."""
    names = {}
    for parameter, value in module.named_parameters():
        candidates = part.checkpoint_names(parameter)
        name = next((candidate for candidate in candidates if candidate in shapes), None)
        if name is None:
            wanted = " or ".join(dict.fromkeys(candidates))
            raise ExportError(f"{part.folder}: the weights hold no tensor {wanted}, which {part.name} needs. "
                              f"Do config.json and weights belong together?")
        if shapes[name] != tuple(value.shape):
            raise ExportError(f"{part.folder}: tensor {name} has shape {list(shapes[name])}, expected "
                              f"{list(value.shape)}. Do config.json and weights belong together?")
        names[parameter] = name
    return names


# ---- model.json ----


def space_facts(folder: Path, family: Family, vae: Config, lineage: str) -> dict[str, Any]:
    """The latent space's entry; its numbers must be the family's."""
    found = {"channels": vae["latent_channels"], "downscale": downscale(vae),
             "scale": vae.get("scaling_factor", 0.18215), "shift": vae.get("shift_factor") or 0.0}
    for key, value in found.items():
        if value != getattr(family, key):
            raise ExportError(f"{folder / 'vae/config.json'}: the latent space has {key} {value}, expected "
                              f"{getattr(family, key)} for family {family.id}. This is a model of another family.")
    return {"id": family.id, **found, "lineage": lineage}


def conditioning_facts(folder: Path, configs: dict[str, Config]) -> dict[str, Any]:
    """What the configurations say of conditioning beside the ports, by the denoiser's kind; empty where nothing."""
    denoiser = configs["denoiser"]
    if "axes_dims_rope" in denoiser:
        return {"rope_axes": list(denoiser["axes_dims_rope"])}
    if denoiser.get("addition_embed_type") == "text_time":
        index = read_json(folder / "model_index.json")
        return {"zero_empty_negative": bool(index.get("force_zeros_for_empty_prompt", True))}
    return {}


def part_facts(folder: Path, part: Part, config: Config) -> dict[str, Any]:
    inputs, outputs = part.ports(config)
    return {"graph": f"{GRAPHS}/{part.name}.pt", "weights": weight_files(folder, part),
            "inputs": [port_facts(port) for port in inputs], "outputs": [port_facts(port) for port in outputs]}


def port_facts(port: Port) -> dict[str, Any]:
    return {"name": port.name, "dtype": port.dtype, "shape": list(port.shape)}


def file_facts(folder: Path, name: str) -> dict[str, Any]:
    """sha256 and size of a file, which must lie in the folder itself."""
    path = folder / name
    if not path.resolve().is_relative_to(folder.resolve()):
        raise ExportError(f"{path}: a symbolic link that leads out of the folder. Copy the model with its files: "
                          f"cp -rL SOURCE TARGET.")
    with path.open("rb") as file:
        return {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "size": path.stat().st_size}


def write_model_json(folder: Path, document: dict[str, Any]) -> None:
    """Adds the entry `files` to `document` and writes it."""
    named = {name for part in document["parts"].values() for name in (part["graph"], *part["weights"])}
    named |= {tokenizer[key] for tokenizer in document["tokenizers"].values() for key in TOKENIZER_FILES
              if key in tokenizer}
    files = {name: file_facts(folder, name) for name in sorted(named)}
    text = json.dumps(document | {"files": files}, indent=2, ensure_ascii=False)
    (folder / MODEL_FILE).write_text(text + "\n", encoding="utf-8")
