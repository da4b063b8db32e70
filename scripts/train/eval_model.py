#!/usr/bin/env python3
"""How often a tiny model draws what it is asked for, each attribute apart, on captions of scenes it never saw.

Every caption goes through the program; a small network (scripts/train/tiny/judge.py) says what each picture shows. What a
caption leaves unsaid is not counted. The judge's own accuracy on drawn scenes stands beside the model's: it is the most
a perfect model could reach. Exits with 1 if an attribute is below its bar.
"""

from __future__ import annotations

import argparse
import dataclasses
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
BARS = {"time": 0.90, "background": 0.90, "ground": 0.85, "object colour": 0.85, "object kind": 0.80, "shape": 0.80}
EXAMPLES = """examples:
  python scripts/train/eval_model.py models/tiny-sd15
  python scripts/train/eval_model.py models/tiny-sd15 models/tiny-sdxl models/tiny-flux
  python scripts/train/eval_model.py models/tiny-sd15 --count 40 --guidance 2.5 --pictures build/eval --json build/eval.json
"""


@dataclasses.dataclass(frozen=True)
class Row:
    """One attribute of one model."""

    model: str
    attribute: str
    right: int
    counted: int
    judge_right: int
    judge_counted: int

    @property
    def share(self) -> float:
        return self.right / max(1, self.counted)

    @property
    def bar(self) -> float | None:
        return BARS.get(self.attribute)

    @property
    def passed(self) -> bool:
        return self.bar is None or self.share >= self.bar


def held_out(count: int) -> Iterator[tuple[Any, str, set[str]]]:
    """(scene, caption, attributes the caption leaves unsaid)."""
    from train.tiny import scenes

    for seed in range(HELD_OUT_SCENES, HELD_OUT_SCENES + count):
        scene = scenes.random_scene(seed)
        yield (scene, *scenes.caption(scene, random.Random(f"caption {seed}")))


def rendered(arguments: argparse.Namespace, model: Path, captions: list[str], folder: Path) -> Iterator[Any]:
    """One uint8 picture [h, w, 3] for each caption; picture i is drawn with seed i."""
    import numpy as np
    from PIL import Image

    for i, caption in enumerate(captions):
        if i % 20 == 0:
            program.progress(f"{model.name}: {i} of {len(captions)} pictures")
        path = folder / f"{i:03}.png"
        program.generate(arguments.program, caption, path, model=model, seed=i, steps=arguments.steps,
                         guidance=arguments.guidance, threads=arguments.threads)
        yield np.array(Image.open(path).convert("RGB"))


def evaluate(arguments: argparse.Namespace, folder: Path) -> list[Row]:
    import torch
    from train.tiny import judge

    torch.set_num_threads(1)
    network = judge.load_or_train(arguments.judge)
    ceiling = judge.validate(network)
    shown, captions, unsaid = map(list, zip(*held_out(arguments.count)))
    (folder / "captions.txt").write_text("\n".join(captions) + "\n", encoding="utf-8")
    rows = []
    for model in arguments.models:
        place = folder / model.resolve().name
        place.mkdir(exist_ok=True)
        counts = judge.accuracy(network, rendered(arguments, model, captions, place), shown, unsaid)
        rows += [Row(place.name, name, *counts[name], *ceiling[name]) for name in judge.ROWS]
    return rows


def print_table(rows: list[Row]) -> None:
    program.print_table(["model", "attribute", "right", "of", "bar", "judge on drawn scenes", ""],
                        ([row.model, row.attribute, f"{row.share:.1%}", row.counted, f"{row.bar:.0%}" if row.bar else "-",
                          f"{row.judge_right / max(1, row.judge_counted):.1%}", "ok" if row.passed else "BELOW"]
                         for row in rows))


def parse_arguments() -> argparse.Namespace:
    parser = program.parser_of(__doc__, EXAMPLES)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="folder of a tiny model")
    parser.add_argument("--count", type=int, default=200, help="how many captions (default: %(default)s)")
    parser.add_argument("--steps", type=int, help="steps of a picture (default: the model's)")
    parser.add_argument("--guidance", type=float, help="guidance (default: the model's)")
    parser.add_argument("--threads", type=int, default=1, help="threads of lapis (default: %(default)s)")
    parser.add_argument("--judge", type=Path, default=program.ROOT / "build" / "judge.pt",
                        help="where the judge is kept; it is trained in 5 minutes if missing (default: build/judge.pt)")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="keep the pictures and their captions there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to FILE too")
    return peer_python.arguments_of(parser)


@program.reported
def main() -> int:
    arguments = parse_arguments()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.pictures or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        rows = evaluate(arguments, folder)
    print_table(rows)
    program.write_rows(arguments.json, [dataclasses.asdict(row) | {"share": row.share, "bar": row.bar} for row in rows])
    below = [f"{row.model}: {row.attribute}" for row in rows if not row.passed]
    if below:
        print(f"error: below the bar: {', '.join(below)}. Train the model longer.", file=sys.stderr)
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
