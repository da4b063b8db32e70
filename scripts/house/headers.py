#!/usr/bin/env python3
"""Compile each header alone: one that leans on what others happen to include before it is found.

The precompiled headers of a build hide that. Here a header has those alone that it includes itself, directly or by headers
of ours. Engine headers need libtorch, which takes seconds each: --engine.
"""

from __future__ import annotations

import argparse
import functools
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TORCH = ROOT / ".deps/torch/include"


def is_engine(header: str) -> bool:
    """Whether a header is seen together with libtorch."""
    return header.startswith("src/engine/")


@functools.cache
def library_of(header: str) -> frozenset[str]:
    """The standard library's headers, and other people's, that a header includes, directly or by headers of ours."""
    text = (ROOT / header).read_text()
    found = set(re.findall(r"^#include <(.+)>", text, re.MULTILINE))
    for name in re.findall(r'^#include "(.+)"', text, re.MULTILINE):
        found |= library_of(next(path for path in (f"src/{name}", f"include/{name}") if (ROOT / path).exists()))
    return frozenset(found)


def shared(wanted: list[frozenset[str]]) -> list[frozenset[str]]:
    """Sets of headers to compile once: those that save more than they cost, each counted by how many they are."""
    chosen: list[frozenset[str]] = []
    saved = [0] * len(wanted)
    while True:
        def gain(each: frozenset[str]) -> int:
            return sum(max(0, len(each) - had) for all_of_it, had in zip(wanted, saved) if each <= all_of_it) - 3 * len(each)

        best = max(set(wanted), key=gain, default=frozenset())
        if not best or gain(best) <= 0:
            return chosen
        chosen.append(best)
        saved = [max(had, len(best)) if best <= all_of_it else had for all_of_it, had in zip(wanted, saved)]


def precompiled(compiler: str, headers: list[str], folder: str, pool: ThreadPoolExecutor) -> dict[str, list[str]]:
    """The compiler's words for each header that give it, compiled, most of what it includes."""
    sets = shared([library_of(header) for header in headers if not is_engine(header)])

    def compiled(number: int) -> str:
        source = Path(folder, f"{number}.hpp")
        source.write_text("".join(f"#include <{name}>\n" for name in sorted(sets[number])))
        subprocess.run([compiler, "-std=c++20", "-x", "c++-header", source, "-o", source.with_suffix(".pch")], check=True)
        return str(source.with_suffix(".pch"))

    files = dict(zip(sets, pool.map(compiled, range(len(sets))), strict=True))
    most = {header: max((each for each in sets if each <= library_of(header)), key=len, default=None)
            for header in headers if not is_engine(header)}
    return {header: ["-include-pch", files[each]] for header, each in most.items() if each}


def fault_of(compiler: str, header: str, words: list[str]) -> str:
    """What the compiler says of a header alone; "" where it compiles."""
    command = [compiler, "-std=c++20", "-fsyntax-only", "-Wno-pragma-once-outside-header", f"-I{ROOT / 'include'}",
               f"-I{ROOT / 'src'}", *words]
    if is_engine(header):
        command += ["-isystem", str(TORCH), "-isystem", str(TORCH / "torch/csrc/api/include")]
    run = subprocess.run([*command, "-x", "c++", str(ROOT / header)], capture_output=True, text=True, check=False)
    return "" if run.returncode == 0 else run.stderr


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("headers", nargs="*", metavar="HEADER", help="below the tree (all of include/ and src/)")
    parser.add_argument("--engine", action="store_true", help="those of src/engine too, where all are compiled")
    parser.add_argument("--compiler", default="clang++", help="clang++ is the faster one")
    options = parser.parse_args()
    found = [path.relative_to(ROOT).as_posix() for folder in ("include", "src")
             for path in sorted((ROOT / folder).rglob("*.hpp"))]
    headers = options.headers or [header for header in found if options.engine or not is_engine(header)]
    with ThreadPoolExecutor(os.cpu_count()) as pool, tempfile.TemporaryDirectory() as folder:
        # The words are clang's.
        words = precompiled(options.compiler, headers, folder, pool) if "clang" in options.compiler else {}
        found_of = pool.map(lambda header: fault_of(options.compiler, header, words.get(header, [])), headers)
        faults = {header: fault for header, fault in zip(headers, found_of, strict=True) if fault}
    for header, fault in faults.items():
        print(f"{header} does not compile alone:\n{fault}", file=sys.stderr)
    print(f"{len(headers) - len(faults)} of {len(headers)} headers compile alone")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
