#!/usr/bin/env python3
"""Drives the real program through latents that are left half way and taken up again.

    tests/cli/test_unfinished.py BUILD_FOLDER [unittest arguments]
"""

from __future__ import annotations

import hashlib
import json
import os
import pty
import struct
import subprocess
import sys
import unittest

from test_cli import PROGRAM, CliTest, needs_engine, run, tensors

WALK = ("a red house in snow", "--steps", "6", "-W", "64", "-H", "64", "-t", "1", "-s", "7")


class UnfinishedTest(CliTest):
    def generate(self, *words: str, **options) -> subprocess.CompletedProcess:
        result = run("generate", *words, cwd=self.folder, **options)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        return result

    def latent(self, name: str) -> tuple[dict[str, bytes], dict[str, str]]:
        return tensors((self.folder / name).read_bytes())


class Refused(UnfinishedTest):
    def test_a_stop_needs_a_place_to_keep_what_is_left(self) -> None:
        self.refused(2, "generate", *WALK, "--stop-at", "3", says=("--stop-at", "--latent FILE"))
        self.refused(2, "generate", *WALK, "--stop-at", "3", "--latent", "a.safetensors", "-o", "a.png", says=("-o",))

    def test_where_it_stops(self) -> None:
        for step in ("0", "6", "-1", "7"):
            self.refused(2, "generate", *WALK, "--stop-at", step, "--latent", "a", says=("6 steps", "after 1 to 5"))
        self.refused(2, "generate", *WALK, "--stop-at", "3", "--hires", "2", "--latent", "a", says=("--hires",))

    def test_standard_output_is_wanted_once(self) -> None:
        self.refused(2, "generate", *WALK, "--latent", "-", "--json", says=("--json", "--latent -"))
        self.refused(2, "generate", *WALK, "--latent", "-", "-o", "-", says=("--latent -", "-o -"))
        self.refused(2, "generate", "-", "--init-latent", "-", says=("--prompt", "--init-latent", "standard input"))

    def test_latents_are_not_typed(self) -> None:
        ours, theirs = pty.openpty()
        given = subprocess.run([PROGRAM, "generate", "a lake", "--latent", "-"], stdout=theirs, stderr=subprocess.PIPE,
                               timeout=60)
        taken = subprocess.run([PROGRAM, "generate", "--init-latent", "-"], stdin=theirs, capture_output=True, timeout=60)
        os.close(ours)
        os.close(theirs)
        for result, says in ((given, b"terminal"), (taken, b"terminal")):
            self.assertEqual(result.returncode, 2)
            self.assertIn(says, result.stderr)

    def test_files_that_are_no_latents(self) -> None:
        self.refused(3, "generate", "--init-latent", "nothing.safetensors", says=("nothing.safetensors",))
        (self.folder / "a.safetensors").write_bytes(b"no latent")
        self.refused(3, "generate", "--init-latent", "a.safetensors", says=("a.safetensors",))


@needs_engine
class Going(UnfinishedTest):
    def test_a_walk_that_stopped_ends_as_one_that_did_not(self) -> None:
        for sampler in ("euler", "euler_a", "unipc", "dpmpp_3m_sde"):
            with self.subTest(sampler):
                walk = (*WALK, "-b", "2", "--sampler", sampler, "--guidance", "3", "--overwrite")
                self.generate(*walk, "--latent", "whole.safetensors", "-o", "whole.png")
                self.generate(*walk, "--latent", "part.safetensors", "--stop-at", "2")
                self.generate("--init-latent", "part.safetensors", "--stop-at", "4", "--latent", "more.safetensors",
                              "--overwrite")
                self.generate("--init-latent", "more.safetensors", "--latent", "end.safetensors", "-o", "end.png",
                              "--overwrite")
                values, facts = self.latent("more.safetensors")
                self.assertEqual(facts["step"], "4")
                self.assertGreater(float(facts["sigma"]), 0)
                self.assertEqual(len(values) > 1, sampler in ("unipc", "dpmpp_3m_sde"))
                whole, _ = self.latent("whole.safetensors")
                end, facts = self.latent("end.safetensors")
                self.assertEqual(float(facts["sigma"]), 0)
                self.assertEqual(list(end), ["latent"])
                self.assertEqual(end["latent"], whole["latent"])
                for index in "01":
                    shown = [self.pixels(f"{name}-{index}.png") for name in ("whole", "end")]
                    self.assertEqual(*shown)
                self.generate("--init-latent", "part.safetensors", "-s", "8", "--latent", "other.safetensors",
                              "--overwrite")
                other, _ = self.latent("other.safetensors")
                self.assertEqual(other["latent"] != whole["latent"], sampler in ("euler_a", "dpmpp_3m_sde"))

    def pixels(self, name: str) -> bytes:
        """The picture's own chunks of a PNG: its settings differ."""
        data = (self.folder / name).read_bytes()
        found, at = b"", 8
        while at < len(data):
            length, kind = struct.unpack(">I4s", data[at:at + 8])
            if kind == b"IDAT":
                found += data[at + 8:at + 8 + length]
            at += 12 + length
        return found

    def test_latents_alone_are_written_alone(self) -> None:
        result = self.generate(*WALK, "--latent", "a.safetensors")
        self.assertEqual(result.stdout, b"a.safetensors\n")
        self.assertEqual([path.name for path in self.folder.iterdir()], ["a.safetensors"])
        result = self.generate(*WALK, "--latent", "b.safetensors", "--json")
        line = json.loads(result.stdout)
        data = (self.folder / "b.safetensors").read_bytes()
        self.assertEqual(line["sha256"], hashlib.sha256(data).hexdigest())
        self.assertEqual((line["space"], line["sigma"], line["step"], line["size"]), ("sd15:tiny-sd15", 0, 0, [64, 64]))
        self.assertNotIn("index", line)
        self.assertEqual(line["timings"]["vae_decoder"], 0)
        self.assertEqual(data, (self.folder / "a.safetensors").read_bytes())

    def test_a_pipe(self) -> None:
        part = self.generate(*WALK, "--stop-at", "3", "--latent", "-").stdout
        self.assertEqual(tensors(part)[1]["step"], "3")
        picture = self.generate("--init-latent", "-", "-o", "-", input=part).stdout
        self.assertTrue(picture.startswith(b"\x89PNG"))
        ended = self.generate("--init-latent", "-", "--latent", "-", "-o", "a.png", input=part)
        self.assertEqual(tensors(ended.stdout)[1]["sigma"], "0")

    def test_what_is_named_counts_and_the_rest_is_recorded(self) -> None:
        self.generate(*WALK, "--stop-at", "3", "--latent", "part.safetensors", "--sampler", "dpmpp_2m", "-n", "fog")
        digest = hashlib.sha256((self.folder / "part.safetensors").read_bytes()).hexdigest()
        line = json.loads(self.generate("--init-latent", "part.safetensors", "--json").stdout)
        self.assertEqual((line["prompt"], line["negative_prompt"]), ("a red house in snow", "fog"))
        self.assertEqual((line["seed"], line["steps"], line["sampler"]), (7, 6, "dpmpp_2m"))
        self.assertEqual(line["init_latent"], "sha256:" + digest)
        self.assertNotIn("stop_at", line)
        self.assertNotIn("strength", line)
        line = json.loads(self.generate("--init-latent", "part.safetensors", "--json", "-p", "a lake", "--sampler",
                                        "euler", "-o", "b.png").stdout)
        self.assertEqual((line["prompt"], line["negative_prompt"], line["sampler"]), ("a lake", "fog", "euler"))
        self.assertIn("dpmpp_2m remembered is left out", " ".join(line["notes"]))

    def test_going_on_elsewhere_is_refused(self) -> None:
        self.generate(*WALK, "--stop-at", "3", "--latent", "part.safetensors")
        on = ("generate", "--init-latent", "part.safetensors")
        self.refused(2, *on, "--steps", "9", says=("after 3 steps", "another schedule", "--steps"))
        self.refused(2, *on, "--schedule", "karras", says=("another schedule", "--schedule"))
        self.refused(2, *on, "--strength", "0.5", says=("--strength", "unfinished"))
        self.refused(2, *on, "-W", "128", says=("--width is 128", "64 x 64"))
        self.refused(2, *on, "-b", "2", says=("--batch is 2",))
        self.refused(2, *on, "--mask", "mask.png", says=("--mask", "no pixels"))
        self.refused(2, *on, "-i", "a.png", says=("--image", "--init-latent"))
        self.refused(2, *on, "--stop-at", "3", "--latent", "b", says=("after 4 to 5",))
        self.refused(4, *on, "-m", "tiny-sdxl", says=("sd15:tiny-sd15", "sdxl:tiny-sdxl"))
        self.refused(8, *on, "--latent", "part.safetensors", says=("part.safetensors", "--overwrite"))

    def test_a_finished_latent_is_drawn_anew(self) -> None:
        self.generate(*WALK, "-b", "2", "--latent", "a.safetensors")
        lines = self.generate("a lake", "--init-latent", "a.safetensors", "--strength", "0.5", "--steps", "6", "--json",
                              "-o", "b.png").stdout.splitlines()
        self.assertEqual(len(lines), 2)
        line = json.loads(lines[1])
        self.assertEqual((line["prompt"], line["strength"], line["width"]), ("a lake", 0.5, 64))
        self.assertEqual(line["timings"]["vae_encoder"], 0)
        line = json.loads(self.generate("--init-latent", "a.safetensors", "--json", "-o", "c.png").stdout.splitlines()[0])
        self.assertEqual((line["prompt"], line["steps"], line["strength"]), ("a red house in snow", 6, 0.75))


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
