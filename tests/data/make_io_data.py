#!/usr/bin/env python3
"""Writes the files that other programs make and the io tests read (safetensors 0.8.0, Pillow 13.0, torch 2.11).

Run it in tests/data. `reference.safetensors` has one metadata key, since the reference writer leaves the order of
several to chance.
"""

import sys
from pathlib import Path

import numpy as np
import torch
from PIL import Image, PngImagePlugin
from safetensors.torch import save_file


def write_safetensors() -> None:
    tensors = {
        "weight": torch.arange(6, dtype=torch.float32).reshape(2, 3),
        "bias": torch.tensor([0.5, -2.0], dtype=torch.float16),
        "brain": torch.tensor([1.0, -1.0, 3.0], dtype=torch.bfloat16),
        "ids": torch.tensor([49406, -1]),
        "flags": torch.tensor([True, False, True]),
        "empty": torch.zeros(0, 4),
        "scalar": torch.tensor(0.18215, dtype=torch.float64),
        "größe \"x\"": torch.tensor([7], dtype=torch.uint8),
    }
    save_file(tensors, "reference.safetensors", {"note": "tab\t, quote \", umlaut ü"})


def write_png() -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("parameters", "a red house\nSteps: 20, Sampler: Euler")
    texts.add_text("Author", "Jürgen")
    texts.add_text("packed", "x" * 500, zip=True)
    texts.add_itxt("title", "人生", lang="ja", tkey="題")
    Image.new("RGB", (5, 3), (10, 20, 30)).save("pillow_text.png", pnginfo=texts)


def write_pictures() -> None:
    """One file of each kind, all of `pattern` (scripts/golden/pixels.py), but for the smooth JPEGs."""
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "scripts"))
    from golden.pixels import pattern, picture

    folder = Path("pictures")
    folder.mkdir(exist_ok=True)
    colour, grey = picture(13, 9, 3), picture(13, 9, 1)
    with_alpha = Image.fromarray(pattern(13, 9, 4))
    turned = Image.Exif()
    turned[0x112] = 6
    for extension in ("png", "bmp", "tga", "ppm"):
        colour.save(folder / f"rgb.{extension}")
    grey.save(folder / "grey.png")
    grey.save(folder / "grey.pgm")
    grey.save(folder / "grey.gif")
    with_alpha.save(folder / "rgba.png")
    with_alpha.save(folder / "rgba.tga")
    Image.fromarray(pattern(13, 9, 2), "LA").save(folder / "la.png")
    grey.convert("P").save(folder / "palette.png")
    grey.save(folder / "palette_hole.png", transparency=0)
    Image.fromarray((pattern(13, 9, 1)[:, :, 0].astype(np.uint16) << 8) + 200).save(folder / "grey16.png")
    colour.save(folder / "turned.png", exif=turned)
    y, x = np.mgrid[0:24, 0:40]
    smooth = Image.fromarray(np.stack([x * 6, y * 10, 255 - x * 3 - y * 4], 2).astype(np.uint8))
    smooth.save(folder / "smooth.jpg", quality=95)
    Image.open(folder / "smooth.jpg").save(folder / "smooth_as_pillow_reads_it.png")
    smooth.save(folder / "progressive.jpg", quality=95, progressive=True)
    smooth.convert("L").save(folder / "grey.jpg", quality=95)
    smooth.save(folder / "turned.jpg", quality=95, exif=turned)
    smooth.convert("CMYK").save(folder / "cmyk.jpg", quality=95)
    smooth.save(folder / "no.webp")
    smooth.save(folder / "no.tiff")


class Convolution(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Conv2d(2, 2, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x).relu()


def write_archives() -> None:
    torch.jit.trace(Convolution(), torch.zeros(1, 2, 4, 4)).save("graph.pt")
    torch.save({"a": torch.zeros(3)}, "not_a_graph.pt")


if __name__ == "__main__":
    torch.manual_seed(0)
    write_safetensors()
    write_png()
    write_pictures()
    write_archives()
