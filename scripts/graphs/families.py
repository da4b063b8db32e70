"""The families that can be exported, one row each."""

from __future__ import annotations

import dataclasses

from . import clip, unet, vae
from .part import Part


@dataclasses.dataclass(frozen=True)
class Family:
    """What a diffusers pipeline class becomes: the latent space it must have, its parts, its tokenizers."""

    id: str
    pipeline: str  # _class_name in model_index.json
    channels: int
    downscale: int
    scale: float
    shift: float
    parts: tuple[Part, ...]
    tokenizers: tuple[str, ...]  # folders


FAMILIES = (
    Family("sd15", "StableDiffusionPipeline", 4, 8, 0.18215, 0.0,
           (clip.part("text_encoder"), unet.PART, *vae.PARTS), ("tokenizer",)),
)
