#!/usr/bin/env python3
"""Holds the templates of docs/examples/batch against what others read, and runs their own commands.

- schemas: GitHub's workflow and GitLab's pipeline by check-jsonschema, the Kubernetes Job by kubernetes-validate; with a
  misspelled key in it each must be refused;
- runs: the commands of each, part by part, with the variables that its scheduler sets; the merge must succeed, and the outputs
  be those of one run without parts;
- reports: the JUnit XML of `lapis smoke` and `lapis compare`, as junitparser reads it.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import peer_python
import program

TEMPLATES = program.ROOT / "docs" / "examples" / "batch"
SUITE = program.ROOT / "tests" / "smoke" / "suite.json"
CHECKERS = {  # file: module and words of what checks it; a key, and how it is misspelled
    "github.yml": (("check_jsonschema", "--builtin-schema", "vendor.github-workflows"), "runs-on", "run-on"),
    "gitlab.yml": (("check_jsonschema", "--builtin-schema", "vendor.gitlab-ci"), "stages", "stage"),
    "job.yaml": (("kubernetes_validate", "--strict"), "completionMode", "completionsMode"),
}
EXAMPLES = """examples:
  python scripts/parity/templates.py
"""
Outputs = dict[str, bytes]


def is_valid(file: Path, words: tuple[str, ...]) -> bool:
    command = [sys.executable, "-m", *words, str(file)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def check_schemas(folder: Path) -> Iterator[str]:
    for name, (words, key, misspelled) in CHECKERS.items():
        text = (TEMPLATES / name).read_text("utf-8")
        wrong = folder / name
        wrong.write_text(text.replace(f"{key}:", f"{misspelled}:", 1), "utf-8")
        if not is_valid(TEMPLATES / name, words):
            yield f"{name}: {words[0]} refuses it"
        if is_valid(wrong, words):
            yield f"{name}: {words[0]} takes it with {misspelled} for {key}"


class Place:
    """A folder with the list of jobs, in which the lines of a template run."""

    def __init__(self, folder: Path, binary: Path) -> None:
        self.folder, self.path = folder, f"{binary.parent}:{os.environ['PATH']}"
        folder.mkdir()
        shutil.copy(TEMPLATES / "jobs.jsonl", folder)

    def run(self, words: list[str], variables: dict[str, str] | None = None) -> None:
        """Runs a command, or a line of a shell in `bash -ec`."""
        done = subprocess.run(words, cwd=self.folder, env=os.environ | {"PATH": self.path} | (variables or {}),
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise program.ProgramError(f"{' '.join(words)}\nended with exit code {done.returncode}:\n{done.stderr.strip()}")

    def script(self, line: str, variables: dict[str, str] | None = None) -> None:
        self.run(["bash", "-ec", line], variables)

    def outputs(self, pattern: str = "out/*.png") -> Outputs:
        return {path.name: path.read_bytes() for path in sorted(self.folder.glob(pattern))}


def run_whole(place: Place, _document: Any) -> Outputs:
    place.script("lapis batch jobs.jsonl -o out/")
    return place.outputs()


def run_gitlab(place: Place, document: Any) -> Outputs:
    count = document["render"]["parallel"]
    for index in range(1, count + 1):
        for line in document["render"]["script"]:
            place.script(line, {"CI_NODE_INDEX": str(index), "CI_NODE_TOTAL": str(count)})
    for line in document["merge"]["script"]:
        place.script(line)
    return place.outputs()


def run_kubernetes(place: Place, document: Any) -> Outputs:
    container, = document["spec"]["template"]["spec"]["containers"]
    passed = {variable["name"]: variable["value"] for variable in container["env"]}
    for index in range(document["spec"]["completions"]):
        place.run(container["command"], passed | {"JOB_COMPLETION_INDEX": str(index)})
    place.script("lapis batch --merge out")
    return place.outputs()


def run_github(place: Place, document: Any) -> Outputs:
    """Each part on a machine of its own, whose `out` becomes a folder of the artifacts."""
    render, merge = document["jobs"]["render"], document["jobs"]["merge"]
    for part in render["strategy"]["matrix"]["part"]:
        for step in render["steps"]:
            if "run" in step:
                place.script(re.sub(r"\$\{\{ *matrix\.part *\}\}", str(part), step["run"]))
        (place.folder / "out").rename(place.folder / f"out-{part}")
    (place.folder / "parts").mkdir()
    for part in place.folder.glob("out-*"):
        part.rename(place.folder / "parts" / part.name)
    for step in merge["steps"]:
        if "run" in step:
            place.script(step["run"])
    return place.outputs("parts/*/*.png")


RUNS: dict[str, Callable[[Place, Any], Outputs]] = {
    "gitlab.yml": run_gitlab, "job.yaml": run_kubernetes, "github.yml": run_github}


def check_runs(folder: Path, binary: Path) -> Iterator[str]:
    import yaml

    whole = run_whole(Place(folder / "whole", binary), None)
    for name, run in RUNS.items():
        program.progress(f"{name} ...")
        document = yaml.safe_load((TEMPLATES / name).read_text("utf-8"))
        if run(Place(folder / Path(name).stem, binary), document) != whole:
            yield f"{name}: its outputs are not those of one run"


def check_reports(folder: Path, binary: Path) -> Iterator[str]:
    import junitparser

    goldens = SUITE.parent / "goldens"
    for name, words in {"smoke": ("smoke", SUITE, "-o", folder / "kept"), "compare": ("compare", goldens, goldens)}.items():
        report = folder / f"{name}.xml"
        subprocess.run([binary, *words, "--junit", report], capture_output=True, check=False)
        suites = list(junitparser.JUnitXml.fromfile(str(report)))
        cases = [case for suite in suites for case in suite]
        if not cases or sum(suite.tests for suite in suites) != len(cases):
            yield f"the report of lapis {name} has {len(cases)} cases, and says {[suite.tests for suite in suites]}"
        bad = [case.name for case in cases if not case.is_passed or not case.classname]
        if bad:
            yield f"the report of lapis {name}: {', '.join(bad)} did not pass, or has no class"


@program.reported
def main() -> int:
    parser = program.parser_of(__doc__, EXAMPLES)
    program.add_program_option(parser)
    peer_python.add_python_option(parser)
    arguments = parser.parse_args()
    peer_python.enter(arguments.python)
    binary = arguments.program.resolve()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        faults = [*check_schemas(folder), *check_runs(folder, binary), *check_reports(folder, binary)]
    return program.ended(faults, f"{', '.join(CHECKERS)}: valid, and their parts come to the whole; two reports are JUnit's")


if __name__ == "__main__":
    sys.exit(main())
