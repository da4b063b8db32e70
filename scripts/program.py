"""Running the lapis program from the scripts that measure it."""

from __future__ import annotations

import argparse
import functools
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / "build" / "release" / "lapis"


class ProgramError(Exception):
    """The program ended with an error, or answered what a script cannot read."""


def add_program_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--program", type=Path, default=PROGRAM,
                        help="the lapis to run (default: build/release/lapis)")


def parser_of(doc: str | None, examples: str) -> argparse.ArgumentParser:
    """A parser that shows the first lines of a script and its examples as they are."""
    return argparse.ArgumentParser(description=doc, epilog=examples, formatter_class=argparse.RawDescriptionHelpFormatter)


def reported(main: Callable[[], int]) -> Callable[[], int]:
    """A script's `main`, in which a program that fails is a line on stderr and exit code 1."""
    @functools.wraps(main)
    def run_main() -> int:
        try:
            return main()
        except ProgramError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1

    return run_main


def print_table(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A table in Markdown, each row as soon as it is there."""
    print(f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|", flush=True)
    for row in rows:
        print(f"| {' | '.join(map(str, row))} |", flush=True)


def write_rows(path: Path | None, rows: Any) -> None:
    """What was measured as a JSON document, where one is asked for."""
    if path:
        path.write_text(json.dumps(rows, indent=2) + "\n", encoding="utf-8")


def generate_command(program: Path, prompt: str, output: Path, **options: Any) -> list[str]:
    """`lapis generate`, JSON lines on stdout. Option `negative_prompt="x"` becomes `--negative-prompt x`; None none."""
    command = [str(program), "generate", prompt, "--output", str(output), "--overwrite", "--json"]
    for name, value in options.items():
        if value is not None:
            command += [f"--{name.replace('_', '-')}", str(value)]
    return command


def run(command: list[str]) -> str:
    """stdout of a command that must succeed."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        raise ProgramError(f"{command[0]} cannot be run: {error.strerror}. "
                           f"Build it: cmake --workflow --preset release") from None
    if done.returncode != 0:
        raise ProgramError(f"{' '.join(command)}\nended with exit code {done.returncode}, expected 0:\n"
                           f"{done.stderr.strip()[-2000:]}")
    return done.stdout


def generate(program: Path, prompt: str, output: Path, **options: Any) -> list[dict[str, Any]]:
    """Renders and returns one record for each picture: path, seed, width, height, timings and more."""
    text = run(generate_command(program, prompt, output, **options))
    try:
        records = [json.loads(line) for line in text.splitlines() if line.strip()]
    except json.JSONDecodeError as error:
        raise ProgramError(f"lapis generate --json answered a line that is not JSON ({error}):\n{text[:500]}") from None
    if not records:
        raise ProgramError("lapis generate --json answered nothing, expected one line for each picture.")
    return records


def ended(faults: list[str], praise: str) -> int:
    """Tells the faults of a check on stderr, or where there are none what it says in praise; the exit code."""
    for fault in faults:
        print(f"error: {fault}", file=sys.stderr)
    if not faults:
        print(praise)
    return 1 if faults else 0


def progress(text: str) -> None:
    """A line on stderr, so that stdout holds results alone."""
    print(text, file=sys.stderr, flush=True)
