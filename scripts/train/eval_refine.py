#!/usr/bin/env python3
"""What a conversion between families costs: pictures of one tiny model, refined by another one, for every ordered pair.

Each caption of a scene that no model saw is drawn by the first model, kept as a latent and refined by the second one
with the same caption. A row says how near the picture comes through the conversion alone (PSNR of what the first VAE shows
against what the second one makes of it), and how often the refined pictures show what the caption asks for, as told by
the judge of scripts/train/eval_model.py, beside the share of the pictures that were refined. Exits with 1 if the refined
pictures show less than the bar.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import peer_python
import program
from train import eval_model

BAR = 0.90  # share of what the judge is asked that refined pictures must show
EQUAL = "infinite"  # what the program says in place of a PSNR of equal pictures
EXAMPLES = """examples:
  python scripts/train/eval_refine.py models/tiny-sd15 models/tiny-sdxl models/tiny-flux
  python scripts/train/eval_refine.py models/tiny-sd15 models/tiny-flux --count 20 --strength 0.3 --pictures build/refine
"""


@dataclasses.dataclass(frozen=True)
class Row:
    """One ordered pair of models."""

    source: str
    target: str
    count: int
    psnr_mean: float  # dB, of the conversion alone
    psnr_lowest: float
    before: float  # share of what the judge is asked that the first model's pictures show
    after: float  # the same of the refined ones
    colour_after: float  # of the refined ones, whether each of two things has its colour

    @property
    def passed(self) -> bool:
        return self.after >= BAR


def pixels(path: Path) -> Any:
    """uint8 [h, w, 3]."""
    import numpy as np
    from PIL import Image

    return np.array(Image.open(path).convert("RGB"))


class Evaluation:
    """Pictures of held-out captions, drawn and refined; picture i has seed i, its refinement seed i too."""

    def __init__(self, arguments: argparse.Namespace, folder: Path) -> None:
        from train.tiny import judge

        self.arguments, self.folder = arguments, folder
        self.network = judge.load_or_train(arguments.judge)
        self.shown, self.captions, self.unsaid = map(list, zip(*eval_model.held_out(arguments.count)))

    def drawn(self, model: Path) -> list[Any]:
        """Pictures of every caption; their latents lie in the model's folder."""
        name, pictures = model.resolve().name, []
        place = self.folder / name
        place.mkdir(exist_ok=True)
        for i, caption in enumerate(self.captions):
            if i % 20 == 0:
                program.progress(f"{name}: {i} of {len(self.captions)} pictures")
            program.generate(self.arguments.program, caption, place / f"{i:03}.png", model=model, seed=i,
                             latent=place / f"{i:03}.safetensors", threads=self.arguments.threads)
            pictures.append(pixels(place / f"{i:03}.png"))
        return pictures

    def refined(self, source: Path, target: Path) -> tuple[list[Any], list[float]]:
        """The same pictures after the target refined them, and the PSNR of each conversion."""
        names = source.resolve().name, target.resolve().name
        place = self.folder / "-".join(names)
        place.mkdir(exist_ok=True)
        pictures, psnrs = [], []
        for i, caption in enumerate(self.captions):
            if i % 20 == 0:
                program.progress(f"{names[0]} -> {names[1]}: {i} of {len(self.captions)} pictures")
            latent, output = self.folder / names[0] / f"{i:03}.safetensors", place / f"{i:03}.png"
            line = program.run([str(self.arguments.program), "refine", str(latent), "--model", str(target), "--prompt",
                                caption, "--seed", str(i + self.arguments.seed_step), "--strength",
                                str(self.arguments.strength), "--threads", str(self.arguments.threads), "--measure",
                                "--output", str(output), "--overwrite", "--json"])
            psnr = json.loads(line)["history"][-1]["psnr"]
            psnrs.append(float("inf") if psnr == EQUAL else psnr)
            pictures.append(pixels(output))
        return pictures, psnrs

    def shares(self, pictures: list[Any]) -> dict[str, tuple[int, int]]:
        """(right, counted) of every row of the judge."""
        from train.tiny import judge

        return judge.scores(self.network, iter(pictures), self.shown, self.unsaid)


def share(counts: dict[str, tuple[int, int]]) -> float:
    return sum(right for right, _ in counts.values()) / max(1, sum(counted for _, counted in counts.values()))


def evaluate(arguments: argparse.Namespace, folder: Path) -> list[Row]:
    import torch

    torch.set_num_threads(1)
    evaluation = Evaluation(arguments, folder)
    before = {model: share(evaluation.shares(evaluation.drawn(model))) for model in arguments.models}
    rows = []
    for source, target in itertools.permutations(arguments.models, 2):
        pictures, psnrs = evaluation.refined(source, target)
        counts = evaluation.shares(pictures)
        right, counted = counts["colour attribution"]
        rows.append(Row(source.resolve().name, target.resolve().name, len(pictures), statistics.mean(psnrs), min(psnrs),
                        before[source], share(counts), right / max(1, counted)))
    return rows


def print_table(rows: list[Row]) -> None:
    program.print_table(
        ["from", "to", "pictures", "PSNR of the conversion, mean", "lowest", "shown before", "shown refined",
         "colour attribution refined", ""],
        ([row.source, row.target, row.count, f"{row.psnr_mean:.1f} dB", f"{row.psnr_lowest:.1f} dB", f"{row.before:.1%}",
          f"{row.after:.1%}", f"{row.colour_after:.1%}", "ok" if row.passed else "BELOW"] for row in rows))


def parse_arguments() -> argparse.Namespace:
    parser = program.parser_of(__doc__, EXAMPLES)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="two or more folders of tiny models")
    parser.add_argument("--count", type=int, default=50, help="how many captions (default: %(default)s)")
    parser.add_argument("--strength", type=float, default=0.5, help="of the refinement (default: %(default)s)")
    parser.add_argument("--seed-step", type=int, default=1000,
                        help="what a refinement's seed lies above that of its picture (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="threads of lapis (default: %(default)s)")
    parser.add_argument("--judge", type=Path, default=program.ROOT / "build" / "judge.pt",
                        help="where the judge is kept; it is trained in 7 minutes if missing (default: build/judge.pt)")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="keep pictures and latents there")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to FILE too")
    program.add_program_option(parser)
    peer_python.add_python_option(parser)
    arguments = parser.parse_args()
    if len(arguments.models) < 2:
        parser.error("name two models or more: every ordered pair of them is a row")
    return arguments


@program.reported
def main() -> int:
    arguments = parse_arguments()
    peer_python.enter(arguments.python)
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.pictures or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        rows = evaluate(arguments, folder)
    print_table(rows)
    program.write_rows(arguments.json, [dataclasses.asdict(row) for row in rows])
    below = [f"{row.source} -> {row.target}" for row in rows if not row.passed]
    if below:
        print(f"error: below {BAR:.0%}: {', '.join(below)}. Refine with less strength, or train the model longer.",
              file=sys.stderr)
    return 1 if below else 0


if __name__ == "__main__":
    sys.exit(main())
