"""The UNet with cross attention: of sd15, and with the pooled text and the sizes that sdxl adds."""

from __future__ import annotations

import math
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch import nn

from . import ExportError
from .part import Config, Part, Port, Reference

SIZES = 6  # numbers in time_ids
PLAIN = {"addition_embed_type": None, "class_embed_type": None, "num_class_embeds": None, "encoder_hid_dim": None,
         "time_cond_proj_dim": None, "time_embedding_type": "positional"}


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
        refuse_extras(config, PLAIN)
        self.unet = UNet2DConditionModel.from_config(config)
        self.unet.time_proj = Sinusoid(config["block_out_channels"][0], config.get("flip_sin_to_cos", True),
                                       config.get("freq_shift", 0))

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, context: torch.Tensor) -> tuple[torch.Tensor]:
        """sample [B, 4, h, w], timestep f32 [B], context [B, L, W] -> prediction [B, 4, h, w]."""
        return self.unet(sample, timestep, context, return_dict=False)


class AddedDenoiser(nn.Module):
    """The UNet of sdxl: pooled text and six sizes go into its time embedding."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        refuse_extras(config, PLAIN | {"addition_embed_type": "text_time"})
        added = config["projection_class_embeddings_input_dim"] - SIZES * config["addition_time_embed_dim"]
        if added <= 0:
            raise ExportError(f"unet/config.json: projection_class_embeddings_input_dim leaves {added} for the pooled "
                              f"text. Do its numbers belong together?")
        self.unet = UNet2DConditionModel.from_config(config)
        flip, shift = config.get("flip_sin_to_cos", True), config.get("freq_shift", 0)
        self.unet.time_proj = Sinusoid(config["block_out_channels"][0], flip, shift)
        self.unet.add_time_proj = Sinusoid(config["addition_time_embed_dim"], flip, shift)

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, context: torch.Tensor, pooled: torch.Tensor,
                time_ids: torch.Tensor) -> tuple[torch.Tensor]:
        """sample [B, 4, h, w], timestep f32 [B], context [B, L, W], pooled [B, P], time_ids f32 [B, 6]: height and
        width of the original, top and left of the crop, height and width wanted -> prediction [B, 4, h, w]."""
        added = {"text_embeds": pooled, "time_ids": time_ids}
        return self.unet(sample, timestep, context, added_cond_kwargs=added, return_dict=False)


def refuse_extras(config: Config, wanted: Config) -> None:
    """Configurations that want other inputs than the family's are another family's."""
    for key, plain in wanted.items():
        if config.get(key, plain) != plain:
            raise ExportError(f"unet/config.json: {key} is {config.get(key)!r}, expected {plain!r}: this denoiser "
                              f"takes other inputs than its family's. Export a text-to-image model of that family.")


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


def added_ports(config: Config) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    inputs, outputs = denoiser_ports(config)
    pooled = config["projection_class_embeddings_input_dim"] - SIZES * config["addition_time_embed_dim"]
    return (*inputs, Port("pooled", "model", ("batch", pooled)), Port("time_ids", "f32", ("batch", SIZES))), outputs


def added_reference(folder: Path, dtype: torch.dtype) -> Reference:
    model = UNet2DConditionModel.from_pretrained(folder, dtype=dtype).eval()
    return lambda sample, timestep, context, pooled, time_ids: model(
        sample, timestep, context, added_cond_kwargs={"text_embeds": pooled, "time_ids": time_ids}, return_dict=False)


PART = Part("denoiser", "unet", "diffusion_pytorch_model", Denoiser, denoiser_ports, denoiser_reference, denoiser_names)
ADDED_PART = Part("denoiser", "unet", "diffusion_pytorch_model", AddedDenoiser, added_ports, added_reference,
                  denoiser_names)
