#!/usr/bin/env python3
"""Runs the fuzz targets, each from its corpus in git, under the address and undefined-behaviour sanitizers.

Fails on any finding: a crash, what a sanitizer says, more than thirty seconds for one input (on a busy machine, too), more
than two gigabytes, of which the sanitizers take most. The input is left where the message says, and the target itself,
called with that file, shows it again.
"""

from __future__ import annotations

import argparse
import concurrent.futures
import dataclasses
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

from program import ROOT

CORPORA = ROOT / "tests" / "fuzz" / "corpus"
SOURCES = ROOT / "tests" / "fuzz"
LONGEST = 1500  # bytes of an input in git
LIMITS = ("-timeout=30", "-rss_limit_mb=2048", "-print_final_stats=1")
EXAMPLES = """examples:
  cmake --preset asan && cmake --build --preset asan
  scripts/house/fuzz.py
  scripts/house/fuzz.py lora picture --seconds 600 --jobs 1 --table
  scripts/house/fuzz.py lora --seconds 60 --remake
"""


@dataclasses.dataclass(frozen=True)
class Result:
    """What became of one target."""

    target: str
    seconds: float
    executions: int
    edges: int  # of the program, that some input reached
    finding: Path | None


def targets() -> list[str]:
    return sorted(path.stem.removeprefix("fuzz_") for path in SOURCES.glob("fuzz_*.cpp"))


def options_of(target: str) -> Iterator[str]:
    dictionary = SOURCES / "words" / f"{target}.txt"
    if dictionary.exists():
        yield f"-dict={dictionary}"


def number_in(log: str, pattern: str) -> int:
    found = re.findall(pattern, log)
    return int(found[-1]) if found else 0


def fuzz(program: Path, target: str, corpora: list[Path], seconds: int, found: Path) -> Result:
    """Runs one target; new inputs go to the first of its corpora."""
    command = [program, *corpora, f"-max_total_time={seconds}", f"-artifact_prefix={found}/{target}-", *LIMITS,
               *options_of(target)]
    before = set(found.glob(f"{target}-*"))
    start = time.monotonic()
    run = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
    took = time.monotonic() - start
    log = run.stderr.decode(errors="replace")
    finding = None
    if run.returncode != 0:
        record = found / f"{target}-log"
        finding = next(iter(sorted(set(found.glob(f"{target}-*")) - before)), record)
        record.write_text(log)
    return Result(target, took, number_in(log, r"number_of_executed_units: (\d+)"), number_in(log, r"\bcov: (\d+)"),
                  finding)


def write_seeds(target: str, folder: Path) -> None:
    """The seeds of a target, which tests/fuzz/seeds.py knows."""
    subprocess.run([sys.executable, SOURCES / "seeds.py", target, folder], check=True)


def remake(program: Path, target: str, grown: Path) -> int:
    """Chooses the corpus anew from what was found, the seeds and the corpus as it is; how many inputs it has."""
    with tempfile.TemporaryDirectory() as place:
        seeds, chosen = Path(place) / "seeds", Path(place) / "chosen"
        write_seeds(target, seeds)
        chosen.mkdir()
        corpus = CORPORA / target
        corpus.mkdir(parents=True, exist_ok=True)
        # Counters would keep an input for every number of rounds of a loop.
        subprocess.run([program, "-set_cover_merge=1", "-use_counters=0", f"-max_len={LONGEST}", *options_of(target), *LIMITS[:2],
                        chosen, seeds, corpus, grown], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        shutil.rmtree(corpus)
        shutil.copytree(chosen, corpus)
    return len(list(corpus.iterdir()))


def run_target(options: argparse.Namespace, target: str) -> Result:
    """One target from its corpus, or from its seeds too where the corpus is remade."""
    program = options.build / f"fuzz_{target}"
    with tempfile.TemporaryDirectory() as place:
        grown = Path(place)
        corpora = [grown, *filter(Path.is_dir, [CORPORA / target])]
        if options.remake:
            write_seeds(target, grown)
        result = fuzz(program, target, corpora, options.seconds, options.found)
        print(f"{target:14} {result.seconds:6.0f} s {result.executions:11} executions {result.edges:6} edges"
              f"  {result.finding or 'nothing found'}", file=sys.stderr, flush=True)
        if options.remake and not result.finding:
            print(f"{target:14} corpus of {remake(program, target, grown)} inputs", file=sys.stderr, flush=True)
    return result


def table(results: list[Result]) -> str:
    lines = ["| target | seconds | executions | edges reached | findings |", "|---|---|---|---|---|"]
    lines += [f"| {each.target} | {each.seconds:.0f} | {each.executions} | {each.edges} | {1 if each.finding else 0} |"
              for each in results]
    return "\n".join(lines)


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(targets())}; all by default")
    parser.add_argument("--seconds", type=int, default=20, help="for each target (default: 20)")
    parser.add_argument("--jobs", type=int, default=2, help="targets at a time (default: 2)")
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "asan", help="folder of the build (default: build/asan)")
    parser.add_argument("--found", type=Path, default=ROOT / "build" / "fuzz", help="folder for what is found (default: build/fuzz)")
    parser.add_argument("--table", action="store_true", help="print what became of each target as a markdown table")
    parser.add_argument("--remake", action="store_true", help="begin from the seeds too, and choose the corpus in git anew")
    options = parser.parse_args()
    options.targets = options.targets or targets()
    for target in options.targets:
        if target not in targets():
            parser.error(f'there is no target "{target}"; there are {", ".join(targets())}')
        if not (options.build / f"fuzz_{target}").exists():
            parser.error(f"{options.build} has no fuzz_{target}; build it: cmake --preset asan && cmake --build --preset asan")
    return options


def main() -> int:
    options = read_options()
    options.found.mkdir(parents=True, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        results = list(pool.map(lambda target: run_target(options, target), options.targets))
    if options.table:
        print(table(results))
    for each in results:
        if each.finding:
            print(f"fuzz: {each.target}: {each.finding}; its log is {options.found}/{each.target}-log\n"
                  f"fuzz: run it alone: {options.build}/fuzz_{each.target} {each.finding}", file=sys.stderr)
    return 1 if any(each.finding for each in results) else 0


if __name__ == "__main__":
    sys.exit(main())
