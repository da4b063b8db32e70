#!/usr/bin/env python3
"""The shortest diffusers script that takes a latent of lapis into another model's space, for scripts/bench/generate.py.

Decodes with one AutoencoderKL, encodes with the other, decodes that to measure, saves. Prints one JSON line: seconds in
each module, and the PSNR.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file, save_file

from bench.generate_diffusers import timed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, epilog="example: python scripts/bench/convert_diffusers.py "
                                     "models/tiny-sd15 models/tiny-sdxl a.safetensors b.safetensors --threads 1")
    parser.add_argument("source", type=Path, help="model folder that the latent comes from")
    parser.add_argument("target", type=Path, help="model folder that it goes to")
    parser.add_argument("latent", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--threads", type=int, default=1, help="threads of torch (default: %(default)s)")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    source, target = (AutoencoderKL.from_pretrained(model / "vae", dtype=torch.float32)
                      for model in (arguments.source, arguments.target))
    decoders, encoder = [timed(vae, "decode") for vae in (source, target)], timed(target, "encode")

    def picture(vae: AutoencoderKL, latent: torch.Tensor) -> torch.Tensor:
        decoded = vae.decode(latent / vae.config.scaling_factor + (vae.config.shift_factor or 0)).sample
        return ((decoded / 2 + 0.5).clamp(0, 1) * 255).round() / 255

    with torch.inference_mode():
        before = picture(source, load_file(arguments.latent)["latent"])
        mean = target.encode(before * 2 - 1).latent_dist.mode()
        latent = (mean - (target.config.shift_factor or 0)) * target.config.scaling_factor
        psnr = -10 * torch.log10(torch.mean((picture(target, latent) - before) ** 2)).item()
    save_file({"latent": latent.contiguous()}, arguments.output)
    print(json.dumps({"psnr": psnr, "timings": {"vae_decoder": sum(decoder.seconds for decoder in decoders),
                                                "vae_encoder": encoder.seconds}}))


if __name__ == "__main__":
    main()
