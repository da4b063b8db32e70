"""The Flux denoiser: a transformer over packed latents and text, with its rotary tables as inputs."""

from __future__ import annotations

import torch
from diffusers import FluxTransformer2DModel
from torch import nn

from . import ExportError
from .part import Config, Part, Port, Reference
from .unet import Sinusoid

WAVES = 256  # width of the sinusoid, the same in every Flux
PACKED = {"in_channels": 64, "patch_size": 1}  # 16 channels, 2x2 cells


class Denoiser(nn.Module):
    """FluxTransformer2DModel, with tables of angles in the place of positions."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        for key, value in PACKED.items():
            if config.get(key, value) != value:
                raise ExportError(f"transformer/config.json: {key} is {config[key]!r}, expected {value}: this denoiser "
                                  f"takes inputs that a text-to-image Flux does not have. Export such a model.")
        self.transformer = FluxTransformer2DModel.from_config(config)
        self.waves = Sinusoid(WAVES, True, 0)

    def forward(self, sample: torch.Tensor, timestep: torch.Tensor, context: torch.Tensor, pooled: torch.Tensor,
                rope_cos: torch.Tensor, rope_sin: torch.Tensor, guidance: torch.Tensor | None = None
                ) -> tuple[torch.Tensor]:
        """sample [B, I, 64], timestep f32 [B] in [0, 1], context [B, T, W], pooled [B, P], rope_cos and rope_sin f32
        [T + I, D], guidance f32 [B] -> prediction [B, I, 64]."""
        model = self.transformer
        time = self._condition(sample, timestep, pooled, guidance)
        image, text = model.x_embedder(sample), model.context_embedder(context)
        for block in (*model.transformer_blocks, *model.single_transformer_blocks):
            text, image = block(hidden_states=image, encoder_hidden_states=text, temb=time,
                                image_rotary_emb=(rope_cos, rope_sin))
        return (model.proj_out(model.norm_out(image, time)),)

    def _condition(self, sample: torch.Tensor, timestep: torch.Tensor, pooled: torch.Tensor,
                   guidance: torch.Tensor | None) -> torch.Tensor:
        """What every block is modulated by, [B, W]. Time and guidance are rounded to the model's dtype before they are
        scaled, as the reference does."""
        embedder = self.transformer.time_text_embed

        def waves(value: torch.Tensor) -> torch.Tensor:
            scaled = value.type_as(sample) * 1000
            return self.waves(scaled.type_as(self.waves.frequencies)).type_as(sample)

        time = embedder.timestep_embedder(waves(timestep))
        if guidance is not None:
            time = time + embedder.guidance_embedder(waves(guidance))
        return time + embedder.text_embedder(pooled)


def has_guidance(config: Config) -> bool:
    """Whether guidance is an input (the dev type) or there is none (the schnell type)."""
    return bool(config.get("guidance_embeds", False))


def ports(config: Config) -> tuple[tuple[Port, ...], tuple[Port, ...]]:
    sample = ("batch", "image_tokens", config["in_channels"])
    angles = ("all_tokens", config["attention_head_dim"])
    guidance = (Port("guidance", "f32", ("batch",), reach=10.0),) if has_guidance(config) else ()
    return ((Port("sample", "model", sample), Port("timestep", "f32", ("batch",), reach=1.0),
             Port("context", "model", ("batch", "text_tokens", config["joint_attention_dim"])),
             Port("pooled", "model", ("batch", config["pooled_projection_dim"])),
             Port("rope_cos", "f32", angles, reach=1.0), Port("rope_sin", "f32", angles, reach=1.0), *guidance),
            (Port("prediction", "model", sample),))


def eager(config: Config) -> type[nn.Module]:
    return FluxTransformer2DModel


def reference(model: nn.Module) -> Reference:
    """The eager module, given the tables that its positions would lead to."""

    def denoise(sample: torch.Tensor, timestep: torch.Tensor, context: torch.Tensor, pooled: torch.Tensor,
                rope_cos: torch.Tensor, rope_sin: torch.Tensor, guidance: torch.Tensor | None = None
                ) -> tuple[torch.Tensor]:
        model.pos_embed.forward = lambda ids: (rope_cos, rope_sin)
        nowhere = torch.zeros(0, 3)
        return model(sample, encoder_hidden_states=context, pooled_projections=pooled, timestep=timestep,
                     img_ids=nowhere, txt_ids=nowhere, guidance=guidance, return_dict=False)

    return denoise


def names(name: str) -> tuple[str, ...]:
    return (name.removeprefix("transformer."),)


PART = Part("denoiser", "transformer", "diffusion_pytorch_model", Denoiser, ports, eager, reference, names)
