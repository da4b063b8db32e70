"""The UNet with cross attention of sd15."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch import nn

from . import ExportError
from .part import Config, Part, Port, Reference


class Sinusoid(nn.Module):
    """Timestep embedding of Vaswani et al. (2017) with its frequencies in a buffer."""

    def __init__(self, width: int, cosine_first: bool, shift: float) -> None:
        super().__init__()
        steps = torch.arange(width // 2, dtype=torch.float32, device="cpu")
        self.register_buffer("frequencies", torch.exp(-math.log(10000) * steps / (width // 2 - shift)))
        self.cosine_first = cosine_first

    def forward(self, timestep: torch.Tensor) -> torch.Tensor:
        """timestep f32 [B] -> f32 [B, width]."""
        angle = timestep[:, None] * self.frequencies[None, :]
        waves = (angle.cos(), angle.sin()) if self.cosine_first else (angle.sin(), angle.cos())
        return torch.cat(waves, -1)


class Denoiser(nn.Module):
    """The UNet with positional arguments and a sinusoid that has no device constant."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        refuse_extras(config)
        self.unet = UNet2DConditionModel.from_config(config)
        self.unet.time_proj = Sinusoid(config["block_out_channels"][0], config.get("flip_sin_to_cos", True),
                                       config.get("freq_shift", 0))

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, context: torch.Tensor) -> tuple[torch.Tensor]:
        """sample [B, 4, h, w], timestep f32 [B], context [B, L, W] -> prediction [B, 4, h, w]."""
        return self.unet(sample, timestep, context, return_dict=False)


def refuse_extras(config: Config) -> None:
    """An sd15 denoiser takes a sample, a time and a context: configurations that want more are another family's."""
    wants = {"addition_embed_type": None, "class_embed_type": None, "num_class_embeds": None, "encoder_hid_dim": None,
             "time_cond_proj_dim": None, "time_embedding_type": "positional"}
    for key, plain in wants.items():
        if config.get(key, plain) != plain:
            raise ExportError(f"unet/config.json: {key} is {config[key]!r}, expected {plain!r}: this denoiser takes "
                              f"inputs that family sd15 does not have. Export a text-to-image model of that family.")


def denoiser_ports(config: Config) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    sample = ("batch", config["in_channels"], "height", "width")
    return ((Port("sample", "model", sample), Port("timestep", "f32", ("batch",)),
             Port("context", "model", ("batch", "tokens", config["cross_attention_dim"]))),
            (Port("prediction", "model", sample),))


def denoiser_reference(folder: Path, dtype: torch.dtype) -> Reference:
    model = UNet2DConditionModel.from_pretrained(folder, dtype=dtype).eval()
    return lambda sample, timestep, context: model(sample, timestep, context, return_dict=False)


def denoiser_names(name: str) -> tuple[str, ...]:
    return (name.removeprefix("unet."),)


PART = Part("denoiser", "unet", "diffusion_pytorch_model", Denoiser, denoiser_ports, denoiser_reference, denoiser_names)
