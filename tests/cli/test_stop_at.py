#!/usr/bin/env python3
"""Drives the real program through latents that are left half way and taken up again."""

from __future__ import annotations

import hashlib
import json
import subprocess

from support import QUICK, CliTest, Tensor, main, needs_engine, on_terminal, png_chunks, read_safetensors

WALK = ("a red house in snow", "--steps", "6", "-W", "64", "-H", "64", "-t", "1", "-s", "7")


class UnfinishedTest(CliTest):
    def generate(self, *words: str, **options) -> subprocess.CompletedProcess:
        return self.done("generate", *words, **options)

    def latent(self, name: str) -> tuple[dict[str, Tensor], dict[str, str]]:
        return read_safetensors(self.bytes_of(name))


class Refused(UnfinishedTest):
    def test_a_stop_needs_a_place_to_keep_what_is_left(self) -> None:
        self.refused(2, "generate", *WALK, "--stop-at", "3", says=("--stop-at", "--latent FILE"))
        self.refused(2, "generate", *WALK, "--stop-at", "3", "--latent", "a.safetensors", "-o", "a.png", says=("-o",))

    def test_where_it_stops(self) -> None:
        for step in ("0", "6", "-1", "7"):
            self.refused(2, "generate", *WALK, "--stop-at", step, "--latent", "a", says=("6 steps", "after 1 to 5"))
        self.refused(2, "generate", "a lake", *QUICK, "--stop-at", "2", "--latent", "a", says=("can stop after 1 alone",))
        self.refused(2, "generate", *WALK, "--stop-at", "3", "--hires", "2", "--latent", "a", says=("--hires",))

    def test_standard_output_is_wanted_once(self) -> None:
        self.refused(2, "generate", *WALK, "--latent", "-", "--json", says=("--json", "--latent -"))
        self.refused(2, "generate", *WALK, "--latent", "-", "-o", "-", says=("--latent -", "-o -"))
        self.refused(2, "generate", "-", "--init-latent", "-", says=("--prompt", "--init-latent", "standard input"))

    def test_latents_are_not_typed(self) -> None:
        given, _ = on_terminal("generate", "a lake", "--latent", "-")
        taken, _ = on_terminal("generate", "--init-latent", "-", streams=("stdin",))
        for result in (given, taken):
            self.assertEqual(result.returncode, 2)
            self.assertIn(b"terminal", result.stderr)

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
        return b"".join(content for kind, content in png_chunks(self.bytes_of(name)) if kind == b"IDAT")

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
        self.assertEqual(read_safetensors(part)[1]["step"], "3")
        picture = self.generate("--init-latent", "-", "-o", "-", input=part).stdout
        self.assertTrue(picture.startswith(b"\x89PNG"))
        ended = self.generate("--init-latent", "-", "--latent", "-", "-o", "a.png", input=part)
        self.assertEqual(read_safetensors(ended.stdout)[1]["sigma"], "0")

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
        self.refused(2, *on, "--strength", "0.5", says=("--strength", "partially denoised"))
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
    main(__doc__)
