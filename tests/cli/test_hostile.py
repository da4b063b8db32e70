#!/usr/bin/env python3
"""Feeds the program the files of hostile_files.py and demands of each the exit code, a message of one or two lines that
names the file, and nothing else: no crash, nothing written or run, little memory, no hang.

What is said is compared with docs/hostile-files.md, which --table writes.
"""

from __future__ import annotations

import os
import pwd
import resource
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from checkpoints import single_file
from hostile_files import GROUPS, Case
from support import MODEL, ROOT, has_engine, program, safetensors, start

PAGE = ROOT / "docs" / "hostile-files.md"
MOST_SECONDS = 20
MOST_MEMORY = 300 << 20         # resident; libtorch is 120 of them, a refused file of 20 MB 20
MOST_MEMORY_CHECKED = 2 << 30   # under the address sanitizer
NOBODY = pwd.getpwnam("nobody").pw_uid


class Outcome:
    """One run of the program in a folder of its own."""

    def __init__(self, case: Case) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lapis-hostile-"))
        try:
            self.folder.chmod(0o755)
            case.make(self.folder)
            before = self.files()
            start = time.monotonic()
            with subprocess.Popen([program(), *case.words], cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, preexec_fn=lambda: self.confine(case.powerless),
                                  env={**os.environ, "XDG_DATA_HOME": str(self.folder / "home"), "COLUMNS": "80"}) as process:
                self.out, error = process.communicate(timeout=10 * MOST_SECONDS)
                self.code = process.returncode
            self.seconds = time.monotonic() - start
            self.text = error.decode(errors="backslashreplace").replace(f"{self.folder.resolve()}/", "").replace(str(ROOT), "")
            self.written = sorted(self.files() - before)
        finally:
            for place in self.folder.rglob("*"):
                if place.is_dir() and not place.is_symlink():
                    place.chmod(0o755)
            shutil.rmtree(self.folder)

    @staticmethod
    def confine(powerless: bool) -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (MOST_SECONDS, MOST_SECONDS))
        resource.setrlimit(resource.RLIMIT_FSIZE, (64 << 20, 64 << 20))
        if powerless and os.getuid() == 0:  # nothing is forbidden to root
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)

    def files(self) -> set[str]:
        return {str(path.relative_to(self.folder)) for path in self.folder.rglob("*")}


def cell(text: str) -> str:
    return text.strip().replace("|", "\\|").replace("\n", "<br>").replace("<!DOCTYPE", "&lt;!DOCTYPE")


def page_rows(group: str, messages: dict[tuple[str, str], str]) -> list[str]:
    rows = [f"## {group}", "", "| file | run | exit code | says |", "|---|---|---|---|"]
    for case in GROUPS[group]:
        run = " ".join(word.replace(str(ROOT) + "/", "") for word in case.words if word != "-q")
        rows.append(f"| {case.what} | `lapis {cell(run)}` | {case.code} | {cell(messages[group, case.what])} |")
    return [*rows, ""]


HEAD = """# Hostile files, and what is said to them

What the tests feed to the program (`tests/cli/test_hostile.py`, which also writes this page), each with the message that a
person gets. Nothing of any of them is run, nothing is written, memory stays below 300 MB and no answer takes long.
[security.md](security.md) says what that means and what it does not.
"""


class Hostile(unittest.TestCase):
    maxDiff = None
    table: Path | None = None  # where the page is written
    messages: dict[tuple[str, str], str] = {}

    def check(self, group: str, case: Case) -> None:
        outcome = Outcome(case)
        text = outcome.text
        self.assertEqual(outcome.code, case.code, text)
        self.assertTrue(text.startswith("error: "), text)
        self.assertLessEqual(len(text.splitlines()), 2, text)
        self.assertEqual(outcome.out, b"")
        self.assertEqual(outcome.written, [], "something was written")
        self.assertLess(outcome.seconds, MOST_SECONDS)
        for part in case.says:
            self.assertIn(part, text)
        self.assertFalse([c for c in text if c < " " and c != "\n"], "the terminal would obey this")
        self.messages[group, case.what] = text.removeprefix("error: ")

    def test_every_file_gets_its_message_and_nothing_else(self) -> None:
        for group, cases in GROUPS.items():
            for case in cases:
                if case.engine and not has_engine():
                    continue
                with self.subTest(group=group, what=case.what):
                    self.check(group, case)
        used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10
        self.assertLess(used, MOST_MEMORY if has_engine() else MOST_MEMORY_CHECKED, "one of them took much memory")
        if self.table:
            lines = [HEAD, *(line for group in GROUPS for line in page_rows(group, self.messages))]
            self.table.write_text("\n".join(lines).rstrip() + "\n")
        for (group, what), text in self.messages.items():
            with self.subTest("docs/hostile-files.md is current", what=what):
                self.assertIn(f"| {cell(text)} |", PAGE.read_text(), f"write it again: {sys.argv[0]} BUILD --table {PAGE}")

    def test_legal_twins_pass(self) -> None:
        odd = {"empty": ("F32", [0, 3], b""), "number": ("F32", [], struct.pack("<f", 1)), "flag": ("BOOL", [1], b"\1")}
        case = Case("", lambda folder: None, ("import", "a.safetensors", "-o", "mine"), 0)
        for what, tensors, tail in (("rank 0 and no elements", odd, b""), ("four stray bytes, as v1-5 has", {}, bytes(4))):
            with self.subTest(what):
                def make(folder: Path) -> None:
                    (folder / "a.safetensors").write_bytes(safetensors(single_file(MODEL) | tensors) + tail)
                case.make = make
                outcome = Outcome(case)
                self.assertEqual(outcome.code, 0, outcome.text)
                self.assertIn("mine/model.json", outcome.written)


if __name__ == "__main__":
    options = start(__doc__, lambda parser: parser.add_argument(
        "--table", type=Path, metavar="FILE", help="write docs/hostile-files.md, which is compared with what is said now"))
    Hostile.table = options.table
    unittest.main()
