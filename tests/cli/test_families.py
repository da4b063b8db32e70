#!/usr/bin/env python3
"""Drives the program on models of the other families: the small ones of tests/data, whose parts are formulas."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from support import DATA, CliTest, main, needs_engine, run

SDXL, FLUX = str(DATA / "mini_sdxl"), str(DATA / "mini_flux")
SHORT = ("-s", "7", "--steps", "2", "-W", "128", "-H", "64", "-t", "1")


class FamilyTest(CliTest):
    def schnell(self) -> str:
        """mini_flux without the input "guidance": enough for what is refused before a graph is opened."""
        model = Path(shutil.copytree(FLUX, self.folder / "schnell"))
        document = json.loads((model / "model.json").read_text())
        self.assertEqual(document["parts"]["denoiser"]["inputs"].pop()["name"], "guidance")
        (model / "model.json").write_text(json.dumps(document))
        return str(model)

    def latent(self, *words: str) -> bytes:
        """The latents that a run writes."""
        self.render("a lake", *SHORT, *words, "-o", "a.png", "--latent", "a.safetensors", "--overwrite")
        return self.values("a.safetensors")


class Tables(FamilyTest):
    def test_families_and_spaces(self) -> None:
        families = json.loads(run("list", "families", "--json").stdout)
        self.assertEqual([row["family"] for row in families], ["sd15", "sd2", "sdxl", "flux"])
        self.assertEqual(families[3]["predicts"], "flow")
        self.assertEqual(families[3]["sizes"], "multiples of 16")
        spaces = {row["space"]: row for row in json.loads(run("list", "spaces", "--json").stdout)}
        self.assertEqual([spaces["flux"][key] for key in ("channels", "downscale", "scale", "shift", "lineage", "packing")],
                         ["16", "8", "0.3611", "0.1159", "flux", "2"])
        self.assertEqual(spaces["sdxl"]["scale"], "0.13025")

    def test_inspect(self) -> None:
        shown = json.loads(run("inspect", FLUX, "--json").stdout)
        self.assertEqual(shown["conditioning"]["rope_axes"], [4, 6, 6])
        self.assertEqual(shown["sampling"]["flow_shift"]["max_shift"], 1.15)
        self.assertEqual(shown["tokenizers"]["tokenizer_2"]["kind"], "t5")
        text = run("inspect", SDXL).stdout.decode()
        self.assertIn("an empty negative prompt is zeros", text)

    def test_tokens_of_every_tokenizer(self) -> None:
        tokens = json.loads(run("inspect", FLUX, "--tokens", "the lake " * 9, "--json").stdout)["tokenizers"]
        self.assertEqual(len(tokens["tokenizer"]["tokens"]), 9)
        self.assertEqual(len(tokens["tokenizer_2"]["tokens"]), 12)
        self.assertEqual(tokens["tokenizer_2"]["tokens"][-1], 1)
        self.assertTrue(tokens["tokenizer_2"]["cut"].endswith("lake"))


class Refusals(FamilyTest):
    def test_options_that_a_family_does_not_have(self) -> None:
        self.refused(2, "generate", "a lake", "-m", FLUX, "--crop", "0,0", says=("--crop", "flux", "Leave it out"))
        self.refused(2, "generate", "a lake", "-m", FLUX, "--original-size", "64x64", says=("--original-size", "flux"))
        self.refused(2, "generate", "a lake", "-m", SDXL, "--true-guidance", "3", says=("--true-guidance", "sdxl"))
        self.refused(2, "generate", "a lake", "-m", FLUX, "-n", "fog", says=("--negative-prompt", "--true-guidance"))

    def test_guidance_of_a_schnell_model(self) -> None:
        model = self.schnell()
        self.refused(2, "generate", "a lake", "-m", model, "--guidance", "3", says=("--guidance", "schnell"))

    def test_sizes(self) -> None:
        self.refused(2, "generate", "a lake", "-m", FLUX, "-W", "136", says=("136", "multiple of 16", "128", "144"))
        self.refused(2, "generate", "a lake", "-m", SDXL, "-W", "132", says=("132", "multiple of 8", "128", "136"))
        self.refused(2, "generate", "a lake", "-m", SDXL, "--original-size", "big", says=("big", "1024x768"))

    def test_a_model_that_lacks_a_fact(self) -> None:
        model = Path(self.schnell())
        document = json.loads((model / "model.json").read_text())
        del document["conditioning"]
        (model / "model.json").write_text(json.dumps(document))
        self.refused(5, "generate", "a lake", "-m", str(model), says=("rope_axes", "flux"))


@needs_engine
class Pictures(FamilyTest):
    def test_every_option_reaches_the_network(self) -> None:
        """Each of these changes the latents, and nothing else does."""
        plain = self.latent("-m", SDXL)
        self.assertEqual(plain, self.latent("-m", SDXL, "--original-size", "128x64", "--crop", "0,0"))
        for words in (("--original-size", "1024x64"), ("--crop", "64,0"), ("-n", "fog"), ("--guidance", "4")):
            with self.subTest(words=words):
                self.assertNotEqual(plain, self.latent("-m", SDXL, *words))

    def test_flux_guidance_and_its_second_pass(self) -> None:
        plain = self.latent("-m", FLUX)
        self.assertEqual(plain, self.latent("-m", FLUX, "--guidance", "3.5", "--true-guidance", "1"))
        self.assertNotEqual(plain, self.latent("-m", FLUX, "--guidance", "9"))
        twice = self.latent("-m", FLUX, "--true-guidance", "4")
        self.assertNotEqual(plain, twice)
        self.assertNotEqual(twice, self.latent("-m", FLUX, "--true-guidance", "4", "-n", "fog"))

    def test_settings_of_another_family_are_left_out(self) -> None:
        line, = self.render("a lake", *SHORT, "-m", SDXL, "--crop", "8,16", "-o", "a.png")
        self.assertEqual((line["original_size"], line["crop"], "true_guidance" in line), ("128x64", "8,16", False))
        line, = self.render("a lake", *SHORT, "-m", FLUX, "-o", "b.png")
        self.assertEqual(("original_size" in line, "crop" in line, line["true_guidance"]), (False, False, 1))

    def test_a_long_prompt_is_cut_for_each_kind_of_tokenizer(self) -> None:
        line, = self.render(("the lake " * 9).strip(), *SHORT, "-m", FLUX, "-o", "a.png")
        self.assertEqual(["clip" in line["warnings"][0], "t5" in line["warnings"][1]], [True, True])
        line, = self.render(("the lake " * 9).strip(), *SHORT, "-m", SDXL, "-o", "b.png")
        self.assertEqual(len(line["warnings"]), 1)


if __name__ == "__main__":
    main(__doc__)
