"""A small network that says what a picture of scenes.py shows, and the accuracy of pictures against their prompts.

It looks at the whole picture and, through one shared network, at the two columns where objects stand. It is trained on
freshly drawn scenes, blurred, coarsened, noised and tinted at random, so that soft pictures of a model do not fool it.

    python -m scripts.train.tiny.judge build/judge.pt
"""

from __future__ import annotations

import argparse
import hashlib
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from . import drawing, scenes
from .training import Progress, generator, learning_rate

SIDE = 96  # pictures are judged at this size
COLUMN = 42  # width of an object's column, in pixels of SIDE
DRAWN = 128  # size training scenes are drawn at
STEPS, BATCH, PEAK, WARMUP = 1000, 32, 3e-3, 60
TRAINING_SCENES, VALIDATION_SCENES = 1_500_000_000, 1_800_000_000  # first seeds; no model trains on either
WHOLE = ("kind", "time", "ground", "relief", "shape", "colour", "background")
OBJECT = {"": scenes.OBJECTS, "_colour": scenes.OBJECT_COLOURS}  # heads of a column, by the attribute's ending

Count = tuple[int, int]  # right, counted


class Trunk(nn.Sequential):
    """Four stride-2 convolutions and a hidden layer: [B, 3, h, w] -> [B, 160]."""

    def __init__(self, height: int, width: int) -> None:
        layers: list[nn.Module] = []
        channels = (3, 24, 48, 96, 128)
        for before, after in zip(channels, channels[1:]):
            layers += [nn.Conv2d(before, after, 3, 2, 1, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
            height, width = -(-height // 2), -(-width // 2)
        layers += [nn.Flatten(), nn.Dropout(0.1), nn.Linear(channels[-1] * height * width, 160), nn.ReLU()]
        super().__init__(*layers)


class Judge(nn.Module):
    """Logits of every attribute of scenes.ATTRIBUTES."""

    def __init__(self) -> None:
        super().__init__()
        self.whole, self.column = Trunk(SIDE, SIDE), Trunk(SIDE, COLUMN)
        self.whole_heads = nn.ModuleDict({name: nn.Linear(160, len(scenes.ATTRIBUTES[name])) for name in WHOLE})
        self.column_heads = nn.ModuleDict({f"object{ending}": nn.Linear(160, len(values))
                                           for ending, values in OBJECT.items()})

    def forward(self, pictures: torch.Tensor) -> dict[str, torch.Tensor]:
        """pictures [B, 3, SIDE, SIDE] in [-1, 1] -> attribute -> logits [B, classes]."""
        seen = self.whole(pictures)
        logits = {name: head(seen) for name, head in self.whole_heads.items()}
        for place, centre in drawing.PLACE_X.items():
            left = round(centre * SIDE - COLUMN / 2)
            seen = self.column(pictures[..., left:left + COLUMN])
            logits |= {place + name.removeprefix("object"): head(seen) for name, head in self.column_heads.items()}
        return logits

    @torch.no_grad()
    def classes(self, pictures: Iterable[np.ndarray]) -> list[dict[str, int]]:
        """The class of every attribute, one dictionary for each uint8 picture [h, w, 3] of any size."""
        self.eval()
        answers = []
        for picture in pictures:
            logits = self(to_input(picture[None]))
            answers.append({name: int(values.argmax()) for name, values in logits.items()})
        return answers


def to_input(pictures: np.ndarray) -> torch.Tensor:
    """uint8 [B, h, w, 3] of any size -> [B, 3, SIDE, SIDE] in [-1, 1]."""
    values = torch.tensor(pictures).permute(0, 3, 1, 2).float() / 127.5 - 1
    return F.interpolate(values, (SIDE, SIDE), mode="bilinear", antialias=True, align_corners=False)


# ---- training ----


def worsen(pictures: torch.Tensor, numbers: torch.Generator) -> torch.Tensor:
    """Softness, tint and noise as a model's pictures may have them, another strength for each picture."""
    def strength(low: float, high: float, *shape: int) -> torch.Tensor:
        return low + (high - low) * torch.rand(len(pictures), *shape, 1, 1, generator=numbers)

    soft = F.avg_pool2d(F.pad(pictures, (1, 1, 1, 1), mode="replicate"), 3, 1)
    coarse = F.interpolate(F.avg_pool2d(pictures, 3), (SIDE, SIDE), mode="bilinear", align_corners=False)
    pictures = pictures.lerp(soft, strength(0, 1, 1)).lerp(coarse, strength(-0.6, 0.6, 1).clamp(min=0))
    pictures = pictures * strength(0.94, 1.06, 3) + strength(-0.05, 0.05, 3)
    return pictures + strength(0, 0.06, 1) * torch.randn(pictures.shape, generator=numbers)


def drawn_batch(first: int, count: int) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Scenes `first`...: pictures [count, 3, SIDE, SIDE] and the classes of each attribute [count], -1 for none."""
    batch = [scenes.random_scene(seed, figures=0.3) for seed in range(first, first + count)]
    classes = [scenes.attributes(scene) for scene in batch]
    pictures = to_input(np.stack([drawing.draw(scene, DRAWN) for scene in batch]))
    return pictures, {name: torch.tensor([each[name] for each in classes]) for name in scenes.ATTRIBUTES}


def loss_of(logits: dict[str, torch.Tensor], classes: dict[str, torch.Tensor]) -> torch.Tensor:
    """Cross entropy of every attribute, over the pictures that have it."""
    losses = [F.cross_entropy(logits[name], target, ignore_index=-1)
              for name, target in classes.items() if (target >= 0).any()]
    return torch.stack(losses).mean()


def train() -> Judge:
    """A new judge. The same one every time on one machine."""
    torch.manual_seed(0)
    judge = Judge().train()
    optimiser = torch.optim.AdamW(judge.parameters(), lr=PEAK, weight_decay=1e-2)
    progress = Progress("judge", STEPS, 0)
    for step in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = learning_rate(step, STEPS, PEAK, WARMUP)
        pictures, classes = drawn_batch(TRAINING_SCENES + step * BATCH, BATCH)
        loss = loss_of(judge(worsen(pictures, generator(0, "judge", step))), classes)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()
        progress.update(step, float(loss.detach()))
    return judge.eval()


def fingerprint() -> str:
    """Changes with the network, the schedule, or the pictures it learns from."""
    pictures, classes = drawn_batch(TRAINING_SCENES, BATCH)
    facts = (str(Judge()), STEPS, BATCH, PEAK, WARMUP, {name: values.tolist() for name, values in classes.items()})
    return hashlib.sha256(pictures.numpy().tobytes() + repr(facts).encode()).hexdigest()


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


# ---- accuracy ----


ROWS = ("time", "ground", "relief", "object kind", "object colour", "absence", "shape", "shape colour", "background")


def judged(answer: dict[str, int], scene: scenes.Scene, unsaid: set[str]) -> Iterable[tuple[str, bool]]:
    """(row, right) for every attribute of `scene` that its caption says."""
    truth = scenes.attributes(scene)
    for row, name in (("time", "time"), ("ground", "ground"), ("relief", "relief"), ("shape", "shape"),
                      ("shape colour", "colour"), ("background", "background")):
        if truth[name] >= 0 and name not in unsaid:
            yield row, answer[name] == truth[name]
    if not scene.is_landscape:
        return
    for place in scenes.PLACES:
        if place in unsaid:
            continue
        if scenes.OBJECTS[truth[place]] == "none":
            yield "absence", answer[place] == truth[place]
            continue
        yield "object kind", answer[place] == truth[place]
        colour = f"{place}_colour"
        if colour not in unsaid:  # a colour needs an object to be seen on
            yield "object colour", scenes.OBJECTS[answer[place]] != "none" and answer[colour] == truth[colour]


def accuracy(judge: Judge, pictures: Iterable[np.ndarray], shown: Sequence[scenes.Scene],
             unsaid: Sequence[set[str]]) -> dict[str, Count]:
    """Row -> (right, counted). `pictures`, uint8 [h, w, 3] of any size, were asked for by captions of `shown` that do
    not say the attributes in `unsaid`."""
    counts = {row: [0, 0] for row in ROWS}
    for answer, scene, silent in zip(judge.classes(pictures), shown, unsaid, strict=True):
        for row, right in judged(answer, scene, silent):
            counts[row][0] += right
            counts[row][1] += 1
    return {row: (right, counted) for row, (right, counted) in counts.items()}


def validate(judge: Judge, count: int = 500) -> dict[str, Count]:
    """The judge's own accuracy on drawn scenes it never saw."""
    shown = [scenes.random_scene(VALIDATION_SCENES + i) for i in range(count)]
    return accuracy(judge, (drawing.draw(scene, 256) for scene in shown), shown, [set()] * count)


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains the judge and prints its accuracy on fresh scenes.",
                                     epilog="example: python -m scripts.train.tiny.judge build/judge.pt")
    parser.add_argument("path", type=Path, help="where the judge is kept")
    torch.set_num_threads(1)
    for row, (right, counted) in validate(load_or_train(parser.parse_args().path)).items():
        print(f"{row:14} {right / max(1, counted):7.1%}  of {counted}")


if __name__ == "__main__":
    main()
