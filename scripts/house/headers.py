#!/usr/bin/env python3
"""Compile each header alone: one that leans on what others happen to include before it is found.

The precompiled headers of a build hide that. Engine headers need libtorch, which takes seconds each: --engine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TORCH = ROOT / ".deps/torch/include"


def is_engine(header: str) -> bool:
    """Whether a header is seen together with libtorch."""
    return header.startswith("src/engine/")


def fault_of(compiler: str, header: str) -> str:
    """What the compiler says of a header alone; "" where it compiles."""
    command = [compiler, "-std=c++20", "-fsyntax-only", "-Wno-pragma-once-outside-header", f"-I{ROOT / 'include'}",
               f"-I{ROOT / 'src'}"]
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
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = {header: fault for header, fault in
                  zip(headers, pool.map(lambda header: fault_of(options.compiler, header), headers), strict=True) if fault}
    for header, fault in faults.items():
        print(f"{header} does not compile alone:\n{fault}", file=sys.stderr)
    print(f"{len(headers) - len(faults)} of {len(headers)} headers compile alone")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
