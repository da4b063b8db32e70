#!/usr/bin/env python3
"""Holds what the program says, how it ends and what it makes against tests/program/record.json, and the comparing
itself against changes that it has to find.

    tests/program/test_program.py BUILD_FOLDER [unittest arguments]
"""

from __future__ import annotations

import copy
import sys
import unittest
from pathlib import Path

from record import RECORD, Record, differences, kind_note, machine_kind, read_commands, read_record, record_of

PROGRAM = Path(sys.argv[1] if len(sys.argv) > 1 else "build/release") / "lapis"
ENTRY = {"group": "a group", "command": "lapis", "networks": True, "code": 0, "stdout": ["PSNR 35.9 dB"], "stderr": [],
         "files": {"a.png": "ab" * 32}}


class Comparing(unittest.TestCase):
    def setUp(self) -> None:
        other = ENTRY | {"command": "lapis help", "networks": False}
        self.before: Record = {"machine": "one avx2", "entries": [ENTRY, other]}
        self.now = copy.deepcopy(self.before)

    def found(self, *says: str) -> None:
        """One difference, which says all of this."""
        text, = differences(self.before, self.now)
        for part in says:
            self.assertIn(part, text)

    def test_nothing_is_found_where_nothing_changed(self) -> None:
        self.assertEqual((differences(self.before, self.now), kind_note(self.before, self.now)), ([], ""))

    def test_a_text(self) -> None:
        self.now["entries"][0]["stdout"] = ["PSNR 36.0 dB"]
        self.found("[a group] lapis", "-stdout: PSNR 35.9 dB", "+stdout: PSNR 36.0 dB")

    def test_an_exit_code(self) -> None:
        self.now["entries"][1]["code"] = 3
        self.found("lapis help", "-exit code 0", "+exit code 3")

    def test_a_file(self) -> None:
        self.now["entries"][0]["files"] = {"a.png": "cd" * 32}
        self.found("-file a.png: ab", "+file a.png: cd")

    def test_a_command_that_is_missing_or_new(self) -> None:
        entry = self.now["entries"].pop()
        self.found("-[a group] lapis help", "-exit code 0")
        self.before["entries"].pop()
        self.now["entries"].append(entry)
        self.found("+[a group] lapis help", "+exit code 0")

    def test_another_kind_of_machine(self) -> None:
        self.now["machine"] = "other avx512f"
        self.now["entries"][0] |= {"stdout": ["PSNR 36.0 dB"], "files": {"a.png": "cd" * 32}}
        self.assertEqual(differences(self.before, self.now), [])
        self.assertIn("(1 of 2 commands)", kind_note(self.before, self.now))
        self.now["entries"][0]["stdout"] = ["SSIM 36.0 dB"]
        self.found("+stdout: SSIM # dB")
        self.now["entries"][0] |= {"stdout": ["PSNR 36.0 dB"], "code": 7}
        self.found("+exit code 7")
        self.now["entries"][0] |= {"code": 0, "files": {"b.png": "ab" * 32}}
        self.found("-file a.png", "+file b.png")
        self.now["entries"][0] |= {"files": {"a.png": "ab" * 32}}
        self.now["entries"][1]["files"] = {"a.png": "cd" * 32}
        self.found("+file a.png: cd")

    def test_the_record_names_every_command(self) -> None:
        recorded = [(entry["group"], entry["command"]) for entry in read_record(RECORD)["entries"]]
        self.assertEqual(recorded, [(group.name, command.line) for group in read_commands()
                                    for command in group.commands if command.recorded])
        self.assertTrue(machine_kind())


class Program(unittest.TestCase):
    def test_it_does_what_it_did(self) -> None:
        before, now = read_record(RECORD), record_of(PROGRAM, read_commands())
        if note := kind_note(before, now):
            print(note, file=sys.stderr)
        if found := differences(before, now):
            self.fail("\n\n".join([f"{len(found)} of {len(now['entries'])} commands differ", *found]))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
