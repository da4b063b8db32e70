#!/usr/bin/env python3
"""Kills and interrupts the real program, at moments of its own choice and at system calls that strace picks: models and
pictures are whole or absent, what was there stays, and nothing half-made outlives the next run.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from collections import Counter
from pathlib import Path

from support import FLUX, MODEL, SPIECE, CliTest, has_engine, needs_engine, program, run, start

# A shell's background has it ignored, and so would every process below.
signal.signal(signal.SIGINT, signal.default_int_handler)

ENDING = ("SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGALRM", "SIGXCPU", "SIGUSR1", "SIGUSR2")
WALK = ("generate", "a lake", "-m", "tiny-sd15", "-t", "1", "-W", "64", "-H", "64", "-s", "1")
LONG = (*WALK, "--steps", "1000")
SHORT = (*WALK, "--steps", "1", "-q")
# Calls that make, fill, name or remove files: where a kill could leave half of something.
CALLS = ("openat", "write", "fsync", "mkdir", "renameat2", "linkat", "symlink", "unlinkat", "copy_file_range", "flock")
# Ways to import: the words after the source, and whether a model is there before.
WAYS = {"import": ((), False), "--copy": (("--copy",), False), "--overwrite": (("--overwrite",), True),
        "--copy --overwrite": (("--copy", "--overwrite"), True)}


def strace(injections: str, *words: str | Path, folder: Path) -> subprocess.CompletedProcess:
    """Runs the program with something injected into its system calls: "fsync:signal=SIGTERM:when=2", more after blanks."""
    each = injections.split()
    calls = ",".join(injection.split(":")[0] for injection in each)
    return subprocess.run(["strace", "-f", "-qq", "-o", os.devnull, "-e", f"trace={calls}",
                           *(word for injection in each for word in ("-e", f"inject={injection}")), program(), *words],
                          cwd=folder, capture_output=True, timeout=120)


def hidden(folder: Path) -> list[str]:
    """Temporaries, anywhere below."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob(".*"))


def digests(folder: Path) -> dict[str, str]:
    return {str(path): hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.rglob("*") if path.is_file()}


class Imports:
    """A folder with sources and models, to be imported into under fire."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.random = folder, random.Random(seed)
        self.models = folder / "models"
        self.models.mkdir()
        self.source = Path(shutil.copytree(MODEL, folder / "source"))
        self.before = digests(self.source)
        self.counts: Counter[str] = Counter()
        start = time.monotonic()
        assert run("import", str(self.source), "--copy", "-o", str(self.models / "whole")).returncode == 0
        self.seconds = time.monotonic() - start
        self.calls = self.counted_calls()

    def counted_calls(self) -> dict[str, int]:
        """How often one import makes each call."""
        log = self.folder / "calls"
        subprocess.run(["strace", "-f", "-qq", "-o", log, "-e", f"trace={','.join(CALLS)}", program(), "import", self.source,
                        "--copy", "--overwrite", "-o", self.models / "whole"], capture_output=True, timeout=120)
        counts = Counter(found[1] for found in re.finditer(r"^\d+ +(\w+)\(", log.read_text(), re.MULTILINE))
        log.unlink()
        return {call: counts[call] for call in CALLS if counts[call]}

    def struck(self, words: list[str | Path], name: str) -> int:
        """One import that a signal of this name meets somewhere, as Popen tells its end."""
        if self.random.random() < 0.5:
            call = self.random.choice(list(self.calls))
            when = self.random.randint(1, self.calls[call])
            self.counts["at a system call"] += 1
            return strace(f"{call}:signal={name}:when={when}", *words, folder=self.folder).returncode
        self.counts["at a moment"] += 1
        process = subprocess.Popen([program(), *words], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(self.random.uniform(0, self.seconds))
        process.send_signal(signal.Signals[name])
        return process.wait(timeout=60)

    def strike(self, way: str, name: str) -> list[str]:
        """Strikes one import of this way; returns what is wrong afterwards."""
        extra, there = WAYS[way]
        place = self.models / "mine"
        if there:
            shutil.copytree(self.models / "whole", place)
            (place / "notes.txt").write_text("mine")
        # A run that strace kills is told by a shell's code or by the signal itself.
        ends = {0, -signal.Signals[name], 128 + signal.Signals[name]}
        code = self.struck(["import", self.source, "-o", place, *extra], name)
        wrong = [] if code in ends else [f"ended with {code}"]
        self.counts["cut off" if code else "came too late"] += 1
        if name != "SIGKILL" and hidden(self.models):
            wrong.append(f"left {hidden(self.models)}")
        self.counts["left by SIGKILL"] += bool(hidden(self.models))
        if there and not place.exists():
            wrong.append("the model is gone")
        if place.exists() and run("inspect", str(place), "--verify").returncode != 0:
            wrong.append("the model is not whole")
        if there and (place / "notes.txt").read_text() != "mine":
            wrong.append("a file of the user's is gone")
        if run("import", str(self.source), "-o", str(self.models / "next"), "--overwrite").returncode != 0:
            wrong.append("the next import failed")
        if hidden(self.models):
            wrong.append(f"{hidden(self.models)} outlived the next run")
        if digests(self.source) != self.before:
            wrong.append("the sources changed")
        shutil.rmtree(place, ignore_errors=True)
        return wrong

    def strike_often(self, count: int) -> list[str]:
        faults = []
        for i in range(count):
            way = list(WAYS)[i % len(WAYS)]
            name = self.random.choice(("SIGKILL", "SIGINT", "SIGTERM", "SIGHUP"))
            self.counts[f"{name} over {way}"] += 1
            faults += [f"{i}: {name} over {way}: {fault}" for fault in self.strike(way, name)]
        return faults


class Kills(CliTest):
    def test_a_model_is_whole_or_absent_after_any_kill(self) -> None:
        self.assertEqual(Imports(self.folder, seed=1).strike_often(24 if has_engine() else 8), [])

    def test_a_model_is_whole_or_absent_at_the_calls_that_name_it(self) -> None:
        imports = Imports(self.folder, seed=2)
        place, source = self.folder / "models" / "mine", imports.source
        for name in ("SIGKILL", "SIGTERM"):
            # The last two name the folder: one that must not replace it, and the exchange.
            for call, when in (("renameat2", imports.calls["renameat2"] - 1), ("renameat2", imports.calls["renameat2"]),
                               ("unlinkat", 1), ("unlinkat", 4)):
                with self.subTest(signal=name, call=call, when=when):
                    shutil.rmtree(place, ignore_errors=True)
                    shutil.copytree(imports.models / "whole", place)
                    result = strace(f"{call}:signal={name}:when={when}", "import", source, "-o", place, "--copy", "--overwrite",
                                    folder=self.folder)
                    self.assertNotEqual(result.returncode, 0)
                    self.assertEqual(run("inspect", str(place), "--verify").returncode, 0)
                    self.assertEqual(run("import", str(source), "-o", str(self.folder / "models" / "next"),
                                         "--overwrite").returncode, 0)
                    self.assertEqual(hidden(self.folder / "models"), [])

    def test_file_systems_that_cannot_exchange_names(self) -> None:
        imports = Imports(self.folder, seed=3)
        place = self.folder / "models" / "mine"
        shutil.copytree(imports.models / "whole", place)
        (place / "notes.txt").write_text("mine")
        words = ("import", imports.source, "-o", place, "--overwrite", "--prediction")
        no_exchange = "renameat2:error=EINVAL"

        def prediction() -> str:
            self.assertEqual(run("inspect", str(place), "--verify").returncode, 0)
            self.assertEqual((place / "notes.txt").read_text(), "mine")
            self.assertEqual(hidden(imports.models), [])
            return json.loads((place / "model.json").read_text())["sampling"]["prediction"]

        self.assertEqual(prediction(), "epsilon")
        result = strace(no_exchange, *words, "v", folder=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertEqual(prediction(), "v")
        # Of its two steps the second fails: the old model is there again.
        result = strace(f"{no_exchange} renameat:error=EIO:when=3", *words, "epsilon", folder=self.folder)
        self.assertEqual(result.returncode, 8, result.stderr.decode())
        self.assertEqual(prediction(), "v")
        # Killed before the second: the next run puts the old model back. A handler lets the call end first.
        for name, left in (("SIGKILL", "v"), ("SIGTERM", "epsilon")):
            with self.subTest(signal=name):
                strace(f"{no_exchange} renameat:signal={name}:when=3", *words, "epsilon", folder=self.folder)
                self.assertEqual([Path(path).suffix for path in hidden(imports.models) if path.endswith(".old")], [".old"])
                run("import", str(imports.source), "-o", str(imports.models / "next"), "--overwrite")
                self.assertEqual(prediction(), left)

    @needs_engine
    def test_temporaries_of_pictures_and_latents_go_with_the_next_one(self) -> None:
        for output in (("-o", "a.png"), ("--latent", "a.safetensors")):
            with self.subTest(output=output[0]):
                strace("fsync:signal=SIGKILL:when=1", *SHORT, *output, folder=self.folder)
                left = hidden(self.folder)
                self.assertEqual((len(left), (self.folder / output[1]).exists()), (1, False))
                self.assertEqual(run(*SHORT, *output, cwd=self.folder).returncode, 0)
                self.assertEqual(hidden(self.folder), [])
                strace("fsync:signal=SIGTERM:when=1", *SHORT, *output, "--overwrite", folder=self.folder)
                self.assertEqual(hidden(self.folder), [])


class AtOnce(CliTest):
    """Eight imports of one name."""

    def imported(self, *words: str) -> list[subprocess.Popen]:
        processes = [subprocess.Popen([program(), "import", MODEL, "-o", self.folder / "mine", *words],
                                      stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) for _ in range(8)]
        return [(process.communicate()[1].decode(), process.returncode) for process in processes]

    def checked(self) -> None:
        self.assertEqual(run("inspect", str(self.folder / "mine"), "--verify").returncode, 0)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["mine"])

    def test_one_wins(self) -> None:
        results = self.imported("--copy")
        self.assertEqual(sorted(code for _, code in results), [0] + 7 * [8])
        for text, code in results:
            self.assertTrue(code == 0 or "exists already" in text, text)
        self.checked()

    def test_the_last_one_wins(self) -> None:
        for _ in range(2):
            results = self.imported("--overwrite")
            self.assertEqual([code for _, code in results], 8 * [0], [text for text, _ in results])
            self.checked()


class Sources(CliTest):
    """What a model is made of is not removed by making it."""

    def setUp(self) -> None:
        super().setUp()
        self.mine = Path(shutil.copytree(MODEL, self.folder / "mine"))
        self.weights = next(self.mine.glob("unet/*.safetensors"))
        os.environ["LAPIS_MODELS"] = str(self.folder / "known")
        self.addCleanup(os.environ.pop, "LAPIS_MODELS")

    def refused_import(self, *words: str | Path, says: tuple[str, ...] = ("--overwrite", "-o FOLDER")) -> None:
        before = digests(self.folder)
        self.refused(8, "import", *map(str, words), "--overwrite", says=says)
        self.assertEqual(digests(self.folder), before)

    def test_a_source_in_the_folder_that_is_replaced(self) -> None:
        way = self.folder / "way"
        way.symlink_to(self.mine)
        (self.folder / "sub").mkdir()
        for source, place in ((self.mine, self.mine), (way, self.mine), (self.mine, way), (f"{self.mine}/", f"{self.mine}/"),
                              ("sub/../mine", "mine"), ("mine", "./sub/../mine/."), (self.mine, "mine//")):
            with self.subTest(source=str(source), place=str(place)):
                self.refused_import(source, "-o", place)
        for extra in ((), ("--copy",), ("--verify",)):
            self.refused_import(self.mine, "-o", self.mine, *extra)

    def test_links_to_files_in_it(self) -> None:
        for name, link in (("symbolic", lambda path, to: path.symlink_to(to)), ("hard", lambda path, to: path.hardlink_to(to))):
            with self.subTest(link=name):
                # A folder whose own files are links, as a cache of downloads has them.
                other = Path(shutil.copytree(self.mine, self.folder / name))
                file = other / self.weights.relative_to(self.mine)
                file.unlink()
                link(file, self.weights)
                self.refused_import(other, "-o", self.mine)

    def test_parts_that_options_name(self) -> None:
        other = Path(shutil.copytree(MODEL, self.folder / "other"))
        vae = self.mine / "vae"
        encoder = next(self.mine.glob("text_encoder/*.safetensors"))
        for words in (("--vae", vae), ("--vae", next(vae.glob("*.safetensors"))), ("--clip-l", encoder)):
            with self.subTest(option=words[0]):
                self.refused_import(other, "-o", self.mine, *words)
        flux = Path(shutil.copytree(FLUX, self.folder / "flux"))
        spiece = Path(shutil.copy(SPIECE, self.mine))
        self.refused_import(flux, "-o", self.mine, "--tokenizer", spiece)

    def test_a_model_that_another_one_links_to(self) -> None:
        self.assertEqual(run("import", str(self.mine), "-o", str(self.folder / "known" / "linked")).returncode, 0)
        other = Path(shutil.copytree(MODEL, self.folder / "other"))
        self.refused_import(other, "-o", self.mine, says=("linked", "links to"))

    def test_the_working_folder_stays(self) -> None:
        other = Path(shutil.copytree(MODEL, self.folder / "other"))
        for here in (self.mine, self.mine / "unet"):
            self.refused(8, "import", str(other), "-o", str(self.mine), "--overwrite", says=("working folder", "cd .."), cwd=here)

    def test_what_is_elsewhere_is_taken(self) -> None:
        other = Path(shutil.copytree(MODEL, self.folder / "other"))
        (self.mine / "notes.txt").write_text("mine")
        result = run("import", str(other), "-o", str(self.mine), "--overwrite")
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertEqual((self.mine / "notes.txt").read_text(), "mine")
        self.assertFalse(self.weights.exists())
        again = run("import", str(other), "-o", str(self.mine), "--overwrite", "--copy")
        self.assertEqual(again.returncode, 0, again.stderr.decode())
        self.assertEqual(run("inspect", str(self.mine), "--verify").returncode, 0)


class Readers(CliTest):
    def test_a_reader_that_has_enough_ends_the_program_without_a_word(self) -> None:
        for command in ("help", "list samplers", "inspect tiny-sd15 --json"):
            with self.subTest(command=command):
                line = f"for i in 1 2 3 4 5 6 7 8; do {program()} {command}; done | head -c 1 >&2; echo ${{PIPESTATUS[0]}}"
                result = subprocess.run(["bash", "-c", line], cwd=self.folder, capture_output=True)
                self.assertEqual((result.stdout, len(result.stderr)), (b"141\n", 1), result.stderr)


@needs_engine
class Dying(CliTest):
    def started(self, walk: tuple[str, ...] = LONG, **options) -> subprocess.Popen:
        process = subprocess.Popen([program(), *walk, "-o", "a.png"], cwd=self.folder, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, **options)
        self.addCleanup(process.kill)
        return process

    def test_the_program_dies_by_the_signal(self) -> None:
        for name in ENDING:
            with self.subTest(signal=name):
                process = self.started()
                time.sleep(0.7)
                process.send_signal(signal.Signals[name])
                start = time.monotonic()
                process.communicate(timeout=30)
                self.assertEqual(process.returncode, -signal.Signals[name])
                self.assertLess(time.monotonic() - start, 10)
                self.assertEqual(list(self.folder.iterdir()), [])

    def test_it_ends_at_once_while_libtorch_opens_and_works(self) -> None:
        for delay in (0.05, 0.15, 0.3, 0.6, 1.2):
            process = self.started()
            time.sleep(delay)
            process.send_signal(signal.SIGINT)
            start = time.monotonic()
            process.communicate(timeout=30)
            self.assertEqual(process.returncode, -signal.SIGINT)
            self.assertLess(time.monotonic() - start, 10)

    def test_a_loop_of_a_shell_ends(self) -> None:
        script = 'for i in 1 2 3; do "$0" "$@" -o a-$i.png; echo went on; done'
        process = subprocess.Popen(["bash", "-c", script, str(program()), *LONG], cwd=self.folder, stdout=subprocess.PIPE,
                                   stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(1)
        os.killpg(process.pid, signal.SIGINT)
        self.assertEqual(process.communicate(timeout=60)[0], b"")
        self.assertEqual(process.returncode, -signal.SIGINT)

    def test_a_shell_tells_the_codes_as_ever(self) -> None:
        for name, code in (("SIGINT", 130), ("SIGTERM", 143), ("SIGHUP", 129)):
            with self.subTest(signal=name):
                shell = subprocess.Popen(["bash", "-c", '"$0" "$@"; echo $?', program(), *LONG, "-o", "a.png"],
                                         cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
                time.sleep(0.7)
                child, = Path(f"/proc/{shell.pid}/task/{shell.pid}/children").read_text().split()
                os.kill(int(child), signal.Signals[name])
                self.assertEqual(shell.communicate(timeout=60)[0], f"{code}\n".encode())

    def test_what_the_parent_ignores_is_ignored(self) -> None:
        for name in ("SIGINT", "SIGHUP", "SIGTERM"):
            def ignore(number: int = signal.Signals[name]) -> None:
                signal.signal(number, signal.SIG_IGN)

            with self.subTest(signal=name):
                process = self.started((*WALK, "--steps", "30", "--overwrite"), preexec_fn=ignore)
                time.sleep(0.3)
                process.send_signal(signal.Signals[name])
                process.communicate(timeout=120)
                self.assertEqual(process.returncode, 0)


class Tools(unittest.TestCase):
    def test_strace_is_there(self) -> None:
        self.assertIsNotNone(shutil.which("strace"), "the Debian package strace is missing: scripts/setup.sh")


def kill_often(count: int, seed: int) -> int:
    with tempfile.TemporaryDirectory() as folder:
        imports = Imports(Path(folder), seed)
        faults = imports.strike_often(count)
    for what, number in sorted(imports.counts.items()):
        print(f"{number:5d} {what}")
    print(f"{count} kills, {len(faults)} faults", *faults, sep="\n")
    return 1 if faults else 0


def add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kills", type=int, metavar="N", help="the long form of the imports alone, with a count at the end")
    parser.add_argument("--seed", type=int, default=14, metavar="N", help="where its dice begin (14)")


if __name__ == "__main__":
    options = start(__doc__, add_options)
    if options.kills:
        sys.exit(kill_often(options.kills, options.seed))
    unittest.main()
