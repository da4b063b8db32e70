#!/usr/bin/env python3
"""Measures lapis beside the shortest diffusers script that does the same, in one run, round by round in turn.

- commands that need no engine: milliseconds, and whether libtorch was opened all the same;
- cold process to PNG: seconds, split into module calls and all else, and peak memory;
- a latent into the space of the next model named, where there are several: the same;
- the denoising loop: what a step costs beside its module call;
- where lapis spends its time.

Both run in fp32 on the CPU with the same weights and number of threads. Values are medians of the rounds; a ratio is
the median of the ratios of each round, so that a busy machine slows both sides of it.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import peer_python
import program
from bench import convert
from bench.process import answer_of, run
from parity import cases

PROMPT = "a red house on the left, lake at sunset with mountains"
STEPS = 20
SMALL = (128, 128)
MODULES = ("text_encoder", "denoiser", "vae_decoder")
EXAMPLES = """examples:
  python scripts/bench/generate.py models/tiny-sd15
  python scripts/bench/generate.py models/tiny-sd15 models/tiny-sdxl models/tiny-flux --threads 2 --json build/bench.json
"""


@dataclasses.dataclass(frozen=True)
class Render:
    """One cold render: seconds in all, in module calls, in the loop beside them; peak memory."""

    seconds: float
    modules: float
    loop: float
    peak_mb: float
    timings: dict[str, float]  # as the process itself counted them


# ---- commands that need no engine ----


@dataclasses.dataclass(frozen=True)
class QuickCommand:
    """A command that must answer without libtorch."""

    name: str
    arguments: tuple[str, ...]
    exit_code: int


def quick_commands(folder: Path) -> list[QuickCommand]:
    """`folder` gets a model that lapis must refuse."""
    refused = folder / "refused"
    refused.mkdir()
    (refused / "model.json").write_text('{"version": 999}\n', encoding="utf-8")
    return [
        QuickCommand("--help", ("--help",), 0),
        QuickCommand("--version", ("--version",), 0),
        QuickCommand("list", ("list",), 0),
        QuickCommand("usage error", ("generate", PROMPT, "--no-such-option"), 2),
        QuickCommand("refused model", ("generate", PROMPT, "--model", str(refused)), 5),
    ]


def opens_libtorch(command: list[str], folder: Path) -> bool:
    """Whether the dynamic loader was asked for libtorch, by its own account (LD_DEBUG=files)."""
    run(command, {"LD_DEBUG": "files", "LD_DEBUG_OUTPUT": str(folder / "loader")})
    accounts = list(folder.glob("loader.*"))
    found = any("libtorch" in account.read_text(errors="replace") for account in accounts)
    for account in accounts:
        account.unlink()
    return found


def check_detector(arguments: argparse.Namespace, folder: Path) -> None:
    """A render opens libtorch; if that goes unseen, so would a quick command's."""
    render = program.generate_command(arguments.program, PROMPT, folder / "x.png", model=arguments.models[0],
                                      device="cpu", width=SMALL[0], height=SMALL[1], steps=1,
                                      threads=arguments.threads)
    if not opens_libtorch(render, folder):
        raise program.ProgramError("a render was not seen to open libtorch, so nothing can be said of other commands. "
                                   f"Does it work? {' '.join(render)}")


def bench_quick(binary: Path, folder: Path, rounds: int) -> list[dict[str, Any]]:
    """One row for each quick command."""
    commands = quick_commands(folder)
    times: dict[str, list[float]] = {command.name: [] for command in commands}
    codes: dict[str, int] = {}
    for _ in range(rounds):
        for command in commands:
            done = run([str(binary), *command.arguments])
            times[command.name].append(done.seconds * 1000)
            codes[command.name] = done.exit_code
    rows = []
    for command in commands:
        opened = opens_libtorch([str(binary), *command.arguments], folder)
        rows.append({"command": command.name, "milliseconds": statistics.median(times[command.name]),
                     "exit_code": codes[command.name], "expected_exit_code": command.exit_code,
                     "libtorch_opened": opened, "passed": codes[command.name] == command.exit_code and not opened})
    return rows


# ---- renders ----


def lapis_render(arguments: argparse.Namespace, model: Path, size: tuple[int, int], folder: Path) -> Render:
    output = folder / "lapis.png"
    done = run(program.generate_command(arguments.program, PROMPT, output, model=model, width=size[0],
                                        height=size[1], steps=STEPS, guidance=guidance_of(model), seed=0, dtype="fp32",
                                        device="cpu", threads=arguments.threads))
    timings = answer_of(done, "lapis generate")["timings"]
    return Render(done.seconds, sum(timings[name] for name in MODULES), timings["sampler"], done.peak_mb, timings)


def diffusers_render(arguments: argparse.Namespace, model: Path, python: str, size: tuple[int, int],
                     folder: Path) -> Render:
    script, facts = Path(__file__).with_name("generate_diffusers.py"), cases.read_facts(model)
    options = {"width": size[0], "height": size[1], "steps": STEPS, "guidance": guidance_of(model),
               "threads": arguments.threads,
               "t5-length": facts.lengths["tokenizer_2"] if facts.flow else None}
    given = [word for name, value in options.items() if value is not None for word in (f"--{name}", str(value))]
    done = run([python, str(script), str(model), PROMPT, str(folder / "diffusers.png"), *given], peer_python.QUIET)
    timings = answer_of(done, "generate_diffusers.py")
    return Render(done.seconds, sum(timings[name] for name in MODULES), timings["loop"], done.peak_mb, timings)


def guidance_of(model: Path) -> float | None:
    """The guidance of both sides; None for a model that has none."""
    return cases.plain_job(cases.read_facts(model)).guidance


def bench_renders(arguments: argparse.Namespace, model: Path, python: str, folder: Path) -> list[dict[str, Any]]:
    """One row for each picture size."""
    defaults = json.loads((model / "model.json").read_text(encoding="utf-8"))["defaults"]
    sizes = dict.fromkeys([(defaults["width"], defaults["height"]), SMALL])
    rows = []
    for size in sizes:
        lapis, diffusers = [], []
        for i in range(arguments.rounds):
            program.progress(f"{model.name}, {size[0]}x{size[1]}: round {i + 1} of {arguments.rounds}")
            lapis.append(lapis_render(arguments, model, size, folder))
            diffusers.append(diffusers_render(arguments, model, python, size, folder))
        rows.append({"model": model.name, "width": size[0], "height": size[1], "guidance": guidance_of(model),
                     "lapis": summary(lapis), "diffusers": summary(diffusers), "ratios": ratios(lapis, diffusers),
                     "timeline": timeline(lapis)})
    return rows


QUANTITIES: dict[str, Callable[[Render], float]] = {
    "seconds": lambda render: render.seconds,
    "module_seconds": lambda render: render.modules,
    "other_seconds": lambda render: render.seconds - render.modules,
    "loop_ms_per_step": lambda render: 1000 * render.loop / STEPS,
    "loop_share": lambda render: 100 * render.loop / render.timings["denoiser"],
    "peak_mb": lambda render: render.peak_mb,
}
HEADINGS = {"seconds": "cold process to PNG, s", "module_seconds": "module calls, s", "other_seconds": "all else, s",
            "loop_ms_per_step": "loop beside its module calls, ms a step",
            "loop_share": "loop beside its module calls, % of them", "peak_mb": "peak memory, MB"}


def summary(renders: list[Render]) -> dict[str, float]:
    return {name: statistics.median(map(quantity, renders)) for name, quantity in QUANTITIES.items()}


def ratios(ours: list[Render], theirs: list[Render]) -> dict[str, float]:
    """Median over the rounds of diffusers over lapis: above 1, lapis takes less."""
    return {name: statistics.median(quantity(b) / max(quantity(a), 1e-9) for a, b in zip(ours, theirs))
            for name, quantity in QUANTITIES.items()}


TIMELINE = {
    "start": "process start, arguments, exit",
    "read": "model.json read, files compared with their sha256",
    "tokens": "tokenizer read, prompts encoded (while libtorch opens)",
    "engine": "waiting for libtorch to open",
    "load": "graphs parsed, weights mapped and bound",
    "text_encoder": "text encoder",
    "denoiser": "denoiser, all steps",
    "sampler": "noise, guidance, steps",
    "vae_decoder": "VAE decoder",
    "pixels": "checks, 8 bit",
    "png": "PNG encoded and written",
}


def timeline(renders: list[Render]) -> dict[str, float]:
    """Median milliseconds of each stretch of a render; "start" is what the program cannot see of itself."""
    spans = {name: [1000 * render.timings[name] for render in renders] for name in TIMELINE if name != "start"}
    unseen = [1000 * (render.seconds - render.timings["total"]) for render in renders]
    return {name: statistics.median(spans.get(name, unseen)) for name in TIMELINE}


# ---- report ----


def print_tables(quick: list[dict[str, Any]], renders: list[dict[str, Any]], arguments: argparse.Namespace) -> None:
    print(f"{cpu_name()}, {arguments.threads} thread(s), {arguments.rounds} rounds, {STEPS} steps\n")
    print("| command | ms | exit code | libtorch opened | |\n|---|---|---|---|---|")
    for row in quick:
        print(f"| {row['command']} | {row['milliseconds']:.1f} | {row['exit_code']} | "
              f"{'yes' if row['libtorch_opened'] else 'no'} | {'ok' if row['passed'] else 'FAILED'} |")
    for row in renders:
        title = f"{row['model']}, {row['width']}x{row['height']}"
        guidance = f", guidance {row['guidance']}" if row["guidance"] is not None else ""
        print(f"\n| {title}{guidance} | lapis | diffusers | diffusers / lapis |\n|---|---|---|---|")
        for name, heading in HEADINGS.items():
            values = (f"{row[side][name]:.2f}" for side in ("lapis", "diffusers", "ratios"))
            print(f"| {heading} | {' | '.join(values)} |")
        print(f"\n| lapis, {title} | ms |\n|---|---|")
        for name, meaning in TIMELINE.items():
            print(f"| {meaning} | {row['timeline'][name]:.1f} |")


def cpu_name() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "unknown processor")


def parse_arguments() -> argparse.Namespace:
    parser = program.parser_of(__doc__, EXAMPLES)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="a model folder that is a diffusers one")
    parser.add_argument("--rounds", type=int, default=5, help="runs of each side (default: %(default)s)")
    parser.add_argument("--threads", type=int, default=1, help="threads of both sides (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all values to FILE too")
    program.add_program_option(parser)
    peer_python.add_python_option(parser)
    return parser.parse_args()


@program.reported
def main() -> int:
    arguments = parse_arguments()
    python = peer_python.peer_python(arguments.python)
    program.run([str(arguments.program), "--version"])
    with tempfile.TemporaryDirectory() as temporary:
        check_detector(arguments, Path(temporary))
        quick = bench_quick(arguments.program, Path(temporary), arguments.rounds)
        renders = [row for model in arguments.models
                   for row in bench_renders(arguments, model, python, Path(temporary))]
        converts = convert.bench_converts(arguments, python, Path(temporary))
    print_tables(quick, renders, arguments)
    convert.print_converts(converts)
    if arguments.json:
        document = {"cpu": cpu_name(), "threads": arguments.threads, "rounds": arguments.rounds, "commands": quick,
                    "renders": renders, "converts": converts}
        arguments.json.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    return 0 if all(row["passed"] for row in quick) else 1


if __name__ == "__main__":
    sys.exit(main())
