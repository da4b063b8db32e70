#!/usr/bin/env python3
"""The Python environment with diffusers in it: made once in .venv/parity, pinned, and entered by running again.

Run as a program it makes the environment where it is missing, and prints its Python."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import venv

from program import ROOT, add_program_option, progress

FOLDER = ROOT / ".venv" / "parity"
PINS = ("torch==2.11.0", "diffusers==0.42.1", "transformers==5.23.0", "safetensors==0.8.0", "pillow==13.0.0",
        "numpy==2.4.6", "sentencepiece==0.2.3", "peft==0.21.2", "sd-parsers==0.6", "check-jsonschema==0.39.0",
        "kubernetes-validate==1.37.0", "junitparser==5.0.3")
QUIET = {"TRANSFORMERS_VERBOSITY": "error", "DIFFUSERS_VERBOSITY": "error", "HF_HUB_DISABLE_PROGRESS_BARS": "1",
         "HF_HUB_OFFLINE": "1"}


def add_python_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--python", metavar="PATH",
                        help="a Python that has diffusers (default: .venv/parity, which is made on first use: "
                             "some 3 GB to fetch)")


def arguments_of(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """The arguments of a script that runs lapis beside diffusers; from here on it runs in the peer's Python."""
    add_program_option(parser)
    add_python_option(parser)
    arguments = parser.parse_args()
    enter(arguments.python)
    return arguments


def peer_python(chosen: str | None) -> str:
    """Path of the Python to use: `chosen`, or the one of the environment, which is made where it is missing."""
    if chosen:
        found = shutil.which(chosen)
        if found is None:
            raise SystemExit(f"error: --python {chosen}: no such program. Leave it out to have an environment made.")
        return os.path.abspath(found)
    python, stamp = FOLDER / "bin" / "python", FOLDER / "pins.txt"
    if not stamp.exists() or stamp.read_text() != "\n".join(PINS):
        progress(f"making {FOLDER} with {', '.join(PINS)}")
        try:
            venv.create(FOLDER, with_pip=True, clear=True)
            subprocess.run([python, "-m", "pip", "install", "--quiet", *PINS], check=True)
        except subprocess.CalledProcessError:
            raise SystemExit(f"error: {FOLDER} could not be made; pip's message, if it ran, is above. Debian needs the "
                             f"package python3-venv. Or name a Python that has all of it: --python PATH") from None
        stamp.write_text("\n".join(PINS))
    return str(python)


def enter(chosen: str | None) -> None:
    """Returns in the peer's Python; from any other it starts the running script again in there."""
    python = peer_python(chosen)
    if os.path.abspath(sys.executable) != python:
        os.execve(python, [python, *sys.argv], os.environ | QUIET)
    os.environ.update(QUIET)


if __name__ == "__main__":
    print(peer_python(None))
