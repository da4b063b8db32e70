"""The denoiser of tiny-flux: a `FluxTransformer2DModel` that predicts the velocity, noise minus picture."""

from __future__ import annotations

import torch
from diffusers import FluxTransformer2DModel
from torch import nn


@torch.no_grad()
def build(config: dict) -> FluxTransformer2DModel:
    """A transformer of `config`, started as "all of it is noise": the noisy latent passes through to the output.

    Gates start at 0 (Peebles and Xie 2023, "Scalable Diffusion Models with Transformers", adaLN-Zero), so every block
    begins as the identity.
    """
    model = FluxTransformer2DModel(**config)
    channels = config["in_channels"]
    for module in model.modules():
        if type(module).__name__ in ("AdaLayerNormZero", "AdaLayerNormZeroSingle", "AdaLayerNormContinuous"):
            module.linear.weight.zero_()
            module.linear.bias.zero_()
        elif isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias) if module.bias is not None else None
    model.x_embedder.weight *= 0.2
    model.proj_out.weight *= 0.05
    model.x_embedder.weight[:channels] = torch.eye(channels)
    model.proj_out.weight[:, :channels] = 0.4 * torch.eye(channels)  # the last norm has made the latent larger
    return model


def pack(latent: torch.Tensor) -> torch.Tensor:
    """[B, C, h, w] -> [B, h/2 * w/2, 4C], as FluxPipeline packs: a token is a cell of 2x2, channel before place."""
    batch, channels, height, width = latent.shape
    cells = latent.view(batch, channels, height // 2, 2, width // 2, 2)
    return cells.permute(0, 2, 4, 1, 3, 5).reshape(batch, height // 2 * (width // 2), 4 * channels)
