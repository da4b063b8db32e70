#!/usr/bin/env python3
"""Renders the same jobs with diffusers and with lapis, from the same weights, and compares tokens, latents and pixels.

Both run in fp32 on the CPU. A last group of rows compares a job with a slightly different one: those must differ, or
the comparison sees nothing.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import peer_python
import program

LATENT_LIMIT = 1e-3  # largest difference of final latents, in model units
PIXEL_LIMIT, PIXEL_WORST, PIXEL_SHARE = 1, 3, 0.999  # levels for that share of all values, and for every one
EXAMPLES = """examples:
  python scripts/parity.py models/tiny-sd15
  python scripts/parity.py models/tiny-sd15 --spacing trailing --json parity.json
"""


@dataclasses.dataclass(frozen=True)
class Job:
    """One job, in the words of lapis."""

    prompt: str
    negative_prompt: str = ""
    width: int = 128
    height: int = 128
    steps: int = 10
    guidance: float = 5.0
    seed: int = 1234
    batch: int = 1
    spacing: str | None = None  # None: the model's


PLAIN = Job("a red house on the left, lake at sunset with mountains")
LONG = ", ".join(["a meadow at dawn with rolling hills", "a white tent on the right", "a peaceful lake by night"] * 5)
CASES = {
    "plain": PLAIN,
    "negative prompt": dataclasses.replace(PLAIN, negative_prompt="night, snow, a blue balloon"),
    "not square": dataclasses.replace(PLAIN, width=192, height=128),
    "batch of 3": dataclasses.replace(PLAIN, prompt="a yellow star on a blue background", batch=3),
    "guidance 1": dataclasses.replace(PLAIN, guidance=1.0),
    "long prompt": dataclasses.replace(PLAIN, prompt=LONG),
    "not ASCII": dataclasses.replace(PLAIN, prompt="Ein ROTES Haus am Ünïcøde-See – ½ 夜の湖 🌙, it's  café №7"),
    "trailing": dataclasses.replace(PLAIN, spacing="trailing"),
    "linspace": dataclasses.replace(PLAIN, spacing="linspace"),
    "leading": dataclasses.replace(PLAIN, spacing="leading"),
}
TWINS = {  # compared with the reference of PLAIN, from which they must differ
    "another seed": dataclasses.replace(PLAIN, seed=PLAIN.seed + 1),
    "guidance 5.1": dataclasses.replace(PLAIN, guidance=5.1),
}


@dataclasses.dataclass(frozen=True)
class Result:
    """What one side made of a job: ids [77], latents [B, C, h, w] in model units, pictures uint8 [B, H, W, 3]."""

    tokens: list[int]
    latents: Any
    pictures: Any


@dataclasses.dataclass(frozen=True)
class Row:
    """One comparison."""

    case: str
    tokens_equal: bool
    latent_difference: float
    pixel_share: float  # values within PIXEL_LIMIT levels
    pixel_worst: int
    must_differ: bool = False

    @property
    def equal(self) -> bool:
        return (self.tokens_equal and self.latent_difference < LATENT_LIMIT and self.pixel_share >= PIXEL_SHARE
                and self.pixel_worst <= PIXEL_WORST)

    @property
    def passed(self) -> bool:
        return self.equal != self.must_differ


class Diffusers:
    """The reference. Its modules are imported late: they are there in the peer's Python alone."""

    def __init__(self, model: Path) -> None:
        import torch
        from diffusers import EulerDiscreteScheduler, StableDiffusionPipeline
        from diffusers.utils.logging import disable_progress_bar

        disable_progress_bar()
        torch.set_num_threads(1)
        self.torch, self.scheduler = torch, EulerDiscreteScheduler
        self.pipeline = StableDiffusionPipeline.from_pretrained(model, dtype=torch.float32, safety_checker=None)
        self.pipeline.set_progress_bar_config(disable=True)

    def render(self, job: Job) -> Result:
        pipeline = self.pipeline
        changes = {"timestep_spacing": job.spacing} if job.spacing else {}
        pipeline.scheduler = self.scheduler.from_config(pipeline.scheduler.config, **changes)
        latents = pipeline(job.prompt, negative_prompt=job.negative_prompt, width=job.width, height=job.height,
                           num_inference_steps=job.steps, guidance_scale=job.guidance, num_images_per_prompt=job.batch,
                           generator=[self.torch.Generator().manual_seed(job.seed + i) for i in range(job.batch)],
                           output_type="latent").images
        with self.torch.no_grad():
            decoded = pipeline.vae.decode(latents / pipeline.vae.config.scaling_factor).sample
        unit = pipeline.image_processor.postprocess(decoded, output_type="np")
        ids = pipeline.tokenizer(job.prompt, padding="max_length", max_length=pipeline.tokenizer.model_max_length,
                                 truncation=True).input_ids
        return Result(ids, latents.numpy(), (unit * 255).round().astype("uint8"))


class Lapis:
    """The program, through its command line alone."""

    def __init__(self, binary: Path, model: Path, folder: Path) -> None:
        self.binary, self.model, self.folder = binary, model, folder

    def render(self, job: Job) -> Result:
        import numpy as np
        from PIL import Image
        from safetensors.numpy import load_file

        latent = self.folder / "latent.safetensors"
        options = {name: value for name, value in dataclasses.asdict(job).items() if name != "prompt" and value != ""}
        records = program.generate(self.binary, job.prompt, self.folder / "{index}.png", model=self.model,
                                   latent=latent, dtype="fp32", device="cpu", sampler="euler", threads=1, **options)
        command = [str(self.binary), "inspect", str(self.model), "--tokens", job.prompt, "--json"]
        pictures = np.stack([np.asarray(Image.open(record["path"])) for record in records])
        return Result(json.loads(program.run(command))["tokens"], load_file(latent)["latent"], pictures)


def compare(case: str, expected: Result, found: Result, must_differ: bool = False) -> Row:
    """The row of one case; anything of another shape counts as far apart."""
    import numpy as np

    same_shape = (expected.latents.shape == found.latents.shape and expected.pictures.shape == found.pictures.shape)
    if not same_shape:
        return Row(case, expected.tokens == found.tokens, float("inf"), 0.0, 255, must_differ)
    levels = np.abs(expected.pictures.astype(int) - found.pictures.astype(int))
    return Row(case, expected.tokens == found.tokens, float(np.abs(expected.latents - found.latents).max()),
               float((levels <= PIXEL_LIMIT).mean()), int(levels.max()), must_differ)


def compare_all(reference: Diffusers, lapis: Lapis, spacing: str | None) -> list[Row]:
    """Every case, then every twin."""
    rows, references = [], {}
    jobs = {name: dataclasses.replace(job, spacing=job.spacing or spacing) for name, job in (CASES | TWINS).items()}
    for name, job in jobs.items():
        program.progress(f"{name} ...")
        must_differ = name in TWINS
        if not must_differ:
            references[name] = reference.render(job)
        rows.append(compare(name, references["plain" if must_differ else name], lapis.render(job), must_differ))
    return rows


def print_table(rows: list[Row]) -> None:
    print("| case | expected | token ids | latents, max difference | values within 1 level | worst pixel | |")
    print("|---|---|---|---|---|---|---|")
    for row in rows:
        print(f"| {row.case} | {'different' if row.must_differ else 'equal'} | "
              f"{'equal' if row.tokens_equal else 'DIFFERENT'} | {row.latent_difference:.2e} | {row.pixel_share:.4%} | "
              f"{row.pixel_worst} | {'ok' if row.passed else 'FAILED'} |")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a model folder of family sd15")
    parser.add_argument("--spacing", choices=("leading", "linspace", "trailing"),
                        help="spacing of the cases that do not set their own (default: the model's)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to FILE too")
    program.add_program_option(parser)
    peer_python.add_python_option(parser)
    return parser.parse_args()


def main() -> int:
    arguments = parse_arguments()
    peer_python.enter(arguments.python)
    try:
        with tempfile.TemporaryDirectory() as folder:
            lapis = Lapis(arguments.program, arguments.model, Path(folder))
            rows = compare_all(Diffusers(arguments.model), lapis, arguments.spacing)
    except program.ProgramError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print_table(rows)
    if arguments.json:
        document = [dataclasses.asdict(row) | {"passed": row.passed} for row in rows]
        arguments.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    failed = [row.case for row in rows if not row.passed]
    if failed:
        print(f"error: {len(failed)} of {len(rows)} comparisons failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
