"""The UNet with cross attention: of sd15, and with the pooled text and the sizes that sdxl adds."""

from __future__ import annotations

import math

import torch
from diffusers import UNet2DConditionModel
from torch import nn

from . import ExportError
from .part import Config, Part, Port, Reference

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
        """sample [B, C, h, w], timestep f32 [B], context [B, L, W] -> prediction [B, 4, h, w]. C is 4, or 9 where the
        mask and the masked picture's latent come along."""
        return self.unet(sample, timestep, context, return_dict=False)


class AddedDenoiser(nn.Module):
    """The UNet of sdxl: pooled text and some sizes go into its time embedding."""

    def __init__(self, config: Config, sizes: int) -> None:
        super().__init__()
        refuse_extras(config, PLAIN | {"addition_embed_type": "text_time"})
        if pooled_width(config, sizes) <= 0:
            raise ExportError(f"unet/config.json: projection_class_embeddings_input_dim leaves "
                              f"{pooled_width(config, sizes)} for the pooled text. Do its numbers belong together?")
        self.unet = UNet2DConditionModel.from_config(config)
        flip, shift = config.get("flip_sin_to_cos", True), config.get("freq_shift", 0)
        self.unet.time_proj = Sinusoid(config["block_out_channels"][0], flip, shift)
        self.unet.add_time_proj = Sinusoid(config["addition_time_embed_dim"], flip, shift)

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, context: torch.Tensor, pooled: torch.Tensor,
                time_ids: torch.Tensor) -> tuple[torch.Tensor]:
        """sample [B, 4, h, w], timestep f32 [B], context [B, L, W], pooled [B, P], time_ids f32 [B, 6]: height and
        width of the original, top and left of the crop, height and width wanted (the refiner's [B, 5]: the first four
        and an aesthetic score) -> prediction [B, 4, h, w]."""
        added = {"text_embeds": pooled, "time_ids": time_ids}
        return self.unet(sample, timestep, context, added_cond_kwargs=added, return_dict=False)


def refuse_extras(config: Config, wanted: Config) -> None:
    """Configurations that want other inputs than the family's are another family's."""
    for key, plain in wanted.items():
        if config.get(key, plain) != plain:
            raise ExportError(f"unet/config.json: {key} is {config.get(key)!r}, expected {plain!r}: this denoiser "
                              f"takes other inputs than its family's. Export a text-to-image model of that family.")


def pooled_width(config: Config, sizes: int) -> int:
    """What `sizes` numbers of time_ids leave of the added embedding for the pooled text."""
    return config["projection_class_embeddings_input_dim"] - sizes * config["addition_time_embed_dim"]


def denoiser_ports(config: Config) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    def cells(channels: int) -> tuple[int | str, ...]:
        return "batch", channels, "height", "width"

    return ((Port("sample", "model", cells(config["in_channels"])), Port("timestep", "f32", ("batch",)),
             Port("context", "model", ("batch", "tokens", config["cross_attention_dim"]))),
            (Port("prediction", "model", cells(config["out_channels"])),))


def eager(config: Config) -> type[nn.Module]:
    return UNet2DConditionModel


def denoiser_reference(model: nn.Module) -> Reference:
    return lambda sample, timestep, context: model(sample, timestep, context, return_dict=False)


def denoiser_names(name: str) -> tuple[str, ...]:
    return (name.removeprefix("unet."),)


def added_reference(model: nn.Module) -> Reference:
    return lambda sample, timestep, context, pooled, time_ids: model(
        sample, timestep, context, added_cond_kwargs={"text_embeds": pooled, "time_ids": time_ids}, return_dict=False)


def added_part(sizes: int) -> Part:
    """The part of a UNet that reads `sizes` numbers in time_ids."""

    def ports(config: Config) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
        inputs, outputs = denoiser_ports(config)
        pooled = Port("pooled", "model", ("batch", pooled_width(config, sizes)))
        return (*inputs, pooled, Port("time_ids", "f32", ("batch", sizes))), outputs

    return Part("denoiser", "unet", "diffusion_pytorch_model", lambda config: AddedDenoiser(config, sizes), ports,
                eager, added_reference, denoiser_names)


PART = Part("denoiser", "unet", "diffusion_pytorch_model", Denoiser, denoiser_ports, eager, denoiser_reference,
            denoiser_names)
ADDED_PART, REFINER_PART = added_part(6), added_part(5)
