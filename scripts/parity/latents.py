#!/usr/bin/env python3
"""Takes latents of other tools in, holds their pixels against diffusers', and gives them back bit for bit.

diffusers draws a latent, which is saved as each tool saves it (scripts/parity/latent_files.py). Of every such file:

- left unsaid: decoding must be refused while anything that the file does not say has not been told;
- pixels: `lapis decode` against diffusers' own VAE on the very numbers of the file;
- comes back: through lapis' own form into the tool's again, the same keys, shapes, dtypes and bytes, and where the form
  fixes its header the same file;
- told otherwise: with other units or another space of as many channels, other pixels or a refusal;
- among the fits (never judged): the place that `lapis inspect` gives the true space.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import peer_python
import program
from parity.cases import Facts, plain_job, read_facts
from parity.pictures import conclude, pixel_difference, same_pixels

STEPS = 4
SIZES = {"square": (128, 128), "not square": (192, 128)}  # width, height
# dtype, size, batch of the files of each form; of a form that differs little from another, the first two
VARIANTS = (("float32", "not square", 2), ("float16", "square", 1), ("float32", "square", 1),
            ("float16", "not square", 2))
OTHER_SPACE = {"sd15": "sdxl", "sdxl": "sd15", "flux": "sd3"}  # as many channels, other numbers
USAGE, INCOMPATIBLE = 2, 4
WORKERS = 2
EXAMPLES = """examples:
  python scripts/parity/latents.py models/tiny-sd15
  python scripts/parity/latents.py models/tiny-sd15 models/tiny-sdxl models/tiny-flux --json latents.json
  python scripts/parity/latents.py models/tiny-flux --only diffusers
"""


@dataclasses.dataclass(frozen=True)
class Row:
    """What became of one file."""

    model: str
    case: str
    unsaid: int  # facts that the file does not say
    refused: int  # of them, those whose absence was refused
    pixel_share: float
    pixel_worst: int
    comes_back: str  # "file", "tensors", "read only", or what differs
    must_come_back: str  # of "tensors" the whole file is more than asked
    otherwise: str  # "different", "refused", or "the same"
    must_otherwise: str
    fits: str

    @property
    def passed(self) -> bool:
        return (self.refused == self.unsaid and same_pixels(self.pixel_share, self.pixel_worst)
                and self.comes_back in (self.must_come_back, "file") and self.otherwise == self.must_otherwise)


@dataclasses.dataclass(frozen=True)
class Case:
    """One file to try. `told` are the words that lapis needs, by option: {"space": "models/tiny-sd15"}."""

    name: str
    file: Path
    form: Any  # latent_files.Form
    told: dict[str, str]
    expected: Any  # uint8 [B, H, W, 3], as diffusers decodes it


class Lapis:
    """The program, through its command line alone."""

    def __init__(self, binary: Path, model: Path) -> None:
        self.binary, self.model = binary, model

    def call(self, *words: str | Path) -> subprocess.CompletedProcess[str]:
        command = [str(self.binary), *map(str, words)]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    def decode(self, case: Case, told: dict[str, str], name: str) -> tuple[int, Any]:
        """Exit code and uint8 [B, H, W, 3]; None for the pictures where none were written."""
        import numpy as np
        from PIL import Image

        output = case.file.with_name(f"{case.file.stem}-{name}")
        done = self.call("decode", case.file, "--model", self.model, *options(told), "--output", f"{output}-{{index}}.png",
                         "--vae-dtype", "fp32", "--device", "cpu", "--threads", "1", "--overwrite")
        written = sorted(output.parent.glob(f"{output.name}-*.png"))
        return done.returncode, np.stack([np.asarray(Image.open(path)) for path in written]) if written else None

    def convert(self, source: Path, told: dict[str, str], form: str, output: Path) -> subprocess.CompletedProcess[str]:
        return self.call("convert", source, *options(told, "in-"), "--format", form, "--output", output, "--overwrite")


def options(told: dict[str, str], lead: str = "") -> list[str]:
    """{"units": "vae"} as --units vae, or led by "in-"."""
    return [word for name, value in told.items() for word in (f"--{'' if name == 'space' else lead}{name}", value)]


def refusals(lapis: Lapis, case: Case) -> tuple[int, int]:
    """How many facts must be told, and without how many of them decoding was refused and nothing written."""
    needed = [name for name in case.told if name != "form" or case.form.must_name]
    refused = 0
    for name in needed:
        told = {key: value for key, value in case.told.items() if key != name}
        code, pictures = lapis.decode(case, told, f"without-{name}")
        refused += code in (USAGE, INCOMPATIBLE) and pictures is None
    return len(needed), refused


def round_trip(lapis: Lapis, case: Case) -> str:
    """"file" where every byte comes back, "tensors" where all that the form fixes does, else what differs."""
    from parity.latent_files import difference, same_numbers

    own, back = (case.file.with_name(f"{case.file.stem}-{name}") for name in ("own.safetensors", "back"))
    done = lapis.convert(case.file, case.told, "lapis", own)
    if done.returncode != 0:
        return f"not read: {done.stderr.strip()}"
    done = lapis.convert(own, {}, case.form.lapis, back)
    if case.form.read_only:
        kept = done.returncode == USAGE and same_numbers(case.file, own)
        return "read only" if kept else "written, or other numbers in lapis' own form"
    if done.returncode != 0:
        return f"not written: {done.stderr.strip()}"
    if case.file.read_bytes() == back.read_bytes():
        return "file"
    return difference(case.file, back, case.form.adds_batch) or "tensors"


def otherwise(lapis: Lapis, case: Case, facts: Facts, lineage: str) -> tuple[str, str]:
    """What told otherwise must come to, and what came of it."""
    told, expected = dict(case.told), "different"
    if "units" in told:
        told["units"] = "model" if told["units"] == "vae" else "vae"
    elif case.form.units == "vae" or case.form.packed(facts):
        told["units"], expected = ("model" if case.form.units == "vae" else "vae"), "refused"
    else:
        told["space"] = f"{OTHER_SPACE[facts.family]}:{lineage}"
        expected = "refused" if case.form.lapis == "comfy-old" else "different"
    code, pictures = lapis.decode(case, told, "otherwise")
    if pictures is None:
        return expected, "refused" if code == INCOMPATIBLE else f"exit code {code}"
    same = same_pixels(*pixel_difference(case.expected, pictures))
    return expected, "the same" if same else "different"


def place_among_fits(lapis: Lapis, case: Case, space: str) -> str:
    told = {name: value for name, value in case.told.items() if name != "space"}
    done = lapis.call("inspect", case.file, *options(told), "--json")
    if done.returncode != 0:
        return f"exit code {done.returncode}"
    fits = json.loads(done.stdout)["fits"]
    for place, fit in enumerate(fits, 1):
        if fit["space"] == space and fit["units"] == case.form.units:
            return f"{place} of {len(fits)}"
    return f"none of {len(fits)}"


def try_case(lapis: Lapis, case: Case, facts: Facts, space: dict[str, Any]) -> Row:
    unsaid, refused = refusals(lapis, case)
    code, pictures = lapis.decode(case, case.told, "told")
    share, worst = (0.0, 255) if pictures is None else pixel_difference(case.expected, pictures)
    must_otherwise, found_otherwise = otherwise(lapis, case, facts, space["lineage"])
    return Row(lapis.model.resolve().name, case.name, unsaid, refused, share, worst, round_trip(lapis, case),
               case.form.comes_back, found_otherwise, must_otherwise,
               place_among_fits(lapis, case, f"{space['id']}:{space['lineage']}"))


def make_cases(model: Path, facts: Facts, folder: Path, only: list[str] | None) -> Iterator[Case]:
    """A file of every form the family has, in every variant."""
    from parity import latent_files
    import torch
    from parity.reference import Reference

    reference = Reference(model, facts)
    drawn: dict[tuple[str, int], Any] = {}
    for form in latent_files.forms(facts):
        if only and not any(form.name.startswith(start) for start in only):
            continue
        for dtype, shape, batch in VARIANTS[:2] if form.sibling else VARIANTS:
            batch = 1 if form.adds_batch else batch
            width, height = SIZES[shape]
            if (shape, batch) not in drawn:
                job = dataclasses.replace(plain_job(facts), width=width, height=height, batch=batch,
                                          steps=STEPS)
                generators = [torch.Generator().manual_seed(job.seed + i) for i in range(batch)]
                drawn[shape, batch] = reference.drawn(job, None, generators)
            file = folder / f"{form.name.replace(' ', '-')}-{dtype}-{width}x{height}-{batch}{form.ending}"
            latents = drawn[shape, batch]
            plain = reference.unpacked(latents, width, height)
            form.write(file, form.numbers(latents, plain, reference.raw(plain)).to(getattr(torch, dtype)))
            told = {"space": str(model.resolve()), **form.told}
            if form.packed(facts):
                told["size"] = f"{width}x{height}"
            yield Case(f"{form.name}, {dtype}, {width}x{height}, batch of {batch}", file, form, told,
                       reference.decoded(raw_of(form, file, reference, width, height)))


def raw_of(form: Any, file: Path, reference: Any, width: int, height: int) -> Any:
    """VAE values [B, C, h, w] of a file, read by its own tool's conventions."""
    numbers = form.read(file).float()
    if form.units == "vae":
        return numbers
    if form.lapis == "comfy-old":
        return numbers * (1.0 / 0.18215)  # ComfyUI's LoadLatent, for files without the marker
    if form.packed(reference.facts):
        numbers = reference.unpacked(numbers, width, height)
    return reference.raw(numbers[None] if numbers.dim() == 3 else numbers)


def try_model(model: Path, binary: Path, folder: Path, only: list[str] | None) -> list[Row]:
    facts = read_facts(model)
    space = json.loads((model / "model.json").read_text(encoding="utf-8"))["space"]
    lapis = Lapis(binary, model.resolve())
    program.progress(f"{model.resolve().name}: diffusers draws ...")
    cases = list(make_cases(model, facts, folder, only))
    program.progress(f"{model.resolve().name}: {len(cases)} files ...")
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        return list(pool.map(lambda case: try_case(lapis, case, facts, space), cases))


def print_table(rows: list[Row]) -> None:
    program.print_table(
        ["model", "file", "left unsaid: refused", "within 1 level", "worst pixel", "comes back: expected, found",
         "told otherwise: expected, found", "true space among the fits", ""],
        ([row.model, row.case, f"{row.refused} of {row.unsaid}", f"{row.pixel_share:.4%}", row.pixel_worst,
          f"{row.must_come_back}, {row.comes_back}", f"{row.must_otherwise}, {row.otherwise}", row.fits,
          "ok" if row.passed else "FAILED"] for row in rows))


def parse_arguments() -> argparse.Namespace:
    parser = program.parser_of(__doc__, EXAMPLES)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="a model folder that is a diffusers one")
    parser.add_argument("--only", action="append", metavar="START", help="forms whose names begin so; may be repeated")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to FILE too")
    return peer_python.arguments_of(parser)


@program.reported
def main() -> int:
    arguments = parse_arguments()
    rows: list[Row] = []
    program.run([str(arguments.program), "--version"])
    for model in arguments.models:
        with tempfile.TemporaryDirectory() as folder:
            rows += try_model(model, arguments.program, Path(folder), arguments.only)
    print_table(rows)
    return conclude(rows, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
