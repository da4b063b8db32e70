#!/usr/bin/env python3
"""Takes from the real program what a machine may lack: memory, threads, a working folder, and the rest of a file that it
has mapped. Each is an error that names what is short, with its exit code, and leaves nothing.
"""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from support import MODEL, CliTest, main, needs_engine, program, run

NOBODY = 65534
WALK = ("generate", "a lake", "-W", "64", "-H", "64", "-s", "1", "-q")
SHORT = (*WALK, "-t", "1", "--steps", "1")
MEGABYTES = 1 << 20
# Where address space ends: in the program's own files, in libtorch's, in its threads, in a graph, in a walk.
ADDRESS_SPACES = (80, 200, 460, 490, 500, 510, 520, 530, 545, 560)


@needs_engine
class Memory(CliTest):
    def test_too_little_address_space_is_told_as_memory_wherever_it_ends(self) -> None:
        short = 0
        for model in ("tiny-sd15", "tiny-flux"):
            for megabytes in ADDRESS_SPACES:
                with self.subTest(model=model, megabytes=megabytes):
                    size = megabytes * MEGABYTES
                    result = run(*SHORT, "-m", model, "-o", "a.png", "--overwrite", cwd=self.folder,
                                 preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (size, size)))
                    text = result.stderr.decode()
                    self.assertIn(result.returncode, (0, 6), text)
                    if result.returncode == 0:
                        continue
                    short += 1
                    self.assertRegex(text, r"^error: too little memory[^\n]*(\n[^\n]*)?\n$")
                    self.assertEqual([path for path in self.folder.iterdir() if path.name != "a.png"], [])
        self.assertGreater(short, len(ADDRESS_SPACES))


@needs_engine
class Threads(CliTest):
    def limited(self, count: int, *words: str) -> subprocess.CompletedProcess:
        """A run that may have so many processes and threads, as a user to whom that applies."""
        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_NPROC, (count, count))
            if os.geteuid() == 0:
                os.setgroups([])
                os.setresgid(NOBODY, NOBODY, NOBODY)
                os.setresuid(NOBODY, NOBODY, NOBODY)

        os.chmod(self.folder, 0o777)
        return run(*words, cwd=self.folder, preexec_fn=limit)

    @unittest.skipUnless(os.geteuid() == 0, "other processes of this user count, too")
    def test_no_threads_are_an_error_and_not_a_wait(self) -> None:
        for count in (1, 2, 5, 12):
            with self.subTest(threads=count):
                result = self.limited(count, *WALK, "--steps", "1", "-t", "8", "-m", "tiny-sd15", "-o", "a.png")
                self.assertEqual(result.returncode, 6, result.stderr.decode())
                for part in (b"threads", b"-t 1", b"ulimit -u", b"pids.max"):
                    self.assertIn(part, result.stderr)
                self.assertEqual(list(self.folder.iterdir()), [])
        result = self.limited(6, *SHORT, "-m", "tiny-flux", "-o", "a.png")
        self.assertEqual(result.returncode, 0, result.stderr.decode())


@needs_engine
class Files(CliTest):
    def test_too_few_open_files_are_a_limit_and_no_damage(self) -> None:
        codes = set()
        for count in (4, 5, 6, 8, 12, 1024):
            with self.subTest(files=count):
                result = run(*SHORT, "-m", "tiny-sd15", "-o", "a.png", "--overwrite", cwd=self.folder,
                             preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (count, count)))
                codes.add(result.returncode)
                self.assertIn(result.returncode, (0, 6), result.stderr.decode())
                if result.returncode == 6:
                    self.assertIn(b"ulimit -n", result.stderr)
        self.assertEqual(codes, {0, 6})


class DeletedFolder(CliTest):
    def run_there(self, *words: str) -> subprocess.CompletedProcess:
        gone = tempfile.mkdtemp()
        return subprocess.run(["sh", "-c", 'rmdir "$PWD"; exec "$0" "$@"', program(), *words], cwd=gone, capture_output=True)

    def test_it_is_an_ordinary_error_or_no_matter(self) -> None:
        self.assertEqual(self.run_there("list", "models").returncode, 0)
        self.assertEqual(self.run_there("inspect", "tiny-sd15").returncode, 0)
        whole = self.run_there("import", str(MODEL), "-o", str(self.folder / "mine"))
        self.assertEqual(whole.returncode, 0, whole.stderr.decode())
        refused = self.run_there("import", str(MODEL), "-o", "mine")
        self.assertEqual(refused.returncode, 8)
        self.assertIn(b"working folder that was deleted", refused.stderr)

    @needs_engine
    def test_libtorch_is_not_opened_there(self) -> None:
        refused = self.run_there(*SHORT, "-m", "tiny-sd15", "-o", str(self.folder / "a.png"))
        self.assertEqual(refused.returncode, 6)
        self.assertIn(b"working folder was deleted", refused.stderr)


@needs_engine
class MappedFiles(CliTest):
    """Weights that are cut short while they are used."""

    def cut(self, file: Path, whole: bytes, delay: float, *words: str) -> tuple[int, str]:
        file.write_bytes(whole)
        process = subprocess.Popen([program(), *words], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        time.sleep(delay)
        os.truncate(file, 1000)
        text = process.communicate(timeout=120)[1].decode()
        return process.returncode, text

    def test_the_file_is_named_and_nothing_is_left(self) -> None:
        model = self.model()
        codes = []
        for part in ("unet", "vae", "text_encoder"):
            file = next((model / part).glob("*.safetensors"))
            whole = file.read_bytes()
            for delay in (0.0, 0.1, 0.2, 0.4, 0.7, 1.0, 1.5):
                with self.subTest(part=part, delay=delay):
                    code, text = self.cut(file, whole, delay, *WALK, "-t", "1", "--steps", "60", "-m", str(model), "-o",
                                          "a.png", "--overwrite")
                    codes.append(code)
                    self.assertIn(code, (0, 5), text)
                    if code == 5:
                        self.assertIn(str(file), text)
                        self.assertTrue(text.startswith("error: "), text)
                        self.assertLessEqual(len(text.splitlines()), 2)
                    self.assertEqual(list(self.folder.glob(".*")), [])
            file.write_bytes(whole)
        self.assertIn(5, codes)

    def test_every_read_that_meets_the_end_is_told(self) -> None:
        # The cut falls between a file's mapping and its reading, wherever strace stops the program.
        model = self.model()
        file = next((model / "unet").glob("*.safetensors"))
        whole = file.read_bytes()
        told = 0
        for delay in (0.3, 0.6, 0.9):
            file.write_bytes(whole)
            process = subprocess.Popen(
                ["strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=mmap", "-P", str(file), "-e",
                 f"inject=mmap:delay_exit={int(2e6)}", program(), *WALK, "-t", "1", "--steps", "1", "-m", str(model), "-o",
                 "b.png", "--overwrite"], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            time.sleep(delay)
            os.truncate(file, 0)
            text = process.communicate(timeout=120)[1].decode()
            code = process.returncode
            self.assertEqual(code, 5, text)
            told += "lost bytes" in text and str(file) in text
        self.assertGreater(told, 0)


if __name__ == "__main__":
    main(__doc__)
