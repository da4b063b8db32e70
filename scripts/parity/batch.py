#!/usr/bin/env python3
"""Renders the jobs of scripts/parity/cases.py alone, by `lapis generate`, and together, by `lapis batch`: the bytes of
pictures and latents must be the same.

The batch runs twice: from a file, which it sorts by what jobs load, and through a pipe, in an order that is drawn. Cases that
must differ from one another, as by another seed, are jobs too, and must differ, or the comparison sees nothing.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import peer_python
import program
from parity import cases
from parity.pictures import options_of, start_picture

EXAMPLES = """examples:
  python scripts/parity/batch.py models/tiny-sd15
  python scripts/parity/batch.py models/tiny-sd15 models/tiny-sdxl models/tiny-flux
"""
Bytes = dict[str, bytes]  # of the files of a job, by their names


def jobs_of(model: Path) -> tuple[dict[str, cases.Job], list[tuple[str, str]]]:
    """Jobs of a model by their names, and the pairs that must differ."""
    facts = cases.read_facts(model)
    different = cases.different_cases(facts)
    return (cases.equal_cases(facts) | {name: job for name, (_, job) in different.items()},
            [(case, name) for name, (case, _) in different.items()])


def line_of(name: str, job: cases.Job, model: Path, folder: Path) -> dict[str, Any]:
    """The job as a line of a batch without outputs, what it reads in a folder of its own."""
    place = folder / name
    place.mkdir(parents=True)
    options = options_of(job, model.resolve(), start_picture(job.width, job.height), place)
    line = {key: str(value) if isinstance(value, Path) else value for key, value in options.items() if value is not None}
    lora = line.pop("lora", None)
    return {"prompt": job.prompt, "model": str(model.resolve()), "device": "cpu", **line, **({"loras": [lora]} if lora else {})}


def outputs(folder: Path, name: str) -> dict[str, str]:
    return {"output": str(folder / name / "{index}.png"), "latent": str(folder / name / "latent.safetensors")}


def by_generate(binary: Path, lines: dict[str, dict[str, Any]], folder: Path) -> None:
    for name, line in lines.items():
        program.progress(f"{name} ...")
        (folder / name).mkdir(parents=True)
        options = {key: value for key, value in line.items() if key not in ("prompt", "loras")}
        options |= {"lora": line.get("loras", [None])[0], "latent": outputs(folder, name)["latent"]}
        program.generate(binary, line["prompt"], Path(outputs(folder, name)["output"]), **options)


def by_batch(binary: Path, lines: dict[str, dict[str, Any]], folder: Path, through_pipe: bool) -> None:
    program.progress(f"lapis batch, {'through a pipe' if through_pipe else 'from a file'} ...")
    texts = [json.dumps(line | outputs(folder, name)) for name, line in lines.items()]
    jobs = folder.with_suffix(".jsonl")
    if through_pipe:
        random.Random(7).shuffle(texts)
    jobs.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
    command = [str(binary), "batch", "-" if through_pipe else str(jobs), "--journal", str(folder.with_suffix(".journal"))]
    with jobs.open(encoding="utf-8") as stream:
        done = subprocess.run(command, stdin=stream, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise program.ProgramError(f"{' '.join(command)}\nended with exit code {done.returncode}:\n{done.stderr[-2000:]}")


def read(folder: Path) -> Bytes:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def compare(model: Path, binary: Path, folder: Path) -> tuple[int, list[str]]:
    """How many pairs were compared, and those that are not as they must be."""
    jobs, different = jobs_of(model)
    lines = {name: line_of(name, job, model, folder / "inputs") for name, job in jobs.items()}
    sides = {side: folder / side for side in ("alone", "file", "pipe")}
    by_generate(binary, lines, sides["alone"])
    for side in ("file", "pipe"):
        by_batch(binary, lines, sides[side], through_pipe=side == "pipe")
    faults = [f"{name}: batch ({side}) and generate differ" for name in lines for side in ("file", "pipe")
              if read(sides[side] / name) != read(sides["alone"] / name)]
    for case, other in different:
        one, two = (read(sides["file"] / name) for name in (case, other))
        faults += [f"{case} and {other} have the same {file}" for file in one if one[file] == two.get(file)]
    return 2 * len(lines) + len(different), [f"{model.name}: {fault}" for fault in faults]


def parse_arguments() -> argparse.Namespace:
    parser = program.parser_of(__doc__, EXAMPLES)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="a model folder that is a diffusers one")
    return peer_python.arguments_of(parser)


@program.reported
def main() -> int:
    arguments = parse_arguments()
    failed = False
    for model in arguments.models:
        with tempfile.TemporaryDirectory() as folder:
            count, faults = compare(model, arguments.program.resolve(), Path(folder))
        print(f"{model.name}: {count - len(faults)} of {count} comparisons hold", flush=True)
        for fault in faults:
            print(f"error: {fault}", file=sys.stderr)
        failed = failed or bool(faults)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
