#!/usr/bin/env python3
"""Drives the real program through latents and pictures that another model draws anew: `refine`, `--init-latent` across
spaces, and `--then`.
"""

from __future__ import annotations

import hashlib
import json

from support import LatentTest, main, needs_engine, read_png, read_safetensors, run

QUICK = ("--steps", "4", "-t", "1")
DRAWN = ("a red house in snow", "-W", "64", "-H", "64", "-s", "7", *QUICK)
CROSSING = "sd15:tiny-sd15 -> sdxl:tiny-sdxl"


class Planned(LatentTest):
    """What needs no engine: routes and refusals."""

    @needs_engine
    def test_a_dry_run_shows_route_and_walk_and_writes_nothing(self) -> None:
        self.latent("a.safetensors")
        for words in (("refine", "a.safetensors", "-p", "a lake"), ("generate", "a lake", "--init-latent", "a.safetensors")):
            text = self.done(*words, "-m", "tiny-sdxl", "--strength", "0.5", "-s", "3", "--dry-run").stdout.decode()
            for part in ("re-encode", "decode by the VAE of sd15:tiny-sd15", "encode by the VAE of sdxl:tiny-sdxl",
                         "cost: 1 decode, 1 encode\n", "tiny-sdxl: 1 picture of 64 x 64 pixels", "strength 0.5", "seed 3"):
                self.assertIn(part, text)
        self.assertEqual([path.name for path in self.folder.iterdir()], ["a.safetensors"])
        words = ("refine", "a.safetensors", "-p", "a lake", "-m", "tiny-sdxl", "--dry-run", "--json")
        plan = json.loads(self.done(*words, "--compensate").stdout)
        self.assertEqual((plan["job"]["prompt"], plan["job"]["model"], plan["job"]["width"]), ("a lake", "tiny-sdxl", 64))
        route, = plan["routes"]
        self.assertEqual((route["verdict"], route["decodes"], route["encodes"]), ("re-encode", 3, 2))
        plan = json.loads(self.done(*words[:5], "tiny-sd15", *words[6:]).stdout)
        self.assertEqual(plan["routes"][0]["verdict"], "same")

    @needs_engine
    def test_a_dry_run_of_two_models(self) -> None:
        text = self.done("generate", *DRAWN, "--then", "tiny-sdxl:0.25", "--dry-run").stdout.decode()
        first, *_, last = text.splitlines()
        self.assertIn("tiny-sd15: 1 picture of 64 x 64 pixels, 4 steps", first)
        self.assertIn("tiny-sdxl: 1 picture", last)
        self.assertIn("at strength 0.25, seed 7", last)

    def test_what_may_not_cross_is_refused(self) -> None:
        self.latent("a.safetensors")
        self.latent("part.safetensors", sigma="2.5", path="variance_exploding", step="3", draws="1")
        to_sdxl = ("-m", "tiny-sdxl", "-p", "a lake")
        self.refused(4, "refine", "a.safetensors", *to_sdxl, "--no-convert", says=("sd15:tiny-sd15", "sdxl:tiny-sdxl"))
        self.refused(4, "refine", "part.safetensors", *to_sdxl, says=("partially denoised", "Finish it first"))
        self.refused(4, "generate", *DRAWN, "--then", "tiny-sdxl", "--no-convert", says=("what tiny-sd15 makes", "sdxl"))
        self.refused(2, "refine", "a.safetensors", *to_sdxl, "-W", "100", says=("--width is 100", "multiple of 8"))
        self.latent("lost.safetensors", lineage="nobody")
        self.refused(4, "refine", "lost.safetensors", *to_sdxl, says=("sd15:nobody", "not at hand", "--from"))
        self.assertEqual(len(list(self.folder.iterdir())), 3)

    def test_what_is_missing_or_makes_no_sense(self) -> None:
        self.latent("a.safetensors")
        self.ppm("a.ppm", 64, 64)
        (self.folder / "a.txt").write_text("neither latent nor picture")
        self.refused(2, "refine", says=("LATENT|IMAGE",))
        self.refused(2, "refine", "a.safetensors", "-m", "tiny-sd15", says=("no prompt", "--prompt"))
        self.refused(2, "refine", "a.ppm", "-m", "tiny-sd15", says=("no prompt", "--prompt"))
        self.refused(3, "refine", "a.txt", "-m", "tiny-sd15", "-p", "a lake", says=("a.txt",))
        self.refused(3, "refine", "nothing", "-m", "tiny-sd15", "-p", "a lake", says=("nothing",))
        self.refused(2, "refine", "a.ppm", "-m", "tiny-sd15", "-p", "a lake", "-i", "a.ppm", says=("-i",))
        for option in ("--mask", "--fit"):
            text = self.refused(2, "refine", "a.safetensors", "-p", "a lake", option, "a.ppm", says=("a.safetensors is a latent",))
            self.assertNotIn("--init-latent", text)
            self.assertNotIn("--image", text)
        self.refused(2, "generate", *DRAWN, "--then", "tiny-sdxl:2", says=("--then", "0 to 1"))
        self.refused(2, "generate", *DRAWN, "--then", "tiny-sdxll", says=("tiny-sdxll", "tiny-sdxl"))
        self.refused(2, "generate", *DRAWN, "--then", "tiny-sdxl", "--stop-at", "2", "--latent", "b",
                     says=("--stop-at", "--then"))

    @needs_engine
    def test_a_latent_of_another_tool_is_told_its_space(self) -> None:
        shape, data = "(1, 4, 8, 8)", bytes(4 * 256)
        head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
        (self.folder / "a.npy").write_bytes(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head + data)
        words = ("refine", "a.npy", "-m", "tiny-sdxl", "-p", "a lake", "--dry-run")
        self.refused(2, *words, says=("--space",))
        self.refused(2, *words, "--space", "tiny-sd15", says=("--init-units",))
        text = self.done(*words, "--space", "tiny-sd15", "--init-units", "model").stdout.decode()
        self.assertIn("re-encode", text)


@needs_engine
class Refined(LatentTest):
    def test_a_latent_of_another_space_crosses_by_itself_and_says_so(self) -> None:
        self.done("generate", *DRAWN, "-b", "2", "--latent", "a.safetensors")
        result = self.done("refine", "a.safetensors", "-m", "tiny-sdxl", "-p", "a blue house", "--strength", "0.5",
                           "--measure", "--latent", "b.safetensors", "-o", "b.png", "--json", *QUICK)
        notes = [line for line in result.stderr.decode().splitlines() if line.startswith("a.safetensors")]
        self.assertEqual(len(notes), 1)
        self.assertIn(CROSSING, notes[0])
        lines = [json.loads(line) for line in result.stdout.splitlines()]
        self.assertEqual([line["prompt"] for line in lines], ["a blue house"] * 2)
        digest = hashlib.sha256(self.bytes_of("a.safetensors")).hexdigest()
        self.assertEqual(lines[0]["init_latent"], "sha256:" + digest)
        crossing, = lines[0]["history"]
        self.assertEqual((crossing["route"], crossing["to"], crossing["size"]), ("re-encode", "sdxl:tiny-sdxl", [64, 64]))
        self.assertGreater(crossing["psnr"], 20)
        _, facts = read_safetensors(self.bytes_of("b.safetensors"))
        self.assertEqual((facts["space"], facts["lineage"]), ("sdxl", "tiny-sdxl"))
        self.assertEqual(json.loads(facts["history"]), [crossing])
        shown = self.texts("b-0.png")
        self.assertEqual(shown["lapis"]["history"], [crossing])
        self.done("decode", "b.safetensors", "-t", "1", "-o", "again.png")
        self.assertEqual(read_png(self.bytes_of("again-0.png")), read_png(self.bytes_of("b-0.png")))

    def test_the_crossing_is_that_of_convert(self) -> None:
        self.done("generate", *DRAWN, "--latent", "a.safetensors")
        self.done("convert", "a.safetensors", "--to", "tiny-sdxl", "--no-compensate", "-t", "1", "-o", "c.safetensors")
        on = ("-m", "tiny-sdxl", "-p", "a lake", "-s", "3", *QUICK)
        self.done("refine", "a.safetensors", *on, "--latent", "crossed.safetensors")
        self.done("refine", "c.safetensors", *on, "--latent", "converted.safetensors")
        self.done("refine", "a.safetensors", *on, "--latent", "other.safetensors", "--strength", "0.5")
        crossed, converted, other = (self.values(f"{name}.safetensors") for name in ("crossed", "converted", "other"))
        self.assertEqual(crossed, converted)
        self.assertNotEqual(crossed, other)

    def test_the_same_space_goes_in_untouched(self) -> None:
        self.done("generate", *DRAWN, "--latent", "a.safetensors")
        line = self.line("refine", "a.safetensors", "-p", "a lake", "-s", "3", "-o", "a.png", *QUICK)
        self.assertEqual((line["history"], line["model"], line["timings"]["vae_encoder"]), ([], "tiny-sd15", 0))
        line = self.line("refine", "a.safetensors", "-s", "3", "-o", "b.png", "-W", "128", "-t", "1", "-q")
        self.assertEqual((line["prompt"], line["steps"], line["size"]), ("a red house in snow", 4, [128, 128]))
        self.assertEqual(line["history"][0]["to"], "sd15:tiny-sd15")

    def test_pictures_by_name_and_by_pipe(self) -> None:
        self.ppm("a.ppm", 64, 64)
        on = ("-m", "tiny-sd15", "-p", "a lake", "-s", "3", *QUICK)
        self.done("generate", "-i", "a.ppm", *on, "-o", "by-generate.png")
        self.done("refine", "a.ppm", *on, "-o", "by-name.png")
        self.done("refine", "-", *on, "-o", "by-pipe.png", input=self.bytes_of("a.ppm"))
        self.assertEqual(self.bytes_of("by-name.png"), self.bytes_of("by-generate.png"))
        self.assertEqual(self.bytes_of("by-pipe.png"), self.bytes_of("by-generate.png"))

    def test_a_latent_of_a_picture_records_no_prompt(self) -> None:
        self.ppm("a.ppm", 64, 64)
        self.done("encode", "a.ppm", "-m", "tiny-sd15", "-o", "a.safetensors")
        self.refused(2, "refine", "a.safetensors", says=("no prompt", "a.safetensors records none"))
        self.assertEqual(self.line("refine", "a.safetensors", "-p", "a lake", "-o", "a.png", *QUICK)["prompt"], "a lake")

    def test_latents_by_pipe(self) -> None:
        latent = self.done("generate", *DRAWN, "--latent", "-").stdout
        refined = self.done("refine", "-", "-m", "tiny-sdxl", "--latent", "-", *QUICK, input=latent)
        self.assertIn(CROSSING, refined.stderr.decode())
        self.assertTrue(self.done("decode", "-", "-o", "-", input=refined.stdout).stdout.startswith(b"\x89PNG"))
        cut = run("refine", "-", "-m", "tiny-sdxl", input=latent[:-100], cwd=self.folder)
        self.assertEqual(cut.returncode, 3)


@needs_engine
class Stage(LatentTest):
    def test_it_is_what_a_pipe_into_refine_gives(self) -> None:
        for target in ("tiny-sdxl", "tiny-flux"):
            with self.subTest(target):
                self.done("generate", *DRAWN, "-b", "2", "--latent", "a.safetensors", "--overwrite")
                self.done("refine", "a.safetensors", "-m", target, "-p", DRAWN[0], "-s", "7", "--strength", "0.5", "-t",
                          "1", "--latent", "piped.safetensors", "--overwrite")
                result = self.done("generate", *DRAWN, "-b", "2", "--then", f"{target}:0.5", "--latent",
                                   "then.safetensors", "-o", "then.png", "--json", "--overwrite")
                self.assertIn("what tiny-sd15 makes: sd15:tiny-sd15 -> ", result.stderr.decode())
                piped, then = (read_safetensors(self.bytes_of(f"{name}.safetensors")) for name in ("piped", "then"))
                self.assertEqual(piped[0]["latent"], then[0]["latent"])
                self.assertEqual(piped[1]["history"], then[1]["history"])
                line = json.loads(result.stdout.splitlines()[1])
                self.assertEqual((line["then"], line["model"], line["seed"]), (f"{target}:0.5", "tiny-sd15", 8))
                recorded = json.loads(then[1]["job"])
                self.assertEqual((recorded["then"]["name"], recorded["model"]["name"]), (target, "tiny-sd15"))

    def test_its_latent_goes_on_in_the_second_space(self) -> None:
        self.done("generate", *DRAWN, "--then", "tiny-sdxl", "--latent", "a.safetensors")
        line = self.line("refine", "a.safetensors", "-o", "a.png", *QUICK)
        self.assertEqual((line["model"], line["prompt"], line["strength"]), ("tiny-sdxl", DRAWN[0], 0.5))
        self.assertNotIn("then", line)

    def test_what_the_second_model_does_not_read_is_told(self) -> None:
        result = self.done("generate", *DRAWN, "-n", "fog", "--then", "tiny-flux", "-o", "a.png")
        self.assertIn("negative prompt is tiny-sd15's alone", result.stderr.decode())


if __name__ == "__main__":
    main(__doc__)
