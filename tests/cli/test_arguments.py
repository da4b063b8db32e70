#!/usr/bin/env python3
"""Types every option of every command in every way, and what people type who know other tools.

    tests/cli/test_arguments.py BUILD_FOLDER [unittest arguments]

The options are read from the help pages: whoever declares one has it tried here.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import NamedTuple
from unittest.mock import ANY

from support import COMMANDS, QUICK, CliTest, has_engine, main, needs_engine, on_terminal, run

# The command's positionals as typed, and options that make the run short and the same each time.
LINES = {
    "generate": (["a red house"], ["--dry-run", "--json", "--seed", "1"]),
    "refine": (["none.safetensors"], ["--dry-run", "--json"]),
    "encode": (["none.png"], ["--model", "tiny-sd15"]),
    "decode": (["none.safetensors"], []),
    "convert": (["none.safetensors"], ["--to", "tiny-sdxl"]),
    "check": (["none.safetensors", "tiny-sd15"], []),
    "batch": (["none.jsonl"], ["--dry-run", "--json"]),
    "compare": (["none.png", "other.png"], []),
    "smoke": (["none.json"], ["--json"]),
    "matrix": (["none.safetensors", "tiny-sd15"], []),
    "import": (["none.safetensors"], []),
    "inspect": (["tiny-sd15"], ["--json"]),
    "list": (["models"], []),
}
# A value for each placeholder of the help pages: accepted where it can be, else refused for itself.
VALUES = {"N": "3", "PIXELS": "64", "TEXT": "fog", "SCALE": "2", "FACTOR": "1", "PART": "0.5", "SHARE": "0.5",
          "LIST": "3,2,1", "A,B": "0.2,0.8", "X,Y": "0,0", "WxH": "64x64", "DIR": "folder", "SPACE": "sdxl"}
PARSER_WORDS = ("there is no option", "lacks its value", "given twice", "takes no words", "and found", "needs ",
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
            # Under the sanitizers a start takes twenty times as long: there, each option is read before and after the rest.
            for number, way in enumerate(self.ways(option) if has_engine() else self.ways(option)[:1]):
                places = [[*way, *positionals, *fixed]]
                if number == 0:
                    places += [[*positionals, *fixed, *way]]
                if number == 0 and has_engine():
                    places += [[*positionals, *way, *fixed], [*fixed, *way, *positionals]]
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


class WhatPeopleType(CliTest):
    def planned(self, *words: str) -> dict:
        """The settings of a dry run."""
        result = run("generate", *words, "--dry-run", "--json", cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return json.loads(result.stdout)["job"]

    def test_models_by_the_names_of_families(self) -> None:
        for name, meant in (("sdxl", "tiny-sdxl"), ("sd15", "tiny-sd15"), ("sd1.5", "tiny-sd15"), ("flux", "tiny-flux"),
                            ("tiny-sd1.5", "tiny-sd15"), ("SD_XL_base_1.0", "tiny-sdxl"), ("flux1-dev", "tiny-flux"),
                            ("Tiny_SDXL", "tiny-sdxl"), ("tinysd15", "tiny-sd15"), ("tiny-sd14", "tiny-sd15")):
            with self.subTest(name=name):
                self.refused(2, "generate", "a house", "-m", name, says=(f'Did you mean "{meant}"?', "Known models"))
                self.refused(2, "inspect", name, says=(f'Did you mean "{meant}"?',))

    def test_checkpoints_and_repositories_are_no_models(self) -> None:
        for name in ("model.safetensors", "v1-5.ckpt", "x/Flux.GGUF", "a.SAFETENSORS"):
            self.refused(2, "generate", "a house", "-m", name,
                         says=(f"Type: lapis import {name} --name {Path(name).stem}", f"then -m {Path(name).stem}", "not here"))
        self.refused(2, "generate", "a house", "-m", "stabilityai/stable-diffusion-xl-base-1.0",
                     says=("opens no network", "lapis import stable-diffusion-xl-base-1.0"))

    @needs_engine
    def test_a_sampler_and_its_schedule_in_one_name(self) -> None:
        for name in ("DPM++ 2M Karras", "dpmpp_2m_karras", "dpm++2m karras"):
            job = self.planned("a house", "--sampler", name)
            self.assertEqual((job["sampler"], job["schedule"]), ("dpmpp_2m", "karras"))
            self.assertEqual(self.planned("a house", "--schedule", "karras", "--sampler", name), {**job, "seed": ANY})
            self.refused(2, "generate", "a house", "--sampler", name, "--schedule", "exponential",
                         says=("schedule karras", '--schedule is "exponential"'))
        self.assertEqual(self.planned("a house", "--sampler", "dpmpp2m")["schedule"], "own")
        self.refused(2, "generate", "a house", "--sampler", "DPM++ 2M Karas", says=('--sampler is "DPM++ 2M Karas"',))

    def test_values_that_a_script_left_empty(self) -> None:
        for command in filter(None, COMMANDS):
            for option in declared(command):
                if option.value is None or option.value == "TEXT":
                    continue
                for name in option.names:
                    with self.subTest(command=command, name=name):
                        self.refused(2, command, *LINES[command][0], name, "", says=("is empty",))
        self.refused(2, "inspect", "", says=("is empty",))

    def test_one_file_for_pictures_and_latents(self) -> None:
        for words in (("-o", "x.png", "--latent", "x.png"), ("-o", "./x.png", "--latent", "x.png", "--overwrite"),
                      ("-b", "2", "-s", "5", "-o", "q{seed}.png", "--latent", "q6.png"),
                      ("-o", "x.png", "--latent", "x.png", "--dry-run")):
            with self.subTest(words=words):
                self.refused(2, "generate", "a lake", *QUICK, *words, says=("both name", "of their own"))

    def test_what_speaks_of_a_latent_wants_one(self) -> None:
        for words in (("--measure",), ("--compensate",), ("--no-convert",), ("--space", "sd15"), ("--init-units", "vae")):
            with self.subTest(words=words):
                self.refused(2, "generate", "a lake", *QUICK, *words, says=(words[0], "--init-latent FILE"))
        hint = ("--space", "sd15")  # a second model reads what the first makes, of which all is known
        self.refused(2, "generate", "a lake", *QUICK, "--then", "tiny-sdxl", *hint, says=("--space", "--init-latent FILE"))

    @needs_engine
    def test_devices_are_written_to(self) -> None:
        for words in (("-o", "/dev/null"), ("-o", "/dev/stdout"), ("-o", "/dev/null", "-b", "2")):
            with self.subTest(words=words):
                result = run("generate", "a lake", *QUICK, *words, cwd=self.folder)
                self.assertEqual(result.returncode, 0, result.stderr.decode())
                self.assertEqual(result.stdout.startswith(b"\x89PNG"), "/dev/stdout" in words)
                self.assertEqual(list(self.folder.iterdir()), [])

    @needs_engine
    def test_seeds_of_sixty_four_bits(self) -> None:
        largest = 2**64 - 1
        for seed in (2**63 - 1, 2**63, largest):
            self.assertEqual(self.planned("a house", "-s", str(seed))["seed"], seed)
        self.assertLess(self.planned("a house", "-s", "-1")["seed"], 2**32)
        self.refused(2, "generate", "a house", "-s", str(largest), "-b", "2", says=(f"at most {largest - 1}",))
        self.refused(2, "generate", "a house", "-s", str(largest + 1), says=(f"up to {largest}",))
        self.refused(2, "encode", "x.png", "x.png", "-m", "tiny-sd15", "-s", str(largest), "-o", "{index}.safetensors",
                     says=("with 2 pictures", f"at most {largest - 1}"))
        for command in ("encode", "matrix"):
            words = ("x.png", "-m", "tiny-sd15") if command == "encode" else ("tiny-sd15", "tiny-sdxl")
            self.refused(2, command, *words, "-s", "1.5", says=("--seed", "whole number"))

    @needs_engine
    def test_a_seed_reaches_the_generator_as_in_torch(self) -> None:
        """torch's Mersenne twister takes the lower 32 bits, so these two draw the same noise."""
        found = []
        for seed in (2**64 - 1, 2**32 - 1, 2**63 + 5):
            line, = self.render("a lake", *QUICK, "-s", str(seed), "-o", "{seed}.png", "--latent", f"{seed}.safetensors")
            self.assertEqual((line["seed"], line["path"]), (seed, f"{seed}.png"))
            found.append(self.values(f"{seed}.safetensors"))
        self.assertEqual(found[0], found[1])
        self.assertNotEqual(found[0], found[2])
        texts = json.loads(run("inspect", f"{2**64 - 1}.png", "--json", cwd=self.folder).stdout)["texts"]
        self.assertEqual(texts["lapis"]["job"]["seed"], 2**64 - 1)
        self.assertIn(f"Seed: {2**64 - 1},", texts["parameters"])
        passport = json.loads(run("inspect", f"{2**64 - 1}.safetensors", "--json", cwd=self.folder).stdout)
        self.assertEqual(passport["job"]["job"]["seed"], 2**64 - 1)
        self.assertEqual(run("decode", f"{2**64 - 1}.safetensors", "-o", "d-{seed}.png", cwd=self.folder).returncode, 0)
        self.assertTrue((self.folder / f"d-{2**64 - 1}.png").exists())

    @needs_engine
    def test_outputs_that_are_folders_and_endings_in_capitals(self) -> None:
        (self.folder / "pics").mkdir()
        self.assertEqual(self.render("a lake", *QUICK, "-s", "1", "-o", "pics")[0]["path"], "pics/lapis-1.png")
        self.assertEqual(self.render("a lake", *QUICK, "-s", "2", "-o", "pics/")[0]["path"], "pics/lapis-2.png")
        self.assertEqual(self.render("a lake", *QUICK, "-s", "1", "-o", "A.PNG")[0]["path"], "A.PNG")
        done = run("encode", "A.PNG", "-m", "tiny-sd15", "-o", "pics", cwd=self.folder)
        self.assertEqual((done.returncode, done.stdout), (0, b"pics/A.safetensors\n"), done.stderr)
        done = run("decode", "pics/A.safetensors", "-o", "pics", cwd=self.folder)
        self.assertEqual((done.returncode, done.stdout), (0, b"pics/A.png\n"), done.stderr)
        done = run("convert", "pics/A.safetensors", "--units", "vae", "-o", "pics/B.LATENT", cwd=self.folder)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_outputs_that_are_no_pictures(self) -> None:
        self.refused(2, "generate", "a house", "-o", "house", says=("PNG", "Type: -o house.png"))
        self.refused(2, "generate", "a house", "-o", "my house.jpg", says=("Type: -o 'my house.png'",))
        self.refused(8, "generate", "a house", "-o", "nowhere/", says=("nowhere",))

    @needs_engine
    def test_threads_are_recorded_as_they_were(self) -> None:
        line, = self.render("a lake", *QUICK, "-s", "1", "-o", "a.png")
        self.assertEqual(line["threads"], 1)
        line, = self.render("a lake", *QUICK[:-2], "-s", "1", "-o", "b.png")
        self.assertGreaterEqual(line["threads"], 1)

    @needs_engine
    def test_what_is_said_before_work(self) -> None:
        result = run("generate", "", *QUICK, "-o", "a.png", cwd=self.folder)
        self.assertEqual((result.returncode, result.stderr), (0, b"the prompt is empty: nothing guides the picture\n"))
        result = run("generate", "\u3000\u00a0", *QUICK, "-q", "-o", "b.png", cwd=self.folder)
        self.assertNotIn(b"the prompt is empty", result.stderr)
        line, = self.render("a lake", "--steps", "1", "-W", "1152", "-H", "1024", "-t", "1", "--latent", "c.safetensors")
        self.assertIn("18 times as many as tiny-sd15 draws by itself", line["notes"][0])

    def test_a_size_that_no_memory_holds(self) -> None:
        available, = re.findall(r"MemAvailable: +(\d+)", Path("/proc/meminfo").read_text())
        if int(available) * 1024 > 26_000_000_000:
            self.skipTest("this machine has the memory")
        self.refused(6, "generate", "a lake", "-W", "16384", "-H", "16384", "-o", "a.png",
                     says=("too little memory", "26.8 GB", "-W"))

    @needs_engine
    def test_quiet_is_known_everywhere_and_leaves_notes_out(self) -> None:
        for command in filter(None, COMMANDS):
            self.assertIn("-q,--quiet", run(command, "--help").stdout.decode())
        self.render("a lake", *QUICK, "-s", "1", "--latent", "a.safetensors")
        loud = run("decode", "a.safetensors", "-m", "tiny-sdxl", "--force", "-o", "a.png", cwd=self.folder)
        quiet = run("decode", "a.safetensors", "-m", "tiny-sdxl", "--force", "-o", "b.png", "-q", cwd=self.folder)
        self.assertIn(b"forced", loud.stderr)
        self.assertEqual((quiet.returncode, quiet.stdout, quiet.stderr), (0, b"b.png\n", b""))

    def test_tokens_of_a_file(self) -> None:
        (self.folder / "prompt.txt").write_text("a lake\n")
        said = [run("inspect", "tiny-sd15", "--json", "--tokens", text, cwd=self.folder, input=b"a lake\n").stdout
                for text in ("a lake", "@prompt.txt", "-", "@-")]
        self.assertEqual(len(set(said)), 1)
        self.refused(3, "inspect", "tiny-sd15", "--tokens", "@none.txt", says=("--tokens", "none.txt"))

    @needs_engine
    def test_the_bar_fits_the_terminal(self) -> None:
        """On a terminal of 20 columns no line is longer than it."""
        result, shown = on_terminal("generate", "a lake", *QUICK, "-o", "a.png", streams=("stderr",), columns=20,
                                    cwd=self.folder, env={**os.environ, "TERM": "xterm"})
        self.assertEqual(result.returncode, 0)
        self.assertIn(b"1/2", shown)
        for line in re.split(rb"[\r\n]|\x1b\[[0-9]*[A-Za-z]", shown):
            self.assertLess(len(line), 20, line)


if __name__ == "__main__":
    main(__doc__)
