"""The autoencoder of a tiny model: an `AutoencoderKL` of the family's geometry.

Training sees raw latents; `frame_of` then whitens them and turns them by an orthogonal matrix of the family's own (so
that no other family's decoder can read them), and `fold` writes both, with scale and shift, into the convolutions.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from torch import nn

from . import drawing, scenes
from .training import Progress, bf16_where_native, device_of, generator, run_stage

CROP_PICTURES = {320: 300, 256: 1500, 192: 600, 128: 300}  # picture size -> how many


def build(config: dict, at_random: bool) -> AutoencoderKL:
    """An autoencoder of `config`, its weights random, or else the identity on mean colours: 23 dB before the first step.
    Two that begin as the identity stay cousins: a linear map leads from one's latents to the other's."""
    vae = AutoencoderKL(**config)
    (start_at_random if at_random else start_as_identity)(vae)
    for conv in (vae.quant_conv, vae.post_quant_conv):
        if conv is not None:
            nn.init.dirac_(conv.weight)
            nn.init.zeros_(conv.bias)
    return vae


@torch.no_grad()
def start_as_identity(vae: AutoencoderKL) -> None:
    """Channels 0-2 carry the picture, 3-5 its negative (SiLU(x) - SiLU(-x) = x), 6 a constant that tames the norms."""

    def passes(conv: nn.Conv2d, taps: list[tuple[int, int]]) -> None:
        for c in range(7):
            conv.weight[c] = 0
            conv.bias[c] = 0
            for y, x in taps:
                conv.weight[c, c, y, x] = 1 / len(taps)

    def enters(conv: nn.Conv2d) -> None:
        for c in range(3):
            for channel, sign in ((c, 1.0), (c + 3, -1.0)):
                conv.weight[channel] = 0
                conv.bias[channel] = 0
                conv.weight[channel, c, 1, 1] = sign
        conv.weight[6] = 0
        conv.bias[6] = 4

    def leaves(conv: nn.Conv2d) -> None:
        conv.weight *= 0.1
        conv.bias.zero_()
        for c in range(3):
            conv.weight[c] = 0
            conv.weight[c, c, 1, 1] = 1
            conv.weight[c, c + 3, 1, 1] = -1

    enters(vae.encoder.conv_in)
    enters(vae.decoder.conv_in)
    for module in vae.modules():
        name = type(module).__name__
        if name == "ResnetBlock2D":
            module.conv2.weight *= 0.1
            module.conv2.bias.zero_()
            if module.conv_shortcut is not None:
                passes(module.conv_shortcut, [(0, 0)])
        elif name == "Downsample2D":
            passes(module.conv, [(0, 0), (0, 1), (1, 0), (1, 1)])
        elif name == "Upsample2D":
            passes(module.conv, [(1, 1)])
    leaves(vae.encoder.conv_out)
    leaves(vae.decoder.conv_out)


@torch.no_grad()
def start_at_random(vae: AutoencoderKL) -> None:
    """Random orthogonal weights, which keep a signal's size."""
    for module in vae.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.orthogonal_(module.weight)
            nn.init.zeros_(module.bias)


def pictures(first: int, count: int, width: int, height: int | None = None) -> torch.Tensor:
    """Scenes `first`... drawn at a size: uint8 [count, 3, height, width]; squares without a height."""
    drawn = np.stack([drawing.draw(scenes.random_scene(first + i), width, height) for i in range(count)])
    return torch.from_numpy(drawn).permute(0, 3, 1, 2).contiguous()


def to_unit(picture: torch.Tensor) -> torch.Tensor:
    """uint8 -> float in [-1, 1]."""
    return picture.float() / 127.5 - 1


@torch.no_grad()
def calibrate(vae: AutoencoderKL, sample: torch.Tensor) -> None:
    """Scales the latents to unit variance and fits conv_out of the decoder by a line per colour."""
    latent = encode_mean(vae, sample)
    mean, std = latent.mean((0, 2, 3)), latent.std((0, 2, 3))
    channels = latent.shape[1]
    vae.encoder.conv_out.weight[:channels] /= std[:, None, None, None]
    vae.encoder.conv_out.bias[:channels] = (vae.encoder.conv_out.bias[:channels] - mean) / std
    decoded = decode(vae, encode_mean(vae, sample))
    for c in range(3):
        x, y = decoded[:, c].flatten(), sample[:, c].flatten()
        slope = ((x - x.mean()) * (y - y.mean())).mean() / x.var()
        vae.decoder.conv_out.weight[c] *= slope
        vae.decoder.conv_out.bias[c] = y.mean() - slope * x.mean()


def encode_mean(vae: AutoencoderKL, picture: torch.Tensor) -> torch.Tensor:
    """[B, 3, H, W] in [-1, 1] -> mean of the posterior [B, C, H/8, W/8], in the autoencoder's own units."""
    moments = vae.encoder(picture)
    moments = vae.quant_conv(moments) if vae.quant_conv is not None else moments
    return moments.chunk(2, 1)[0]


def decode(vae: AutoencoderKL, latent: torch.Tensor) -> torch.Tensor:
    """The inverse of `encode_mean`, in the autoencoder's own units."""
    latent = vae.post_quant_conv(latent) if vae.post_quant_conv is not None else latent
    return vae.decoder(latent)


def reconstruction_loss(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """L1 + 2 MSE + the L1 of both first differences, which keeps edges sharp, + half the L1 of 8x8 means."""
    output = output.float()

    def dx(t: torch.Tensor) -> torch.Tensor:
        return t[..., 1:] - t[..., :-1]

    def dy(t: torch.Tensor) -> torch.Tensor:
        return t[..., 1:, :] - t[..., :-1, :]

    return (F.l1_loss(output, target) + 2 * F.mse_loss(output, target)
            + F.l1_loss(dx(output), dx(target)) + F.l1_loss(dy(output), dy(target))
            + 0.5 * F.l1_loss(F.avg_pool2d(output, 8), F.avg_pool2d(target, 8)))


class Crops:
    """Random crops of drawn scenes, half of them the busiest of three, flipped at random."""

    def __init__(self, sizes: dict[int, int], seed: int) -> None:
        """`sizes`: picture size -> how many pictures of it."""
        self.sets = [pictures(seed * 1_000_003 + i * 100_003, count, size)
                     for i, (size, count) in enumerate(sizes.items())]
        self.weights = torch.tensor([float(count) for count in sizes.values()])

    def batch(self, count: int, side: int, numbers: torch.Generator) -> torch.Tensor:
        return torch.stack(list(self._crops(count, side, numbers)))

    def _crops(self, count: int, side: int, numbers: torch.Generator) -> Iterator[torch.Tensor]:
        for _ in range(count):
            chosen = self.sets[int(torch.multinomial(self.weights, 1, generator=numbers))]
            tries = 3 if torch.rand(1, generator=numbers) < 0.6 else 1
            crops = [self._crop(chosen, side, numbers) for _ in range(tries)]
            best = max(crops, key=lambda c: float((c[:, :, 1:] - c[:, :, :-1]).abs().mean()
                                                  + (c[:, 1:] - c[:, :-1]).abs().mean())) if tries > 1 else crops[0]
            yield best.flip(2) if torch.rand(1, generator=numbers) < 0.5 else best

    @staticmethod
    def _crop(chosen: torch.Tensor, side: int, numbers: torch.Generator) -> torch.Tensor:
        def below(limit: int) -> int:
            return int(torch.randint(limit, (1,), generator=numbers))

        size = chosen.shape[-1]
        index, y, x = below(len(chosen)), below(size - side + 1), below(size - side + 1)
        return to_unit(chosen[index, :, y:y + side, x:x + side])


def train(config: dict, folder: Path, *, steps: int, seed: int, device: torch.device, noise: float, at_random: bool,
          side: int = 64, batch: int = 8) -> AutoencoderKL:
    """Trains encoder and decoder together, from random weights or else from the identity.

    Latents get `noise` (standard deviation) on the way, so that near ones decode alike.
    """
    torch.manual_seed(seed)
    vae = build(config, at_random)
    calibrate(vae, to_unit(pictures(seed * 7 + 1, 32, 128)))
    vae.to(device, memory_format=torch.channels_last)
    crops = Crops(CROP_PICTURES, seed)

    def loss_of(step: int) -> torch.Tensor:
        numbers = generator(seed, "vae", step)
        target = crops.batch(batch, side, numbers).to(device)
        latent = encode_mean(vae, target)
        shaken = latent + noise * torch.randn(latent.shape, generator=numbers).to(device)
        return reconstruction_loss(decode(vae, shaken), target) + 1e-3 * latent.square().mean()

    return run_stage("vae", vae, loss_of, steps=steps, peak=1e-3, warmup=300, decay=0.998, folder=folder,
                     on_save=report)


@torch.no_grad()
def report(vae: AutoencoderKL, step: int) -> None:
    """Prints the held-out PSNR at 128 and 256 pixels."""
    values = []
    for size in (128, 256):
        target = to_unit(pictures(900_000_000, 12, size)).to(device_of(vae))
        mse = ((decode(vae, encode_mean(vae, target)).clamp(-1, 1) - target) / 2).square().mean((1, 2, 3))
        values.append(f"{size} px {float((-10 * mse.log10()).mean()):.2f} dB")
    print(f"autoencoder, {step} steps, held out: {', '.join(values)}", flush=True)


@dataclasses.dataclass(frozen=True)
class Frame:
    """The affine map from an autoencoder's raw latents to model units: z = matrix @ (raw - mean)."""

    mean: torch.Tensor  # [C]
    matrix: torch.Tensor  # [C, C]


@torch.no_grad()
def frame_of(vae: AutoencoderKL, seed: int, turn: int, whitens: bool, count: int = 256, size: int = 256) -> Frame:
    """Scales the latents of drawn scenes to unit spread and turns them by the family's own orthogonal matrix, `turn` of
    those that `seed` has.

    With `whitens` each principal axis gets unit spread by itself. Of 16 channels four hold nearly all that a picture
    shows: they keep their share, or a denoiser would spend itself on the rest.
    """
    device = device_of(vae)
    raw = torch.cat([encode_mean(vae, to_unit(pictures(seed * 11 + i, 8, size)).to(device)).cpu()
                     for i in range(0, count, 8)])
    flat = raw.permute(1, 0, 2, 3).flatten(1).double()
    mean = flat.mean(1)
    values, vectors = torch.linalg.eigh(torch.cov(flat))
    spread = values.sqrt() if whitens else values.mean().sqrt().expand(len(values))
    normal = torch.randn(len(mean), len(mean), generator=generator(seed, "turn", turn), dtype=torch.float64)
    rotation = torch.linalg.qr(normal).Q
    return Frame(mean.float(), (rotation @ (vectors.T / spread[:, None])).float())


@torch.no_grad()
def fold(vae: AutoencoderKL, frame: Frame) -> None:
    """Writes `frame`, scale and shift into the innermost convolutions: then (mean - shift) * scale is in model units.

    Exact where these are 1x1. A 3x3 convolution of the decoder meets zeros beyond the border, which mean something else
    in the new units: `settle` lets it learn that. The posterior's variance becomes a small constant: this encoder's
    noise has no meaning.
    """
    scale, shift = vae.config.scaling_factor, vae.config.shift_factor or 0.0
    forward, back = frame.matrix / scale, torch.linalg.inv(frame.matrix.double()).float() * scale
    channels = len(frame.mean)
    leaves = vae.quant_conv if vae.quant_conv is not None else vae.encoder.conv_out
    enters = vae.post_quant_conv if vae.post_quant_conv is not None else vae.decoder.conv_in
    leaves.weight[:channels] = torch.einsum("dc,cixy->dixy", forward, leaves.weight[:channels])
    leaves.bias[:channels] = forward @ (leaves.bias[:channels] - frame.mean) + shift
    leaves.weight[channels:] = 0
    leaves.bias[channels:] = -20.0
    enters.bias += enters.weight.sum((2, 3)) @ (frame.mean - back @ torch.full((channels,), shift))
    enters.weight.copy_(torch.einsum("ocxy,cd->odxy", enters.weight, back))


def settle(vae: AutoencoderKL, folder: Path, *, seed: int, steps: int, noise: float = 0.05, side: int = 96,
           batch: int = 5) -> AutoencoderKL:
    """Trains the decoder of a folded autoencoder alone: its latents stay what they are. They get `noise` (standard
    deviation, model units) on the way."""
    vae.encoder.requires_grad_(False)
    vae.to(memory_format=torch.channels_last)
    crops = Crops(CROP_PICTURES, seed)
    noise /= vae.config.scaling_factor  # in raw values

    def loss_of(step: int) -> torch.Tensor:
        numbers = generator(seed, "settle", step)
        target = crops.batch(batch, side, numbers).to(device_of(vae))
        with torch.no_grad():
            latent = encode_mean(vae, target)
        shaken = latent + noise * torch.randn(latent.shape, generator=numbers).to(latent)
        return reconstruction_loss(decode(vae, shaken), target)

    return run_stage("settle", vae, loss_of, steps=steps, peak=3e-4, warmup=30, decay=0.99, folder=folder,
                     on_save=report)


@torch.no_grad()
def encode_scenes(vae: AutoencoderKL, first: int, count: int, size: tuple[int, int], file: Path) -> torch.Tensor:
    """Latents of `count` scenes of width and height `size` in model units, half precision [count, C, height/8, width/8];
    kept in `file`."""
    if file.exists():
        return torch.load(file)
    scale, shift = vae.config.scaling_factor, vae.config.shift_factor or 0.0
    vae = vae.to(memory_format=torch.channels_last)
    progress = Progress(file.stem, count, 0)
    latents = []
    for i in range(0, count, 8):
        drawn = to_unit(pictures(first + i, min(8, count - i), *size)).to(device_of(vae))
        with bf16_where_native(device_of(vae)):
            mean = encode_mean(vae, drawn).float().cpu()
        latents.append(((mean - shift) * scale).half())
        progress.update(min(i + 7, count - 1), 0.0)
    torch.save(torch.cat(latents), file)
    return torch.cat(latents)
