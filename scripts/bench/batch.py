#!/usr/bin/env python3
"""Measures `lapis batch` beside as many runs of `lapis generate`, and beside a diffusers script that keeps its pipeline.

- some pictures of one model: seconds in all, in module calls, and milliseconds of all else for each picture after the first;
- a long list planned (--dry-run), and one that was done before: seconds and peak memory;
- two models in turn: how often each is loaded, with room for both and for neither.

All on the CPU in fp32, with the same weights and threads, round by round in turn. Values are medians of the rounds.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import json
import shutil
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import peer_python
import program
from bench.generate import MODULES, cpu_name, guidance_of
from bench.process import Run, answer_of, run
from parity import cases

PROMPT = "a red house on the left, lake at sunset with mountains"
SIDE, STEPS = 128, 20
EXAMPLES = """examples:
  python scripts/bench/batch.py models/tiny-sd15
  python scripts/bench/batch.py models/tiny-sd15 models/tiny-sdxl --threads 2 --rounds 3
"""


@dataclasses.dataclass(frozen=True)
class Pictures:
    """Some pictures: seconds in all and in module calls, and of each after the first all else, in milliseconds."""

    seconds: float
    modules: float
    rest_ms: float


def job_lines(model: Path, count: int) -> list[dict[str, Any]]:
    guidance = guidance_of(model)
    job = {"prompt": PROMPT, "model": str(model.resolve()), "width": SIDE, "height": SIDE, "steps": STEPS, "dtype": "fp32"}
    return [job | ({} if guidance is None else {"guidance": guidance}) | {"seed": seed} for seed in range(count)]


def write_lines(path: Path, lines: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def checked(done: Run, what: str) -> Run:
    if done.exit_code != 0:
        raise program.ProgramError(f"{what} ended with exit code {done.exit_code}")
    return done


def batched(arguments: argparse.Namespace, lines: list[dict[str, Any]], folder: Path, *words: str) -> tuple[Run, list[Any]]:
    """A batch into a new folder, and its result lines."""
    jobs = write_lines(folder / "jobs.jsonl", lines)
    shutil.rmtree(folder / "out", ignore_errors=True)
    done = checked(run([str(arguments.program), "batch", str(jobs), "-o", f"{folder}/out/", "-q", "--json", "--device", "cpu",
                        "-t", str(arguments.threads), *words]), "lapis batch")
    return done, [json.loads(line) for line in done.stdout.splitlines()]


def modules_of(timings: dict[str, float]) -> float:
    return sum(timings[name] for name in MODULES)


def by_batch(arguments: argparse.Namespace, model: Path, folder: Path) -> Pictures:
    done, lines = batched(arguments, job_lines(model, arguments.count), folder)
    rest = [line["timings"]["total"] - modules_of(line["timings"]) for line in lines[1:]]
    return Pictures(done.seconds, sum(modules_of(line["timings"]) for line in lines), 1000 * statistics.median(rest))


def by_generate(arguments: argparse.Namespace, model: Path, folder: Path) -> Pictures:
    runs, modules = [], 0.0
    for line in job_lines(model, arguments.count):
        options = {key: value for key, value in line.items() if key != "prompt"}
        done = run(program.generate_command(arguments.program, PROMPT, folder / "a.png", device="cpu",
                                            threads=arguments.threads, **options))
        modules += modules_of(answer_of(done, "lapis generate")["timings"])
        runs.append(done.seconds)
    return Pictures(sum(runs), modules, 1000 * (sum(runs) - modules) / len(runs))


def by_diffusers(arguments: argparse.Namespace, model: Path, python: str, folder: Path) -> Pictures:
    facts = cases.read_facts(model)
    options = {"width": SIDE, "height": SIDE, "steps": STEPS, "guidance": guidance_of(model), "threads": arguments.threads,
               "count": arguments.count, "t5-length": facts.lengths["tokenizer_2"] if facts.flow else None}
    given = [word for name, value in options.items() if value is not None for word in (f"--{name}", str(value))]
    script = Path(__file__).with_name("generate_diffusers.py")
    done = run([python, str(script), str(model), PROMPT, str(folder / "d.png"), *given], peer_python.QUIET)
    answer = answer_of(done, "generate_diffusers.py")
    modules = modules_of(answer)
    first, *later = answer["pictures"]
    return Pictures(done.seconds, modules, 1000 * (sum(later) / len(later) - (modules / arguments.count)))


def bench_pictures(arguments: argparse.Namespace, model: Path, python: str, folder: Path) -> dict[str, Any]:
    sides: dict[str, list[Pictures]] = {"batch": [], "generate": [], "diffusers": []}
    for i in range(arguments.rounds):
        program.progress(f"{model.name}: round {i + 1} of {arguments.rounds}")
        sides["batch"].append(by_batch(arguments, model, folder))
        sides["generate"].append(by_generate(arguments, model, folder))
        sides["diffusers"].append(by_diffusers(arguments, model, python, folder))
    return {"model": model.name} | {
        name: {field.name: statistics.median(getattr(one, field.name) for one in rounds)
               for field in dataclasses.fields(Pictures)} for name, rounds in sides.items()}


def bench_list(arguments: argparse.Namespace, model: Path, folder: Path) -> dict[str, Any]:
    """A long list: planned, and done before. Its outputs are small files, and its journal is written here."""
    jobs = write_lines(folder / "long.jsonl", [line | {"prompt": f"{PROMPT}, number {number}"}
                                               for number, line in enumerate(job_lines(model, arguments.lines))])
    words = [str(arguments.program), "batch", str(jobs), "-o", f"{folder}/long/"]
    planned = checked(run([*words, "--dry-run", "--json"]), "lapis batch --dry-run")
    out = folder / "long"
    out.mkdir()
    with (out / "journal.jsonl").open("w", encoding="utf-8") as journal:
        for number, line in enumerate(map(json.loads, planned.stdout.splitlines()), 1):
            path, content = Path(line["paths"][0]), f"{number}\n".encode()
            path.write_bytes(content)
            record = {"id": line["id"], "line": number, "number": number, "of": arguments.lines, "status": "done", "exit": 0,
                      "outputs": [{"path": path.name, "sha256": hashlib.sha256(content).hexdigest()}],
                      "model": model.name, "seconds": 1.0, "cost": 1.0}
            journal.write(json.dumps(record) + "\n")
    again = checked(run(words), "lapis batch")
    return {"lines": arguments.lines, "planned_seconds": planned.seconds, "planned_mb": planned.peak_mb,
            "again_seconds": again.seconds, "again_cpu_seconds": again.cpu_seconds, "again_mb": again.peak_mb}


def bench_turns(arguments: argparse.Namespace, folder: Path) -> list[dict[str, Any]]:
    """Loads of two models in turn: sorted by what they load, as they come through a pipe, and with room for neither."""
    if len(arguments.models) < 2:
        return []
    one, other = (job_lines(model, 3) for model in arguments.models[:2])
    lines = [line for pair in zip(one, other) for line in pair]
    rows = []
    for name, words in (("in order of loads", ()), ("room for neither", ("--memory", "1MB"))):
        done, results = batched(arguments, lines, folder, *words)
        rows.append({"models in turn": name, "loads": sum(line["timings"]["load"] > 0.001 for line in results),
                     "peak_mb": done.peak_mb})
    return rows


def parse_arguments() -> argparse.Namespace:
    parser = program.parser_of(__doc__, EXAMPLES)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="a model folder that is a diffusers one")
    parser.add_argument("--count", type=int, default=20, help="pictures (default: %(default)s)")
    parser.add_argument("--lines", type=int, default=10_000, help="of the long list (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each side (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="threads of all sides (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all values to FILE too")
    program.add_program_option(parser)
    peer_python.add_python_option(parser)
    return parser.parse_args()


@program.reported
def main() -> int:
    arguments = parse_arguments()
    python = peer_python.peer_python(arguments.python)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pictures = [bench_pictures(arguments, model, python, folder) for model in arguments.models]
        long_list = bench_list(arguments, arguments.models[0], folder)
        turns = bench_turns(arguments, folder)
    print(f"{cpu_name()}, {arguments.threads} thread(s), {arguments.rounds} rounds, {arguments.count} pictures of {SIDE} x "
          f"{SIDE}, {STEPS} steps\n")
    for row in pictures:
        program.print_table((row["model"], "seconds", "module calls, s", "all else, ms a picture"),
                            ((side, *(f"{row[side][key]:.2f}" for key in ("seconds", "modules", "rest_ms")))
                             for side in ("batch", "generate", "diffusers")))
        print(f"generate / batch {row['generate']['seconds'] / row['batch']['seconds']:.2f}, "
              f"diffusers / batch {row['diffusers']['seconds'] / row['batch']['seconds']:.2f}, of module calls "
              f"{row['diffusers']['modules'] / row['batch']['modules']:.2f}\n")
    print(f"{long_list['lines']} lines planned in {long_list['planned_seconds']:.2f} s and {long_list['planned_mb']:.0f} MB, "
          f"done before in {long_list['again_seconds']:.2f} s ({long_list['again_cpu_seconds']:.2f} s of the processor) and "
          f"{long_list['again_mb']:.0f} MB")
    for row in turns:
        print(f"two models in turn, {row['models in turn']}: {row['loads']} loads for 6 pictures, {row['peak_mb']:.0f} MB")
    program.write_rows(arguments.json, {"pictures": pictures, "list": long_list, "turns": turns})
    return 0


if __name__ == "__main__":
    sys.exit(main())
