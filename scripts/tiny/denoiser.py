"""The denoiser of tiny-sd15: a `UNet2DConditionModel` that predicts the noise, started as "all of it is noise"."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import torch
from diffusers import UNet2DConditionModel
from torch import nn

from . import scenes
from .training import device_of, generator, learning_rate, run_stage

EMPTY_SHARE = 0.1


def build(config: dict) -> UNet2DConditionModel:
    unet = UNet2DConditionModel(**config)
    start_as_identity(unet)
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


def alphas_cumprod(steps: int = 1000, start: float = 0.00085, end: float = 0.012) -> torch.Tensor:
    """Share of the picture's variance left at each training step (scaled-linear betas), [steps]."""
    betas = torch.linspace(start**0.5, end**0.5, steps, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, 0).float()


class Captions:
    """Text states of random captions of given scenes, encoded on the fly by the frozen encoder."""

    def __init__(self, encoder: nn.Module, tokenizer, tokenize) -> None:
        self.encoder, self.tokenizer, self.tokenize = encoder.eval().requires_grad_(False), tokenizer, tokenize

    @torch.no_grad()
    def states(self, chosen: list[scenes.Scene], numbers: torch.Generator) -> torch.Tensor:
        """[B] scenes -> [B, 77, width]; one in ten is the empty caption."""
        seeds = torch.randint(0, 2**31, (len(chosen),), generator=numbers).tolist()
        empty = torch.rand(len(chosen), generator=numbers) < EMPTY_SHARE
        texts = ["" if empty[i] else scenes.caption(scene, random.Random(seeds[i]))[0]
                 for i, scene in enumerate(chosen)]
        ids = self.tokenize(self.tokenizer, texts).to(device_of(self.encoder))
        return self.encoder(input_ids=ids).last_hidden_state


def train(unet: UNet2DConditionModel, captions: Captions, latents: torch.Tensor, first_scene: int, folder: Path, *,
          name: str, steps: int, seed: int, batch: int, peak: float, decays: bool,
          on_save: Callable[[nn.Module, int], None] | None = None) -> UNet2DConditionModel:
    """Trains on `latents` [N, 4, h, w] (model units, of scenes first_scene...) by the error of v.

    The error of v is that of the noise divided by alpha: it asks for a right picture at strong noise, where the error
    of the noise alone would not see a wrong brightness, and for right details at weak noise.
    """
    acp, device = alphas_cumprod(), device_of(unet)

    def loss_of(step: int) -> torch.Tensor:
        numbers = generator(seed, name, step)
        index = torch.randint(len(latents), (batch,), generator=numbers)
        x0 = latents[index].float().to(device)
        t = ((torch.arange(batch) + torch.rand(batch, generator=numbers)) / batch * 1000).long().clamp(max=999)
        a = acp[t][:, None, None, None].to(device)
        noise = torch.randn(x0.shape, generator=numbers).to(device)
        text = captions.states([scenes.random_scene(first_scene + i) for i in index.tolist()], numbers)
        predicted = unet(a.sqrt() * x0 + (1 - a).sqrt() * noise, t.to(device), text).sample
        return ((predicted - noise).square() / a).mean()

    def rate(step: int) -> float:
        return learning_rate(step, steps, peak, 200) if decays else peak * min(1, (step + 1) / 200)

    return run_stage(name, unet, loss_of, steps=steps, peak=peak, rate=rate, decay=0.999, folder=folder,
                     on_save=on_save)
