#!/usr/bin/env python3
"""Records all that a user sees of the program: what its commands say, how they end, and the files that they make.

    tests/program/record.py PROGRAM --check            hold it against tests/program/record.json
    tests/program/record.py PROGRAM --approve          make that record anew
    tests/program/record.py PROGRAM --out FILE, --check FILE

commands.txt has the commands. What differs from run to run or from place to place is written the same: the folders of
the commands (WORK), of models (MODELS), of test data (DATA) and of the program (PROGRAM), durations, times of files and
free memory (#). All else is kept as it is. Pictures and latents hold no date and no duration: their bytes are compared.

Numbers that a network computed differ by the machine. The record says on what kind it was made; on another kind, of
groups that are marked "networks", files are compared by name alone, and texts but for fractions and digests.
"""

from __future__ import annotations

import argparse
import difflib
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from files import ROOT, write_all

HERE = Path(__file__).resolve().parent
COMMANDS = HERE / "commands.txt"
RECORD = HERE / "record.json"
TIMEOUT = 300  # seconds for one command
FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_tile")
OWN_VARIABLES = ("LAPIS_", "XDG_", "OMP_", "MKL_", "NO_COLOR")
# Test data by a path from the working folder, whose place is another one on each machine.
RELATIVE_DATA = re.compile(r"(?:\.\./)+(?:\.\.DATA|(?:[\w.-]+/)*?tests/data)")
TIMINGS = re.compile(r'("timings": ?\{)([^}]*)\}')
VARYING = ((re.compile(r'("(?:seconds|modified)": ?)[\d.e-]+'), r"\1#"),
           (re.compile(r'("pixels_sha256": ?)"[0-9a-f]{64}"'), r'\1"#"'),  # the digest of the file beside it says more
           (re.compile(r"\b\d+(\.\d+)?(?= (s|ms|min)\b)"), "#"),
           (re.compile(r"\b\d+(\.\d+)? [kMGT]?B(?= (are|is) free)"), "#"))
COMPUTED = ((re.compile(r"\b[0-9a-f]{64}\b"), "DIGEST"), (re.compile(r"-?\d+\.\d+(e[+-]?\d+)?"), "#"),
            (re.compile(r"  +"), " "))
Entry = dict[str, Any]  # group, command, networks, code, stdout, stderr, files
Record = dict[str, Any]  # machine, entries


class Command(NamedTuple):
    """A line for the shell; what only prepares the next ones is not recorded."""

    line: str
    recorded: bool


@dataclass
class Group:
    """Commands that run one after another in a folder of their own."""

    name: str
    networks: bool
    commands: list[Command]


def read_commands(path: Path = COMMANDS) -> list[Group]:
    """The groups of a file of commands."""
    groups: list[Group] = []
    for line in path.read_text("utf-8").splitlines():
        if head := re.fullmatch(r"\[([^]]+)\]( networks)?", line):
            groups.append(Group(head[1], head[2] is not None, []))
        elif line and not line.startswith("#"):
            groups[-1].commands.append(Command(line.removeprefix("+ "), not line.startswith("+ ")))
    lines = [(group.name, command.line) for group in groups for command in group.commands]
    if doubled := {line for line in lines if lines.count(line) > 1}:
        raise SystemExit(f"{path}: twice in one group: {sorted(doubled)}")
    return groups


def machine_kind() -> str:
    """The processor's maker and those of its instructions that change sums."""
    text = Path("/proc/cpuinfo").read_text("utf-8")
    vendor = re.search(r"vendor_id\s*: (.*)", text)
    flags = set(text.split())
    return " ".join([vendor[1] if vendor else "unknown", *(flag for flag in FLAGS if flag in flags)])


class Recorder:
    """Runs groups of commands by one program, each in a folder of its own below `place`."""

    def __init__(self, program: Path, place: Path) -> None:
        self.place = place
        kept = {name: value for name, value in os.environ.items() if not name.startswith(OWN_VARIABLES)}
        self.environment = kept | {
            "PATH": f"{program.parent}:{os.environ.get('PATH', '/usr/bin:/bin')}", "D": str(ROOT / "tests" / "data"),
            "LC_ALL": "C.UTF-8", "COLUMNS": "80", "TERM": "dumb"}
        tree = program.parent.parent
        self.tree = tree if (tree / "lib" / "lapis").is_dir() else program.parent
        listed = self.shell("lapis list models --json", place)
        self.environment["M"] = str(Path(json.loads(listed.stdout)[0]["folder"]).parent)
        (place / "prepared").mkdir()
        write_all(place / "prepared")

    def shell(self, line: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
        """Runs a line of bash; one command of a pipe that fails makes it fail."""
        environment = self.environment | {"HOME": str(folder / "home")}
        return subprocess.run(["bash", "-o", "pipefail", "-c", line], cwd=folder, stdin=subprocess.DEVNULL,
                              env=environment, capture_output=True, timeout=TIMEOUT)

    def normal(self, text: str, folder: Path) -> str:
        """The text without what differs from run to run and from place to place."""
        places = {str(folder): "WORK", self.environment["M"]: "MODELS", self.environment["D"]: "DATA",
                  str(self.tree): "PROGRAM"}
        for path in sorted(places, key=len, reverse=True):
            text = text.replace(path, places[path])
        text = RELATIVE_DATA.sub("DATA", text)
        text = TIMINGS.sub(lambda found: found[1] + re.sub(r"(?<=:)( ?)[\d.e-]+", r"\1#", found[2]) + "}", text)
        for pattern, mark in VARYING:
            text = pattern.sub(mark, text)
        return text

    def lines(self, output: bytes, folder: Path) -> list[str]:
        """What was printed, line by line; of what is no text its digest."""
        try:
            lines = self.normal(output.decode("utf-8"), folder).split("\n")
            return lines if lines[-1] else lines[:-1]
        except UnicodeDecodeError:
            return ["bytes of sha256 " + hashlib.sha256(output).hexdigest()]

    def digest(self, path: Path, folder: Path) -> str:
        """What a file holds; of a text the digest of its lines without what differs."""
        if path.is_symlink():
            return "link to " + self.normal(os.readlink(path), folder)
        content = path.read_bytes()
        try:
            content = content if b"\0" in content else self.normal(content.decode("utf-8"), folder).encode()
        except UnicodeDecodeError:
            pass
        return hashlib.sha256(content).hexdigest()

    def entries(self, group: Group) -> Iterator[Entry]:
        """Runs a group in a fresh folder."""
        folder = self.place / group.name.replace(" ", "_")
        shutil.copytree(self.place / "prepared", folder, copy_function=os.link)
        for command in group.commands:
            before = state_of(folder)
            result = self.shell(command.line, folder)
            if not command.recorded:
                if result.returncode != 0:
                    raise SystemExit(f"{group.name}: {command.line}\n{result.stderr.decode(errors='replace')}")
                continue
            after = state_of(folder)
            changed = {name: self.digest(folder / name, folder) for name, state in after.items()
                       if before.get(name) != state}
            gone = {name: "gone" for name in before if name not in after}
            yield {"group": group.name, "command": command.line, "networks": group.networks, "code": result.returncode,
                   "stdout": self.lines(result.stdout, folder), "stderr": self.lines(result.stderr, folder),
                   "files": dict(sorted((changed | gone).items()))}

    def record(self, groups: list[Group]) -> Record:
        """Runs the groups, two at a time."""
        def run(group: Group) -> list[Entry]:
            start = time.monotonic()
            entries = list(self.entries(group))
            print(f"{group.name}: {len(entries)} commands, {time.monotonic() - start:.1f} s", file=sys.stderr)
            return entries

        with ThreadPoolExecutor(2) as pool:
            return {"machine": machine_kind(), "entries": [entry for part in pool.map(run, groups) for entry in part]}


def state_of(folder: Path) -> dict[str, tuple[int, ...]]:
    """By the name of each file below a folder, what changes when it is written."""
    state = {}
    for path in folder.rglob("*"):
        if path.is_symlink() or path.is_file():
            facts = path.lstat()
            state[path.relative_to(folder).as_posix()] = (facts.st_ino, facts.st_size, facts.st_mtime_ns)
    return state


def record_of(program: Path, groups: list[Group]) -> Record:
    """What the program does now."""
    with tempfile.TemporaryDirectory(prefix="lapis-record-") as place:
        return Recorder(program.absolute(), Path(place).resolve()).record(groups)


def shown(entry: Entry, same_kind: bool) -> list[str]:
    """An entry as lines to compare: without what networks computed, where the machine is of another kind."""
    lines = [f"exit code {entry['code']}"]
    lines += [f"{stream}: {line}" for stream in ("stdout", "stderr") for line in entry[stream]]
    lines += [f"file {name}: {digest}" for name, digest in entry["files"].items()]
    if same_kind or not entry["networks"]:
        return lines
    for pattern, mark in COMPUTED:
        lines = [pattern.sub(mark, line) for line in lines]
    return lines


def differences(before: Record, now: Record) -> list[str]:
    """A unified diff for each command that does not do what it did, or that only one of the two records has."""
    same_kind = before["machine"] == now["machine"]
    tables = [{(entry["group"], entry["command"]): entry for entry in record["entries"]} for record in (before, now)]
    found = []
    for key in dict.fromkeys([*tables[0], *tables[1]]):
        name = f"[{key[0]}] {key[1]}"
        old, new = ([name, *shown(table[key], same_kind)] if key in table else [] for table in tables)
        if old != new:
            found.append("\n".join([name, *difflib.unified_diff(old, new, "recorded", "now", n=2, lineterm="")]))
    return found


def kind_note(before: Record, now: Record) -> str:
    """What the compare leaves out; "" for nothing."""
    if before["machine"] == now["machine"]:
        return ""
    return (f"recorded on {before['machine']}, and this is {now['machine']}: what networks computed is not compared "
            f"({sum(entry['networks'] for entry in now['entries'])} of {len(now['entries'])} commands)")


def read_record(path: Path) -> Record:
    return json.loads(path.read_text("utf-8"))


def write_record(path: Path, record: Record) -> None:
    path.write_text(json.dumps(record, ensure_ascii=False, indent=0) + "\n", "utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("program", type=Path, metavar="PROGRAM", help="the program lapis, built or installed")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write what it does now")
    parser.add_argument("--check", type=Path, metavar="FILE", nargs="?", const=RECORD, help="compare with it")
    parser.add_argument("--approve", action="store_true", help="write record.json anew")
    parser.add_argument("--only", action="append", metavar="GROUP", help="of these groups alone; repeat")
    options = parser.parse_args()
    if options.program.name != "lapis" or not os.access(options.program, os.X_OK):
        parser.error(f"{options.program} is no program of the name lapis")
    if options.approve and options.only:
        parser.error("--approve writes the record of all groups")
    groups = [group for group in read_commands() if not options.only or group.name in options.only]
    now = record_of(options.program, groups)
    for path in filter(None, (options.out, RECORD if options.approve else None)):
        write_record(path, now)
    if not options.check:
        return 0
    before = read_record(options.check)
    before["entries"] = [entry for entry in before["entries"] if not options.only or entry["group"] in options.only]
    found = differences(before, now)
    print("\n\n".join([*found, *filter(None, [kind_note(before, now)])]))
    print(f"{len(found)} of {len(now['entries'])} commands differ")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
