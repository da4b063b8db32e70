#!/usr/bin/env python3
"""Measure what the latents of a model look like: rows for lineage_table() in src/core/family/spaces.cpp.

Draws scenes (scripts/train/tiny), encodes them by the model's own autoencoder and prints, in model units: the colour of each
channel and the bias that come nearest, in least squares, to the mean colours of the picture under each cell, in
[-1, 1]; and each channel's mean and deviation. The PSNR of such previews against the mean colours goes to stderr.

Examples:
  scripts/train/fit_preview.py models/tiny-sd15 models/tiny-sdxl
"""

import argparse
import json
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import numpy as np
import torch
from diffusers import AutoencoderKL

from train.tiny.vae import encode_mean, pictures, to_unit

FIRST_SCENE = 920_000_000  # no scene from here on taught a model
BATCH = 8


@torch.no_grad()
def samples(folder: Path, space: dict, count: int, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Latents in model units [cells, C] and mean colours [cells, 3] of `count` scenes."""
    vae = AutoencoderKL.from_pretrained(folder / "vae").eval()
    latents, colours = [], []
    for first in range(0, count, BATCH):
        picture = to_unit(pictures(FIRST_SCENE + first, min(BATCH, count - first), size))
        latent = (encode_mean(vae, picture) - space["shift"]) * space["scale"]
        colour = torch.nn.functional.avg_pool2d(picture, space["downscale"])
        latents.append(latent.permute(0, 2, 3, 1).reshape(-1, latent.shape[1]).double().numpy())
        colours.append(colour.permute(0, 2, 3, 1).reshape(-1, 3).double().numpy())
    return np.concatenate(latents), np.concatenate(colours)


def fit(latents: np.ndarray, colours: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Factors [C, 3] and bias [3] of least squares, and the PSNR of what they show."""
    ones = np.ones((len(latents), 1))
    solution = np.linalg.lstsq(np.hstack([latents, ones]), colours, rcond=None)[0]
    shown = np.clip(latents @ solution[:-1] + solution[-1], -1, 1)
    return solution[:-1], solution[-1], float(-10 * np.log10((((shown - colours) / 2) ** 2).mean()))


def numbers(values: np.ndarray) -> str:
    return "{" + ", ".join(f"{value:.4f}" for value in values) + "}"


def row(name: str, space: str, factors: np.ndarray, bias: np.ndarray, latents: np.ndarray) -> str:
    """The row as clang-format leaves it: three colours or channels on a line."""
    def lines(values: np.ndarray) -> str:
        texts = [numbers(each) for each in values]
        return ",\n        ".join(", ".join(texts[i:i + 4]) for i in range(0, len(texts), 4))

    spread = np.stack([latents.mean(0), latents.std(0)], 1)
    return (f'      {{"{name}", "{space}",\n       {{{lines(factors)}}},\n       {numbers(bias)},\n'
            f'       {{{lines(spread)}}},\n       measured}},')


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="+", type=Path, metavar="MODEL", help="a model folder with a diffusers VAE")
    parser.add_argument("--scenes", type=int, default=200, help="how many (default: %(default)s)")
    parser.add_argument("--size", type=int, default=256, help="of the drawn pictures (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="of torch (default: %(default)s)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    for folder in options.models:
        space = json.loads((folder / "model.json").read_text("utf-8"))["space"]
        latents, colours = samples(folder, space, options.scenes, options.size)
        factors, bias, psnr = fit(latents, colours)
        print(row(space["lineage"], space["id"], factors, bias, latents))
        print(f"{folder}: previews come to {psnr:.1f} dB of the mean colours of their cells", file=sys.stderr)


if __name__ == "__main__":
    main()
