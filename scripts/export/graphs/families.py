"""The families that can be exported. Where two rows have one pipeline, the first that fits the denoiser counts."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

from . import clip, flux, t5, unet, vae
from .part import Config, Part


@dataclasses.dataclass(frozen=True)
class Tokenizer:
    """One tokenizer: its folder, which is its name, and the text encoder that it feeds."""

    folder: str
    kind: str  # "clip" or "t5"
    part: str
    length: int | None = None  # tokens of a prompt; None: what the encoder takes


@dataclasses.dataclass(frozen=True)
class Family:
    """What a diffusers pipeline class becomes: the latent space it must have, its parts, its tokenizers, defaults."""

    id: str
    pipeline: str  # _class_name in model_index.json
    channels: int
    downscale: int
    scale: float
    shift: float
    parts: tuple[Part, ...]
    tokenizers: tuple[Tokenizer, ...]
    steps: int
    guidance: float
    fits: Callable[[Config], bool] = lambda denoiser: True


CLIP = (Tokenizer("tokenizer", "clip", "text_encoder"),)
TWO_CLIPS = (*CLIP, Tokenizer("tokenizer_2", "clip", "text_encoder_2"))
TEXT, TEXT_2, T5_TEXT = clip.part("text_encoder"), clip.part("text_encoder_2"), t5.part("text_encoder_2")
SD2_WIDTH = 1024  # of the text states; those of SD1.x are 768 wide


def clip_and_t5(length: int) -> tuple[Tokenizer, ...]:
    return *CLIP, Tokenizer("tokenizer_2", "t5", "text_encoder_2", length)


FAMILIES = (
    Family("sd2", "StableDiffusionPipeline", 4, 8, 0.18215, 0.0, (TEXT, unet.PART, *vae.PARTS), CLIP, 20, 7.5,
           fits=lambda denoiser: denoiser.get("cross_attention_dim") == SD2_WIDTH),
    Family("sd15", "StableDiffusionPipeline", 4, 8, 0.18215, 0.0, (TEXT, unet.PART, *vae.PARTS), CLIP, 20, 7.5),
    Family("sdxl", "StableDiffusionXLPipeline", 4, 8, 0.13025, 0.0, (TEXT, TEXT_2, unet.ADDED_PART, *vae.PARTS),
           TWO_CLIPS, 30, 5.0),
    Family("flux", "FluxPipeline", 16, 8, 0.3611, 0.1159, (TEXT, T5_TEXT, flux.PART, *vae.PARTS),
           clip_and_t5(512), 28, 3.5, fits=flux.has_guidance),  # the dev type
    Family("flux", "FluxPipeline", 16, 8, 0.3611, 0.1159, (TEXT, T5_TEXT, flux.PART, *vae.PARTS),
           clip_and_t5(256), 4, 1.0),  # the schnell type
)
