#!/usr/bin/env python3
"""`lapis batch --workers N`: the same bytes and one journal, whatever becomes of a worker or of their maker."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import time

from support import QUICK, main, needs_engine, program, run
from test_batch import LINES, BatchTest


@needs_engine
class Workers(BatchTest):
    def test_workers_make_the_same_bytes_and_keep_one_journal(self) -> None:
        jobs = self.jobs([*LINES, "nonsense", *({"prompt": "a lake", "seed": seed} for seed in range(4))])
        self.batch(jobs, "-o", "out/", code=9)
        two = self.batch(jobs, "-o", "two/", "--workers", "2", "--json", code=9)
        self.assertEqual(self.contents("two"), self.contents("out"))
        self.assertEqual(sorted(record["line"] for record in self.journal("two")), list(range(1, 9)))
        self.assertEqual(sorted(json.loads(line)["line"] for line in two.stdout.splitlines()), [1, 2, 2, 3, 4, 5, 6, 7, 8])
        self.assertIn(b"0 jobs done, 7 done before, 1 failed", self.batch(jobs, "-o", "two/", code=9).stderr)

    def test_workers_have_the_cores_divided_and_the_same_ids(self) -> None:
        jobs = self.jobs(LINES[:1] * 2)
        words = ("batch", jobs, "-m", "tiny-sd15", "--steps", "2", "-W", "64", "-H", "64")
        self.assertEqual(run(*words, "-o", "two/", "--workers", "64", cwd=self.folder).returncode, 0)
        self.assertIn(b'"threads":1', (self.folder / "two/0001.png").read_bytes())
        self.assertIn(b"2 done before", run(*words, "-o", "two/", cwd=self.folder).stderr)

    def test_workers_do_each_line_of_a_pipe_as_it_comes(self) -> None:
        with subprocess.Popen([program(), "batch", "-", "--json", "--workers", "2", "-o", "out/", *QUICK], cwd=self.folder,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            for count in (1, 3, 2):
                for seed in range(count):
                    process.stdin.write(json.dumps(LINES[0] | {"seed": seed, "steps": count}).encode() + b"\n")
                process.stdin.flush()
                for _ in range(count):
                    self.assertEqual(json.loads(process.stdout.readline())["status"], "done")
            for steps in (200, 1):  # a short job does not wait for a long one
                line = {**LINES[0], "steps": steps}
                process.stdin.write(json.dumps(line).encode() + b"\n")
                process.stdin.flush()
            self.assertEqual([json.loads(process.stdout.readline())["line"] for _ in range(2)], [8, 7])
            process.stdin.close()
            self.assertEqual(process.wait(60), 0)

    def test_a_worker_that_is_killed_costs_its_job_and_a_batch_that_is_killed_takes_its_workers_along(self) -> None:
        jobs = self.jobs([{"prompt": "a lake", "seed": seed, "steps": 60} for seed in range(3)])
        words = [program(), "batch", jobs, "-o", "out/", *QUICK[2:], "--workers", "2"]
        with subprocess.Popen(words, cwd=self.folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            os.kill(self.workers_of(process.pid, 2)[0], signal.SIGKILL)
            said = process.communicate(timeout=120)[1].decode()
        self.assertEqual(process.returncode, 9, said)
        self.assertIn("the process that did it is no more: SIGKILL ended it", said)
        self.assertIn("2 jobs done, 1 failed", said)
        with subprocess.Popen([*words, "--overwrite"], cwd=self.folder, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL) as process:
            workers = self.workers_of(process.pid, 2)
            process.kill()
            process.wait()
        patience = time.monotonic() + 20
        while any(map(self.lives, workers)):
            self.assertLess(time.monotonic(), patience)
            time.sleep(0.01)
        self.batch(jobs, "-o", "whole/")
        self.batch(jobs, "-o", "out/", "--workers", "2")
        self.assertEqual(self.contents("out"), self.contents("whole"))

    def workers_of(self, process: int, count: int) -> list[int]:
        """The processes of the workers, once there are so many and they are at work."""
        children = pathlib.Path(f"/proc/{process}/task/{process}/children")
        while len(found := children.read_text().split()) < count:
            time.sleep(0.01)
        time.sleep(0.5)
        return [int(word) for word in found]

    def lives(self, process: int) -> bool:
        try:
            return pathlib.Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except FileNotFoundError:
            return False

    def test_a_signal_ends_workers_after_a_step(self) -> None:
        jobs = self.jobs([{"prompt": "a lake", "seed": seed, "steps": 400} for seed in range(5)])
        with subprocess.Popen([program(), "batch", jobs, "-o", "out/", *QUICK[2:], "--workers", "2"], cwd=self.folder,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            workers = self.workers_of(process.pid, 2)
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=60)[1]
        self.assertEqual(process.returncode, -signal.SIGINT)
        self.assertIn(b"Run it again to go on", said)
        self.assertFalse([worker for worker in workers if self.lives(worker)])
        self.assertEqual(sorted(path.name for path in (self.folder / "out").iterdir()), ["journal.jsonl"])


if __name__ == "__main__":
    main(__doc__)
