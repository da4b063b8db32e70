#!/usr/bin/env python3
"""Breaks one constant of a sampler, and demands that `lapis smoke` finds it: exit code 1, the case by its name, and its
pictures on the page.

The tree stays as it is: what includes the sampler is compiled again, with a changed copy of its header before the others, and
linked as the build's engine is, into a temporary folder. The unbroken program must pass the suite.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from xml.etree import ElementTree

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import program

EXAMPLES = """examples:
  python scripts/house/broken_sampler.py
  python scripts/house/broken_sampler.py build/dev
"""
HEADER = Path("core/sampling/samplers/multistep.hpp")
CONSTANT, BROKEN = "/ lambda_step(context, i - 1) / 2)", "/ lambda_step(context, i - 1) / 3)"  # of dpmpp_2m alone
FAILED = {"sd15-wide"}  # the cases of the suite that name that sampler
ENGINE = "liblapis_engine.so"
SUITE = program.ROOT / "tests" / "smoke" / "suite.json"


def ninja(build: Path, *words: str) -> str:
    return program.run(["ninja", "-C", str(build), "--quiet", "-t", *words])


def break_header(folder: Path) -> None:
    text = (program.ROOT / "src" / HEADER).read_text("utf-8")
    if text.count(CONSTANT) != 1:
        raise program.ProgramError(f"src/{HEADER} has {CONSTANT!r} {text.count(CONSTANT)} times, expected once.")
    (folder / HEADER).parent.mkdir(parents=True)
    (folder / HEADER).write_text(text.replace(CONSTANT, BROKEN), "utf-8")


def build_broken(build: Path, folder: Path) -> Path:
    """The program of this build with a broken engine beside it."""
    break_header(folder)
    link = [word for word in shlex.split(ninja(build, "commands", "-s", ENGINE)) if word not in (":", "&&")]
    for object_file in [word for word in link if word.endswith(".o")]:
        if str(HEADER) not in ninja(build, "deps", object_file):
            continue
        compile_line = shlex.split(ninja(build, "commands", "-s", object_file))
        new = str(folder / Path(object_file).name)
        compile_line = [word.replace(object_file, new) for word in compile_line]
        program.progress(f"compiling {Path(object_file).name} ...")
        first = next(place for place, word in enumerate(compile_line) if word.startswith("-"))  # behind the compiler
        subprocess.run([*compile_line[:first], f"-I{folder}", *compile_line[first:]], cwd=build, check=True)
        link = [new if word == object_file else word for word in link]
    subprocess.run([str(folder / ENGINE) if word == ENGINE else word for word in link], cwd=build, check=True)
    return Path(shutil.copy2(build / "lapis", folder / "lapis"))


def smoke(binary: Path, folder: Path) -> tuple[int, set[str]]:
    """The exit code and the cases that failed; reports and what is kept lie in `folder`."""
    done = subprocess.run([binary, "smoke", SUITE, "--json", "-o", folder / "kept", "--html", folder / "report.html",
                           "--junit", folder / "report.xml"], capture_output=True, text=True, check=False,
                          env=os.environ | {"LAPIS_MODELS": str(program.ROOT / "models")})
    if done.returncode not in (0, 1):
        raise program.ProgramError(f"lapis smoke ended with exit code {done.returncode}:\n{done.stderr}")
    return done.returncode, {test["name"] for test in json.loads(done.stdout)["cases"] if not test["passed"]}


def faults_of(code: int, failed: set[str], folder: Path) -> list[str]:
    """What of the broken engine was not told."""
    page = (folder / "report.html").read_text("utf-8")
    failures = {case.get("name") for case in ElementTree.parse(folder / "report.xml").iter("testcase")
                if case.find("failure") is not None}
    shown = {name for name in FAILED if name in page.partition("Passed</h2>")[0]}
    kept = {path.name for path in (folder / "kept").glob("*.png")}
    wanted = {f"{name}-{what}.png" for name in FAILED for what in ("actual", "expected", "difference")}
    checks = [("exit code", code, 1), ("failed cases", failed, FAILED), ("failures of JUnit", failures, FAILED),
              ("cases that the page shows as failed", shown, FAILED), ("pictures that are kept", kept, wanted),
              ("pictures on the page", page.count('src="data:image/png;base64,') >= 3, True)]
    return [f"{what}: {found}, expected {expected}" for what, found, expected in checks if found != expected]


@program.reported
def main() -> int:
    parser = program.parser_of(__doc__, EXAMPLES)
    parser.add_argument("build", type=Path, nargs="?", default=program.PROGRAM.parent, metavar="BUILD_FOLDER",
                        help="where the program was built, by Ninja (default: build/release)")
    build = parser.parse_args().build.resolve()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if (sound := smoke(build / "lapis", folder)) != (0, set()):
            raise program.ProgramError(f"the unbroken program fails the suite: {', '.join(sorted(sound[1]))}")
        code, failed = smoke(build_broken(build, folder), folder)
        faults = faults_of(code, failed, folder)
    return program.ended(
        faults, f"{HEADER}: {BROKEN!r} for {CONSTANT!r} fails {', '.join(sorted(failed))} with exit code {code}")


if __name__ == "__main__":
    sys.exit(main())
