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
    y = unet(x, torch.full((8,), 999.0), text).sample
    for c in range(channels):
        unet.conv_out.weight[c] *= (x[:, c] * y[:, c]).mean() / y[:, c].square().mean()


@torch.no_grad()
def adopt(config: dict, source: UNet2DConditionModel, turn: torch.Tensor) -> UNet2DConditionModel:
    """A UNet of `config` with the weights of `source`, whose latents are `turn` [4, 4] times the new ones.

    The text's width may grow: keys and values read the old states from the first columns, as they did, and the new ones
    weakly. Linear projections take over from 1x1 convolutions. What is new beside (time ids) starts without effect.
    """
    unet = UNet2DConditionModel(**config)
    theirs, state = source.state_dict(), unet.state_dict()
    for name, value in state.items():
        if name not in theirs:
            continue
        found = theirs[name]
        if found.ndim == 4 and value.ndim == 2:
            found = found[..., 0, 0]
        if found.shape == value.shape:
            value.copy_(found)
        else:
            value[:, found.shape[1]:] *= 0.3
            value[:, :found.shape[1]] = found
    unet.load_state_dict(state)
    unet.conv_in.weight.copy_(torch.einsum("ocyx,cd->odyx", unet.conv_in.weight, turn))
    back = torch.linalg.inv(turn.double()).float()
    unet.conv_out.weight.copy_(torch.einsum("oc,cdyx->odyx", back, unet.conv_out.weight))
    unet.conv_out.bias.copy_(back @ unet.conv_out.bias)
    if unet.add_embedding is not None:
        unet.add_embedding.linear_2.weight.zero_()
        unet.add_embedding.linear_2.bias.zero_()
    return unet
