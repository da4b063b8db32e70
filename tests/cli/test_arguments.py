#!/usr/bin/env python3
"""Types every option of every command in every way, and what people type who know other tools.

    tests/cli/test_arguments.py BUILD_FOLDER [unittest arguments]

The options are read from the help pages: whoever declares one has it tried here.
"""

from __future__ import annotations

import re
import sys
import unittest
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

from test_cli import COMMANDS, CliTest, run  # noqa: E402

# The command's positionals as typed, and options that make the run short and the same each time.
LINES = {
    "generate": (["a red house"], ["--dry-run", "--json", "--seed", "1"]),
    "refine": (["none.safetensors"], ["--dry-run", "--json"]),
    "encode": (["none.png"], ["--model", "tiny-sd15"]),
    "decode": (["none.safetensors"], []),
    "convert": (["none.safetensors"], ["--to", "tiny-sdxl"]),
    "check": (["none.safetensors", "tiny-sd15"], []),
    "matrix": (["none.safetensors", "tiny-sd15"], []),
    "import": (["none.safetensors"], []),
    "inspect": (["tiny-sd15"], ["--json"]),
    "list": (["models"], []),
}
# A value for each placeholder of the help pages: accepted where it can be, else refused for itself.
VALUES = {"N": "3", "PIXELS": "64", "TEXT": "fog", "SCALE": "2", "FACTOR": "1", "PART": "0.5", "SHARE": "0.5",
          "LIST": "3,2,1", "A,B": "0.2,0.8", "X,Y": "0,0", "WxH": "64x64", "DIR": "folder", "SPACE": "sdxl"}
PARSER_WORDS = ("there is no option", "lacks its value", "given twice", "has no use for", "and found", "needs ",
                "words to the shell", "takes no value")


class Declared(NamedTuple):
    """An option as a help page lists it."""

    names: list[str]
    value: str | None


def declared(command: str) -> list[Declared]:
    """The options of a command, out of its help page."""
    options = []
    for line in run(command, "--help").stdout.decode().splitlines():
        if match := re.match(r"  (-[^ ]*)((?: [^ ]+)?)(?:  |$)", line):
            names = [name for name in match[1].split(",") if not name.startswith("!")]
            value = match[2].strip() or None
            options.append(Declared([name.split("{")[0] for name in names], value))
    return [option for option in options if "--help" not in option.names]


class EveryOption(CliTest):
    def outcome(self, *words: str) -> tuple[int, str]:
        """What a line comes to."""
        result = run(*words, cwd=self.folder)
        return result.returncode, (result.stdout + result.stderr).decode()

    def ways(self, option: Declared) -> list[list[str]]:
        if option.value is None:
            return [[name] for name in option.names]
        value = VALUES.get(option.value, "none")
        words = []
        for name in option.names:
            words += [[name, value], [f"{name}={value}"]]
            if not name.startswith("--"):
                words.append([name + value])
        return words

    def walk(self, command: str) -> int:
        positionals, others = LINES[command]
        count = 0
        for option in declared(command):
            fixed = self.without(others, option)
            expected = None
            for number, way in enumerate(self.ways(option)):
                places = [[*way, *positionals, *fixed]]
                if number == 0:
                    places += [[*positionals, *way, *fixed], [*positionals, *fixed, *way], [*fixed, *way, *positionals]]
                    places += [[positionals[0], *way, *positionals[1:], *fixed]] if len(positionals) > 1 else []
                if set(option.names) & {"-p", "--prompt"} and command == "generate":
                    places = [[*way, *fixed], [*fixed, *way]]  # the positional's other name
                for words in places:
                    found = self.outcome(command, *words)
                    expected = expected or found
                    with self.subTest(command=command, words=words):
                        self.assertEqual(found, expected)
                        for said in PARSER_WORDS:
                            self.assertNotIn(said, found[1].partition("\n")[0])
                    count += 1
        return count

    def without(self, words: list[str], option: Declared) -> list[str]:
        rest = list(words)
        for name in option.names:
            if name in rest:
                at = rest.index(name)
                del rest[at:at + (1 if option.value is None else 2)]
        return rest

    def test_everywhere_and_in_every_spelling(self) -> None:
        for command in filter(None, COMMANDS):
            count = self.walk(command)
            self.assertGreaterEqual(count, 4, command)

    def test_the_tables_are_whole(self) -> None:
        self.assertEqual(set(LINES), set(filter(None, COMMANDS)))
        self.assertGreaterEqual(len(declared("generate")), 31)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
