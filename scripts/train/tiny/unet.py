"""The denoisers of tiny-sd15 and tiny-sdxl: a `UNet2DConditionModel` that predicts the noise."""

from __future__ import annotations

import torch
from diffusers import UNet2DConditionModel
from diffusers.models.attention_processor import AttnProcessor


def build(config: dict) -> UNet2DConditionModel:
    """A UNet of `config`, started as "all of it is noise"."""
    unet = UNet2DConditionModel(**config)
    start_as_identity(unet)
    return trainable(unet)


def trainable(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """`unet` with attention as plain products: torch's fused kernel is slow backwards in bfloat16 on a CPU."""
    unet.set_attn_processor(AttnProcessor())
    return unet


@torch.no_grad()
def start_as_identity(unet: UNet2DConditionModel) -> None:
    """Leads the noisy latent to the output, so that the first prediction is right where noise is strong.

    The latent enters as pairs (x, -x), one a normalisation group; the outermost skip connection carries them past the
    whole network; SiLU(x) - SiLU(-x) = x reads them out.
    """
    channels, width = unet.config.in_channels, unet.config.block_out_channels[0]
    spread = width // unet.config.norm_num_groups
    resnet = unet.up_blocks[-1].resnets[-1]
    skip = resnet.conv_shortcut.in_channels - width
    resnet.conv2.weight *= 0.1
    resnet.conv2.bias.zero_()
    unet.conv_out.weight *= 0.1
    unet.conv_out.bias.zero_()
    for c in range(channels):
        for offset, sign in ((0, 1.0), (1, -1.0)):
            channel = c * spread + offset
            unet.conv_in.weight[channel] = 0
            unet.conv_in.bias[channel] = 0
            unet.conv_in.weight[channel, c, 1, 1] = sign
            resnet.conv_shortcut.weight[channel] = 0
            resnet.conv_shortcut.bias[channel] = 0
            resnet.conv_shortcut.weight[channel, skip + channel] = 1
            unet.conv_out.weight[c, channel, 1, 1] = sign
    numbers = torch.Generator().manual_seed(0)
    x = torch.randn(8, channels, 16, 16, generator=numbers)
    text = torch.randn(8, 77, unet.config.cross_attention_dim, generator=numbers)
    width = (unet.config.projection_class_embeddings_input_dim or 0) - 6 * (unet.config.addition_time_embed_dim or 0)
    sizes = {"text_embeds": torch.zeros(8, width), "time_ids": torch.zeros(8, 6)} if width else None
    y = unet(x, torch.full((8,), 999.0), text, added_cond_kwargs=sizes).sample
    for c in range(channels):
        unet.conv_out.weight[c] *= (x[:, c] * y[:, c]).mean() / y[:, c].square().mean()
