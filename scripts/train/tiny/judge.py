"""A small network that says what a picture of scenes.py shows: time, ground, relief or figure, and every thing with its
kind, its colour and its place, so that things can be counted.

It is trained on freshly drawn scenes, with up to four things wherever they may stand, blurred, coarsened, noised and
tinted at random, so that soft pictures of a model do not fool it. What `scores` says of pictures is in the categories of
GenEval (Ghosh et al. 2023, "GenEval: An Object-Focused Framework for Evaluating Text-to-Image Alignment"), with rows for
absence and for the scene.

    python -m scripts.train.tiny.judge build/judge.pt
"""

from __future__ import annotations

import argparse
import collections
import dataclasses
import hashlib
import random
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from . import drawing, scenes
from .training import Progress, bf16_where_native, generator, learning_rate

SIDE, CELL = 96, 4  # pixels of a judged picture's shorter side, and of a cell of the map of things
NEAR, RING = 1, 2  # cells about a thing's middle that are to say what it is, and those that may say anything
APART = 3  # cells within which two answers are one thing
STEPS, BATCH, PEAK, WARMUP = 2400, 32, 2e-3, 60
TRAINING_SCENES, VALIDATION_SCENES = 1_500_000_000, 1_800_000_000  # first seeds; no model trains on either
WHOLE = ("kind", "time", "ground", "relief", "shape", "colour", "background")

Count = tuple[int, int]  # right, counted


@dataclasses.dataclass(frozen=True)
class Sight:
    """What a picture shows: the class of every attribute of the whole, and its things from left to right."""

    whole: dict[str, int]
    things: tuple[tuple[float, scenes.Thing], ...]  # share of the width, thing


class Judge(nn.Module):
    """Logits of the whole picture's attributes, and maps of things and of their colours."""

    def __init__(self) -> None:
        super().__init__()

        def layer(before: int, after: int, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
            return [nn.Conv2d(before, after, 3, stride, dilation, dilation, bias=False), nn.BatchNorm2d(after), nn.ReLU()]

        self.trunk = nn.Sequential(*layer(3, 24, 2), *layer(24, 48, 2), *layer(48, 64))
        self.near = nn.Sequential(*layer(64, 64), *layer(64, 64, dilation=2), *layer(64, 64, dilation=3))
        self.things = nn.Conv2d(64, len(scenes.OBJECTS), 1)
        self.colours = nn.Conv2d(128, len(scenes.OBJECT_COLOURS), 1)
        self.far = nn.Sequential(*layer(64, 96, 2), *layer(96, 128, 2), nn.AdaptiveAvgPool2d((6, 4)), nn.Flatten(),
                                 nn.Dropout(0.1), nn.Linear(128 * 24, 160), nn.ReLU())
        self.whole = nn.ModuleDict({name: nn.Linear(160, len(scenes.ATTRIBUTES[name])) for name in WHOLE})

    def forward(self, pictures: torch.Tensor) -> tuple[dict[str, torch.Tensor], torch.Tensor, torch.Tensor]:
        """pictures [B, 3, h, w] in [-1, 1] -> attribute -> logits [B, classes]; things [B, 7, h/4, w/4]; colours."""
        seen = self.trunk(pictures)
        near, far = self.near(seen), self.far(seen)
        return ({name: head(far) for name, head in self.whole.items()}, self.things(near),
                self.colours(torch.cat([seen, near], 1)))

    @torch.no_grad()
    def look(self, picture: np.ndarray) -> Sight:
        """What a picture, uint8 [h, w, 3] of any size, shows."""
        self.eval()
        whole, things, colours = self(to_input(picture[None]))
        return Sight({name: int(values.argmax()) for name, values in whole.items()},
                     tuple(found(things[0], colours[0])))


def found(things: torch.Tensor, colours: torch.Tensor) -> list[tuple[float, scenes.Thing]]:
    """The things of a map of logits [7, h, w], each where it is surest, with the colour that [6, h, w] says there."""
    sure = things[1:].logsumexp(0) - things[0]  # log odds: shares would be 1 in many cells
    tops = (sure > 0) & (F.max_pool2d(sure[None], 2 * APART + 1, 1, APART)[0] == sure)
    kind, colour = things[1:].argmax(0), F.avg_pool2d(colours.softmax(0), 3, 1, 1).argmax(0)
    seen = [((x + 0.5) / things.shape[2], scenes.Thing(scenes.OBJECTS[1 + kind[y, x]],
                                                       scenes.OBJECT_COLOURS[colour[y, x]]))
            for y, x in tops.nonzero().tolist()]
    return sorted(seen, key=lambda each: each[0])


def to_input(pictures: np.ndarray) -> torch.Tensor:
    """uint8 [B, h, w, 3] of any size -> [B, 3, h, w] in [-1, 1], the shorter side SIDE."""
    values = torch.tensor(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    scale = SIDE / min(values.shape[2:])
    sides = [round(side * scale / CELL) * CELL for side in values.shape[2:]]
    return F.interpolate(values, sides, mode="bilinear", antialias=True, align_corners=False)


# ---- training ----


def worsen(pictures: torch.Tensor, numbers: torch.Generator) -> torch.Tensor:
    """Softness, tint and noise as a model's pictures may have them, another strength for each picture."""
    def strength(low: float, high: float, *shape: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(len(pictures), *shape, 1, 1, generator=numbers)

    soft = F.avg_pool2d(F.pad(pictures, (1, 1, 1, 1), mode="replicate"), 3, 1)
    coarse = F.interpolate(F.avg_pool2d(pictures, 2), pictures.shape[2:], mode="bilinear", align_corners=False)
    pictures = pictures.lerp(soft, strength(0, 1, 1)).lerp(coarse, strength(-0.6, 0.6, 1).clamp(min=0))
    pictures = pictures * strength(0.95, 1.05, 3) + strength(-0.04, 0.04, 3)
    return pictures + strength(0, 0.05, 1) * torch.randn(pictures.shape, generator=numbers)


def scattered_scene(seed: int) -> tuple[scenes.Scene, list[drawing.Spot]]:
    """A landscape or figure of random_scene; half of the landscapes with up to four things of any kind anywhere."""
    scene, rng = scenes.random_scene(seed), random.Random(f"scattered {seed}")
    if not scene.is_landscape or rng.random() < 0.5:
        return scene, drawing.spots(scene)
    kinds = [kind for kind in scenes.OBJECTS[1:] if kind != "boat" or scene.ground == "lake"]
    things = tuple(("anywhere", scenes.Thing(rng.choice(kinds), rng.choice(scenes.OBJECT_COLOURS)))
                   for _ in range(rng.choice((0, 1, 2, 2, 3, 3, 4))))
    scene = dataclasses.replace(scene, things=things)
    gaps = [rng.random() for _ in range(len(things) + 1)]
    room = 0.76 - 0.24 * max(0, len(things) - 1)
    xs = [0.12 + 0.24 * i + room * sum(gaps[:i + 1]) / sum(gaps) for i in range(len(things))]
    return scene, [drawing.Spot(x, drawing.level(scene, thing) + rng.uniform(-0.03, 0.03), rng.uniform(0.7, 0.9))
                   for x, (_, thing) in zip(xs, things)]


def maps_of(scene: scenes.Scene, spots: Sequence[drawing.Spot], height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    """Class of every cell, things and colours, -1 where any answer will do; for a picture of height x width cells."""
    things, colours = np.zeros((height, width), np.int64), np.full((height, width), -1, np.int64)
    rows, columns = np.mgrid[:height, :width]
    for spot, (_, thing) in zip(spots, scene.things):
        lift = -0.05 if thing.kind == "balloon" else 0.13
        y = spot.y * height - lift * spot.size * min(height, width)
        far = np.maximum(abs(rows + 0.5 - y), abs(columns + 0.5 - spot.x * width))
        things[(far < RING + 0.5) & (things == 0)] = -1
        things[far < NEAR + 0.5] = scenes.OBJECTS.index(thing.kind)
        colours[far < NEAR + 0.5] = scenes.OBJECT_COLOURS.index(thing.colour)
    return things, colours


def drawn_batch(first: int, count: int) -> tuple[torch.Tensor, dict[str, torch.Tensor], torch.Tensor, torch.Tensor]:
    """Scenes `first`..., of one size: pictures [count, 3, h, w], the classes of each attribute [count], -1 for none, and
    of each cell [count, h/4, w/4], things and colours."""
    width, height = random.Random(first).choice(((128, 128), (128, 128), (192, 128), (128, 192)))
    batch = [scattered_scene(seed) for seed in range(first, first + count)]
    classes = [scenes.attributes(dataclasses.replace(scene, things=())) for scene, _ in batch]
    pictures = to_input(np.stack([drawing.draw(scene, width, height, at) for scene, at in batch]))
    maps = [maps_of(*each, pictures.shape[2] // CELL, pictures.shape[3] // CELL) for each in batch]
    things, colours = (torch.from_numpy(np.stack(each)) for each in zip(*maps))
    return pictures, {name: torch.tensor([each[name] for each in classes]) for name in WHOLE}, things, colours


def loss_of(judge: Judge, first: int, numbers: torch.Generator) -> torch.Tensor:
    """Cross entropy of every attribute, over the pictures that have it, and of the cells."""
    pictures, classes, things, colours = drawn_batch(first, BATCH)
    whole, thing_logits, colour_logits = judge(worsen(pictures, numbers))
    losses = [F.cross_entropy(whole[name].float(), target, ignore_index=-1)
              for name, target in classes.items() if (target >= 0).any()]
    weights = torch.tensor([1.0] + [4.0] * (len(scenes.OBJECTS) - 1))  # most cells are empty
    losses += [3 * F.cross_entropy(thing_logits.float(), things, weights, ignore_index=-1),
               F.cross_entropy(colour_logits.float(), colours, ignore_index=-1)]
    return torch.stack(losses).mean()


def train() -> Judge:
    """A new judge. The same one every time on one machine."""
    torch.manual_seed(0)
    judge = Judge().to(memory_format=torch.channels_last).train()
    optimiser = torch.optim.AdamW(judge.parameters(), lr=PEAK, weight_decay=1e-2)
    progress = Progress("judge", STEPS, 0)
    for step in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, STEPS, PEAK, WARMUP)
        with bf16_where_native(torch.device("cpu")):
            loss = loss_of(judge, TRAINING_SCENES + step * BATCH, generator(0, "judge", step))
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        progress.update(step, float(loss.detach()))
    return judge.eval()


def fingerprint() -> str:
    """Changes with the network, the schedule, or the pictures it learns from."""
    pictures, classes, things, colours = drawn_batch(TRAINING_SCENES, BATCH)
    facts = (str(Judge()), STEPS, BATCH, PEAK, WARMUP, {name: values.tolist() for name, values in classes.items()})
    digest = hashlib.sha256(repr(facts).encode())
    for values in (pictures, things, colours):
        digest.update(values.numpy().tobytes())
    return digest.hexdigest()


def load_or_train(path: Path) -> Judge:
    """The judge kept in `path`, or a new one where there is none or its `fingerprint` is another."""
    made_by = fingerprint()
    kept = torch.load(path, map_location="cpu") if path.exists() else {}
    if kept.get("made_by") == made_by:
        judge = Judge()
        judge.load_state_dict(kept["judge"])
        return judge.eval()
    print(f"training the judge, kept in {path} afterwards", file=sys.stderr, flush=True)
    judge = train()
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"made_by": made_by, "judge": judge.state_dict()}, path)
    return judge


# ---- scores ----

GENEVAL = ("single object", "two objects", "counting", "colours", "position", "colour attribution")
SCENE = ("time", "ground", "relief", "shape", "shape colour", "background")
ROWS = (*GENEVAL, "absence", "number", *SCENE)


def judged(sight: Sight, scene: scenes.Scene, unsaid: set[str]) -> Iterator[tuple[str, bool]]:
    """(row, right) for everything that a picture of `scene` is asked for."""
    truth = scenes.attributes(scene)
    for row, name in zip(SCENE, ("time", "ground", "relief", "shape", "colour", "background"), strict=True):
        if truth[name] >= 0 and name not in unsaid:
            yield row, sight.whole[name] == truth[name]
    if not scene.is_landscape:
        return
    asked = [thing for _, thing in scene.things]
    shown = [thing for _, thing in sight.things]
    asked_kinds, shown_kinds = (collections.Counter(thing.kind for thing in each) for each in (asked, shown))
    yield "absence", all(shown_kinds[kind] <= asked_kinds[kind] for kind in shown_kinds)
    yield "number", len(shown) == len(asked)
    if len(asked) == 1:
        [(place, thing)] = scene.things
        yield "single object", shown_kinds[thing.kind] >= 1
        yield "colours", thing in shown
        yield "position", any(seen.kind == thing.kind and place_of(x) == place for x, seen in sight.things)
    if len(asked) > 1 and len(set(asked)) == 1:
        yield "counting", shown_kinds[asked[0].kind] == len(asked)
    if len(set(asked)) > 1:
        yield "two objects", all(shown_kinds[kind] >= 1 for kind in asked_kinds)
        yield "colour attribution", set(asked) <= set(shown)
        yield "position", [thing.kind for thing in shown] == [thing.kind for thing in asked]


def place_of(x: float) -> str:
    """The place that a share of the width belongs to."""
    return min(drawing.PLACE_X, key=lambda place: abs(drawing.PLACE_X[place] - x))


def scores(judge: Judge, pictures: Iterable[np.ndarray], shown: Sequence[scenes.Scene],
           unsaid: Sequence[set[str]]) -> dict[str, Count]:
    """Row -> (right, counted). `pictures`, uint8 [h, w, 3] of any size, were asked for by captions of `shown` that do
    not say the attributes in `unsaid`."""
    counts = {row: [0, 0] for row in ROWS}
    for picture, scene, silent in zip(pictures, shown, unsaid, strict=True):
        for row, right in judged(judge.look(picture), scene, silent):
            counts[row][0] += right
            counts[row][1] += 1
    return {row: (right, counted) for row, (right, counted) in counts.items()}


def overall(counts: dict[str, Count]) -> float:
    """The mean of GenEval's six categories, of those that were asked for."""
    shares = [counts[row][0] / counts[row][1] for row in GENEVAL if counts[row][1]]
    return sum(shares) / max(1, len(shares))


def validate(judge: Judge, count: int = 1000) -> dict[str, Count]:
    """The judge's own accuracy on drawn scenes it never saw."""
    shown = [scenes.random_scene(VALIDATION_SCENES + i) for i in range(count)]
    return scores(judge, (drawing.draw(scene, 256) for scene in shown), shown, [set()] * count)


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains the judge and prints its accuracy on fresh scenes.",
                                     epilog="example: python -m scripts.train.tiny.judge build/judge.pt")
    parser.add_argument("path", type=Path, help="where the judge is kept")
    torch.set_num_threads(1)
    for row, (right, counted) in validate(load_or_train(parser.parse_args().path)).items():
        print(f"{row:18} {right / max(1, counted):7.1%}  of {counted}")


if __name__ == "__main__":
    main()
