#!/usr/bin/env python3
"""Write tests/golden/similarity.json: PSNR and SSIM of small pictures, by scikit-image.

Every picture is drawn by a formula that the C++ tests know too, so a golden holds results alone. scikit-image's
structural_similarity leaves out a border of half a window when it takes the mean: the places where the window lies
inside are all that counts.

Examples:
  scripts/golden/similarity.py          the golden, into tests/golden
"""

import argparse
import json
import sys
from importlib.metadata import version
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from golden.drawn import GOLDEN, KINDS, changed

SIZES = [(11, 11), (12, 11), (16, 24), (33, 20), (64, 48)]


def case(kind: str, size: tuple[int, int], how: str) -> dict:
    first = KINDS[kind](*size)
    second = changed(first, how)
    ssim = structural_similarity(first, second, gaussian_weights=True, sigma=1.5, use_sample_covariance=False,
                                 data_range=255, channel_axis=2)
    psnr = None if how == "same" else float(peak_signal_noise_ratio(first, second, data_range=255))
    return {"kind": kind, "size": size, "how": how, "psnr": psnr, "ssim": float(ssim)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=GOLDEN, help="folder of the golden (default: %(default)s)")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    cases = [case(kind, size, how) for kind in ("pattern", "smooth") for size in SIZES
             for how in ("same", "brighter", "mirrored", "inverted", "shaken")]
    head = json.dumps({"made_by": "scripts/golden/similarity.py",
                       "versions": {each: version(each) for each in ("scikit-image", "scipy", "numpy")}})
    lines = ",\n".join(json.dumps(each, separators=(",", ":")) for each in cases)
    path = folder / "similarity.json"
    path.write_text(f'{head[:-1]}, "cases": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{path}: {len(cases)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
