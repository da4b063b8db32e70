#!/usr/bin/env python3
"""The installed tree, moved to another place: the examples of docs/examples/library are built against it, and draw and
convert what the program does.

    tests/library/test_installed.py BUILD_FOLDER [unittest arguments]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "examples" / "library"
PROMPT = "a red house in snow"
# Nothing that leads to the tree that was built: models and engine are those that were installed.
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith("LAPIS_")} | {"XDG_DATA_HOME": os.devnull}


def run(*command: str | Path, folder: Path, **more: str) -> str:
    """Runs a command that must succeed, and returns what it said on stdout."""
    done = subprocess.run(command, cwd=folder, env=CLEAN | more, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


class Installed(unittest.TestCase):
    """One tree for all tests: what they do leaves it as it was."""

    build: Path
    work: Path
    tree: Path

    @classmethod
    def setUpClass(cls) -> None:
        cls.work = Path(tempfile.mkdtemp(prefix="lapis-installed-"))
        cls.addClassCleanup(shutil.rmtree, cls.work)
        first = cls.work / "first"
        run("cmake", "--install", cls.build, "--prefix", first, folder=cls.work)
        cls.tree = cls.work / "moved here"
        first.rename(cls.tree)

    def draw_and_convert(self, render: Path, convert: Path, **more: str) -> None:
        """What the examples write is what the installed program writes."""
        folder = Path(tempfile.mkdtemp(dir=self.work))
        program = self.tree / "bin" / "lapis"
        run(program, "generate", PROMPT, "-s", "7", "-o", "p.png", "--latent", "p.latent.safetensors", folder=folder)
        run(program, "convert", "p.latent.safetensors", "--to", "tiny-sdxl", "-o", "c.safetensors", folder=folder)
        run(render, PROMPT, "l.png", "l.latent.safetensors", folder=folder, **more)
        verdict = run(convert, "l.latent.safetensors", "tiny-sdxl", "lc.safetensors", folder=folder, **more)
        self.assertEqual(verdict, "re-encode\n")
        for ours, theirs in (("p.png", "l.png"), ("p.latent.safetensors", "l.latent.safetensors"),
                             ("c.safetensors", "lc.safetensors")):
            self.assertEqual((folder / ours).read_bytes(), (folder / theirs).read_bytes(), theirs)
        refused = subprocess.run([convert, "p.png", "tiny-sdxl", "no.safetensors"], cwd=folder, env=CLEAN | more,
                                 capture_output=True, text=True, check=False)
        self.assertEqual(refused.returncode, 3, refused.stderr)
        self.assertFalse((folder / "no.safetensors").exists())

    def test_found_by_cmake(self) -> None:
        build = self.work / "by-cmake"
        run("cmake", "-S", EXAMPLES, "-B", build, f"-DCMAKE_PREFIX_PATH={self.tree}", folder=self.work)
        run("cmake", "--build", build, folder=self.work)
        self.draw_and_convert(build / "render", build / "convert")

    @unittest.skipUnless(shutil.which("pkg-config"), "needs pkg-config")
    def test_found_by_pkg_config(self) -> None:
        tree = self.work / "tree"  # pkg-config quotes no blanks for a shell
        tree.symlink_to(self.tree)
        flags = run("pkg-config", "--cflags", "--libs", "lapis", folder=self.work,
                    PKG_CONFIG_PATH=str(tree / "lib" / "pkgconfig")).split()
        for name in ("render", "convert"):
            run("c++", "-std=c++20", EXAMPLES / f"{name}.cpp", "-o", self.work / name, *flags, folder=self.work)
        self.draw_and_convert(self.work / "render", self.work / "convert", LD_LIBRARY_PATH=str(tree / "lib"))


if __name__ == "__main__":
    Installed.build = Path(sys.argv.pop(1)).resolve()
    unittest.main()
