#!/usr/bin/env python3
"""Imports full-size checkpoints in every form people have them in, and draws two steps with each.

The weights are random and seeded, the architectures the published ones (of Flux with fewer blocks, at full width). All
forms of a family hold the same numbers, so their latents must be equal bit for bit, and near those of diffusers. One
checkpoint with other numbers must not be: or the comparison sees nothing. Needs up to 60 GB of disk and 20 GB of memory.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import peer_python
import program
from bench import process

LATENT_LIMIT = 1e-3  # largest difference to diffusers' latents, in model units
PROMPT, STEPS, SEED = "a red house on the left, lake at sunset with mountains", 2, 7
EXAMPLES = """examples:
  python scripts/parity/checkpoints.py --only sd15
  python scripts/parity/checkpoints.py --size 512 --folder /data/checkpoints --json checkpoints.json
"""
HEADS = ("family", "form", "GB", "import s", "load s", "whole s", "private MB", "same bits", "to diffusers", "")


@dataclasses.dataclass(frozen=True)
class Form:
    """One way to have a checkpoint: how its files are written, and what `lapis import` is told of them."""

    name: str
    write: Callable[[Path], None]
    words: Callable[[Path], list[str]]


@dataclasses.dataclass
class Row:
    family: str
    form: str
    gigabytes: float
    import_seconds: float | None  # None: diffusers, which imports nothing
    load_seconds: float
    whole_seconds: float
    private_mb: float
    same_bits: bool | None
    difference: float | None  # to diffusers
    must_differ: bool = False

    @property
    def passed(self) -> bool:
        if self.difference is None:
            return True
        equal = bool(self.same_bits) and self.difference < LATENT_LIMIT
        return equal != self.must_differ


def parse_arguments() -> argparse.Namespace:
    parser = program.parser_of(__doc__, EXAMPLES)
    parser.add_argument("--only", action="append", choices=("sd15", "sdxl", "flux"), help="a family; repeatable")
    parser.add_argument("--size", type=int, default=256, help="sides of the picture in pixels (default: %(default)s)")
    parser.add_argument("--blocks", type=int, nargs=2, default=(2, 4), metavar=("DOUBLE", "SINGLE"),
                        help="of Flux, which has 19 and 38 (default: 2 4)")
    parser.add_argument("--t5-layers", type=int, default=4, metavar="N", help="of 24 (default: %(default)s)")
    parser.add_argument("--folder", type=Path, help="where the checkpoints are written and taken away again (default: "
                                                    "a temporary folder)")
    parser.add_argument("--threads", type=int, default=2, metavar="N", help="of both sides (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows here too")
    return peer_python.arguments_of(parser)


def size_of(folder: Path) -> float:
    """GB of the weights below a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*.safetensors")) / 1e9


def forms_of(family: str, arguments: argparse.Namespace, seed: int) -> list[Form]:
    """The first one is what diffusers reads."""
    import torch
    from export.checkpoints import forms, seeded

    half = torch.bfloat16 if family == "flux" else torch.float16
    made = seeded.pipeline(family, tuple(arguments.blocks), arguments.t5_layers)
    roundings = {"transformer": torch.float8_e4m3fn}
    weights = {name: seeded.weights_of(component, roundings.get(name, half), seed)
               for name, component in made.components.items()}

    def folder(target: Path, dtype: torch.dtype, **choice: Any) -> None:
        seeded.write_folder(made, target)
        for name, component in made.components.items():
            tensors = forms.old_vae(weights[name]) if name == "vae" and choice.get("old_vae") else weights[name]
            shards = choice.get("shards", 1) if name in ("unet", "transformer") else 1
            seeded.write_weights(tensors, target / name, component.stem, dtype, shards, choice.get("variant", ""))

    def here(target: Path) -> list[str]:
        return [str(target)]

    plain = Form(f"diffusers folder, {'bf16' if family == 'flux' else 'fp16' if family == 'sdxl' else 'fp32'}",
                 lambda target: folder(target, half if family != "sd15" else torch.float32), here)
    if family == "flux":
        return [plain, *flux_forms(weights)]
    variant = Form("diffusers folder, fp16 variant, names of 2022 in the VAE",
                   lambda target: folder(target, half, variant="fp16", old_vae=True), here)
    shards = Form("diffusers folder, fp16, UNet in 3 shards", lambda target: folder(target, half, shards=3), here)
    return [plain, variant, shards, *single_files(family, weights)]


def single_files(family: str, weights: dict[str, Any]) -> list[Form]:
    """SD1.5 and SDXL as their authors published them."""
    import torch
    from export.checkpoints import forms
    from export.checkpoints.tensors import write

    tensors = [*forms.original(f"{family}-unet", weights["unet"], "model.diffusion_model."),
               *forms.vae("sd", weights["vae"], "first_stage_model.")]
    if family == "sd15":
        tensors += forms.prefixed(weights["text_encoder"], "cond_stage_model.transformer.")
    else:
        tensors += forms.prefixed(weights["text_encoder"], "conditioner.embedders.0.transformer.")
        tensors += forms.original("clip-g", weights["text_encoder_2"], "conditioner.embedders.1.model.")

    def file(target: Path) -> list[str]:
        return [str(target / "checkpoint.safetensors")]

    def written(extra: list[Any], stray: bytes) -> Callable[[Path], None]:
        return lambda target: write(target / "checkpoint.safetensors", tensors + extra, torch.float16, stray)

    pruned = Form("single file, fp16, pruned, 4 stray bytes", written([], b"\0" * 4), file)
    with_averages = Form("single file, fp16, with EMA", written(forms.averages(tensors), b""), file)
    return [pruned, with_averages] if family == "sd15" else [pruned]


def flux_forms(weights: dict[str, Any]) -> list[Form]:
    import torch
    from export.checkpoints import forms
    from export.checkpoints.seeded import T5_TOKENIZER
    from export.checkpoints.tensors import write

    transformer, tokenizer = weights["transformer"], str(T5_TOKENIZER / "spiece.model")
    original = forms.original("flux-dev", transformer, "")

    def separate(named: list[Any], dtype: torch.dtype) -> Callable[[Path], None]:
        def written(target: Path) -> None:
            write(target / "transformer.safetensors", named, dtype)
            write(target / "ae.safetensors", forms.vae("flux", weights["vae"], ""), torch.bfloat16)
            write(target / "clip_l.safetensors", weights["text_encoder"], torch.bfloat16)
            write(target / "t5xxl.safetensors", weights["text_encoder_2"], torch.bfloat16)
        return written

    def files(target: Path) -> list[str]:
        return [str(target / "transformer.safetensors"), "--vae", str(target / "ae.safetensors"), "--clip-l",
                str(target / "clip_l.safetensors"), "--t5xxl", str(target / "t5xxl.safetensors"), "--tokenizer",
                tokenizer]

    def whole(target: Path) -> None:
        parts = {"model.diffusion_model.": original, "vae.": forms.vae("flux", weights["vae"], ""),
                 "text_encoders.clip_l.transformer.": weights["text_encoder"],
                 "text_encoders.t5xxl.transformer.": weights["text_encoder_2"]}
        write(target / "checkpoint.safetensors",
              [tensor for prefix, part in parts.items() for tensor in forms.prefixed(part, prefix)], torch.bfloat16)

    return [Form("four files, original names, bf16", separate(original, torch.bfloat16), files),
            Form("four files, original names, transformer in fp8", separate(original, torch.float8_e4m3fn), files),
            Form("four files, diffusers' names, bf16", separate(transformer, torch.bfloat16), files),
            Form("single file with prefixes, bf16", whole,
                 lambda target: [str(target / "checkpoint.safetensors"), "--tokenizer", tokenizer])]


class Lapis:
    """The program, with a home of its own for what it imports."""

    def __init__(self, arguments: argparse.Namespace, home: Path) -> None:
        self.arguments, self.home = arguments, home
        self.environment = {"XDG_DATA_HOME": str(home), "LAPIS_MODELS": str(home / "known")}

    def row(self, family: str, form: Form, folder: Path) -> tuple[Row, Any, Path]:
        """The row of one form without its verdicts, its latents and the model folder."""
        from safetensors.numpy import load_file

        name, latent = f"{family}-seeded", self.home / "latent.safetensors"
        imported = process.run([str(self.arguments.program), "import", *form.words(folder), "--name", name,
                                      "--overwrite", "--json"], self.environment)
        document = process.answer_of(imported, f"lapis import {' '.join(form.words(folder))}")
        command = program.generate_command(self.arguments.program, PROMPT, self.home / "picture.png", model=name,
                                           steps=STEPS, seed=SEED, width=self.arguments.size,
                                           height=self.arguments.size, latent=latent, dtype="fp32", device="cpu",
                                           threads=self.arguments.threads)
        drawn = process.run_watched(command, self.environment)
        answer = process.answer_of(drawn, "lapis generate")
        return Row(family, form.name, size_of(folder), imported.seconds, answer["timings"]["load"], drawn.seconds,
                   drawn.private_mb, None, None), load_file(latent)["latent"], Path(document["path"])


def reference_latents(folder: Path, model: Path, size: int, threads: int) -> tuple[Any, float, float]:
    """What diffusers draws with a folder: latents [1, C, h, w], seconds to load, peak of private memory in MB."""
    import torch
    from parity.cases import Job, plain_job, read_facts
    from parity.reference import Reference

    facts, watch = read_facts(model), process.PrivateMemory(os.getpid())
    start = time.perf_counter()
    reference = Reference(folder, facts)
    seconds = time.perf_counter() - start
    torch.set_num_threads(threads)
    document = json.loads((model / "model.json").read_text(encoding="utf-8"))
    job: Job = dataclasses.replace(plain_job(facts), prompt=PROMPT, steps=STEPS, seed=SEED, width=size, height=size,
                                   guidance=document["defaults"]["guidance"],
                                   spacing=document["sampling"].get("spacing"))
    packed = reference.drawn(job, None, [torch.Generator().manual_seed(SEED)])
    return reference.unpacked(packed, size, size).numpy(), seconds, watch.stop()


def add_known_flux(folder: Path, home: Path) -> None:
    """Makes a model of the diffusers folder with scripts/export/model.py, by which lapis knows a Flux of so many blocks."""
    known = home / "known" / "flux-few-blocks"
    shutil.copytree(folder, known, copy_function=os.link)
    subprocess.run([sys.executable, str(program.ROOT / "scripts" / "export" / "model.py"), str(known)], check=True)


def compare_family(family: str, arguments: argparse.Namespace, home: Path) -> Iterator[Row]:
    import numpy as np

    lapis, expected, first, diffusers = Lapis(arguments, home), None, None, None
    cases = [(form, False) for form in forms_of(family, arguments, SEED)]
    other = forms_of(family, arguments, SEED + 1)[0]
    cases.append((dataclasses.replace(other, name=f"{other.name}, other numbers"), True))
    for form, must_differ in cases:
        folder = home / "checkpoint"
        program.progress(f"{family}: {form.name}")
        form.write(folder)
        if family == "flux" and first is None:
            add_known_flux(folder, home)
        row, latents, model = lapis.row(family, form, folder)
        if expected is None:
            start = time.perf_counter()
            with ProcessPoolExecutor(1, get_context("spawn")) as pool:
                expected, load, private = pool.submit(reference_latents, folder, model, arguments.size,
                                                      arguments.threads).result()
            first = latents
            diffusers = Row(family, f"{form.name}: diffusers", row.gigabytes, None, load, time.perf_counter() - start,
                            private, None, None)
        row.same_bits = latents.tobytes() == first.tobytes()
        row.difference, row.must_differ = float(np.abs(latents - expected).max()), must_differ
        yield row
        if diffusers:
            yield diffusers
            diffusers = None
        shutil.rmtree(folder)
    shutil.rmtree(home / "known", ignore_errors=True)


def cells(row: Row) -> list[str]:
    def number(value: float | None, digits: int) -> str:
        return "" if value is None else f"{value:.{digits}f}"

    bits = {None: "", True: "yes", False: "no"}[row.same_bits]
    difference = "" if row.difference is None else f"{row.difference:.1e}"
    verdict = "" if row.difference is None else ("ok" if row.passed else "WRONG")
    return [row.family, row.form, number(row.gigabytes, 2), number(row.import_seconds, 2), number(row.load_seconds, 2),
            number(row.whole_seconds, 1), number(row.private_mb, 0), bits, difference, verdict]


@program.reported
def main() -> int:
    arguments = parse_arguments()
    rows: list[Row] = []

    def compared(home: Path) -> Iterator[list[str]]:
        for family in arguments.only or ("sd15", "sdxl", "flux"):
            for row in compare_family(family, arguments, home):
                rows.append(row)
                yield cells(row)

    with tempfile.TemporaryDirectory(dir=arguments.folder, prefix="lapis-checkpoints-") as home:
        program.print_table(HEADS, compared(Path(home)))
    program.write_rows(arguments.json, [dataclasses.asdict(row) for row in rows])
    wrong = [row for row in rows if not row.passed]
    print(f"\n{len(rows) - len(wrong)} of {len(rows)} rows as they must be")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
