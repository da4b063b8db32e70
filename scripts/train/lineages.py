#!/usr/bin/env python3
"""Measure the autoencoders of models and how strange they are to each other, on drawn scenes that taught none of them.

Two tables on stdout. Of each autoencoder: PSNR, SSIM and the error of its edges (mean absolute error of the differences
between neighbouring pixels, of 255). Of each ordered pair A, B, the PSNR in dB of what B shows against A's own decode: of A's
latent as it is (wrong decode); through the best map of each channel from one channel (affine), of each cell from one cell
(1x1) or from its neighbourhood (3x3); and decoded and encoded. Maps are of least squares, on scenes of their own.

Exits with 1 if lineages are too near: a wrong decode of 12 dB or more, a 3x3 map less than 4 dB below decode and encode, or
decode and encode below 32 dB. Runs in the environment of model.py, with scikit-image from PyPI added to it.

Example: scripts/train/lineages.py models/tiny-sd15 models/tiny-sdxl models/tiny-flux
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import sys
from collections.abc import Callable
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import torch
import torch.nn.functional as F
from diffusers import AutoencoderKL
from skimage.metrics import structural_similarity

from train.tiny import vae

FIRST_SCENE = 940_000_000  # no scene from here on taught a model
WRONG_DECODE, NEARNESS, DECODE_AND_ENCODE = 12.0, 4.0, 32.0  # dB: the bars
RIDGE = 1e-6  # of the features' variance: keeps the normal equations solvable
Map = Callable[[torch.Tensor], torch.Tensor]


@dataclasses.dataclass(frozen=True)
class Lineage:
    """An autoencoder and the units of its latents: (raw - shift) * scale."""

    name: str
    model: AutoencoderKL
    scale: float
    shift: float

    @torch.no_grad()
    def encode(self, pictures: torch.Tensor) -> torch.Tensor:
        """[N, 3, H, W] in [-1, 1] -> [N, C, H/8, W/8] in model units."""
        return torch.cat([(vae.encode_mean(self.model, each) - self.shift) * self.scale for each in pictures.split(4)])

    @torch.no_grad()
    def decode(self, latents: torch.Tensor) -> torch.Tensor:
        """The inverse of `encode`, clamped to [-1, 1]."""
        return torch.cat([vae.decode(self.model, each / self.scale + self.shift).clamp(-1, 1)
                          for each in latents.split(4)])


def open_lineage(folder: Path) -> Lineage:
    space = json.loads((folder / "model.json").read_text("utf-8"))["space"]
    return Lineage(folder.name, AutoencoderKL.from_pretrained(folder / "vae").eval(), space["scale"], space["shift"])


def psnr(output: torch.Tensor, target: torch.Tensor) -> float:
    """Mean over pictures in [-1, 1], dB."""
    return float((-10 * ((output - target) / 2).square().mean((1, 2, 3)).log10()).mean())


def ssim(output: torch.Tensor, target: torch.Tensor) -> float:
    """Mean over pictures, of all three colours (Wang et al. 2004, Gaussian window)."""
    values = [structural_similarity(a.numpy(), b.numpy(), gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
                                    channel_axis=0, data_range=2.0) for a, b in zip(output, target, strict=True)]
    return sum(map(float, values)) / len(values)


def edge_error(output: torch.Tensor, target: torch.Tensor) -> float:
    error = (output - target) * 127.5
    return float((error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()) / 2)


def features(latents: torch.Tensor, side: int) -> torch.Tensor:
    """The neighbourhood of each cell, and a one: [N, C, h, w] -> [N * h * w, C * side^2 + 1] float64."""
    edge = side // 2
    padded = F.pad(latents, (edge,) * 4, mode="replicate") if edge else latents
    columns = F.unfold(padded, side).transpose(1, 2).flatten(0, 1).double()
    return torch.cat([columns, torch.ones(len(columns), 1, dtype=torch.float64)], 1)


def cells(latents: torch.Tensor) -> torch.Tensor:
    """[N, C, h, w] -> [N * h * w, C] float64."""
    return latents.permute(0, 2, 3, 1).flatten(0, 2).double()


def linear_map(source: torch.Tensor, target: torch.Tensor, side: int) -> Map:
    """The map of least squares from neighbourhoods of `side` cells of `source` to `target`."""
    x, y = features(source, side), cells(target)
    square = x.T @ x
    weight = torch.linalg.solve(square + RIDGE * square.diagonal().mean() * torch.eye(len(square)).double(), x.T @ y)

    def apply(latents: torch.Tensor) -> torch.Tensor:
        batch, _, height, width = latents.shape
        return (features(latents, side) @ weight).float().view(batch, height, width, -1).permute(0, 3, 1, 2)

    return apply


def affine_map(source: torch.Tensor, target: torch.Tensor) -> Map:
    """Each channel of `target` from the one channel of `source` that tells it best, by a line."""
    x, y = cells(source), cells(target)
    alike = torch.corrcoef(torch.cat([x, y], 1).T)[:x.shape[1], x.shape[1]:]
    best = alike.abs().argmax(0)
    slope = alike.gather(0, best[None])[0] * y.std(0) / x.std(0)[best]
    bias = y.mean(0) - slope * x.mean(0)[best]
    return lambda latents: latents[:, best] * slope.float()[:, None, None] + bias.float()[:, None, None]


def crossings(a: Lineage, b: Lineage, learnt: torch.Tensor, held_out: torch.Tensor) -> dict[str, float]:
    """PSNR against `a`'s own decode of what `b` shows, by the way of crossing."""
    source, latents = a.encode(learnt), a.encode(held_out)
    own, target = a.decode(latents), b.encode(a.decode(source))
    maps = {"affine": affine_map(source, target), "1x1": linear_map(source, target, 1),
            "3x3": linear_map(source, target, 3)}
    found = {name: psnr(b.decode(map_(latents)), own) for name, map_ in maps.items()}
    channels = b.encode(held_out[:1]).shape[1]
    wrong = psnr(b.decode(latents), own) if latents.shape[1] == channels else float("nan")
    return {"wrong decode": wrong} | found | {"decode and encode": psnr(b.decode(b.encode(own)), own)}


def faults(pair: str, found: dict[str, float]) -> list[str]:
    return ([f"{pair}: wrong decode {found['wrong decode']:.1f} dB, not below {WRONG_DECODE:.0f}"]
            * (found["wrong decode"] >= WRONG_DECODE)
            + [f"{pair}: a 3x3 map comes within {found['decode and encode'] - found['3x3']:.1f} dB of decode and encode"]
            * (found["decode and encode"] - found["3x3"] < NEARNESS)
            + [f"{pair}: decode and encode {found['decode and encode']:.1f} dB, below {DECODE_AND_ENCODE:.0f}"]
            * (found["decode and encode"] < DECODE_AND_ENCODE))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL", help="a model folder with a diffusers VAE")
    parser.add_argument("--scenes", type=int, default=32, help="to learn from, and as many to measure (default: 32)")
    parser.add_argument("--size", type=int, default=256, help="of the drawn pictures (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of torch (default: %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    lineages = [open_lineage(folder) for folder in options.models]
    learnt, held_out = (vae.to_unit(vae.pictures(FIRST_SCENE + i * options.scenes, options.scenes, options.size))
                        for i in range(2))
    print("| autoencoder | PSNR, dB | SSIM | edges |\n|---|---|---|---|")
    for each in lineages:
        shown = each.decode(each.encode(held_out))
        print(f"| {each.name} | {psnr(shown, held_out):.2f} | {ssim(shown, held_out):.4f} | "
              f"{edge_error(shown, held_out):.2f} |", flush=True)
    wrong = []
    print("\n| from | to | wrong decode | affine | 1x1 | 3x3 | decode and encode |\n|---|---|---|---|---|---|---|")
    for a, b in itertools.permutations(lineages, 2):
        found = crossings(a, b, learnt, held_out)
        print(f"| {a.name} | {b.name} | {' | '.join(f'{value:.1f}' for value in found.values())} |".replace("nan", "-"),
              flush=True)
        wrong += faults(f"{a.name} to {b.name}", found)
    if wrong:
        raise SystemExit("error: lineages too near, or a crossing too poor:\n" + "\n".join(wrong))


if __name__ == "__main__":
    main()
