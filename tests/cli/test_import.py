#!/usr/bin/env python3
"""Drives the real program from checkpoints on disk to models that draw: diffusers folders, and the single files of the
original programs, whose names of tensors are written here after those programs.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import shutil
import struct
from pathlib import Path

from checkpoints import ImportTest
from support import FLUX, MODEL, WALK, Tensor, main, needs_engine, read_tensors, run, safetensors


class Recognized(ImportTest):
    def test_a_single_file_of_the_original_names(self) -> None:
        extra = {"model_ema.decay": ("F32", [], struct.pack("<f", 1)), "alphas_cumprod": ("F32", [1], bytes(4))}
        self.checkpoint("v1.safetensors", lambda tensors: tensors | extra, tail=bytes(4))
        line = self.line("import", "v1.safetensors")
        self.assertEqual((line["name"], line["family"], line["space"]), ("v1", "sd15", "sd15:tiny-sd15"))
        namings = {part: facts["naming"] for part, facts in line["parts"].items()}
        self.assertEqual(namings, {"denoiser": "ldm-unet", "text_encoder": "clip with text_model", "vae_decoder": "ldm-vae",
                                   "vae_encoder": "ldm-vae"})
        self.assertIn("2 tensors that nothing here needs", line["notes"][0])
        folder = self.home / "lapis" / "models" / "v1"
        self.assertEqual(Path(line["path"]), folder)
        link, = (folder / "weights").iterdir()
        self.assertEqual(os.readlink(link), str((self.folder / "v1.safetensors").resolve()))
        self.assertIn(b"v1", self.output("list", "models"))
        self.assertIn(b"1 linked file has no recorded sha256", run("inspect", "v1", "--verify").stderr)
        self.done("import", "v1.safetensors", "--overwrite", "--verify")
        self.assertIn(b"every file has the recorded sha256", run("inspect", "v1", "--verify").stderr)

    @needs_engine
    def test_a_digest_is_taken_beside_a_long_render_and_stands_in_later_pictures(self) -> None:
        source = self.checkpoint("v1.safetensors")
        self.done("import", "v1.safetensors", "-o", "v1")
        self.assertNotIn(b"Model hash", self.output("inspect", self.drawn("short.png", "--steps", "1")))
        self.drawn("long.png", "-t", "1", "--steps", "1000", "-W", "160", "-H", "160")
        digest = hashlib.sha256(source.read_bytes()).hexdigest()
        self.assertIn(digest, (self.folder / "v1" / "model.json").read_text())
        settings = self.output("inspect", self.drawn("later.png", "--steps", "1"))
        self.assertIn(f"Model hash: {digest[:10]}".encode(), settings)
        self.assertNotIn(b"VAE hash", settings)

    def drawn(self, name: str, *words: str) -> str:
        self.done("generate", "a house", "-m", "./v1", "-s", "1", "-q", "-o", name, *words)
        return name

    def test_what_lies_on_a_site_is_fetched_by_other_means(self) -> None:
        for name in ("owner/some-model", "https://huggingface.co/owner/some-model"):
            self.refused(2, "import", name, says=("opens no network", "hf download owner/some-model", "lapis import some-model"))
        self.refused(3, "import", "models/a.safetensors", says=("models/a.safetensors does not exist",))

    def test_a_model_that_another_one_hides_is_named(self) -> None:
        notes = self.line("import", str(MODEL), "--name", "tiny-sd15")["notes"]
        self.assertTrue(any(f"{MODEL} by its path" in note for note in notes), notes)
        notes = self.line("import", str(MODEL), "--name", "of-its-own")["notes"]
        self.assertFalse(any("by its path" in note for note in notes), notes)

    def test_a_folder_of_diffusers(self) -> None:
        line = self.line("import", str(MODEL), "--name", "again")
        self.assertEqual(line["parts"]["denoiser"]["naming"], "diffusers")
        self.assertEqual(line["parts"]["denoiser"]["dtype"], "F16")
        first = json.loads((MODEL / "model.json").read_text())
        again = json.loads((Path(line["path"]) / "model.json").read_text())
        for key in ("family", "space", "sampling", "defaults"):
            self.assertEqual(again[key] | {"schedule": "own"} if key == "defaults" else again[key],
                             first[key] | {"schedule": "own"} if key == "defaults" else first[key])

    def test_a_folder_by_its_place_has_its_own_name(self) -> None:
        shutil.copytree(MODEL, self.folder / "mine")
        for source, cwd in ((".", "mine"), ("./", "mine"), ("..", "mine/unet"), ("../", "mine/vae"), ("mine/unet/..", ".")):
            line = self.line("import", source, "--dry-run", cwd=self.folder / cwd)
            self.assertEqual(line["name"], "mine", source)

    def test_a_copy_needs_its_source_no_more(self) -> None:
        path = self.checkpoint("v1.safetensors")
        self.done("import", "v1.safetensors", "--copy", "-o", "mine")
        path.unlink()
        self.assertFalse(any(file.is_symlink() for file in (self.folder / "mine").rglob("*")))
        self.done("inspect", "./mine", "--verify")

    def test_a_folder_that_is_there(self) -> None:
        self.checkpoint("v1.safetensors")
        self.done("import", "v1.safetensors")
        self.refused(8, "import", "v1.safetensors", says=("exists already", "--overwrite"))
        self.done("import", "v1.safetensors", "--overwrite")
        (self.folder / "file").write_text("in the way")
        self.refused(8, "import", "v1.safetensors", "-o", "file/mine", says=("cannot be made", "-o FOLDER"))
        (self.folder / "mine").mkdir()
        self.refused(8, "import", "v1.safetensors", "-o", "mine", "--overwrite", says=("is no model",))


    def test_a_dry_run_says_what_an_import_would_and_makes_nothing(self) -> None:
        self.checkpoint("v1.safetensors")
        before = sorted(self.folder.rglob("*"))
        result = run("import", "v1.safetensors", "-o", "mine", "--copy", "--dry-run", cwd=self.folder)
        self.assertEqual((result.returncode, result.stdout), (0, b""))
        self.assertIn(b"nothing was made; it would be " + str(self.folder / "mine").encode(), result.stderr)
        dry = self.line("import", "v1.safetensors", "-o", "mine", "--dry-run")
        self.assertEqual(sorted(self.folder.rglob("*")), before)
        self.assertEqual({**self.line("import", "v1.safetensors", "-o", "mine"), "seconds": 0},
                         {**dry, "seconds": 0})
        self.refused(8, "import", "v1.safetensors", "-o", "mine", "--dry-run", says=("exists already", "--overwrite"))


class Refused(ImportTest):
    def broken(self, code: int, edit, *says: str) -> None:
        self.checkpoint("broken.safetensors", edit)
        self.refused(code, "import", "broken.safetensors", says=says)

    def test_tensors_that_are_missing_or_misshapen(self) -> None:
        gone = "model.diffusion_model.out.2.weight"

        def without(tensors):
            return {name: tensor for name, tensor in tensors.items() if name != gone}

        def misshapen(tensors):
            dtype, shape, data = tensors[gone]
            return tensors | {gone: (dtype, [shape[1], shape[0], *shape[2:]], data)}

        self.broken(3, without, "broken.safetensors is nearly", gone, "missing")
        self.broken(3, misshapen, gone, "another shape", "expected")

    def test_parts_that_are_lacking_are_named_with_their_options(self) -> None:
        def unet_alone(tensors):
            return {name: tensor for name, tensor in tensors.items() if name.startswith("model.")}

        self.broken(2, unet_alone, "text_encoder", "vae_decoder", "--vae FILE")
        self.broken(3, lambda tensors: {name: tensor for name, tensor in tensors.items() if "first_stage" in name},
                    "holds no denoiser")

    def test_a_tokenizer_that_is_none(self) -> None:
        self.put("hello.txt", b"hello\n")
        self.put("empty.model", b"")
        for name in ("hello.txt", "empty.model"):
            self.refused(3, "import", str(FLUX), "--tokenizer", name, says=(f"{name} is no SentencePiece model", "--tokenizer FILE"))

    def test_a_tokenizer_for_a_model_that_takes_none(self) -> None:
        spiece = FLUX / "tokenizer_2/spiece.model"
        self.refused(2, "import", str(MODEL), "--tokenizer", str(spiece), says=("has no T5", "Leave it out"))

    def test_the_vae_of_another_family(self) -> None:
        self.checkpoint("v1.safetensors",
                        lambda tensors: {name: tensor for name, tensor in tensors.items() if "first_stage" not in name})
        vae = MODEL.parent / "tiny-flux" / "vae"
        self.refused(4, "import", "v1.safetensors", "--vae", str(vae), says=("another family", "tiny-flux", "sd15"))
        other = MODEL.parent / "tiny-sdxl" / "vae"
        self.refused(4, "import", "v1.safetensors", "--vae", str(other), says=("0.13025", "0.18215", "sdxl"))
        self.done("import", "v1.safetensors", "--vae", str(MODEL / "vae"))

    def test_a_vae_file_alone_is_known_by_its_digest(self) -> None:
        self.checkpoint("v1.safetensors",
                        lambda tensors: {name: tensor for name, tensor in tensors.items() if "first_stage" not in name})
        weights = "vae/diffusion_pytorch_model.safetensors"
        shutil.copy(MODEL.parent / "tiny-sdxl" / weights, self.folder / "vae.safetensors")
        self.refused(4, "import", "v1.safetensors", "--vae", "vae.safetensors",
                     says=("vae.safetensors is the VAE of model tiny-sdxl", "0.13025", "0.18215"))
        content = read_tensors(self.folder / "vae.safetensors")
        (self.folder / "vae.safetensors").write_bytes(safetensors(dict(reversed(content.items()))))
        self.done("import", "v1.safetensors", "--vae", "vae.safetensors")  # nobody's, as far as anyone can tell
        shutil.copy(MODEL / weights, self.folder / "vae.safetensors")
        line = self.line("import", "v1.safetensors", "--vae", "vae.safetensors", "--overwrite")
        self.assertEqual(line["space"], "sd15:tiny-sd15")

    def test_tensors_that_are_no_numbers(self) -> None:
        def all_over(tensors):
            return tensors | {poisoned: (tensors[poisoned][0], tensors[poisoned][1], b"\xff" * len(tensors[poisoned][2]))}

        poisoned = "model.diffusion_model.input_blocks.1.0.in_layers.2.weight"
        self.broken(3, all_over, "broken.safetensors", "denoiser", "1 tensor", poisoned, "not finite")
        self.assertEqual(list(self.home.iterdir()), [])

        def deep_inside(tensors):
            dtype, shape, data = tensors[poisoned]
            return tensors | {poisoned: (dtype, shape, data[:-2] + b"\xff\xff")}

        self.checkpoint("deep.safetensors", deep_inside)
        self.refused(3, "import", "deep.safetensors", "--verify", says=(poisoned, "not finite"))
        self.done("import", "deep.safetensors")  # which reads no more than the beginnings

    def test_files_that_are_no_checkpoints(self) -> None:
        for name, content, says in (("a.ckpt", b"\x80\x02}q\x00.", "save_file"), ("a.pt", b"PK\x03\x04" + bytes(26) + b"archive/data.pkl" + bytes(60), "save_file"),
                                    ("a.gguf", b"GGUF" + bytes(60), "GGUF"), ("a.txt", b"hello, world" * 9, "no safetensors"),
                                    ("empty", b"", "empty")):
            (self.folder / name).write_bytes(content)
            self.refused(3, "import", name, says=(name, says))
        self.refused(3, "import", "nothing.safetensors", says=("nothing.safetensors",))
        (self.folder / "bare").mkdir()
        self.refused(3, "import", "bare", says=("model_index.json",))
        shutil.copytree(MODEL, self.folder / "whole")
        for name in ("unet", "vae/", "text_encoder"):
            self.refused(3, "import", f"whole/{name}", says=("is one component", f"lapis import {self.folder}/whole"))
        self.refused(3, "import", ".", cwd=self.folder / "whole" / "unet", says=("is one component",))
        shutil.copytree(MODEL / "unet", self.folder / "alone")
        self.refused(3, "import", "alone", says=("is one component", "model_index.json"))
        whole = self.checkpoint("cut.safetensors").read_bytes()
        (self.folder / "cut.safetensors").write_bytes(whole[:-1000])
        self.refused(3, "import", "cut.safetensors", says=("cut short",))
        (self.folder / "cut.safetensors").write_bytes(whole + bytes(5))
        self.refused(3, "import", "cut.safetensors", says=("5 bytes",))

    def test_leftovers_that_change_what_the_rest_means(self) -> None:
        def number(*shape: int) -> Tensor:
            return "F16", list(shape), bytes(2 * math.prod(shape))

        for name, says in (("edm_mean", "Playground 2.5"),
                           ("model.diffusion_model.time_embed.cond_proj.weight", "a latent consistency model"),
                           ("model.diffusion_model.input_blocks.1.1.transformer_blocks.0.fuser.alpha_attn", "GLIGEN"),
                           ("control_model.time_embed.0.weight", "a ControlNet"),
                           ("ip_adapter.1.to_k_ip.weight", "an IP-Adapter"),
                           ("lora_unet_mid_block_attentions_0_proj_in.lora_down.weight", "a LoRA"),
                           ("model.diffusion_model.label_emb.0.0.weight", "no graph that lapis knows")):
            self.broken(3, lambda tensors: tensors | {name: number(2, 2)}, "broken.safetensors holds " + name, says)
        harmless = ("cond_stage_model.transformer.text_model.embeddings.position_ids", "model_ema.decay", "betas",
                    "cond_stage_model.transformer.logit_scale", "unheard.of")
        self.checkpoint("sound.safetensors", lambda tensors: tensors | {name: number(1) for name in harmless})
        line = self.line("import", "sound.safetensors")
        self.assertIn("5 tensors that nothing here needs", line["notes"][0])
        shutil.copytree(MODEL, self.folder / "folder")
        unet = self.folder / "folder" / "unet" / "diffusion_pytorch_model.safetensors"
        weights = read_tensors(unet)
        for name in ("class_embedding.linear_1.weight", "add_embedding.linear_1.weight", "label_emb.0.0.weight",
                     "time_embed_extra.weight", "model.diffusion_model.v_pred"):
            unet.write_bytes(safetensors(weights | {name: number(2, 2)}))
            self.refused(3, "import", "folder", says=("folder/unet holds " + name,))
        unet.write_bytes(safetensors(weights | {"model_ema.decay": number(1), "betas": number(1)}))
        self.done("import", "folder")

    def test_whole_numbers_without_a_scheme(self) -> None:
        name = "model.diffusion_model.input_blocks.1.0.in_layers.2.weight"

        def rounded(dtype: str, width: int):
            def edit(tensors):
                shape = tensors[name][1]
                return tensors | {name: (dtype, shape, bytes(width * math.prod(shape)))}
            return edit

        for dtype, width in (("I8", 1), ("U8", 1), ("I32", 4), ("BOOL", 1), ("I64", 8)):
            self.broken(3, rounded(dtype, width), "quantized", name, dtype)
        for dtype, width in (("F8_E4M3", 1), ("F8_E5M2", 1), ("BF16", 2), ("F64", 8)):
            self.checkpoint("sound.safetensors", rounded(dtype, width))
            self.done("import", "sound.safetensors", "--overwrite")

    def test_other_architectures_are_told_by_name(self) -> None:
        def alone(*names: str) -> None:
            (self.folder / "other.safetensors").write_bytes(safetensors({name: ("F16", [2, 2], bytes(8)) for name in names}))

        alone("lora_unet_down_blocks_1_attentions_0_proj_in.lora_down.weight",
              "lora_unet_down_blocks_1_attentions_0_proj_in.lora_up.weight")
        self.refused(3, "import", "other.safetensors", says=("LoRA",))
        alone("some.tensor", "another.tensor")
        self.refused(3, "import", "other.safetensors", says=("does not know",))


@needs_engine
class Drawn(ImportTest):
    def test_every_way_in_gives_the_same_picture(self) -> None:
        expected = self.picture(str(MODEL), "expected.png")
        self.checkpoint("v1.safetensors", tail=bytes(4))
        self.done("import", "v1.safetensors")
        self.done("import", str(MODEL), "--name", "folder")
        self.assertEqual(self.picture("v1", "v1.png"), expected)
        self.assertEqual(self.picture("folder", "folder.png"), expected)

        def swapped(tensors):
            stem = "model.diffusion_model.middle_block.{}.in_layers.2.weight"
            return tensors | {stem.format(0): tensors[stem.format(2)], stem.format(2): tensors[stem.format(0)]}

        self.checkpoint("twin.safetensors", swapped)
        self.done("import", "twin.safetensors")
        self.assertNotEqual(self.picture("twin", "twin.png"), expected)

    def test_weights_that_are_no_numbers_are_named_once_nothing_can_be_drawn(self) -> None:
        name = "model.diffusion_model.output_blocks.6.0.in_layers.2.weight"

        def poisoned(tensors):
            dtype, shape, data = tensors[name]
            return tensors | {name: (dtype, shape, data[:-2] + b"\x00\x7e")}

        self.checkpoint("deep.safetensors", poisoned)
        self.done("import", "deep.safetensors")
        self.refused(5, "generate", *WALK, "-m", "deep", says=("can draw nothing", "deep.safetensors", name))

    def test_a_file_that_changed_is_refused(self) -> None:
        path = self.checkpoint("v1.safetensors")
        self.done("import", "v1.safetensors")
        os.utime(path, (1, 1))
        self.refused(5, "generate", *WALK, "-m", "v1", says=("changed since it was imported", "import"))
        path.unlink()
        self.refused(5, "generate", *WALK, "-m", "v1", says=("missing",))

    def test_latents_of_two_files_with_one_vae_go_together(self) -> None:
        shutil.copy(self.checkpoint("v1.safetensors"), self.folder / "v2.safetensors")
        for name in ("v1", "v2"):
            self.done("import", f"{name}.safetensors")
        self.done("generate", *WALK, "-m", "v1", "--latent", "a.safetensors")
        self.done("decode", "a.safetensors", "-m", "v2", "-o", "a.png")
        self.done("import", str(MODEL), "--name", "other", "--lineage", "other")
        self.refused(4, "decode", "a.safetensors", "-m", "other", "-o", "b.png", says=("sd15:other",))

    def test_latents_of_a_model_and_of_its_import_go_together(self) -> None:
        self.done("import", str(MODEL), "--name", "again")
        self.done("import", str(MODEL), "--name", "copied", "--copy", "--verify")
        for pair in (("tiny-sd15", "again"), ("again", "tiny-sd15"), ("copied", "tiny-sd15"), ("again", "copied")):
            self.assertTrue(self.output("check", *pair).startswith(b"same: "), pair)
            self.done("generate", *WALK, "-m", pair[0], "--latent", "a.safetensors", "--overwrite")
            self.done("decode", "a.safetensors", "-m", pair[1], "-o", "a.png", "--overwrite")
        self.done("decode", "a.safetensors", "-o", "a.png", "--overwrite")
        weights = Path("vae", "diffusion_pytorch_model.safetensors")
        shutil.copytree(MODEL, self.folder / "source")
        (self.folder / "source" / "model.json").unlink()
        content = read_tensors(MODEL / weights)
        name, (dtype, shape, data) = next((name, tensor) for name, tensor in content.items() if "conv_out" in name)
        (self.folder / "source" / weights).write_bytes(safetensors(content | {name: (dtype, shape, bytes(len(data)))}))
        self.done("import", "source", "--name", "changed")
        for pair in (("tiny-sd15", "changed"), ("changed", "tiny-sd15"), ("again", "changed")):
            result = run("check", *pair, cwd=self.folder)
            self.assertEqual(result.returncode, 4, pair)
            self.assertIn(b"one of the two is not what it was", result.stdout)


if __name__ == "__main__":
    main(__doc__)
