#!/usr/bin/env python3
"""Holds docs/latent-format.md and docs/latent.schema.json against the program's own reader and writer.

The Python in the document runs on files that the program wrote, and the other way round; the schema and the program must
agree on what is a passport. Nothing is needed but the standard library.

    tests/io/test_latent_format.py LATENT_SAMPLES [unittest arguments]
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from json_schema import DOCS, is_valid, schema  # noqa: E402

SAMPLES = sys.argv.pop(1)
SCHEMA = schema("latent")


def functions_of_document() -> dict[str, Any]:
    """What the Python blocks of the document define."""
    text = (DOCS / "latent-format.md").read_text("utf-8")
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(compile(block, "latent-format.md", "exec"), names)  # noqa: S102
    return names


class FormatTest(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        subprocess.run([SAMPLES, "write", self.folder], check=True)
        self.document = functions_of_document()

    def read(self, name: str) -> tuple[dict[str, str], list[int], tuple[float, ...]]:
        """By the reader of the document."""
        return self.document["read_latent"](self.folder / f"{name}.safetensors")

    def verdicts(self, passports: list[dict[str, str]], shape: list[int], numbers: tuple[float, ...]) -> list[str]:
        """The program's word on files that the writer of the document made."""
        paths = []
        for place, passport in enumerate(passports):
            paths.append(self.folder / f"{place}.bin")
            rest = {key: text for key, text in passport.items() if key != "format"}
            self.document["write_latent"](paths[-1], rest, shape, numbers)
        done = subprocess.run([SAMPLES, "read", *paths], check=True, capture_output=True, text=True)
        return done.stdout.splitlines()

    def test_the_reader_is_as_short_as_it_says(self) -> None:
        text = (DOCS / "latent-format.md").read_text("utf-8")
        reader = re.search(r"```python\n(import.*?)```", text, re.DOTALL)
        self.assertIsNotNone(reader)
        self.assertIn("def read_latent", reader[1])
        code = [line for line in reader[1].splitlines() if line.strip() and '"""' not in line]
        self.assertLessEqual(len(code), 12)
        self.assertEqual(code[0], "import json, struct")

    def test_the_reader_reads_what_the_program_writes(self) -> None:
        for name, shape in {"plain": [2, 4, 3, 2], "half": [1, 4, 2, 2], "brain": [1, 16, 1, 1], "full": [1, 16, 2, 2],
                            "partial": [1, 16, 2, 2], "own": [1, 4, 2, 2]}.items():
            with self.subTest(name):
                passport, found, numbers = self.read(name)
                self.assertEqual(found, shape)
                self.assertEqual(numbers, tuple(i / 8 - 3 for i in range(len(numbers))))
                self.assertEqual(len(numbers), shape[0] * shape[1] * shape[2] * shape[3])
                self.assertEqual(int(passport["width"]), shape[3] * int(passport["downscale"]))
        passport = self.read("full")[0]
        self.assertEqual(json.loads(passport["job"])["job"]["prompt"], 'a lake, día "人生"')
        self.assertEqual([entry.get("psnr") for entry in json.loads(passport["history"])], [31.25, "infinite", None])
        self.assertEqual(self.read("partial")[0]["path"], "flow")
        self.assertEqual(len(self.read("brain")[0]["deviation"].split(",")), 16)

    def test_the_schema_takes_what_the_program_writes(self) -> None:
        for path in self.folder.glob("*.safetensors"):
            with self.subTest(path.stem):
                self.assertTrue(is_valid(self.read(path.stem)[0], SCHEMA))

    def test_the_program_reads_what_the_writer_writes(self) -> None:
        for name in ("plain", "full", "own"):
            passport, shape, numbers = self.read(name)
            self.assertEqual(self.verdicts([passport], shape, numbers), ["ok"])
            self.assertEqual(self.verdicts([{**passport, "scale": "0.25"}], shape, numbers)[0] == "ok", name == "own")

    def changes(self) -> list[dict[str, str | None]]:
        """Of the passport of a space of somebody's own, which no table contradicts."""
        one = '{"route":"r","from":"a","to":"b","size":[8,8]}'
        texts = {
            "scale": ["1", "0.5e-3", "1E2", "x", "", "1 ", "+1", ".5", "1.", "01", "nan", "-1", "0x1", "1\n"],
            "shift": ["-0.5", "1e-3", "--1", "1,2", None], "sigma": ["0", "0.0", "-1", "x"], "units": ["vae", "raw"],
            "channels": ["4.0", "0", "-4", "4e0"], "width": ["8.0", "0"], "path": ["flow"], "step": ["1"], "draws": ["0"],
            "space": ["größe", "a:b", "a b", "", "a" * 65, "a\x7f"], "lineage": ["a:b", "a\tb", ""],
            "vae_sha256": ["a" * 64, "A" * 64, "a" * 63, "a" * 64 + "\n"], "job": ["{}", "[]", "", "{"],
            "history": ["[]", f"[{one}]", "{}", "[1]", one, f"[{one.replace('8,8', '8')}]", f"[{one.replace('8,8', '8,0')}]",
                        f"[{one.replace('b', '')}]", f"[{one[:-1]},\"psnr\":\"infinite\"}}]",
                        f"[{one[:-1]},\"psnr\":\"x\"}}]", f"[{one[:-1]},\"psnr\":-1}}]", f"[{one[:-1]},\"more\":1}}]"],
            "x-note": ["", "text"], "X-note": ["text"], "note": ["text"], "program": ["", "another"],
        }
        changes: list[dict[str, str | None]] = [{key: text} for key, values in texts.items() for text in values]
        changes += [{key: None} for key in self.read("own")[0] if key != "format"]
        walk: dict[str, str | None] = {"sigma": "0.5", "path": "flow", "step": "3", "draws": "4"}
        means: dict[str, str | None] = {"shift": None, "mean": "0,1,-2.5,1e-2", "deviation": "1,1,1,2"}
        changes += [walk, {**walk, "units": "vae"}, {**walk, "sigma": "0"}, {**walk, "step": "-1"}, {**walk, "draws": "x"}]
        changes += [{**walk, key: None} for key in walk]
        changes += [means, {**means, "shift": "0"}, {**means, "mean": "0,1,,2"}, {**means, "deviation": "1,1,1,-2"}]
        return changes + [{**means, key: None} for key in means]

    def test_schema_and_program_agree(self) -> None:
        own, shape, numbers = self.read("own")
        changes = self.changes()
        passports = []
        for change in changes:
            passport: dict[str, Any] = {**own, **change}
            passports.append({key: text for key, text in passport.items() if text is not None})
        verdicts = self.verdicts(passports, shape, numbers)
        taken = 0
        for change, passport, verdict in zip(changes, passports, verdicts, strict=True):
            with self.subTest(change):
                self.assertEqual(is_valid(passport, SCHEMA), verdict == "ok", verdict)
                self.assertNotIn("70 ", verdict[:3])
            taken += verdict == "ok"
        self.assertGreater(taken, 20)
        self.assertGreater(len(changes) - taken, 60)


if __name__ == "__main__":
    unittest.main()
