#!/usr/bin/env python3
"""A dry run is the run up to the first tensor: what one refuses the other refuses, with the same code and words, and what
one lets pass the other does.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import unittest
from pathlib import Path

from loras import factors, kohya, lora_bytes, weights
from support import MODEL, CliTest, f32, main, needs_engine, npy, options_of, passport, png, run, safetensors

WALK = ("-m", "tiny-sd15", "-t", "1", "-s", "1", "-W", "64", "-H", "64", "--steps", "2", "-q")
GENERATE = ("generate", "a lake", *WALK)
REFINE = ("refine", "a.safetensors", "-p", "a lake", *WALK[:6], "--steps", "2", "-q")
CONVERT = ("convert", "a.safetensors")
NUMBERS = {"latent": f32((1, 4, 8, 8), [0.5] * 256)}


class Sameness(CliTest):
    def setUp(self) -> None:
        super().setUp()
        self.put("a.safetensors", safetensors(NUMBERS, passport("sd15", "tiny-sd15", (1, 4, 8, 8))))
        self.put("part.safetensors", safetensors(NUMBERS, passport("sd15", "tiny-sd15", (1, 4, 8, 8)) | {
            "sigma": "1.5", "path": "variance_exploding", "step": "1", "draws": "1"}))
        self.put("raw.npy", npy((1, 4, 8, 8), [0.0] * 256))
        self.put("nan.safetensors", safetensors({"latent": f32((1, 4, 8, 8), [float("nan")] * 256)},
                                                passport("sd15", "tiny-sd15", (1, 4, 8, 8))))
        self.put("a.png", png())
        self.put("white.png", png(pixels=None))
        self.put("cut.png", png()[:-40])
        self.put("text.txt", b"hello")
        self.put("exists.png", b"")
        self.put("exists.safetensors", b"")
        self.put("lora.safetensors", lora_bytes(kohya("lora_unet_", factors(weights("tiny-sd15", "unet")))))
        self.put("foreign.safetensors", safetensors({"lora_unet_x.lora_down.weight": ("F32", [1, 3], bytes(12)),
                                                 "lora_unet_x.lora_up.weight": ("F32", [3, 1], bytes(12))}))
        self.put("style.safetensors", safetensors({"emb_params": f32([1, 128], [0.1] * 128)}))
        self.put("wide.safetensors", safetensors({"emb_params": ("F32", [1, 3], bytes(12))}))
        (self.folder / "folder").mkdir()

    def both(self, *words: str, **options) -> tuple[subprocess.CompletedProcess, subprocess.CompletedProcess]:
        """The dry run and the run; whatever files the latter makes go away."""
        before = {path: path.stat().st_size for path in self.folder.rglob("*")}
        dry = run(*words, "--dry-run", cwd=self.folder, **options)
        self.assertEqual({path: path.stat().st_size for path in self.folder.rglob("*")}, before, "a dry run wrote something")
        wet = run(*words, cwd=self.folder, **options)
        for path in set(self.folder.rglob("*")) - set(before):
            path.unlink()
        self.assertNotEqual(wet.returncode, 70, wet.stderr)
        return dry, wet

    def same(self, *words: str, code: int | None = None, **options) -> None:
        dry, wet = self.both(*words, **options)
        self.assertEqual(dry.returncode, wet.returncode, f"{words}\ndry: {dry.stderr.decode()}\nrun: {wet.stderr.decode()}")
        if dry.returncode != 0:
            self.assertEqual(dry.stderr.decode(), wet.stderr.decode(), words)
            self.assertEqual(dry.stdout, b"", words)
        if code is not None:
            self.assertEqual(dry.returncode, code, dry.stderr)


# Words behind GENERATE, and the exit code.
REFUSED = {
    "a LoRA that is not there": (("--lora", "none"), 2),
    "a LoRA of a path that is not there": (("--lora", "./none.safetensors"), 2),
    "a LoRA for nothing here": (("--lora", "foreign.safetensors"), 4),
    "a LoRA that is none": (("--lora", "text.txt"), 3),
    "an embedding that is not there": (("--embedding", "none.safetensors"), 3),
    "an embedding that is none": (("--embedding", "text.txt"), 3),
    "an output that exists": (("-o", "exists.png"), 8),
    "an output in no folder": (("-o", "none/a.png"), 8),
    "an output of another kind": (("-o", "a.jpg"), 2),
    "an output of unknown words": (("-o", "{nothing}.png"), 2),
    "one output for two": (("-o", "-", "-b", "2"), 2),
    "latents that exist": (("--latent", "exists.safetensors"), 8),
    "latents in no folder": (("--latent", "none/a.safetensors"), 8),
    "two things on stdout": (("--latent", "-", "-o", "-"), 2),
    "JSON and a picture on stdout": (("--json", "-o", "-"), 2),
    "a stop and a picture": (("--stop-at", "1"), 2),
    "a picture that is not there": (("-i", "none.png"), 3),
    "a picture that is none": (("-i", "text.txt"), 3),
    "a picture that is cut short": (("-i", "cut.png"), 3),
    "a mask that is all black": (("-i", "a.png", "--mask", "a.png"), 3),
    "a latent that is none": (("--init-latent", "text.txt"), 3),
    "a latent of NaN": (("--init-latent", "nan.safetensors"), 3),
    "a second model that is not there": (("--then", "none"), 2),
    "a device that is not there": (("--device", "cuda"), 6),
}
PASSED = {
    "a LoRA": ("--lora", "lora.safetensors"),
    "an embedding": ("--embedding", "style.safetensors"),
    "an output that exists, and may go": ("-o", "exists.png", "--overwrite"),
    "two outputs": ("-b", "2"),
    "an output in a folder": ("-o", "folder"),
    "a picture on stdout": ("-o", "-"),
    "latents": ("--latent", "b.safetensors"),
    "a stop": ("--stop-at", "1", "--latent", "b.safetensors"),
    "a picture": ("-i", "a.png"),
    "a latent": ("--init-latent", "a.safetensors"),
}


class Generate(Sameness):
    def test_what_is_refused(self) -> None:
        for what, (words, code) in REFUSED.items():
            if what == "a device that is not there" and Path("/dev/nvidia0").exists():
                continue
            with self.subTest(what=what):
                self.same(*GENERATE, *words, code=code)

    @needs_engine
    def test_what_passes(self) -> None:
        for what, words in PASSED.items():
            with self.subTest(what=what):
                self.same(*GENERATE, *words, code=0)

    def test_prompts(self) -> None:
        for syntax, prompt in (("a1111", "a AND b"), ("a1111", "a <lora:none:1>"), ("a1111", "a <lora:none:x>"), ("comfy", "embedding:none a ("),
                               ("none", "a")):
            with self.subTest(prompt=prompt):
                dry, wet = self.both("generate", prompt, "--prompt-syntax", syntax, *WALK)
                self.assertEqual((dry.returncode, dry.stderr), (wet.returncode, wet.stderr))
        self.same("generate", "a AND b", "--prompt-syntax", "a1111", *WALK, code=2)
        self.same("generate", "@none.txt", *WALK, code=3)

    def test_models_that_are_altered(self) -> None:
        model = self.model()
        for file in ("text_encoder/model.safetensors", "graphs/denoiser.pt", "tokenizer/merges.txt"):
            place = model / file
            content = place.read_bytes()
            place.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
            with self.subTest(file=file):
                self.same("generate", "a", "-m", str(model), *WALK[2:], code=5)
            place.write_bytes(content)

    @unittest.skipIf(os.getuid() == 0, "nothing is forbidden to root")
    def test_a_folder_that_may_not_be_written_to(self) -> None:
        (self.folder / "folder").chmod(0o500)
        self.same(*GENERATE, "-o", "folder/a.png", code=8)


class EveryOption(Sameness):
    @needs_engine
    def test_wrong_values(self) -> None:
        """Of every option of a job that takes a value, whatever a value that few can mean comes to."""
        walks = {"generate": GENERATE, "refine": REFINE, "convert": (*CONVERT, "--to", "tiny-sd15", "-o", "b.safetensors")}
        for command, words in walks.items():
            options = options_of(command)
            self.assertGreater(len(options), 5)
            for option in options:
                for value in ("nonsense", "-3", "./none/none"):
                    if (option, value) in (("--seed", "-3"), ("--threads", "-3")):
                        continue  # at random, and as many as there are
                    with self.subTest(command=command, option=option, value=value):
                        self.same(*words, f"{option}={value}")


class Refine(Sameness):
    def test_what_is_refused(self) -> None:
        for what, (words, code) in REFUSED.items():
            if {"-i", "--init-latent", "--stop-at"} & set(words) or "device" in what:
                continue
            with self.subTest(what=what):
                self.same(*REFINE, *words, code=code)
        for file, code in (("none.safetensors", 3), ("text.txt", 3), ("nan.safetensors", 3), ("raw.npy", 2), ("cut.png", 3)):
            with self.subTest(file=file):
                self.same("refine", file, "-p", "a", *WALK[:6], "--steps", "2", code=code)
        self.same("refine", "a.safetensors", *WALK[:6], code=2)
        self.same("refine", "a.safetensors", "-p", "a", "-m", "tiny-sdxl", "--no-convert", code=4)

    @needs_engine
    def test_what_passes(self) -> None:
        self.same(*REFINE, code=0)
        self.same(*REFINE, "-o", "exists.png", "--overwrite", code=0)


class Convert(Sameness):
    def test_what_is_refused(self) -> None:
        for words, code in {("--to", "tiny-sdxl", "-o", "exists.safetensors"): 8, ("--to", "tiny-sdxl", "-o", "none/b.safetensors"): 8,
                            ("--to", "none", "-o", "b.safetensors"): 2, (): 2, ("--format", "comfy-old", "-o", "b.safetensors"): 2,
                            ("--to", "tiny-sdxl", "--no-convert"): 4, ("--to", "tiny-sdxl", "--json", "-o", "-"): 2,
                            ("--to", "tiny-sdxl", "--device", "cuda"): 6, ("--dtype", "f64"): 2, ("--size", "65x64"): 4}.items():
            with self.subTest(words=words):
                self.same(*CONVERT, *words, code=code)
        for words, code in {("raw.npy", "--format", "comfy"): 2, ("nan.safetensors", "--units", "vae"): 3,
                            ("part.safetensors", "--format", "comfy"): 2, ("part.safetensors", "--to", "tiny-sdxl"): 4}.items():
            with self.subTest(words=words):
                self.same("convert", *words, code=code)

    def test_an_altered_model(self) -> None:
        model = Path(shutil.copytree(MODEL.parent / "tiny-sdxl", self.folder / "model"))
        document = json.loads((model / "model.json").read_text())
        document["space"]["lineage"] = "mine"
        (model / "model.json").write_text(json.dumps(document))
        weights_file = next(iter((model / "vae").glob("*.safetensors")))
        content = weights_file.read_bytes()
        weights_file.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        self.same(*CONVERT, "--to", "./model", "-o", "b.safetensors", code=5)

    @needs_engine
    def test_what_passes(self) -> None:
        for words in (("--to", "tiny-sdxl", "-o", "b.safetensors"), ("--units", "vae", "-o", "b.safetensors"),
                      ("--format", "comfy", "-o", "exists.safetensors", "--overwrite"), ("--to", "tiny-sdxl", "-o", "-")):
            with self.subTest(words=words):
                self.same(*CONVERT, *words, code=0)


if __name__ == "__main__":
    main(__doc__)
