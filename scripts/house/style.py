#!/usr/bin/env python3
"""C++ as .clang-format and .clang-tidy have it: the layout of every file, and clang-tidy on those that changed.

clang-tidy has each file alone, without precompiled headers, with the flags of the sanitizers' build: what a file leans on and
does not include is found, too. What changed is what differs from --base; a header counts by the sources that include it by
name.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DATABASE = ROOT / "build" / "style"


def git(*arguments: str) -> list[str]:
    """The lines that git answers."""
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()


def is_cpp(path: str) -> bool:
    return path.endswith((".cpp", ".hpp")) and (ROOT / path).is_file()


def misplaced(files: list[str], fix: bool) -> list[str]:
    """Those whose layout is not clang-format's; with `fix` they are made so."""
    def differs(path: str) -> bool:
        text = (ROOT / path).read_text()
        wanted = subprocess.run(["clang-format", path], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        if fix and wanted != text:
            (ROOT / path).write_text(wanted)
        return wanted != text

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return [path for path, is_wrong in zip(files, pool.map(differs, files), strict=True) if is_wrong]


def configure() -> None:
    """Writes down how each file is compiled."""
    subprocess.run(["cmake", "--preset", "asan", "-B", DATABASE, "-DCMAKE_UNITY_BUILD=OFF", "-DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON",
                    "--log-level=WARNING"], cwd=ROOT, stdout=subprocess.DEVNULL, check=True)


def sources_of(changed: list[str]) -> list[str]:
    """The compiled files that changed, or that include one that did: of each changed header one, where there is one."""
    compiled = {Path(entry["file"]).relative_to(ROOT).as_posix(): entry
                for entry in json.loads((DATABASE / "compile_commands.json").read_text())
                if Path(entry["file"]).is_relative_to(ROOT) and entry["file"].endswith(".cpp")
                and not Path(entry["file"]).is_relative_to(ROOT / "build")}
    found = {path for path in changed if path in compiled}
    for header in (path for path in changed if path.endswith(".hpp")):
        name = header.removeprefix("src/").removeprefix("include/")
        users = [path for path in compiled if f'"{name}"' in (ROOT / path).read_text()]
        if users and not found & set(users):
            found.add(users[0])
    return sorted(found)


def faults_of(path: str) -> str:
    """What clang-tidy says of a file; "" where it has nothing against it."""
    run = subprocess.run(["clang-tidy", "--quiet", "-p", DATABASE, path], cwd=ROOT, capture_output=True, text=True,
                         check=False)
    return "" if run.returncode == 0 else run.stdout + run.stderr


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("--fix", action="store_true", help="lay out what is not as clang-format has it, and end")
    parser.add_argument("--base", default="HEAD~1", metavar="REV", help="what changed since is tidied (HEAD~1)")
    parser.add_argument("--most", type=int, default=24, metavar="N", help="files that are tidied, the first of them (24)")
    options = parser.parse_args()
    wrong = misplaced([path for path in git("ls-files") if is_cpp(path)], options.fix)
    for path in wrong:
        print(f"{path}: {'laid out' if options.fix else 'is not as clang-format has it; scripts/house/style.py --fix'}")
    if options.fix:
        return 0
    configure()
    sources = sources_of([path for path in git("diff", "--name-only", options.base) if is_cpp(path)])
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        faults = [fault for fault in pool.map(faults_of, sources[:options.most]) if fault]
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"clang-format: {len(wrong)} files differ; clang-tidy: {len(faults)} of {min(len(sources), options.most)} files "
          f"have faults, of {len(sources)} that changed since {options.base}")
    return 1 if wrong or faults else 0


if __name__ == "__main__":
    sys.exit(main())
