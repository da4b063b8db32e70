#!/usr/bin/env python3
"""Write the goldens of pictures in tests/golden: what Pillow and diffusers' VaeImageProcessor make of small pictures.

Every picture is drawn by a formula (`pattern`) that the C++ tests know too, so a golden holds results alone, as hex.

Examples:
  scripts/golden/pixels.py               both goldens, into tests/golden
"""

import argparse
import json
import sys
from importlib.metadata import version
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import numpy as np
from diffusers.image_processor import VaeImageProcessor
from PIL import Image

from golden.drawn import GOLDEN, pattern

FILTERS = {"box": Image.Resampling.BOX, "bilinear": Image.Resampling.BILINEAR,
           "bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}
SIZES = [((13, 9), (26, 18)), ((13, 9), (5, 4)), ((13, 9), (13, 20)), ((13, 9), (40, 9)), ((31, 17), (8, 24)),
         ((1, 1), (5, 3)), ((64, 3), (1, 1)), ((50, 40), (7, 7)), ((17, 31), (24, 16)), ((16, 25), (16, 12))]


def picture(width: int, height: int, channels: int) -> Image.Image:
    samples = pattern(width, height, channels)
    return Image.fromarray(samples[:, :, 0] if channels == 1 else samples)


def resize_case(name: str, size: tuple, target: tuple, channels: int, box: tuple | None = None) -> dict:
    result = picture(*size, channels).resize(target, FILTERS[name], box=box)
    return {"filter": name, "from": size, "to": target, "channels": channels, "box": box,
            "bytes": np.asarray(result).tobytes().hex()}


def fit_case(mode: str, size: tuple, target: tuple, channels: int) -> dict:
    processor = VaeImageProcessor()
    result = processor.resize(picture(*size, channels), target[1], target[0], resize_mode=mode)
    name = {"default": "stretch", "crop": "crop", "fill": "pad"}[mode]
    return {"fit": name, "from": size, "to": target, "channels": channels, "bytes": np.asarray(result).tobytes().hex()}


def write(name: str, cases: list[dict], folder: Path) -> None:
    head = json.dumps({"made_by": "scripts/golden/pixels.py",
                       "versions": {each: version(each) for each in ("pillow", "diffusers", "numpy")}})
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    path = folder / f"{name}.json"
    path.write_text(f'{head[:-1]}, "cases": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{path}: {len(cases)} cases, {path.stat().st_size} bytes")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=GOLDEN, help="folder of the goldens (default: %(default)s)")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    resizes = [resize_case(name, size, target, channels) for name in FILTERS for size, target in SIZES
               for channels in (1, 3)]
    resizes += [resize_case(name, (20, 15), (9, 12), 3, box) for name in FILTERS
                for box in ((2, 3, 18, 14), (0, 0, 20, 0), (20, 0, 20, 15), (0.5, 1.25, 17.5, 9))]
    write("resize", resizes, folder)
    fits = [fit_case(mode, size, target, 3) for mode in ("default", "crop", "fill")
            for size, target in (((40, 24), (16, 16)), ((24, 40), (16, 24)), ((17, 31), (48, 16)), ((16, 16), (32, 32)),
                                 ((33, 20), (16, 9)))]
    write("fit", fits, folder)


if __name__ == "__main__":
    main()
