#!/usr/bin/env python3
"""Drives the real program from latent to latent: what it decodes, what it refuses, what it carries across and says."""

from __future__ import annotations

import json

from support import (QUICK, WALK, WARM, LatentTest, f32, has_engine, main, needs_engine, program, psnr, read_png, run,
                     safetensors, shell, smooth)


class Refused(LatentTest):
    def setUp(self) -> None:
        super().setUp()
        self.latent("a.safetensors")

    def test_the_wrong_vae(self) -> None:
        text = self.refused(4, "decode", "a.safetensors", "-m", "tiny-sdxl",
                            says=("sd15:tiny-sd15", "0.18215", "sdxl:tiny-sdxl", "0.13025"))
        self.assertIn("lapis convert a.safetensors --to tiny-sdxl", text.splitlines()[1])
        self.refused(4, "decode", "a.safetensors", "--vae", "tiny-sdxl", says=("lapis convert",))

    def test_a_vae_that_nobody_knows(self) -> None:
        self.latent("b.safetensors", lineage="elsewhere")
        self.refused(4, "decode", "b.safetensors", says=("sd15:elsewhere", "no known model", "-m MODEL"))
        self.refused(4, "decode", "b.safetensors", "-m", "tiny-sd15", says=("elsewhere", "tiny-sd15"))
        self.refused(4, "convert", "b.safetensors", "--to", "tiny-sdxl", says=("sd15:elsewhere", "--from"))
        text = self.refused(4, "convert", "b.safetensors", "--to", "tiny-sdxl", "--from", "tiny-sd15", says=("elsewhere",))
        self.assertNotIn("--to", text)  # which would ask for --from again
        self.assertIn("--space tiny-sd15", text)

    def test_a_vae_that_is_not_what_it_was(self) -> None:
        self.latent("b.safetensors", vae_sha256="ab" * 32)
        self.refused(4, "decode", "b.safetensors", says=("abababababab", "digest"))
        self.refused(4, "decode", "b.safetensors", "-m", "tiny-sd15", says=("abababababab",))

    def test_a_space_without_a_model(self) -> None:
        self.refused(4, "convert", "a.safetensors", "--to", "sdxl", says=("sdxl", "lapis convert a.safetensors --to tiny-sdxl"))
        self.refused(4, "convert", "a.safetensors", "--to", "sd3", says=("sd3", "VAE encoder"))

    def test_no_convert(self) -> None:
        self.refused(4, "convert", "a.safetensors", "--to", "tiny-sdxl", "--no-convert", says=("sdxl:tiny-sdxl",))

    def test_step_state_latents(self) -> None:
        self.latent("u.safetensors", sigma="2.5", path="variance_exploding", step="3", draws="0")
        for words in (("decode",), ("decode", "--force", "-m", "tiny-sdxl"), ("convert", "--to", "tiny-sdxl")):
            with self.subTest(words=words):
                self.refused(4, words[0], "u.safetensors", *words[1:], says=("u.safetensors is partially denoised", "2.5"))

    def test_too_many_channels_are_not_forced(self) -> None:
        self.latent("f.safetensors", "flux", "tiny-flux")
        self.refused(4, "decode", "f.safetensors", "-m", "tiny-sd15", "--force", says=("16", "4"))

    def test_words_that_make_no_sense(self) -> None:
        self.refused(2, "convert", "a.safetensors", says=("nothing says", "--to"))
        self.refused(2, "convert", "a.safetensors", "--to", "tiny-sdlx", says=('Did you mean "tiny-sdxl"?',))
        self.refused(2, "convert", "a.safetensors", "--format", "comfy", "--units", "model", says=("--units model", "vae"))
        self.refused(2, "convert", "a.safetensors", "--format", "comfi", says=('Did you mean "comfy"?',))
        self.refused(2, "convert", "a.safetensors", "--dtype", "fp16", says=('Did you mean "f16"?',))
        self.refused(2, "convert", "a.safetensors", "--size", "64", says=("--size", "512x768"))
        self.refused(2, "convert", "a.safetensors", "--to", "tiny-sdxl", "-o", "b.png", says=("b.png", "lapis decode"))
        self.refused(2, "decode", "a.safetensors", "--preview", "--force", says=("--preview", "--force"))
        self.refused(2, "decode", "a.safetensors", "-o", "{seed}.png", says=("records no seed", "{index}"))
        self.refused(2, "decode", "a.safetensors", "-o", "a.jpg", says=(".png",))
        self.refused(2, "decode", "a.safetensors", "--vae-dtype", "fp23", says=("--vae-dtype", "fp32"))
        self.refused(2, "encode", "a.ppm", says=("--model",))

    def test_two_for_standard_output(self) -> None:
        for words in (("decode", "a.safetensors"), ("convert", "a.safetensors", "--to", "tiny-sdxl"),
                      ("encode", "a.ppm", "-m", "tiny-sd15")):
            with self.subTest(words=words):
                self.refused(2, *words, "-o", "-", "--json", says=("--json", "standard output"))

    def test_files_that_are_no_latents(self) -> None:
        self.ppm("a.ppm", 64, 64)
        (self.folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
        self.refused(3, "decode", "nothing.safetensors", says=("nothing.safetensors",))
        self.refused(3, "decode", "a.png", says=("a.png", "picture"))
        self.refused(3, "decode", "-", says=("standard input",), input=self.bytes_of("a.safetensors")[:700])
        self.refused(3, "decode", "-", says=("standard input",), input=b"")
        self.refused(3, "encode", "a.safetensors", "-m", "tiny-sd15", "-o", "b.safetensors", says=("a.safetensors",))

    def test_a_file_that_is_there(self) -> None:
        (self.folder / "a.png").write_text("mine")
        self.ppm("a.ppm", 64, 64)
        self.refused(8, "decode", "a.safetensors", says=("a.png", "--overwrite"))
        self.refused(8, "convert", "a.safetensors", "--to", "tiny-sdxl", "-o", "a.safetensors", says=("--overwrite",))
        self.refused(8, "encode", "a.ppm", "-m", "tiny-sd15", says=("a.safetensors", "--overwrite"))
        self.refused(8, "decode", "a.safetensors", "-o", "nowhere/a.png", says=("nowhere",))

    def test_a_model_that_does_not_encode(self) -> None:
        model = self.model()
        facts = json.loads((model / "model.json").read_text())
        del facts["parts"]["vae_encoder"], facts["files"]["graphs/vae_encoder.pt"]
        (model / "model.json").write_text(json.dumps(facts))
        self.ppm("p.ppm", 64, 64)
        text = self.refused(5, "encode", "p.ppm", "-m", str(model), says=("has no vae_encoder",))
        self.assertNotIn("--image", text)

    def test_pictures_of_two_sizes_in_one_latent(self) -> None:
        self.ppm("a.ppm", 64, 64)
        self.ppm("b.ppm", 96, 64)
        self.refused(2, "encode", "a.ppm", "b.ppm", "-m", "tiny-sd15", "-o", "c.safetensors",
                     says=("a.ppm comes to 64 x 64", "b.ppm to 96 x 64", "{name}"))

    def test_colours_that_nobody_knows(self) -> None:
        self.latent("b.safetensors", lineage="elsewhere")
        self.refused(4, "decode", "b.safetensors", "--preview", says=("elsewhere", "no preview", "lapis decode"))

    def test_sides_that_do_not_fit(self) -> None:
        self.latent("b.safetensors", cells=(9, 9))
        self.refused(4, "convert", "b.safetensors", "--to", "tiny-flux", says=("72 x 72", "multiples of 16", "--size"))


class Routes(LatentTest):
    @needs_engine
    def test_a_dry_run_opens_no_libtorch(self) -> None:
        self.latent("a.safetensors")
        self.assertNotIn("libtorch", self.opened("convert", "a.safetensors", "--to", "tiny-sdxl", "--dry-run"))

    @needs_engine
    def test_a_dry_run_shows_the_route_and_writes_nothing(self) -> None:
        self.latent("a.safetensors", batch=2)
        before = sorted(self.folder.iterdir())
        route = self.line("convert", "a.safetensors", "--to", "tiny-sdxl", "--size", "96x96", "--dry-run")["checks"][0]
        self.assertEqual([route[key] for key in ("verdict", "from", "to", "size", "pictures", "decodes", "encodes")],
                         ["re-encode", "sd15:tiny-sd15", "sdxl:tiny-sdxl", [96, 96], 2, 3, 2])
        text = self.done("convert", "a.safetensors", "--to", "tiny-sdxl", "--no-compensate", "--dry-run").stdout.decode()
        self.assertIn("a.safetensors: re-encode", text)
        self.assertIn("1 decode, 1 encode, 1 decode to measure, for each", text)
        self.assertEqual(sorted(self.folder.iterdir()), before)
        same = self.line("convert", "a.safetensors", "--to", "tiny-sd15", "--dry-run")["checks"][0]
        self.assertEqual((same["verdict"], same["decodes"]), ("same", 0))

    def test_arithmetic_opens_no_libtorch(self) -> None:
        self.latent("a.safetensors")
        self.assertNotIn("libtorch", self.opened("convert", "a.safetensors", "--format", "comfy", "-o", "a.latent"))

    def test_a_preview_opens_no_libtorch(self) -> None:
        self.latent("a.safetensors", lineage="sd15")
        self.assertNotIn("libtorch", self.opened("decode", "a.safetensors", "--preview", "-o", "a.png"))
        self.assertEqual(read_png(self.bytes_of("a.png"))[:2], (64, 64))
        texts = self.texts("a.png")
        self.assertEqual(texts["lapis"]["preview"], "sd15")


class Forms(LatentTest):
    def test_there_and_back_is_the_same_file(self) -> None:
        self.latent("a.safetensors")
        self.done("convert", "a.safetensors", "--format", "diffusers", "-o", "d.safetensors")
        self.done("convert", "d.safetensors", "--space", "tiny-sd15", "--in-format", "diffusers", "--format", "lapis", "-o",
                  "b.safetensors")
        self.done("convert", "a.safetensors", "--format", "lapis", "-o", "c.safetensors")
        self.assertEqual(self.bytes_of("b.safetensors"), self.bytes_of("c.safetensors"))

    def test_generate_heeds_the_ending_of_latents_too(self) -> None:
        for name in ("a.png", "a.ppm", "a.GIF", "a.tga"):
            self.refused(2, "generate", *WALK, "--latent", name, says=(f"--latent {name}", ".safetensors"))
        self.refused(2, "generate", *WALK, "--latent", "a.latent", "--stop-at", "2", says=("comfy", "--stop-at"))
        if not has_engine():
            return
        self.done("generate", *WALK, "--latent", "a.latent")
        self.done("generate", *WALK, "--latent", "b.safetensors")
        self.done("convert", "b.safetensors", "-o", "b.latent")
        self.assertEqual(self.bytes_of("a.latent"), self.bytes_of("b.latent"))

    def test_formats_are_listed_by_both_names(self) -> None:
        rows = json.loads(self.output("list", "formats", "--json"))
        former = json.loads(self.output("list", "forms", "--json"))
        self.assertEqual([row["format"] for row in rows], [row["form"] for row in former])
        self.latent()
        self.assertEqual(self.line("convert", "a.safetensors", "--dtype", "f16", "-o", "c.latent")["format"], "comfy")
        line = self.line("inspect", "c.latent", "--space", "sd15:tiny-sd15")
        self.assertEqual((line["format"], line["form"]), ("comfy", "comfy"))

    def test_units_and_precision(self) -> None:
        self.latent("a.safetensors")
        raw = self.line("convert", "a.safetensors", "--units", "vae", "--dtype", "f16", "-o", "b.safetensors")
        self.assertEqual([raw[key] for key in ("units", "dtype", "route", "psnr", "space", "history")],
                         ["vae", "f16", "rescale", None, "sd15:tiny-sd15", []])
        self.assertLess(len(self.bytes_of("b.safetensors")), len(self.bytes_of("a.safetensors")))
        comfy = self.line("convert", "a.safetensors", "-o", "a.latent")
        self.assertEqual((comfy["form"], comfy["units"]), ("comfy", "vae"))

    def test_other_numbers_of_one_lineage(self) -> None:
        self.latent("a.safetensors", "sdxl", "sdxl")
        line = self.line("convert", "a.safetensors", "--to", "playground25", "-o", "b.safetensors")
        self.assertEqual((line["route"], line["space"], line["psnr"]), ("rescale", "playground25:sdxl", None))
        self.assertEqual(line["history"][0]["from"], "sdxl")
        self.assertIn("by other numbers", self.done("convert", "b.safetensors", "--to", "sdxl").stderr.decode())
        self.assertTrue((self.folder / "b-sdxl.safetensors").exists())


@needs_engine
class Decoded(LatentTest):
    def test_a_generated_latent_gives_the_bytes_of_its_picture(self) -> None:
        self.done("generate", "a lake, día", *QUICK, "-s", "7", "-b", "2", "-o", "a-{seed}.png", "--latent", "a.safetensors")
        line = [json.loads(line) for line in self.done("decode", "a.safetensors", *WARM, "-o", "b-{seed}.png",
                                                        "--json").stdout.splitlines()]
        self.assertEqual([one["path"] for one in line], ["b-7.png", "b-8.png"])
        self.assertEqual((line[0]["vae"], line[0]["forced"], line[0]["size"]), ("tiny-sd15", False, [64, 64]))
        for seed in (7, 8):
            self.assertEqual(self.bytes_of(f"a-{seed}.png"), self.bytes_of(f"b-{seed}.png"))

    def test_force_is_marked_and_wrong(self) -> None:
        self.done("generate", "a lake", *QUICK, "-s", "7", "-o", "right.png", "--latent", "a.safetensors")
        result = self.done("decode", "a.safetensors", "-m", "tiny-sdxl", "--force", *WARM, "-o", "wrong.png")
        self.assertIn("forced", result.stderr.decode())
        texts = self.texts("wrong.png")
        forced = texts["lapis"]["forced"]
        self.assertEqual((forced["latent"]["space"], forced["vae"]["space"]), ("sd15:tiny-sd15", "sdxl:tiny-sdxl"))
        self.assertLess(psnr(self.bytes_of("right.png"), self.bytes_of("wrong.png")), 15)
        self.done("decode", "a.safetensors", "-m", "tiny-sd15", "--force", *WARM, "-o", "b.png")  # there is nothing to force
        self.assertEqual(self.bytes_of("b.png"), self.bytes_of("right.png"))

    def test_latents_as_diffusers_saves_them(self) -> None:
        """The pipeline's output_type="latent", saved by safetensors: model values under the name "latents"."""
        shape = (1, 4, 8, 8)
        self.latent("a.safetensors")
        self.put("d.safetensors", safetensors({"latents": f32(shape, smooth(shape))}))
        self.refused(2, "decode", "d.safetensors", says=("--space",))
        self.done("decode", "a.safetensors", *WARM, "-o", "a.png")
        self.done("decode", "d.safetensors", "--space", "tiny-sd15", "--format", "diffusers", *WARM, "-o", "d.png")
        self.assertEqual(read_png(self.bytes_of("a.png")), read_png(self.bytes_of("d.png")))

    def test_packed_latents_as_diffusers_saves_them(self) -> None:
        self.latent("a.safetensors", "flux", "tiny-flux")
        values, tokens = smooth((1, 16, 8, 8)), []
        for y in range(4):
            for x in range(4):
                tokens += [values[(c * 8 + 2 * y + dy) * 8 + 2 * x + dx] for c in range(16) for dy in (0, 1) for dx in (0, 1)]
        self.put("d.safetensors", safetensors({"latents": f32((1, 16, 64), tokens)}))
        self.done("decode", "a.safetensors", *WARM, "-o", "a.png")
        self.done("decode", "d.safetensors", "--space", "tiny-flux", "--form", "diffusers", "--size", "64x64", *WARM,
                  "-o", "d.png")
        self.assertEqual(read_png(self.bytes_of("a.png")), read_png(self.bytes_of("d.png")))

    def test_no_file_is_left_of_a_full_disk(self) -> None:
        self.latent("a.safetensors")
        with open("/dev/full", "wb") as full:
            result = run("decode", "a.safetensors", *WARM, "-o", "-", cwd=self.folder, stdout=full)
        self.assertEqual(result.returncode, 8, result.stderr.decode())


@needs_engine
class Encoded(LatentTest):
    def test_a_picture_comes_back(self) -> None:
        self.ppm("a.ppm", 100, 80)
        line = self.line("encode", "a.ppm", "-m", "tiny-sd15", *WARM)
        self.assertEqual([line[key] for key in ("path", "space", "shape", "size", "units")],
                         ["a.safetensors", "sd15:tiny-sd15", [1, 4, 10, 12], [96, 80], "model"])
        self.assertEqual(line["notes"], ["a.ppm is 100 x 80 pixels: scaled to 96 x 80"])
        self.assertTrue(line["images"][0].startswith("sha256:"))
        self.assertNotIn(b"a.ppm", self.bytes_of("a.safetensors"))
        self.done("decode", "a.safetensors", *WARM)
        texts = self.texts("a.png")
        self.assertNotIn("parameters", texts)
        self.assertEqual(texts["lapis"]["job"]["image"], line["images"][0])
        self.done("encode", "a.png", "-m", "tiny-sd15", *WARM, "-o", "b.safetensors")
        self.done("decode", "b.safetensors", *WARM)
        self.assertGreater(psnr(self.bytes_of("a.png"), self.bytes_of("b.png")), 25)

    def test_a_seed_draws(self) -> None:
        self.ppm("a.ppm", 64, 64)
        words = ("encode", "a.ppm", "-m", "tiny-sd15", *WARM)
        for name, seed in (("mean", ()), ("mean2", ()), ("one", ("-s", "1")), ("again", ("-s", "1")), ("two", ("-s", "2"))):
            self.done(*words, *seed, "-o", f"{name}.safetensors")
        self.assertEqual(self.bytes_of("mean.safetensors"), self.bytes_of("mean2.safetensors"))
        self.assertEqual(self.bytes_of("one.safetensors"), self.bytes_of("again.safetensors"))
        self.assertEqual(len({self.bytes_of(f"{name}.safetensors") for name in ("mean", "one", "two")}), 3)

    def test_several_pictures(self) -> None:
        self.ppm("a.ppm", 64, 64)
        self.ppm("b.ppm", 96, 64)
        both = self.line("encode", "a.ppm", "b.ppm", "-m", "tiny-sd15", "-W", "64", "-H", "64", *WARM, "-o", "c.safetensors")
        self.assertEqual((both["shape"], len(both["images"])), ([2, 4, 8, 8], 2))
        self.done("decode", "c.safetensors", *WARM)
        self.assertTrue((self.folder / "c-1.png").exists())
        lines = self.done("encode", "a.ppm", "b.ppm", "-m", "tiny-sd15", *WARM, "-o", "{index}-{name}.safetensors")
        self.assertEqual(lines.stdout.decode().split(), ["0-a.safetensors", "1-b.safetensors"])
        self.done("decode", "0-a.safetensors", *WARM, "-o", "a.png")
        self.assertEqual(read_png(self.bytes_of("a.png")), read_png(self.bytes_of("c-0.png")))


@needs_engine
class Crossed(LatentTest):
    def test_there_and_back(self) -> None:
        self.done("generate", "a red house", *QUICK, "-s", "7", "-o", "a.png", "--latent", "a.safetensors")
        there = self.done("convert", "a.safetensors", "--to", "tiny-sdxl", *WARM, "-o", "b.safetensors", "--json")
        line = json.loads(there.stdout)
        self.assertRegex(there.stderr.decode(), r"^a\.safetensors: sd15:tiny-sd15 -> sdxl:tiny-sdxl, decoded and encoded "
                                                r"again at 64 x 64, PSNR \d+\.\d dB, "
                                                r"(colours compensated \(\d+\.\d dB without\)|"
                                                r"shifted colours came no nearer)\n$")
        self.assertEqual([line[key] for key in ("route", "from", "space", "units", "dtype")],
                         ["re-encode", "sd15:tiny-sd15", "sdxl:tiny-sdxl", "model", "f32"])
        self.assertGreater(line["psnr"], 25)
        self.done("decode", "b.safetensors", *WARM)
        self.assertAlmostEqual(psnr(self.bytes_of("a.png"), self.bytes_of("b.png")), line["psnr"], delta=0.01)
        back = self.line("convert", "b.safetensors", "--to", "tiny-sd15", *WARM, "-o", "c.safetensors")
        self.assertEqual([crossing["to"] for crossing in back["history"]], ["sdxl:tiny-sdxl", "sd15:tiny-sd15"])
        self.done("decode", "c.safetensors", *WARM)
        self.assertGreater(psnr(self.bytes_of("a.png"), self.bytes_of("c.png")), 25)
        texts = self.texts("c.png")
        self.assertTrue(texts["parameters"].startswith("a red house\nSteps: 2"))
        self.assertEqual(len(texts["lapis"]["latent"]["history"]), 2)

    def test_a_pipe(self) -> None:
        line = (f"'{program()}' generate 'a red house' --steps 2 -W 64 -H 64 -t 1 -s 7 --latent - | "
                f"'{program()}' convert - --to tiny-flux -t 1 -o - | '{program()}' decode - -t 1 -o out.png")
        result = shell(line, self.folder)
        self.assertEqual(result.returncode, 0, result.stderr.decode())
        self.assertIn("standard input: sd15:tiny-sd15 -> ", result.stderr.decode())
        self.assertEqual(result.stdout, b"out.png\n")
        self.done("generate", "a red house", *QUICK, "-s", "7", "-o", "a.png")
        self.assertGreater(psnr(self.bytes_of("a.png"), self.bytes_of("out.png")), 25)

    def test_batches_and_sizes(self) -> None:
        self.latent("a.safetensors", batch=2)
        line = self.line("convert", "a.safetensors", "--to", "tiny-sdxl", "--size", "96x64", *WARM, "-o", "b.safetensors")
        self.assertEqual((line["shape"], line["size"], line["history"][0]["size"]), ([2, 4, 8, 12], [96, 64], [96, 64]))
        larger = self.line("convert", "a.safetensors", "--size", "96x96", *WARM, "-o", "c.safetensors")
        self.assertEqual((larger["space"], larger["route"], larger["shape"]), ("sd15:tiny-sd15", "re-encode", [2, 4, 12, 12]))

    def test_compensation_brings_colours_nearer(self) -> None:
        self.done("generate", "a red house, snow field", "--steps", "8", "-s", "7", *WARM, "-o", "a.png", "--latent",
                  "a.safetensors")
        words = ("convert", "a.safetensors", "--to", "tiny-sdxl", *WARM)
        plain = self.line(*words, "--no-compensate", "-o", "b.safetensors")
        shifted = self.line(*words, "-o", "c.safetensors")
        self.assertNotIn("psnr_plain", plain)
        self.assertEqual(shifted["psnr_plain"], plain["psnr"])
        self.assertGreater(shifted["psnr"], plain["psnr"])
        self.assertEqual(shifted["compensated"], 1)
        self.assertEqual([line["history"][0]["route"] for line in (plain, shifted)], ["re-encode", "re-encode, compensated"])
        self.assertEqual(plain["route"], shifted["route"])
        self.assertNotEqual(self.bytes_of("b.safetensors"), self.bytes_of("c.safetensors"))

    def test_what_a_vae_does_to_pictures(self) -> None:
        drift = self.line("inspect", "tiny-sd15", "--measure")["drift"]
        self.assertEqual([row["picture"] for row in drift], ["ramps", "bars", "rings", "discs"])
        for row in drift:
            self.assertGreater(row["psnr"], 10)
            self.assertLess(row["clipped"], 0.5)
        self.ppm("a.ppm", 64, 64)
        table = self.done("inspect", "tiny-sd15", "--measure", "a.ppm").stdout.decode()
        self.assertIn("a.ppm", table)
        self.refused(2, "inspect", "a.ppm", "--measure", says=("--measure is for latents",))


if __name__ == "__main__":
    main(__doc__)
