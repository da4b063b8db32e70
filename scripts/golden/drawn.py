"""Pictures drawn by formulas that the C++ tests know too (tests/pattern.hpp), so that a golden holds results alone."""

from __future__ import annotations

import numpy as np

from program import ROOT

GOLDEN = ROOT / "tests" / "golden"


def pattern(width: int, height: int, channels: int) -> np.ndarray:
    """[height, width, channels] of every kind of step: smooth, steep and wild."""
    y, x, c = np.mgrid[0:height, 0:width, 0:channels]
    return ((x * 37 + y * 91 + c * 53 + x * y * 7 + (x // 3 + y // 2) % 2 * 128) % 256).astype(np.uint8)


def smooth(width: int, height: int) -> np.ndarray:
    """A picture of slopes: a variance near zero in every window."""
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return ((x * 2 + y + c * 40) // 2 % 256).astype(np.uint8)


def blocks(width: int, height: int) -> np.ndarray:
    """Fields of full colours, with edges between them."""
    y, x, c = np.mgrid[0:height, 0:width, 0:3]
    return ((x // 7 + y // 5) // (c + 1) % 2 * 255).astype(np.uint8)


def noise(width: int, height: int, seed: int = 7) -> np.ndarray:
    """The upper bits of a linear congruential generator (Numerical Recipes, 2nd edition, section 7.1)."""
    state, values = seed, []
    for _ in range(width * height * 3):
        state = (state * 1664525 + 1013904223) % 2 ** 32
        values.append(state >> 24)
    return np.array(values, dtype=np.uint8).reshape(height, width, 3)


KINDS = {"pattern": lambda width, height: pattern(width, height, 3), "smooth": smooth, "blocks": blocks, "noise": noise}


def blurred(picture: np.ndarray) -> np.ndarray:
    """The mean of 3 x 3 pixels, rounded down; beyond an edge stands its last pixel."""
    height, width, _ = picture.shape
    padded = np.pad(picture.astype(int), ((1, 1), (1, 1), (0, 0)), mode="edge")
    return sum(padded[i:i + height, j:j + width] for i in range(3) for j in range(3)) // 9


def with_spot(picture: np.ndarray) -> np.ndarray:
    """The middle pixel inverted."""
    other = picture.copy()
    middle = picture.shape[0] // 2, picture.shape[1] // 2
    other[middle] = 255 - other[middle]
    return other


def shaken(picture: np.ndarray) -> np.ndarray:
    """Lower bits turned over, by place."""
    y, x, c = np.mgrid[0:picture.shape[0], 0:picture.shape[1], 0:3]
    return picture.astype(int) ^ ((x * 5 + y * 3 + c) % 13)


CHANGES = {
    "same": lambda picture: picture,
    "one": lambda picture: picture ^ 1,
    "spot": with_spot,
    "brighter": lambda picture: np.minimum(picture.astype(int) + 9, 255),
    "mirrored": lambda picture: picture[:, ::-1],
    "inverted": lambda picture: 255 - picture,
    "shaken": shaken,
    "shifted": lambda picture: np.roll(picture, 1, axis=1),
    "blurred": blurred,
    "noisy": lambda picture: np.clip(picture.astype(int) + noise(picture.shape[1], picture.shape[0], 11) % 17 - 8, 0, 255),
}


def changed(picture: np.ndarray, how: str) -> np.ndarray:
    """The other picture of a pair."""
    return np.ascontiguousarray(CHANGES[how](picture)).astype(np.uint8)
