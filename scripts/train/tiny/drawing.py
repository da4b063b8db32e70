"""Scenes as flat-design pictures.

All coordinates are shares of the picture, so a scene looks the same at every size. Nothing smaller than a few percent
of the picture is drawn: an autoencoder would lose it.
"""

from __future__ import annotations

import math
import random

import numpy as np
from PIL import Image, ImageDraw

from .scenes import Scene, Thing

RGB = {
    "red": (216, 52, 48),
    "orange": (242, 136, 36),
    "yellow": (248, 210, 62),
    "green": (56, 158, 78),
    "blue": (48, 104, 210),
    "purple": (136, 70, 184),
    "pink": (242, 140, 180),
    "white": (246, 244, 238),
}

# One palette a time of day: sky (top, middle, horizon), relief (far, near, cap), water, light on objects, sun, clouds.
PALETTES = {
    "dawn": dict(sky=((122, 146, 214), (232, 176, 206), (255, 228, 202)), relief=((172, 160, 204), (132, 126, 180)),
                 cap=(255, 240, 240), water=(206, 190, 222), light=(1.0, 0.93, 0.95), sun=(255, 244, 214),
                 cloud=(255, 236, 232)),
    "day": dict(sky=((62, 142, 232), (132, 190, 246), (222, 242, 255)), relief=((126, 178, 140), (84, 150, 98)),
                cap=(255, 255, 255), water=(96, 164, 228), light=(1.0, 1.0, 1.0), sun=(255, 224, 96),
                cloud=(255, 255, 255)),
    "sunset": dict(sky=((76, 46, 124), (218, 86, 112), (255, 186, 92)), relief=((132, 72, 124), (86, 52, 104)),
                   cap=(255, 208, 188), water=(168, 92, 128), light=(1.0, 0.86, 0.80), sun=(255, 232, 140),
                   cloud=(252, 164, 140)),
    "night": dict(sky=((8, 12, 44), (22, 30, 86), (52, 66, 134)), relief=((56, 66, 130), (30, 38, 88)),
                  cap=(160, 172, 214), water=(22, 36, 104), light=(0.70, 0.72, 0.90), sun=(250, 246, 222),
                  cloud=(70, 80, 136)),
}
LANDS = {  # far and near colour of the ground by day
    "meadow": ((150, 202, 104), (74, 150, 72)),
    "desert": ((244, 206, 132), (222, 158, 84)),
    "snow": ((244, 248, 255), (214, 226, 244)),
    "lake": ((118, 178, 92), (70, 142, 66)),
}
LAND_LIGHT = {"dawn": (0.96, 0.88, 0.92), "day": (1, 1, 1), "sunset": (0.86, 0.62, 0.60), "night": (0.32, 0.40, 0.60)}
SUPERSAMPLING = 2
PLACE_X = {"left": 0.26, "right": 0.74}


def draw(scene: Scene, size: int) -> np.ndarray:
    """The picture of `scene`, uint8 [size, size, 3]."""
    side = size * SUPERSAMPLING
    if not scene.is_landscape:
        return _draw_figure(scene, side)
    rng = random.Random(f"drawing {scene.seed}")
    palette = PALETTES[scene.time]
    horizon = 0.57 + rng.uniform(-0.015, 0.015)
    sun = _sun_place(scene.time, horizon, rng)
    image = Image.fromarray(_sky(palette["sky"], side, horizon))
    pen = ImageDraw.Draw(image)
    if scene.time == "night":
        for _ in range(9):
            _disc(pen, side, rng.uniform(0.03, 0.97), rng.uniform(0.03, 0.36), 0.009, (236, 238, 250))
    _disc(pen, side, sun[0], sun[1], 0.075, palette["sun"])
    for _ in range(rng.choice((0, 1, 1, 2))):
        _cloud(pen, side, rng, palette["cloud"])
    _draw_relief(pen, side, scene.relief, horizon, palette, rng)
    _draw_ground(image, scene, horizon, palette, sun, rng)
    pen = ImageDraw.Draw(image)
    for place, thing in scene.things:
        _draw_thing(pen, side, scene, thing, PLACE_X[place] + rng.uniform(-0.02, 0.02), rng)
    small = np.asarray(image.reduce(SUPERSAMPLING), np.float32)
    return np.clip(_glow(small, sun, palette["sun"], scene.time) + 0.5, 0, 255).astype(np.uint8)


def _sun_place(time: str, horizon: float, rng: random.Random) -> tuple[float, float]:
    low = time in ("dawn", "sunset")
    return rng.uniform(0.2, 0.8), horizon - rng.uniform(0.07, 0.12) if low else rng.uniform(0.13, 0.2)


def _sky(stops: tuple, side: int, horizon: float) -> np.ndarray:
    rows = np.clip(np.arange(side) / side / horizon, 0, 1)
    columns = [np.interp(rows, (0.0, 0.55, 1.0), [stop[c] for stop in stops]) for c in range(3)]
    return np.repeat(np.stack(columns, -1)[:, None], side, 1).astype(np.uint8)


def _glow(picture: np.ndarray, sun: tuple[float, float], colour: tuple, time: str) -> np.ndarray:
    size = picture.shape[0]
    grid = (np.arange(size, dtype=np.float32) + 0.5) / size
    distance2 = (grid[None, :] - sun[0]) ** 2 + (grid[:, None] - sun[1]) ** 2
    strength = {"dawn": 0.30, "day": 0.22, "sunset": 0.34, "night": 0.20}[time]
    return picture + strength * np.exp(-distance2 / (2 * 0.14**2))[..., None] * (np.float32(colour) - picture)


def _disc(pen: ImageDraw.ImageDraw, side: int, x: float, y: float, r: float, colour: tuple) -> None:
    pen.ellipse([(x - r) * side, (y - r) * side, (x + r) * side, (y + r) * side], fill=colour)


def _polygon(pen: ImageDraw.ImageDraw, side: int, points: list[tuple[float, float]], colour: tuple) -> None:
    pen.polygon([(x * side, y * side) for x, y in points], fill=colour)


def _box(pen: ImageDraw.ImageDraw, side: int, x0: float, y0: float, x1: float, y1: float, colour: tuple) -> None:
    pen.rectangle([x0 * side, y0 * side, x1 * side, y1 * side], fill=colour)


def _cloud(pen: ImageDraw.ImageDraw, side: int, rng: random.Random, colour: tuple) -> None:
    x, y, s = rng.uniform(0.12, 0.88), rng.uniform(0.08, 0.26), rng.uniform(0.9, 1.2)
    pen.rounded_rectangle([(x - 0.11 * s) * side, (y - 0.012) * side, (x + 0.11 * s) * side, (y + 0.04 * s) * side],
                          radius=0.026 * s * side, fill=colour)
    _disc(pen, side, x - 0.03 * s, y - 0.006, 0.045 * s, colour)
    _disc(pen, side, x + 0.045 * s, y + 0.004, 0.034 * s, colour)


def _wave(rng: random.Random, level: float, height: float) -> list[tuple[float, float]]:
    phase, length = rng.uniform(0, 2 * math.pi), rng.uniform(0.8, 1.3)
    xs = [i / 40 for i in range(41)]
    return [(x, level - height * (0.5 + 0.5 * math.sin(2 * math.pi * x * length + phase))) for x in xs]


def _filled(line: list[tuple[float, float]], bottom: float) -> list[tuple[float, float]]:
    return [*line, (line[-1][0], bottom), (line[0][0], bottom)]


def _draw_relief(pen: ImageDraw.ImageDraw, side: int, relief: str, horizon: float, palette: dict,
                 rng: random.Random) -> None:
    far, near = palette["relief"]
    bottom = horizon + 0.01
    if relief == "hills":
        _polygon(pen, side, _filled(_wave(rng, horizon - 0.02, 0.13), bottom), far)
        _polygon(pen, side, _filled(_wave(rng, horizon + 0.01, 0.10), bottom), near)
    if relief == "mountains":
        offset = rng.uniform(-0.08, 0.08)
        for i in range(-1, 4):
            x, h, w = i * 0.33 + offset + 0.16, rng.uniform(0.22, 0.28), 0.25
            _polygon(pen, side, [(x - w, bottom), (x, horizon - h), (x + w, bottom)], far)
            k = 0.30
            _polygon(pen, side, [(x - w * k, horizon - h * (1 - k)), (x, horizon - h),
                                 (x + w * k, horizon - h * (1 - k)),
                                 (x + w * k * 0.4, horizon - h * (1 - k * 0.75)), (x, horizon - h * (1 - k * 1.15)),
                                 (x - w * k * 0.4, horizon - h * (1 - k * 0.75))], palette["cap"])
        for i in range(-1, 4):
            x, h, w = i * 0.33 + offset, rng.uniform(0.10, 0.14), 0.20
            _polygon(pen, side, [(x - w, bottom), (x, horizon - h), (x + w, bottom)], near)


def _lit(colour: tuple, light: tuple) -> tuple[int, int, int]:
    return tuple(int(c * l) for c, l in zip(colour, light))


def _draw_ground(image: Image.Image, scene: Scene, horizon: float, palette: dict, sun: tuple,
                 rng: random.Random) -> None:
    side = image.width
    row = int(horizon * side)
    far, near = (_lit(c, LAND_LIGHT[scene.time]) for c in LANDS[scene.ground])
    if scene.ground == "lake":
        above = image.crop((0, 2 * row - side, side, row)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
        image.paste(Image.blend(above, Image.new("RGB", above.size, palette["water"]), 0.5), (0, row))
        pen = ImageDraw.Draw(image)
        for i in range(4):
            x, y, w = sun[0] + rng.uniform(-0.05, 0.05), horizon + 0.05 + 0.065 * i, 0.075 - 0.008 * i
            pen.rounded_rectangle([(x - w) * side, y * side, (x + w) * side, (y + 0.014) * side],
                                  radius=0.007 * side, fill=palette["sun"])
        _polygon(pen, side, _filled(_wave(rng, 0.95, 0.05), 1.0), near)
        return
    rows = np.linspace(0, 1, side - row)[:, None, None]
    land = np.float32(far) + rows * 0.8 * (np.float32(near) - np.float32(far))
    image.paste(Image.fromarray(np.repeat(land, side, 1).astype(np.uint8)), (0, row))
    pen = ImageDraw.Draw(image)
    if scene.ground == "desert":
        _polygon(pen, side, _filled(_wave(rng, 0.78, 0.09), 1.0), _lit(near, (0.97, 0.95, 0.95)))
    _polygon(pen, side, _filled(_wave(rng, 0.92, 0.07), 1.0), _lit(near, (0.90, 0.88, 0.90)))
    if scene.ground == "meadow":
        for _ in range(5):
            colour = _lit(rng.choice(((255, 220, 90), (255, 250, 240), (246, 120, 140))), palette["light"])
            _disc(pen, side, rng.uniform(0.04, 0.96), rng.uniform(0.90, 0.97), 0.015, colour)


def _draw_thing(pen: ImageDraw.ImageDraw, side: int, scene: Scene, thing: Thing, x: float, rng: random.Random) -> None:
    light = PALETTES[scene.time]["light"]
    main = _lit(RGB[thing.colour], light)
    shade = _lit(main, (0.74, 0.72, 0.76))
    wood, dark = _lit((116, 80, 56), light), _lit((70, 56, 60), light)
    pale = _lit((250, 246, 236), light)
    window = (255, 226, 128) if scene.time in ("night", "sunset") else _lit((176, 214, 240), light)
    y = 0.80 + rng.uniform(-0.012, 0.012)
    if scene.ground == "lake" and thing.kind not in ("boat", "balloon"):
        y -= 0.04
        pen.ellipse([(x - 0.19) * side, (y - 0.035) * side, (x + 0.19) * side, (y + 0.045) * side],
                    fill=_lit(LANDS["lake"][0], LAND_LIGHT[scene.time]))
    painters = {"house": _house, "tree": _tree, "balloon": _balloon, "boat": _boat, "tent": _tent,
                "lighthouse": _lighthouse}
    painters[thing.kind](pen, side, x, y, dict(main=main, shade=shade, wood=wood, dark=dark, pale=pale, window=window))


def _house(pen: ImageDraw.ImageDraw, side: int, x: float, y: float, c: dict) -> None:
    _box(pen, side, x + 0.055, y - 0.30, x + 0.09, y - 0.20, c["dark"])
    _box(pen, side, x - 0.115, y - 0.17, x + 0.115, y, c["main"])
    _box(pen, side, x - 0.115, y - 0.17, x - 0.075, y, c["shade"])
    _polygon(pen, side, [(x - 0.15, y - 0.165), (x, y - 0.30), (x + 0.15, y - 0.165)], c["wood"])
    _box(pen, side, x - 0.05, y - 0.12, x + 0.005, y - 0.065, c["window"])
    _box(pen, side, x + 0.04, y - 0.11, x + 0.09, y, c["dark"])


def _tree(pen: ImageDraw.ImageDraw, side: int, x: float, y: float, c: dict) -> None:
    _box(pen, side, x - 0.022, y - 0.16, x + 0.022, y, c["wood"])
    for dx, dy, r in ((-0.06, -0.20, 0.075), (0.06, -0.20, 0.075), (0.0, -0.27, 0.095)):
        _disc(pen, side, x + dx, y + dy, r, c["main"])
    _disc(pen, side, x - 0.055, y - 0.185, 0.04, c["shade"])


def _balloon(pen: ImageDraw.ImageDraw, side: int, x: float, y: float, c: dict) -> None:
    y = 0.25
    _polygon(pen, side, [(x - 0.105, y + 0.055), (x + 0.105, y + 0.055), (x + 0.03, y + 0.17), (x - 0.03, y + 0.17)],
             c["main"])
    _disc(pen, side, x, y, 0.12, c["main"])
    pen.ellipse([(x - 0.045) * side, (y - 0.12) * side, (x + 0.045) * side, (y + 0.165) * side], fill=c["shade"])
    _box(pen, side, x - 0.035, y + 0.19, x + 0.035, y + 0.24, c["wood"])


def _boat(pen: ImageDraw.ImageDraw, side: int, x: float, y: float, c: dict) -> None:
    y -= 0.02
    _box(pen, side, x - 0.01, y - 0.30, x + 0.008, y - 0.04, c["dark"])
    _polygon(pen, side, [(x + 0.018, y - 0.29), (x + 0.13, y - 0.075), (x + 0.018, y - 0.075)], c["main"])
    _polygon(pen, side, [(x - 0.02, y - 0.25), (x - 0.11, y - 0.075), (x - 0.02, y - 0.075)], c["shade"])
    _polygon(pen, side, [(x - 0.15, y - 0.05), (x + 0.15, y - 0.05), (x + 0.10, y + 0.025), (x - 0.10, y + 0.025)],
             c["wood"])


def _tent(pen: ImageDraw.ImageDraw, side: int, x: float, y: float, c: dict) -> None:
    _polygon(pen, side, [(x - 0.165, y), (x, y - 0.24), (x + 0.165, y)], c["main"])
    _polygon(pen, side, [(x - 0.165, y), (x, y - 0.24), (x - 0.06, y)], c["shade"])
    _polygon(pen, side, [(x - 0.01, y), (x + 0.03, y - 0.14), (x + 0.085, y)], c["dark"])


def _lighthouse(pen: ImageDraw.ImageDraw, side: int, x: float, y: float, c: dict) -> None:
    def level(t: float) -> float:
        return 0.075 - 0.027 * t

    def band(t0: float, t1: float, colour: tuple) -> None:
        _polygon(pen, side, [(x - level(t0), y - 0.30 * t0), (x + level(t0), y - 0.30 * t0),
                             (x + level(t1), y - 0.30 * t1), (x - level(t1), y - 0.30 * t1)], colour)

    band(0.0, 1.0, c["main"])
    band(0.36, 0.58, c["pale"] if c["pale"] != c["main"] else c["shade"])
    _box(pen, side, x - 0.065, y - 0.32, x + 0.065, y - 0.295, c["dark"])
    _box(pen, side, x - 0.035, y - 0.375, x + 0.035, y - 0.32, (255, 226, 128))
    _polygon(pen, side, [(x - 0.06, y - 0.37), (x, y - 0.44), (x + 0.06, y - 0.37)], c["main"])


def _draw_figure(scene: Scene, side: int) -> np.ndarray:
    rng = random.Random(f"drawing {scene.seed}")
    image = Image.new("RGB", (side, side), RGB[scene.background])
    pen = ImageDraw.Draw(image)
    x, y, r = 0.5 + rng.uniform(-0.04, 0.04), 0.5 + rng.uniform(-0.04, 0.04), rng.uniform(0.27, 0.33)
    colour = RGB[scene.colour]
    if scene.shape == "circle":
        _disc(pen, side, x, y, r, colour)
    elif scene.shape == "square":
        _box(pen, side, x - r * 0.9, y - r * 0.9, x + r * 0.9, y + r * 0.9, colour)
    elif scene.shape == "triangle":
        _polygon(pen, side, [(x - r * 1.1, y + r * 0.85), (x, y - r), (x + r * 1.1, y + r * 0.85)], colour)
    elif scene.shape == "star":
        radii = [(r * 1.15 if i % 2 == 0 else r * 0.5, math.pi * (i / 5 - 0.5)) for i in range(10)]
        _polygon(pen, side, [(x + a * math.cos(t), y + a * math.sin(t)) for a, t in radii], colour)
    else:
        waves = ((1, 13), (2, -5), (3, -2), (4, -1))  # the heart curve: y = 13 cos t - 5 cos 2t - 2 cos 3t - cos 4t
        angles = [2 * math.pi * i / 80 for i in range(80)]
        _polygon(pen, side, [(x + r * math.sin(t) ** 3 * 1.05,
                              y - r * sum(size * math.cos(wave * t) for wave, size in waves) / 16)
                             for t in angles], colour)
    return np.asarray(image.reduce(SUPERSAMPLING), np.uint8)
