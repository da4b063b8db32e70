"""One process, start to end: seconds, seconds of the processor, peak memory, what it answered."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import tempfile
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


def run(command: list[str], environment: dict[str, str] | None = None) -> Run:
    """Runs a command, its stderr dropped, and waits for it."""
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.DEVNULL,
                                   env=os.environ | (environment or {}))
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        return Run(process.returncode, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output.read())


def answer_of(done: Run, name: str) -> dict[str, Any]:
    """The JSON line of a process that must have succeeded."""
    if done.exit_code != 0:
        raise program.ProgramError(f"{name} ended with exit code {done.exit_code}, expected 0. "
                                   f"Run it by hand to see why.")
    return json.loads(done.stdout.splitlines()[0])
