#!/usr/bin/env python3
"""How often a tiny model draws what it is asked for, on captions of scenes it never saw, in the categories of GenEval.

Every caption goes through the program; a small network (scripts/train/tiny/judge.py) says what each picture shows. What a
caption leaves unsaid is not counted. Three things stand beside a model's share: the judge's own accuracy on drawn scenes,
the most that a perfect model could reach; and what GenEval has measured of real models, which draw anything, and are judged by
other eyes: it says what a category is worth. A second table has pictures of other sizes, and with --hires 2: whether they
are one scene. Exits with 1 if a row is below its bar.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import random
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import peer_python
import program

HELD_OUT_SCENES = 2_000_000_000  # first seed; training and the judge stay below
SIZES = ("128x128", "192x192", "288x192", "192x288", "320x320", "384x256", "256x384", "384x384")
HIRES = "--hires 2"
BARS = {"overall": 0.92, "single object": 0.97, "colours": 0.97, "time": 0.97, "ground": 0.97, "relief": 0.97,
        "shape": 0.97, "shape colour": 0.97, "background": 0.97, "number": 0.92, "two objects": 0.80, "absence": 0.92}
ONE_SCENE_BAR = 0.90
# Of SD 1.5 and SDXL: Ghosh et al. 2023, https://github.com/djghosh13/geneval, "Main results"; of FLUX.1 dev: as in the tables
# of Qwen-Image (Wu et al. 2025, table 4) and others.
PUBLISHED = {"single object": (0.97, 0.98, 0.98), "two objects": (0.38, 0.74, 0.81), "counting": (0.35, 0.39, 0.74),
             "colours": (0.76, 0.85, 0.79), "position": (0.04, 0.15, 0.22), "colour attribution": (0.06, 0.23, 0.45),
             "overall": (0.43, 0.55, 0.66)}
EXAMPLES = """examples:
  python scripts/train/eval_model.py models/tiny-sd15
  python scripts/train/eval_model.py models/tiny-sd15 models/tiny-sdxl models/tiny-flux
  python scripts/train/eval_model.py models/tiny-sd15 --count 40 --guidance 2.5 --pictures build/eval --json build/eval.json
"""


@dataclasses.dataclass(frozen=True)
class Row:
    """One category or size of one model; `judge`: the judge's own share."""

    model: str
    row: str
    share: float
    counted: int
    judge: float | None
    bar: float | None

    @property
    def passed(self) -> bool:
        return self.bar is None or self.share >= self.bar


Asked = tuple[Any, str, set[str]]  # scene, caption, attributes the caption leaves unsaid


def held_out(count: int, first: int = HELD_OUT_SCENES) -> Iterator[Asked]:
    """Captions of scenes that no model saw, at least a third of them of two kinds of thing."""
    from train.tiny import scenes

    seed, two = first, 0
    for i in range(count):
        while True:
            scene = scenes.random_scene(seed)
            seed += 1
            has_two = len({thing for _, thing in scene.things}) > 1
            if has_two or 3 * (i - two) <= 2 * count:
                break
        two += has_two
        yield (scene, *scenes.caption(scene, random.Random(f"caption {seed}")))


def rendered(arguments: argparse.Namespace, model: Path, captions: list[str], folder: Path,
             *options: str) -> Iterator[Any]:
    """One uint8 picture [h, w, 3] for each caption, all by one `lapis batch`; picture i is drawn with seed i."""
    import numpy as np
    from PIL import Image

    folder.mkdir(parents=True, exist_ok=True)
    jobs = folder / "jobs.jsonl"
    jobs.write_text("".join(json.dumps({"prompt": caption, "seed": i}) + "\n" for i, caption in enumerate(captions)),
                    encoding="utf-8")
    program.progress(f"{model.name}: {len(captions)} pictures {' '.join(options)}")
    command = [str(arguments.program), "batch", str(jobs), "--model", str(model), "--output", str(folder / "{line:03}.png"),
               "--threads", str(arguments.threads), "--progress", "none", "--overwrite", *options]
    for name in ("steps", "guidance"):
        if getattr(arguments, name) is not None:
            command += [f"--{name}", str(getattr(arguments, name))]
    program.run(command)
    for i in range(len(captions)):
        yield np.array(Image.open(folder / f"{i + 1:03}.png").convert("RGB"))


def native_rows(arguments: argparse.Namespace, network: Any, ceiling: dict[str, tuple[int, int]], model: Path,
                folder: Path) -> Iterator[Row]:
    """The categories, at the model's own size; `ceiling`: what the judge has on drawn scenes."""
    from train.tiny import judge

    shown, captions, unsaid = map(list, zip(*held_out(arguments.count)))
    counts = judge.scores(network, rendered(arguments, model, captions, folder), shown, unsaid)
    yield Row(model.resolve().name, "overall", judge.overall(counts), sum(counts[row][1] for row in judge.GENEVAL),
              judge.overall(ceiling), BARS["overall"])
    for name in judge.ROWS:
        right, counted = counts[name]
        yield Row(model.resolve().name, name, right / max(1, counted), counted, ceiling[name][0] / max(1, ceiling[name][1]),
                  BARS.get(name))


def size_rows(arguments: argparse.Namespace, network: Any, model: Path, folder: Path) -> Iterator[Row]:
    """One scene: as many things as were asked for, by day or night as asked; each size has its part of the captions."""
    from train.tiny import judge, scenes

    asked = held_out(arguments.size_count, HELD_OUT_SCENES + 1_000_000)
    landscapes = [each for each in asked if each[0].is_landscape]
    right_of_all = 0
    for i, size in enumerate((*SIZES, HIRES)):
        part = landscapes[i::len(SIZES) + 1]
        width, _, height = size.partition("x")
        options = size.split() if size == HIRES else ["--width", width, "--height", height]
        right = 0
        for picture, (scene, _, _) in zip(rendered(arguments, model, [caption for _, caption, _ in part],
                                                   folder / size.strip("-").replace(" ", ""), *options), part):
            sight = network.look(picture)
            right += (len(sight.things) == len(scene.things)
                      and sight.whole["time"] == scenes.attributes(scene)["time"])
        right_of_all += right
        yield Row(model.resolve().name, size, right / max(1, len(part)), len(part), None, None)
    yield Row(model.resolve().name, "all sizes", right_of_all / max(1, len(landscapes)), len(landscapes), None,
              ONE_SCENE_BAR)


def print_table(rows: list[Row]) -> None:
    def percent(value: float | None) -> str:
        return "-" if value is None else f"{value:.1%}"

    program.print_table(
        ["model", "row", "right", "of", "bar", "judge on drawn scenes", "SD 1.5 / SDXL / FLUX.1 dev, GenEval", ""],
        ([row.model, row.row, percent(row.share), row.counted, percent(row.bar), percent(row.judge),
          " / ".join(f"{value:.2f}" for value in PUBLISHED.get(row.row, ())) or "-", "ok" if row.passed else "BELOW"]
         for row in rows))


def parse_arguments() -> argparse.Namespace:
    parser = program.parser_of(__doc__, EXAMPLES)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="folder of a tiny model")
    parser.add_argument("--count", type=int, default=500, help="how many captions at the model's size (default: %(default)s)")
    parser.add_argument("--size-count", type=int, default=120,
                        help="how many captions at other sizes, all together (default: %(default)s; 0: none)")
    parser.add_argument("--steps", type=int, help="steps of a picture (default: the model's)")
    parser.add_argument("--guidance", type=float, help="guidance (default: the model's)")
    parser.add_argument("--threads", type=int, default=1, help="threads of lapis (default: %(default)s)")
    parser.add_argument("--judge", type=Path, default=program.ROOT / "build" / "judge.pt",
                        help="where the judge is kept; it is trained in 7 minutes if missing (default: build/judge.pt)")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="keep the pictures and their captions there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to FILE too")
    return peer_python.arguments_of(parser)


@program.reported
def main() -> int:
    arguments = parse_arguments()
    import torch
    from train.tiny import judge

    torch.set_num_threads(1)
    network = judge.load_or_train(arguments.judge)
    ceiling = judge.validate(network)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as temporary:
        for model in arguments.models:
            folder = (arguments.pictures or Path(temporary)) / model.resolve().name
            rows += native_rows(arguments, network, ceiling, model, folder)
            if arguments.size_count:
                rows += size_rows(arguments, network, model, folder)
    print_table(rows)
    program.write_rows(arguments.json, [dataclasses.asdict(row) for row in rows])
    below = [f"{row.model}: {row.row}" for row in rows if not row.passed]
    if below:
        print(f"error: below the bar: {', '.join(below)}. Train the model longer.", file=sys.stderr)
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
