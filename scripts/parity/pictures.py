#!/usr/bin/env python3
"""Renders the same jobs with diffusers and with lapis, from the same weights, and compares tokens, latents and pixels.

Both run in fp32 on the CPU, text to image and image to image, with several samplers. A last group of rows compares a
job with the result of another one: those must differ, or the comparison sees nothing.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import peer_python
import program
from parity import cases
from parity.cases import Job

LATENT_LIMIT = 1e-3  # largest difference of final latents, in model units, or in their spread where that is above 1
ROUNDED_LIMIT = 1e-2  # the same after a second pass: the 8-bit picture between the passes may round the other way
PIXEL_LIMIT, PIXEL_WORST, PIXEL_SHARE = 1, 3, 0.999  # levels for that share of all values, and for every one
NOT_OPTIONS = ("prompt", "original_size", "crop", "masked", "lora", "lora_weight")  # of a job, which are written another way
EXAMPLES = """examples:
  python scripts/parity/pictures.py models/tiny-sd15
  python scripts/parity/pictures.py models/tiny-sd15 models/tiny-sdxl models/tiny-flux --json parity.json
  python scripts/parity/pictures.py models/tiny-flux --only "image to image" --only plain
"""


@dataclasses.dataclass(frozen=True)
class Result:
    """What one side made of a job: ids by tokenizer, latents [B, C, h, w] in model units, uint8 [B, H, W, 3]."""

    tokens: dict[str, list[int]]
    latents: Any
    pictures: Any


@dataclasses.dataclass(frozen=True)
class Row:
    """One comparison."""

    model: str
    case: str
    tokens_equal: bool
    latent_difference: float
    pixel_share: float  # values within PIXEL_LIMIT levels
    pixel_worst: int
    must_differ: bool = False

    @property
    def equal(self) -> bool:
        limit = ROUNDED_LIMIT if self.case.startswith("second pass") else LATENT_LIMIT
        return self.tokens_equal and self.latent_difference < limit and same_pixels(self.pixel_share, self.pixel_worst)

    @property
    def passed(self) -> bool:
        return self.equal != self.must_differ


class Lapis:
    """The program, through its command line alone."""

    def __init__(self, binary: Path, model: Path, folder: Path) -> None:
        self.binary, self.model, self.folder = binary, model, folder

    def render(self, job: Job, start: Any) -> Result:
        """`start` is the PIL picture that image to image begins with."""
        import numpy as np
        from PIL import Image
        from safetensors.numpy import load_file

        latent = self.folder / "latent.safetensors"
        records = program.generate(self.binary, job.prompt, self.folder / "{index}.png", model=self.model, latent=latent,
                                   device="cpu", **options_of(job, self.model, start, self.folder))
        pictures = np.stack([np.asarray(Image.open(record["path"])) for record in records])
        return Result(self.tokens(job.prompt), load_file(latent)["latent"], pictures)

    def tokens(self, prompt: str) -> dict[str, list[int]]:
        command = [str(self.binary), "inspect", str(self.model), "--tokens", prompt, "--json"]
        document = json.loads(program.run(command))
        if "tokenizers" in document:
            return {name: entry["tokens"] for name, entry in document["tokenizers"].items()}
        return {"tokenizer": document["tokens"]}


def options_of(job: Job, model: Path, start: Any, folder: Path) -> dict[str, Any]:
    """A job's options but for prompt, model and outputs, None where it says nothing; files it reads are put into `folder`."""
    from parity import loras

    options = {name: value for name, value in dataclasses.asdict(job).items() if name not in NOT_OPTIONS}
    options |= {"dtype": "fp32", "threads": 1}
    if job.original_size:
        options["original_size"] = "{}x{}".format(*job.original_size)
    if job.crop:
        options["crop"] = "{},{}".format(*job.crop)
    if job.strength is not None:
        options["image"] = folder / "start.png"
        start.save(options["image"])
    if job.masked:  # diffusers leaves the VAE's pixels outside the mask too
        options |= {"mask": folder / "mask.png", "mask_paste": "off"}
        cases.mask_picture(job.width, job.height).save(options["mask"])
    if job.lora:
        loras.write(model, job.lora, folder / "lora.safetensors")
        options["lora"] = f"{folder / 'lora.safetensors'}:{job.lora_weight}"
    return options


def start_picture(width: int, height: int) -> Any:
    """What image to image begins with: smooth colours, a hard edge and fine stripes."""
    import numpy as np
    from PIL import Image

    y, x = np.mgrid[0:height, 0:width]
    red, green = 255 * x / width, 255 * y / height
    blue = np.where((x - width / 3) ** 2 + (y - height / 2) ** 2 < (height / 4) ** 2, 220, 40 + 30 * (x // 4 % 2))
    return Image.fromarray(np.stack([red, green, blue], -1).astype("uint8"))


def compare(model: str, case: str, expected: Result, found: Result, must_differ: bool = False) -> Row:
    """The row of one case; anything of another shape counts as far apart."""
    import numpy as np

    tokens_equal = expected.tokens == found.tokens
    same_shape = (expected.latents.shape == found.latents.shape and expected.pictures.shape == found.pictures.shape)
    if not same_shape:
        return Row(model, case, tokens_equal, float("inf"), 0.0, 255, must_differ)
    # A network that was not trained at zero SNR leaves latents of thousands, and fp32 has seven digits.
    unit = max(1.0, float(expected.latents.std()))
    return Row(model, case, tokens_equal, float(np.abs(expected.latents - found.latents).max()) / unit,
               *pixel_difference(expected.pictures, found.pictures), must_differ)


def pixel_difference(expected: Any, found: Any) -> tuple[float, int]:
    """Of uint8 [B, H, W, 3]: share of values within PIXEL_LIMIT levels, and the largest difference."""
    import numpy as np

    if expected.shape != found.shape:
        return 0.0, 255
    levels = np.abs(expected.astype(int) - found.astype(int))
    return float((levels <= PIXEL_LIMIT).mean()), int(levels.max())


def compare_model(model: Path, binary: Path, folder: Path, only: list[str] | None) -> Iterator[Row]:
    """A row for every case of the model's family, then for every pair that must differ."""
    from parity.reference import Reference

    facts, name = cases.read_facts(model), model.resolve().name
    reference, lapis = Reference(model, facts), Lapis(binary, model, folder)
    equal, different = cases.equal_cases(facts), cases.different_cases(facts)
    expected: dict[str, Result] = {}

    def expect(case: str) -> Result:
        job = equal[case]
        if case not in expected:
            expected[case] = Result(*reference.render(job, start_picture(job.width, job.height)))
        return expected[case]

    for case, other, job, must_differ in (*((case, case, job, False) for case, job in equal.items()),
                                          *((case, other, job, True) for case, (other, job) in different.items())):
        if not only or any(case.startswith(start) for start in only):
            program.progress(f"{name}: {case} ...")
            found = lapis.render(job, start_picture(job.width, job.height))
            yield compare(name, case, expect(other), found, must_differ)


def same_pixels(share: float, worst: int) -> bool:
    """Whether a `pixel_difference` counts as none."""
    return share >= PIXEL_SHARE and worst <= PIXEL_WORST


def conclude(rows: list[Any], output: Path | None) -> int:
    """Writes dataclass rows with `model`, `case` and `passed` as JSON, names the failed ones, gives the exit code."""
    program.write_rows(output, [dataclasses.asdict(row) | {"passed": row.passed} for row in rows])
    failed = [f"{row.model}: {row.case}" for row in rows if not row.passed]
    if failed or not rows:
        print(f"error: {len(failed)} of {len(rows)} comparisons failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed or not rows else 0


def print_table(rows: list[Row]) -> None:
    program.print_table(
        ["model", "case", "expected", "token ids", "latents, max difference", "values within 1 level", "worst pixel", ""],
        ([row.model, row.case, "different" if row.must_differ else "equal", "equal" if row.tokens_equal else "DIFFERENT",
          f"{row.latent_difference:.2e}", f"{row.pixel_share:.4%}", row.pixel_worst, "ok" if row.passed else "FAILED"]
         for row in rows))


def parse_arguments() -> argparse.Namespace:
    parser = program.parser_of(__doc__, EXAMPLES)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="a model folder that is a diffusers one")
    parser.add_argument("--only", action="append", metavar="START", help="cases whose names begin so; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to FILE too")
    return peer_python.arguments_of(parser)


@program.reported
def main() -> int:
    arguments = parse_arguments()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for model in arguments.models:
            rows += compare_model(model, arguments.program, Path(folder), arguments.only)
    print_table(rows)
    return conclude(rows, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
