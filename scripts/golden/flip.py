#!/usr/bin/env python3
"""Write tests/golden/flip.json: what flip-evaluator, and scikit-image beside it, say of pairs of small pictures.

Every picture is drawn by a formula that the C++ tests know too, so a golden holds results alone. Of FLIP these are the
mean, and the error at some pixels in single precision. SSIM is of pictures in which its window fits. The twin of each
pair has one value changed; a golden must tell them apart.

It needs flip-evaluator, scikit-image and numpy from PyPI.

Examples:
  scripts/golden/flip.py          the golden, into tests/golden
"""

import argparse
import json
import sys
from importlib.metadata import version
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import flip_evaluator
import numpy as np
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from golden.drawn import CHANGES, GOLDEN, KINDS, changed

SIZES = [(1, 1), (2, 3), (11, 11), (20, 33), (64, 48), (101, 67)]
SSIM_WINDOW = 11


def probes(width: int, height: int) -> list[tuple[int, int]]:
    """Pixels whose errors are written down: corners, middle and a quarter."""
    return [(0, 0), (width - 1, height - 1), (width // 2, height // 2), (width // 4, height // 4)]


def case(kind: str, size: tuple[int, int], how: str) -> dict:
    first = KINDS[kind](*size)
    second = changed(first, how)
    errors, mean, _ = flip_evaluator.evaluate(first.astype(np.float32) / 255, second.astype(np.float32) / 255, "LDR",
                                              applyMagma=False)
    errors = np.asarray(errors).reshape(size[1], size[0], -1)[:, :, 0]
    equal = np.array_equal(first, second)
    ssim = None if min(size) < SSIM_WINDOW else float(structural_similarity(
        first, second, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255, channel_axis=2))
    return {"kind": kind, "size": size, "how": how, "flip": round(float(mean), 8), "largest": round(float(errors.max()), 6),
            "errors": [round(float(errors[y, x]), 6) for x, y in probes(*size)], "ssim": ssim,
            "psnr": None if equal else float(peak_signal_noise_ratio(first, second, data_range=255))}


def pairs() -> list[tuple[str, tuple[int, int], str]]:
    """Every change of every kind at one size, and every kind and change at some of the others."""
    names = list(KINDS)
    whole = [(kind, (64, 48), how) for kind in names for how in CHANGES]
    return whole + [(names[(i + k) % len(names)], size, how) for k, size in enumerate(SIZES) if size != (64, 48)
                    for i, how in enumerate(CHANGES)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=GOLDEN, help="folder of the golden (default: %(default)s)")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    cases = [case(*pair) for pair in pairs()]
    head = json.dumps({"made_by": "scripts/golden/flip.py",
                       "versions": {each: version(each) for each in ("flip-evaluator", "scikit-image", "scipy", "numpy")}})
    lines = ",\n".join(json.dumps(each, separators=(",", ":")) for each in cases)
    path = folder / "flip.json"
    path.write_text(f'{head[:-1]}, "cases": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{path}: {len(cases)} cases, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
