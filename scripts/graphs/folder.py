"""Reading a diffusers folder, and the model.json that describes it (docs/model-folder.md is its grammar)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import diffusers
from safetensors import safe_open
from torch import nn

from . import ExportError
from .families import FAMILIES, Family
from .part import Config, Part, Port
from .vae import downscale

GRAPHS = "graphs"
MODEL_FILE = "model.json"
PREDICTIONS = {"epsilon": "epsilon", "v_prediction": "v"}
UNTRAINED_EXTRAS = {"trained_betas": None, "rescale_betas_zero_snr": False}


def read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ExportError(f"{path}: not found. A diffusers folder has it: save one with "
                          f"StableDiffusionPipeline.save_pretrained.") from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ExportError(f"{path}: not valid JSON: {error}. Restore the file.") from None


def family_of(folder: Path) -> Family:
    """The row of the families table that model_index.json names."""
    name = read_json(folder / "model_index.json").get("_class_name")
    for family in FAMILIES:
        if family.pipeline == name:
            return family
    known = ", ".join(family.pipeline for family in FAMILIES)
    raise ExportError(f"{folder / 'model_index.json'}: _class_name is {name!r}, expected one of {known}. "
                      f"Other families cannot be exported yet.")


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


# ---- tokenizer ----


def complete_tokenizer(folder: Path) -> None:
    """Writes vocab.json and merges.txt from tokenizer.json where a tokenizer has that alone."""
    if (folder / "vocab.json").exists() and (folder / "merges.txt").exists():
        return
    whole = read_json(folder / "tokenizer.json")
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in whole["model"]["merges"]]
    vocabulary = whole["model"]["vocab"] | {token["content"]: token["id"] for token in whole["added_tokens"]}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *merges]) + "\n", encoding="utf-8")


def tokenizer_facts(folder: Path, name: str, positions: int) -> dict[str, Any]:
    """The tokenizer's entry; `positions` is the most tokens the text encoder takes."""
    place = folder / name
    complete_tokenizer(place)
    vocabulary, config = read_json(place / "vocab.json"), read_json(place / "tokenizer_config.json")
    ids = {}
    for role, key in (("start", "bos_token"), ("end", "eos_token"), ("pad", "pad_token")):
        token = config.get(key)
        text = token["content"] if isinstance(token, dict) else token
        if text not in vocabulary:
            raise ExportError(f"{place}: {key} is {text!r}, expected a token of vocab.json. "
                              f"Name it in tokenizer_config.json.")
        ids[role] = vocabulary[text]
    return {"kind": "clip", "vocabulary": f"{name}/vocab.json", "merges": f"{name}/merges.txt",
            "length": min(positions, int(config.get("model_max_length", positions))), **ids}


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


def sampling_facts(folder: Path) -> dict[str, Any]:
    """The sampling entry, from scheduler_config.json; keys it leaves out have its scheduler's own defaults."""
    path = folder / "scheduler" / "scheduler_config.json"
    written = read_json(path)
    scheduler = getattr(diffusers, written.get("_class_name", ""), None)
    if scheduler is None:
        raise ExportError(f"{path}: _class_name is {written.get('_class_name')!r}, expected a scheduler of diffusers "
                          f"{diffusers.__version__}. Name one, for example EulerDiscreteScheduler.")
    config = scheduler.from_config(written).config
    expected = {"prediction_type": tuple(PREDICTIONS), "beta_schedule": ("linear", "scaled_linear"),
                "timestep_spacing": ("leading", "linspace", "trailing"),
                **{key: (plain,) for key, plain in UNTRAINED_EXTRAS.items()}}
    for key, allowed in expected.items():
        if config.get(key, allowed[0]) not in allowed:
            raise ExportError(f"{path}: {key} is {config[key]!r}, expected {' or '.join(map(repr, allowed))}. "
                              f"lapis has no other kind.")
    return {"prediction": PREDICTIONS[config["prediction_type"]], "train_steps": config["num_train_timesteps"],
            "beta_curve": config["beta_schedule"], "beta_start": config["beta_start"], "beta_end": config["beta_end"],
            "spacing": config.get("timestep_spacing", "leading"), "steps_offset": config.get("steps_offset", 0)}


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
    named |= {tokenizer[key] for tokenizer in document["tokenizers"].values() for key in ("vocabulary", "merges")}
    files = {name: file_facts(folder, name) for name in sorted(named)}
    text = json.dumps(document | {"files": files}, indent=2, ensure_ascii=False)
    (folder / MODEL_FILE).write_text(text + "\n", encoding="utf-8")
