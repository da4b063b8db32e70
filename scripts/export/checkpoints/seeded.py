"""diffusers folders of the published architectures at full width, their weights random and seeded."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
from pathlib import Path
from typing import Any

import torch

from export.graphs.architectures import CLIP_G, CLIP_L, FLUX, FLUX_VAE, SD15_UNET, SD_VAE, SDXL_UNET, T5_XXL
from export.graphs.random_weights import random_weights
from program import ROOT

from .tensors import Lazy, write

CLIP_TOKENIZER = ROOT / "models" / "tokenizers" / "clip"
T5_TOKENIZER = ROOT / "models" / "tiny-flux" / "tokenizer_2"
BETAS = dict(_class_name="EulerDiscreteScheduler", beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear",
             num_train_timesteps=1000, prediction_type="epsilon", steps_offset=1, timestep_spacing="leading")
FLOW = dict(_class_name="FlowMatchEulerDiscreteScheduler", base_image_seq_len=256, base_shift=0.5,
            max_image_seq_len=4096, max_shift=1.15, num_train_timesteps=1000, shift=3.0, use_dynamic_shifting=True)
MODEL, DIFFUSION = "model", "diffusion_pytorch_model"


@dataclasses.dataclass(frozen=True)
class Component:
    """A folder with weights: its library and class, its configuration."""

    library: str
    kind: str
    config: dict[str, Any]

    @property
    def stem(self) -> str:
        return DIFFUSION if self.library == "diffusers" else MODEL


@dataclasses.dataclass(frozen=True)
class Pipeline:
    """What a diffusers folder holds, and how it is drawn with."""

    kind: str
    components: dict[str, Component]
    scheduler: dict[str, Any]
    pads: dict[str, str]  # CLIP's tokenizers and what they pad with
    facts: dict[str, Any] = dataclasses.field(default_factory=dict)  # more of model_index.json


def pipeline(family: str, blocks: tuple[int, int], t5_layers: int) -> Pipeline:
    """The published pipeline of `family`; of a Flux so many double and single blocks and layers of T5."""
    clip_l = Component("transformers", "CLIPTextModel", CLIP_L | dict(model_type="clip_text_model"))
    sd_vae = SD_VAE | dict(sample_size=512)
    if family == "sd15":
        return Pipeline("StableDiffusionPipeline", {
            "unet": Component("diffusers", "UNet2DConditionModel", SD15_UNET | dict(sample_size=64)),
            "vae": Component("diffusers", "AutoencoderKL", sd_vae | dict(scaling_factor=0.18215)),
            "text_encoder": clip_l}, BETAS, {"tokenizer": "<|endoftext|>"},
            {"safety_checker": [None, None], "feature_extractor": [None, None], "requires_safety_checker": False})
    if family == "sdxl":
        clip_g = Component("transformers", "CLIPTextModelWithProjection", CLIP_G | dict(model_type="clip_text_model"))
        return Pipeline("StableDiffusionXLPipeline", {
            "unet": Component("diffusers", "UNet2DConditionModel", SDXL_UNET | dict(sample_size=128)),
            "vae": Component("diffusers", "AutoencoderKL", sd_vae | dict(scaling_factor=0.13025)),
            "text_encoder": clip_l, "text_encoder_2": clip_g}, BETAS,
            {"tokenizer": "<|endoftext|>", "tokenizer_2": "!"}, {"force_zeros_for_empty_prompt": True})
    t5 = T5_XXL | dict(model_type="t5", num_layers=t5_layers)
    return Pipeline("FluxPipeline", {
        "transformer": Component("diffusers", "FluxTransformer2DModel",
                                 FLUX | dict(num_layers=blocks[0], num_single_layers=blocks[1])),
        "vae": Component("diffusers", "AutoencoderKL", FLUX_VAE | dict(scaling_factor=0.3611, shift_factor=0.1159,
                                                                       sample_size=1024)),
        "text_encoder": clip_l, "text_encoder_2": Component("transformers", "T5EncoderModel", t5)},
        FLOW, {"tokenizer": "<|endoftext|>"})


def shapes_of(component: Component) -> dict[str, tuple[int, ...]]:
    """Tensor name of the published checkpoint -> shape, from the class of the library on the meta device."""
    import diffusers
    import transformers

    config = {key: value for key, value in component.config.items() if key not in ("model_type", "architectures")}
    with torch.device("meta"):
        if component.library == "diffusers":
            module = getattr(diffusers, component.kind)(**config)
        else:
            kind = getattr(transformers, component.kind)
            module = kind(kind.config_class(**config))
    shapes = {name: tuple(value.shape) for name, value in module.named_parameters()}
    if component.kind == "CLIPTextModel" and not any(name.startswith("text_model.") for name in shapes):
        return {f"text_model.{name}": shape for name, shape in shapes.items()}  # a level that transformers 5 took away
    return shapes


def weights_of(component: Component, rounding: torch.dtype, seed: int) -> list[Lazy]:
    """The component's tensors under diffusers' names. Their values are numbers of `rounding`, so that files of that
    dtype and of wider ones hold the same."""
    weights = random_weights(shapes_of(component), rounding, seed)
    return [Lazy(name, tuple(value.shape), lambda value=value: value.float()) for name, value in weights.items()]


def write_json(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def write_clip_tokenizer(folder: Path, pad: str) -> None:
    shutil.copytree(CLIP_TOKENIZER, folder)
    end = "<|endoftext|>"
    write_json(folder / "tokenizer_config.json", dict(
        tokenizer_class="CLIPTokenizer", model_max_length=77, do_lower_case=True, bos_token="<|startoftext|>",
        eos_token=end, pad_token=pad, unk_token=end))


def write_folder(made: Pipeline, folder: Path) -> None:
    """All of a diffusers folder but the weights."""
    index = {"_class_name": made.kind, "_diffusers_version": "0.42.1",
             "scheduler": ["diffusers", made.scheduler["_class_name"]]} | made.facts
    for name, component in made.components.items():
        index[name] = [component.library, component.kind]
        kind = {"architectures": [component.kind]} if component.library == "transformers" else {
            "_class_name": component.kind}
        write_json(folder / name / "config.json", component.config | kind)
    for name, pad in made.pads.items():
        index[name] = ["transformers", "CLIPTokenizer"]
        write_clip_tokenizer(folder / name, pad)
    if made.kind == "FluxPipeline":
        index["tokenizer_2"] = ["transformers", "T5Tokenizer"]
        shutil.copytree(T5_TOKENIZER, folder / "tokenizer_2")
    write_json(folder / "scheduler" / "scheduler_config.json", made.scheduler)
    write_json(folder / "model_index.json", index)


def write_weights(tensors: list[Lazy], folder: Path, stem: str, dtype: torch.dtype, shards: int = 1,
                  variant: str = "") -> None:
    """The weights of one component as diffusers saves them: one file, or `shards` with their index."""
    ending = f".{variant}.safetensors" if variant else ".safetensors"
    if shards == 1:
        write(folder / f"{stem}{ending}", tensors, dtype)
        return
    size, places = math.ceil(len(tensors) / shards), {}
    for shard in range(shards):
        name = f"{stem}-{shard + 1:05}-of-{shards:05}.safetensors"
        part = tensors[shard * size:(shard + 1) * size]
        write(folder / name, part, dtype)
        places |= {tensor.name: name for tensor in part}
    total = sum(math.prod(tensor.shape) for tensor in tensors) * dtype.itemsize
    write_json(folder / f"{stem}.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": places})
