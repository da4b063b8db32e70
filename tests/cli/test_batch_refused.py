#!/usr/bin/env python3
"""What `lapis batch` refuses before any job is done, and lists that hold none."""

from __future__ import annotations

import os
import subprocess
import time

from support import has_engine, main, needs, program, run
from test_batch import LINES, BatchTest


class Refused(BatchTest):
    def test_a_batch_of_nothing(self) -> None:
        self.refused(2, "batch", says=("there are no jobs",))
        self.refused(3, "batch", "nowhere.jsonl", says=("nowhere.jsonl cannot be read",))
        (self.folder / "none.jsonl").write_text("\n")
        for words, name in ((("none.jsonl",), "none.jsonl"), (("none.jsonl", "--dry-run"), "none.jsonl"), (("-",), "standard input")):
            result = run("batch", *words, "-o", "out/", cwd=self.folder, input=b"")
            self.assertEqual((result.returncode, result.stderr.decode()), (0, f"no jobs in {name}\n"))
        self.refused(2, "batch", "-", "--prompts", "-", says=("JOBS and --prompts both want standard input",))

    def test_a_field_of_the_wrong_kind_is_told_with_its_own_range(self) -> None:
        for line, said in (({"steps": "x"}, "a whole number of 1 to 1000."), ({"threads": 1e30}, "a whole number of 0 to 1024."),
                           ({"clip_skip": 1.5}, "a whole number."), ({"guidance": "x"}, "a number of 0 to 100."),
                           ({"output": ""}, "--output is empty"), ({"latent": ""}, "--latent is empty")):
            result = run("batch", self.jobs([{"prompt": "a"} | line]), "--dry-run", cwd=self.folder)
            self.assertIn(said, result.stderr.decode(), line)

    def test_a_folder_without_rights_is_told_as_that(self) -> None:
        for output in ("/proc/", "/proc/new/"):
            result = run("batch", self.jobs(LINES), "-o", output, cwd=self.folder)
            self.assertEqual(result.returncode, 8, result.stderr)
            self.assertNotIn(b"Make room", result.stderr)

    def test_options_that_make_no_sense(self) -> None:
        jobs = self.jobs(LINES)
        for words, said in ((("--shard", "5/4"), "5/4"), (("--memory", "much"), "--memory"), (("--retry", "-1"), "--retry"),
                            (("--workers", "0"), "--workers"), (("--sheet", "a.jpg"), ".html"),
                            (("-o", "x.png", "--sheet", "./x.png"), "which is the sheet"),
                            (("--each", "stebs=3"), "steps"), (("--each", "seed=1", "--each", "seed=2"), "seed"),
                            (("-o", "{lin}.png"), "{line}"), (("-o", "-"), "standard output"), (("-o", "/dev/null"), "a batch writes files"),
                            (("--overwrite", "--skip-existing"), "--skip-existing")):
            result = run("batch", jobs, *words, "--dry-run", cwd=self.folder)
            self.assertIn(result.returncode, (2, 9), words)
            self.assertIn(said, result.stderr.decode(), words)

    def test_joining_takes_no_option_that_it_does_not_heed(self) -> None:
        for words in (("--output", "x.png"), ("--dry-run",), ("--workers", "2"), ("--steps", "2"), ("--overwrite",)):
            self.refused(2, "batch", "--merge", "out", *words, says=("--merge", f"Leave out {words[0]}"))

    @needs(has_engine, "the sanitizers keep what was freed")
    def test_a_pipe_keeps_little_of_each_line(self) -> None:
        (self.folder / "out").mkdir()
        def peak(count: int) -> int:
            jobs = self.jobs([{"prompt": f"{number} " * 99, "output": f"out/{number}.png"} for number in range(count)])
            for number in range(count):
                (self.folder / f"out/{number}.png").touch()
            with (self.folder / jobs).open() as lines:
                process = subprocess.Popen([program(), "batch", "-", "--skip-existing", "-o", "out/", "-q"],
                                           cwd=self.folder, stdin=lines)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
            self.assertEqual(process.returncode, 0)
            return used.ru_maxrss * 1024
        self.assertLess((peak(6000) - peak(1000)) / 5000, 250)

    def test_two_batches_on_one_folder(self) -> None:
        (self.folder / "out").mkdir()
        with subprocess.Popen([program(), "batch", "-", "-o", "out/"], cwd=self.folder, stdin=subprocess.PIPE,
                              stderr=subprocess.DEVNULL) as process:
            while not (self.folder / "out/journal.jsonl").exists():
                time.sleep(0.01)
            time.sleep(0.1)
            self.refused(8, "batch", self.jobs(LINES), "-o", "out/", says=(f"process {process.pid}", "another folder"))
            process.stdin.close()

    def test_a_dry_run_shows_the_jobs_and_makes_nothing(self) -> None:
        result = run("batch", self.jobs(LINES), "-o", "out/", "--dry-run", cwd=self.folder)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(len(result.stdout.splitlines()), 3)
        self.assertIn(b"out/0002-1.png", result.stdout)
        self.assertFalse((self.folder / "out").exists())


if __name__ == "__main__":
    main(__doc__)
