"""Scenes as flat-design pictures.

A landscape is laid out in shares of the picture's width and height; a thing is drawn in units of the shorter side, so
that a scene looks the same at every size and shape. Nothing smaller than a few percent of the picture is drawn: an
autoencoder would lose it.
"""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Sequence

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
PLACE_X = {"left": 0.2, "middle": 0.5, "right": 0.8}  # shares of the width
THING_SIZE, SINGLE_SIZE = (0.76, 0.86), (0.85, 1.05)  # of what the painters draw, where there are several and where one


@dataclasses.dataclass(frozen=True)
class Brush:
    """Draws in coordinates of its own: `origin` is where their 0, 0 lies and `unit` how long their 1 is, in pixels."""

    pen: ImageDraw.ImageDraw
    origin: tuple[float, float] = (0.0, 0.0)
    unit: tuple[float, float] = (1.0, 1.0)

    def at(self, x: float, y: float, unit: float) -> Brush:
        """A brush with its origin at x, y and one unit, in pixels, both ways."""
        return Brush(self.pen, (self.origin[0] + x * self.unit[0], self.origin[1] + y * self.unit[1]), (unit, unit))

    def _pixels(self, points: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
        return [(self.origin[0] + x * self.unit[0], self.origin[1] + y * self.unit[1]) for x, y in points]

    def polygon(self, points: Sequence[tuple[float, float]], colour: tuple) -> None:
        self.pen.polygon(self._pixels(points), fill=colour)

    def box(self, x0: float, y0: float, x1: float, y1: float, colour: tuple) -> None:
        self.pen.rectangle(self._pixels([(x0, y0), (x1, y1)]), fill=colour)

    def ellipse(self, x0: float, y0: float, x1: float, y1: float, colour: tuple) -> None:
        self.pen.ellipse(self._pixels([(x0, y0), (x1, y1)]), fill=colour)

    def disc(self, x: float, y: float, r: float, colour: tuple) -> None:
        self.ellipse(x - r, y - r, x + r, y + r, colour)

    def bar(self, x0: float, y0: float, x1: float, y1: float, r: float, colour: tuple) -> None:
        """A box with corners of radius r."""
        self.pen.rounded_rectangle(self._pixels([(x0, y0), (x1, y1)]), radius=r * self.unit[1], fill=colour)


@dataclasses.dataclass(frozen=True)
class Spot:
    """Where a thing stands: shares of the width and the height, and its size in shares of the shorter side."""

    x: float
    y: float
    size: float


def draw(scene: Scene, width: int, height: int | None = None, at: Sequence[Spot] | None = None) -> np.ndarray:
    """The picture of `scene`, uint8 [height, width, 3]; a square without a height. Its things stand `at` these spots,
    or else where `spots` says."""
    sides = np.array((width, height or width)) * SUPERSAMPLING
    if not scene.is_landscape:
        return _draw_figure(scene, sides)
    rng = random.Random(f"drawing {scene.seed}")
    palette = PALETTES[scene.time]
    horizon = 0.57 + rng.uniform(-0.015, 0.015)
    sun = _sun_place(scene.time, horizon, rng)
    image = Image.fromarray(_sky(palette["sky"], sides, horizon))
    brush, unit = Brush(ImageDraw.Draw(image), unit=tuple(sides)), int(min(sides))
    if scene.time == "night":
        for _ in range(9):
            brush.at(rng.uniform(0.03, 0.97), rng.uniform(0.03, 0.36), unit).disc(0, 0, 0.009, (236, 238, 250))
    brush.at(*sun, unit).disc(0, 0, 0.075, palette["sun"])
    for _ in range(rng.choice((0, 1, 1, 2))):
        _draw_cloud(brush.at(rng.uniform(0.12, 0.88), rng.uniform(0.08, 0.26), unit * rng.uniform(0.9, 1.2)),
                    palette["cloud"])
    _draw_relief(brush, sides[0] / unit, unit, scene.relief, horizon, palette, rng)
    _draw_ground(image, scene, horizon, palette, sun, rng)
    for spot, (_, thing) in zip(at or spots(scene), scene.things, strict=True):
        _draw_thing(Brush(ImageDraw.Draw(image), unit=tuple(sides)), unit, scene, thing, spot)
    small = np.asarray(image.reduce(SUPERSAMPLING), np.float32)
    return np.clip(_glow(small, sun, palette["sun"], scene.time) + 0.5, 0, 255).astype(np.uint8)


def spots(scene: Scene) -> list[Spot]:
    """Where the things of a landscape stand: a thing's foot, a balloon's middle."""
    rng = random.Random(f"spots {scene.seed}")
    size = rng.uniform(*(SINGLE_SIZE if len(scene.things) == 1 else THING_SIZE))
    return [Spot(PLACE_X[place] + rng.uniform(-0.025, 0.025), level(scene, thing) + rng.uniform(-0.012, 0.012), size)
            for place, thing in scene.things]


def level(scene: Scene, thing: Thing) -> float:
    """How far down a thing stands, a share of the height."""
    if thing.kind == "balloon":
        return 0.26
    return 0.77 if scene.ground == "lake" and thing.kind != "boat" else 0.80


def _sun_place(time: str, horizon: float, rng: random.Random) -> tuple[float, float]:
    low = time in ("dawn", "sunset")
    return rng.uniform(0.2, 0.8), horizon - rng.uniform(0.07, 0.12) if low else rng.uniform(0.13, 0.2)


def _sky(stops: tuple, sides: np.ndarray, horizon: float) -> np.ndarray:
    rows = np.clip(np.arange(sides[1]) / sides[1] / horizon, 0, 1)
    columns = [np.interp(rows, (0.0, 0.55, 1.0), [stop[c] for stop in stops]) for c in range(3)]
    return np.repeat(np.stack(columns, -1)[:, None], sides[0], 1).astype(np.uint8)


def _glow(picture: np.ndarray, sun: tuple[float, float], colour: tuple, time: str) -> np.ndarray:
    height, width = picture.shape[:2]
    unit = min(width, height)
    x, y = ((np.arange(side, dtype=np.float32) + 0.5 - share * side) / unit
            for side, share in ((width, sun[0]), (height, sun[1])))
    strength = {"dawn": 0.30, "day": 0.22, "sunset": 0.34, "night": 0.20}[time]
    distance2 = x[None, :] ** 2 + y[:, None] ** 2
    return picture + strength * np.exp(-distance2 / (2 * 0.14**2))[..., None] * (np.float32(colour) - picture)


def _draw_cloud(brush: Brush, colour: tuple) -> None:
    brush.bar(-0.11, -0.012, 0.11, 0.04, 0.026, colour)
    brush.disc(-0.03, -0.006, 0.045, colour)
    brush.disc(0.045, 0.004, 0.034, colour)


def _wave(rng: random.Random, level: float, height: float) -> list[tuple[float, float]]:
    phase, length = rng.uniform(0, 2 * math.pi), rng.uniform(0.8, 1.3)
    xs = [i / 40 for i in range(41)]
    return [(x, level - height * (0.5 + 0.5 * math.sin(2 * math.pi * x * length + phase))) for x in xs]


def _filled(line: list[tuple[float, float]], bottom: float) -> list[tuple[float, float]]:
    return [*line, (line[-1][0], bottom), (line[0][0], bottom)]


def _draw_relief(brush: Brush, width: float, unit: int, relief: str, horizon: float, palette: dict,
                 rng: random.Random) -> None:
    """`width`: of the picture, in units."""
    far, near = palette["relief"]
    if relief == "hills":
        brush.polygon(_filled(_wave(rng, horizon - 0.02, 0.13), horizon + 0.01), far)
        brush.polygon(_filled(_wave(rng, horizon + 0.01, 0.10), horizon + 0.01), near)
    if relief == "mountains":
        brush = brush.at(0, horizon, unit)
        offset = rng.uniform(-0.08, 0.08)
        peaks = range(-1, int(width / 0.33) + 2)
        for i in peaks:
            x, h, w = i * 0.33 + offset + 0.16, rng.uniform(0.22, 0.28), 0.25
            brush.polygon([(x - w, 0.01), (x, -h), (x + w, 0.01)], far)
            k = 0.30
            brush.polygon([(x - w * k, -h * (1 - k)), (x, -h), (x + w * k, -h * (1 - k)),
                           (x + w * k * 0.4, -h * (1 - k * 0.75)), (x, -h * (1 - k * 1.15)),
                           (x - w * k * 0.4, -h * (1 - k * 0.75))], palette["cap"])
        for i in peaks:
            x, h, w = i * 0.33 + offset, rng.uniform(0.10, 0.14), 0.20
            brush.polygon([(x - w, 0.01), (x, -h), (x + w, 0.01)], near)


def _lit(colour: tuple, light: tuple) -> tuple[int, int, int]:
    return tuple(int(c * l) for c, l in zip(colour, light))


def _draw_ground(image: Image.Image, scene: Scene, horizon: float, palette: dict, sun: tuple,
                 rng: random.Random) -> None:
    width, height = image.size
    unit, row = min(image.size), int(horizon * height)
    far, near = (_lit(c, LAND_LIGHT[scene.time]) for c in LANDS[scene.ground])
    brush = Brush(ImageDraw.Draw(image), unit=image.size)
    if scene.ground == "lake":
        above = image.crop((0, 2 * row - height, width, row)).transpose(Image.Transpose.FLIP_TOP_BOTTOM)
        image.paste(Image.blend(above, Image.new("RGB", above.size, palette["water"]), 0.5), (0, row))
        for i in range(4):
            glitter = brush.at(sun[0] + rng.uniform(-0.05, 0.05), horizon + 0.05 + 0.065 * i, unit)
            w = 0.075 - 0.008 * i
            glitter.bar(-w, 0, w, 0.014, 0.007, palette["sun"])
        brush.polygon(_filled(_wave(rng, 0.95, 0.05), 1.0), near)
        return
    rows = np.linspace(0, 1, height - row)[:, None, None]
    land = np.float32(far) + rows * 0.8 * (np.float32(near) - np.float32(far))
    image.paste(Image.fromarray(np.repeat(land, width, 1).astype(np.uint8)), (0, row))
    if scene.ground == "desert":
        brush.polygon(_filled(_wave(rng, 0.78, 0.09), 1.0), _lit(near, (0.97, 0.95, 0.95)))
    brush.polygon(_filled(_wave(rng, 0.92, 0.07), 1.0), _lit(near, (0.90, 0.88, 0.90)))
    if scene.ground == "meadow":
        for _ in range(5):
            colour = _lit(rng.choice(((255, 220, 90), (255, 250, 240), (246, 120, 140))), palette["light"])
            brush.at(rng.uniform(0.04, 0.96), rng.uniform(0.90, 0.97), unit).disc(0, 0, 0.015, colour)


def _draw_thing(brush: Brush, unit: int, scene: Scene, thing: Thing, spot: Spot) -> None:
    light = PALETTES[scene.time]["light"]
    main = _lit(RGB[thing.colour], light)
    shade = _lit(main, (0.74, 0.72, 0.76))
    wood, dark = _lit((116, 80, 56), light), _lit((70, 56, 60), light)
    pale = _lit((250, 246, 236), light)
    window = (255, 226, 128) if scene.time in ("night", "sunset") else _lit((176, 214, 240), light)
    at = brush.at(spot.x, spot.y, unit * spot.size)
    if scene.ground == "lake" and thing.kind not in ("boat", "balloon"):
        at.ellipse(-0.19, -0.035, 0.19, 0.045, _lit(LANDS["lake"][0], LAND_LIGHT[scene.time]))
    PAINTERS[thing.kind](at, dict(main=main, shade=shade, wood=wood, dark=dark, pale=pale, window=window))


def _house(brush: Brush, c: dict) -> None:
    brush.box(0.055, -0.30, 0.09, -0.20, c["dark"])
    brush.box(-0.115, -0.17, 0.115, 0, c["main"])
    brush.box(-0.115, -0.17, -0.075, 0, c["shade"])
    brush.polygon([(-0.15, -0.165), (0, -0.30), (0.15, -0.165)], c["wood"])
    brush.box(-0.05, -0.12, 0.005, -0.065, c["window"])
    brush.box(0.04, -0.11, 0.09, 0, c["dark"])


def _tree(brush: Brush, c: dict) -> None:
    brush.box(-0.022, -0.16, 0.022, 0, c["wood"])
    for dx, dy, r in ((-0.06, -0.20, 0.075), (0.06, -0.20, 0.075), (0.0, -0.27, 0.095)):
        brush.disc(dx, dy, r, c["main"])
    brush.disc(-0.055, -0.185, 0.04, c["shade"])


def _balloon(brush: Brush, c: dict) -> None:
    brush.polygon([(-0.105, 0.055), (0.105, 0.055), (0.03, 0.17), (-0.03, 0.17)], c["main"])
    brush.disc(0, 0, 0.12, c["main"])
    brush.ellipse(-0.045, -0.12, 0.045, 0.165, c["shade"])
    brush.box(-0.035, 0.19, 0.035, 0.24, c["wood"])


def _boat(brush: Brush, c: dict) -> None:
    brush.box(-0.01, -0.32, 0.008, -0.06, c["dark"])
    brush.polygon([(0.018, -0.31), (0.13, -0.095), (0.018, -0.095)], c["main"])
    brush.polygon([(-0.02, -0.27), (-0.11, -0.095), (-0.02, -0.095)], c["shade"])
    brush.polygon([(-0.15, -0.07), (0.15, -0.07), (0.10, 0.005), (-0.10, 0.005)], c["wood"])


def _tent(brush: Brush, c: dict) -> None:
    brush.polygon([(-0.165, 0), (0, -0.24), (0.165, 0)], c["main"])
    brush.polygon([(-0.165, 0), (0, -0.24), (-0.06, 0)], c["shade"])
    brush.polygon([(-0.01, 0), (0.03, -0.14), (0.085, 0)], c["dark"])


def _lighthouse(brush: Brush, c: dict) -> None:
    def level(t: float) -> float:
        return 0.075 - 0.027 * t

    def band(t0: float, t1: float, colour: tuple) -> None:
        brush.polygon([(-level(t0), -0.30 * t0), (level(t0), -0.30 * t0), (level(t1), -0.30 * t1),
                       (-level(t1), -0.30 * t1)], colour)

    band(0.0, 1.0, c["main"])
    band(0.36, 0.58, c["pale"] if c["pale"] != c["main"] else c["shade"])
    brush.box(-0.065, -0.32, 0.065, -0.295, c["dark"])
    brush.box(-0.035, -0.375, 0.035, -0.32, (255, 226, 128))
    brush.polygon([(-0.06, -0.37), (0, -0.44), (0.06, -0.37)], c["main"])


PAINTERS = {"house": _house, "tree": _tree, "balloon": _balloon, "boat": _boat, "tent": _tent,
            "lighthouse": _lighthouse}


def _draw_figure(scene: Scene, sides: np.ndarray) -> np.ndarray:
    rng = random.Random(f"drawing {scene.seed}")
    image = Image.new("RGB", tuple(sides), RGB[scene.background])
    place, size = (0.5 + rng.uniform(-0.04, 0.04), 0.5 + rng.uniform(-0.04, 0.04)), rng.uniform(0.27, 0.33)
    brush = Brush(ImageDraw.Draw(image), unit=tuple(sides)).at(*place, size * min(sides))
    colour = RGB[scene.colour]
    if scene.shape == "circle":
        brush.disc(0, 0, 1, colour)
    elif scene.shape == "square":
        brush.box(-0.9, -0.9, 0.9, 0.9, colour)
    elif scene.shape == "triangle":
        brush.polygon([(-1.1, 0.85), (0, -1), (1.1, 0.85)], colour)
    elif scene.shape == "star":
        radii = [(1.15 if i % 2 == 0 else 0.5, math.pi * (i / 5 - 0.5)) for i in range(10)]
        brush.polygon([(a * math.cos(t), a * math.sin(t)) for a, t in radii], colour)
    else:
        waves = ((1, 13), (2, -5), (3, -2), (4, -1))  # the heart curve: y = 13 cos t - 5 cos 2t - 2 cos 3t - cos 4t
        angles = [2 * math.pi * i / 80 for i in range(80)]
        brush.polygon([(math.sin(t) ** 3 * 1.05, -sum(size * math.cos(wave * t) for wave, size in waves) / 16)
                       for t in angles], colour)
    return np.asarray(image.reduce(SUPERSAMPLING), np.uint8)
