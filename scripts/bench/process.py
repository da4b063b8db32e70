"""One process, start to end: seconds, seconds of the processor, peak memory, what it answered."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import tempfile
import threading
import time
from typing import Any

import program


@dataclasses.dataclass(frozen=True)
class Run:
    """A process that has ended."""

    exit_code: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    stdout: str
    private_mb: float | None = None  # the peak of what no other process can share; None: not watched


class PrivateMemory:
    """Watches the private memory of a process, which the kernel keeps no peak of, from another thread."""

    SECONDS_BETWEEN = 0.005

    def __init__(self, process: int) -> None:
        self.status, self.peak_kb, self.ended = f"/proc/{process}/status", 0, threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self) -> None:
        while not self.ended.wait(self.SECONDS_BETWEEN):
            try:
                with open(self.status, encoding="ascii") as file:
                    lines = dict(line.split(":", 1) for line in file)
            except OSError:
                return
            if "RssAnon" in lines:
                self.peak_kb = max(self.peak_kb, int(lines["RssAnon"].split()[0]))

    def stop(self) -> float:
        """MB."""
        self.ended.set()
        self.thread.join()
        return self.peak_kb / 1024


def run_watched(command: list[str], environment: dict[str, str] | None = None) -> Run:
    """`run`, with its private memory watched, which costs the process a little time."""
    return run(command, environment, watched=True)


def run(command: list[str], environment: dict[str, str] | None = None, watched: bool = False) -> Run:
    """Runs a command, its stderr dropped, and waits for it."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL,
                                   env=os.environ | (environment or {}))
        memory = PrivateMemory(process.pid) if watched else None
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        return Run(process.returncode, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output.read(),
                   memory.stop() if memory else None)


def answer_of(done: Run, name: str) -> dict[str, Any]:
    """The JSON line of a process that must have succeeded."""
    if done.exit_code != 0:
        raise program.ProgramError(f"{name} ended with exit code {done.exit_code}, expected 0. "
                                   f"Run it by hand to see why.")
    return json.loads(done.stdout.splitlines()[0])
