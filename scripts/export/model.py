#!/usr/bin/env python3
"""Makes a lapis model of a diffusers folder: graphs without numbers, and model.json. The weights stay as they are."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
os.environ.setdefault("DIFFUSERS_VERBOSITY", "error")
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")

import torch

from export.graphs import ExportError
from export.graphs.check import TOLERANCES, compare
from export.graphs.families import Family
from export.graphs.flatten import build_without_numbers, save, trace
from export.graphs.folder import (GRAPHS, checkpoint_names, conditioning_facts, family_of, part_config, part_facts,
                                  space_facts, weight_files, weight_shapes, write_model_json)
from export.graphs.part import Part
from export.graphs.sampling import sampling_facts
from export.graphs.taught import taught_facts
from export.graphs.tokenizers import tokenizer_facts

EXAMPLES = """examples:
  python scripts/export/model.py models/tiny-sd15 --default-size 256 256 --steps 20 --guidance 3
  python scripts/export/model.py ~/stable-diffusion-v1-5 --name sd15 --check
  python scripts/export/model.py ~/FLUX.1-schnell --licence apache-2.0
"""
FLUX_SAMPLE = 128  # cells along a side, which FluxPipeline has in place of a sample_size


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="a diffusers folder of StableDiffusionPipeline (1.x or 2.x), "
                                                       "StableDiffusionXLPipeline or FluxPipeline")
    parser.add_argument("--name", help="name of the model (default: the folder's)")
    parser.add_argument("--lineage", help="the training its VAE comes from (default: the model's name)")
    parser.add_argument("--default-size", type=int, nargs=2, metavar=("W", "H"),
                        help="picture size in pixels (default: the size the denoiser was trained at; flux: 1024)")
    parser.add_argument("--steps", type=int, help="default number of steps (default: the family's)")
    parser.add_argument("--guidance", type=float, help="default guidance (default: the family's)")
    parser.add_argument("--t5-length", type=int, metavar="N",
                        help="tokens of a prompt for T5 (default: 512 with a guidance input, 256 without, or what the "
                             "tokenizer says if that is less)")
    parser.add_argument("--licence", default="not stated", help="licence of the weights (default: %(default)s)")
    parser.add_argument("--origin", default="not stated", help="where the weights come from (default: %(default)s)")
    parser.add_argument("--taught-words", type=Path, metavar="FILE",
                        help="words that its prompts may have, with white space between them (default: those that the "
                             "folder's model.json has already, if any)")
    parser.add_argument("--taught-subjects", metavar="TEXT",
                        help="what it was taught, as in \"landscapes and shapes\" (default: as for the words)")
    parser.add_argument("--check", action="store_true",
                        help="compare each graph with the eager module at several sizes, in fp32 and bf16")
    return parser.parse_args()


def progress(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def export_part(folder: Path, part: Part) -> None:
    """Traces one part and writes its graph."""
    start = time.perf_counter()
    config, path = part_config(folder, part), folder / GRAPHS / f"{part.name}.pt"
    shapes = weight_shapes(folder, weight_files(folder, part))
    names = checkpoint_names(part, build_without_numbers(part, config), shapes)
    save(trace(part, config, names), path)
    progress(f"{part.name}: {len(names)} parameters, {path.stat().st_size / 1e6:.2f} MB, "
             f"{time.perf_counter() - start:.1f} s")


def describe(folder: Path, family: Family, arguments: argparse.Namespace) -> dict[str, Any]:
    """model.json without its entry `files`."""
    configs = {part.name: part_config(folder, part) for part in family.parts}
    name = arguments.name or folder.resolve().name
    side = configs["denoiser"].get("sample_size", FLUX_SAMPLE) * family.downscale
    width, height = arguments.default_size or (side, side)
    conditioning = conditioning_facts(folder, configs)
    taught = taught_facts(folder, arguments.taught_words, arguments.taught_subjects)
    return {
        "version": 1,
        "name": name,
        "family": family.id,
        "space": space_facts(folder, family, configs["vae_decoder"], arguments.lineage or name),
        "parts": {part.name: part_facts(folder, part, configs[part.name]) for part in family.parts},
        "tokenizers": {tokenizer.folder: tokenizer_facts(folder, tokenizer, configs[tokenizer.part],
                                                         arguments.t5_length) for tokenizer in family.tokenizers},
        "sampling": sampling_facts(folder),
        **({"conditioning": conditioning} if conditioning else {}),
        "defaults": {"width": width, "height": height, "steps": arguments.steps or family.steps, "sampler": "euler",
                     "guidance": family.guidance if arguments.guidance is None else arguments.guidance},
        "licence": arguments.licence,
        "origin": arguments.origin,
        **({"taught": taught} if taught else {}),
    }


def check(folder: Path, family: Family) -> bool:
    """Prints one line for each comparison; true if all are within tolerance."""
    good = True
    print("| part | dtype | batch | latent | tokens | max difference | limit | |\n|---|---|---|---|---|---|---|---|")
    for part in family.parts:
        for dtype in TOLERANCES:
            for row in compare(part, part_config(folder, part), folder, weight_files(folder, part), dtype):
                good = good and row.passed
                sizes = row.sizes
                print(f"| {row.part} | {row.dtype} | {sizes['batch']} | {sizes['width']}x{sizes['height']} | "
                      f"{sizes['tokens']} | {row.difference:.2e} | {row.limit:.2e} | "
                      f"{'ok' if row.passed else 'FAILED'} |", flush=True)
    return good


def main() -> int:
    arguments = parse_arguments()
    torch.set_num_threads(1)
    folder = arguments.folder
    try:
        family = family_of(folder)
        document = describe(folder, family, arguments)
        (folder / GRAPHS).mkdir(exist_ok=True)
        for part in family.parts:
            export_part(folder, part)
        write_model_json(folder, document)
        if arguments.check and not check(folder, family):
            raise ExportError("a graph differs from its eager module in the rows marked FAILED. Do not use the export.")
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(folder / "model.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
