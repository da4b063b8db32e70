#!/usr/bin/env python3
"""Write small latents as other programs do, by their published conventions, into tests/data/latents.

safetensors and torch write ComfyUI's, diffusers' and dgenerate's files, NumPy the .npy. Their numbers follow a formula
(`numbers`) that tests/io/test_latent_formats.cpp knows too, so a wrong order or layout shows.

Examples:
  scripts/golden/latents.py              all files, into tests/data/latents
"""

import argparse
import json
import sys
from importlib.metadata import version
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import numpy as np
import torch
from diffusers import FluxPipeline
from safetensors.torch import save_file

from program import ROOT

FOLDER = ROOT / "tests" / "data" / "latents"


def numbers(*shape: int) -> torch.Tensor:
    """Distinct eighths, which f32, f16 and bf16 all hold: number i is ((37 i) mod 251) / 8 - 15."""
    count = int(np.prod(shape))
    return (torch.arange(count, dtype=torch.float32) * 37 % 251 / 8 - 15).reshape(shape)


def save_comfy(path: Path, samples: torch.Tensor, metadata: dict[str, str] | None) -> None:
    """As ComfyUI's SaveLatent: two tensors, and metadata unless --disable-metadata."""
    tensors = {"latent_tensor": samples.contiguous(), "latent_format_version_0": torch.tensor([])}
    save_file(tensors, path, metadata=metadata)


def pack(latents: torch.Tensor) -> torch.Tensor:
    """[B, C, h, w] as FluxPipeline hands it over with output_type="latent"."""
    batch, channels, height, width = latents.shape
    return FluxPipeline._pack_latents(latents, batch, channels, height, width).contiguous()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder of the files (default: %(default)s)")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    plain, flux = numbers(1, 4, 3, 2), numbers(1, 16, 2, 4)
    prompt = json.dumps({"3": {"class_type": "KSampler", "inputs": {"seed": 7, "text": "a lake, día"}}})
    save_comfy(out / "comfy.latent", plain, {"prompt": prompt})
    save_comfy(out / "comfy_plain.latent", plain.half(), None)
    save_comfy(out / "comfy_flux.latent", flux, None)
    save_file({"latent_tensor": plain}, out / "comfy_old.latent")
    save_file({"latents": plain}, out / "diffusers.safetensors")
    save_file({"latents": plain.bfloat16()}, out / "diffusers_bf16.safetensors", metadata={"format": "pt"})
    save_file({"latents": pack(flux)}, out / "diffusers_flux.safetensors")
    save_file({"latents": flux.half()}, out / "dgenerate_flux.safetensors")
    save_file({"latents": plain[0]}, out / "dgenerate_one.safetensors")
    np.save(out / "plain.npy", plain.numpy())
    np.save(out / "plain_f16.npy", plain.half().numpy())
    np.save(out / "one.npy", plain[0].numpy())
    np.save(out / "flux_packed.npy", pack(flux).numpy())
    np.save(out / "float64.npy", plain.double().numpy())
    np.save(out / "fortran.npy", np.asfortranarray(plain.numpy()))
    np.save(out / "big_endian.npy", plain.numpy().astype(">f4"))
    with (out / "version2.npy").open("wb") as file:
        np.lib.format.write_array(file, plain.numpy(), version=(2, 0))
    np.savez(out / "arrays.npz", latents=plain.numpy())
    torch.save(plain, out / "tensor.pt")
    sizes = {path.name: path.stat().st_size for path in sorted(out.iterdir())}
    versions = {name: version(name) for name in ("torch", "safetensors", "diffusers", "numpy")}
    print(f"{len(sizes)} files, {sum(sizes.values())} bytes, by {versions}")


if __name__ == "__main__":
    main()
