#!/usr/bin/env python3
"""What lapis makes no model of is called by its name, whatever form it comes in, and nobody is told to fetch it again:
networks that differ from ours in a layer or in blocks, by their names and shapes at real sizes.
"""

from __future__ import annotations

import json
import math

from checkpoints import (ImportTest, Shapes, graph, original, original_vae, prefixed, relative_tensors, relatives,
                         single_sd15, vae, write_folder, write_sparse)
from support import SPIECE, main, some

PIPELINES = {"sd15-unet": "StableDiffusionPipeline", "sdxl-unet": "StableDiffusionXLPipeline", "flux-dev": "FluxPipeline"}
OWN_PIPELINES = {
    "StableDiffusionInstructPix2PixPipeline": "InstructPix2Pix", "StableDiffusionInpaintPipeline": "for inpainting",
    "StableDiffusionXLInstructPix2PixPipeline": "CosXL Edit", "StableDiffusionXLInpaintPipeline": "XL for inpainting",
    "StableDiffusionUpscalePipeline": "x4 upscaler", "StableDiffusionDepth2ImgPipeline": "Stable Diffusion 2 for depth",
    "StableDiffusion3Pipeline": "Stable Diffusion 3", "StableCascadePriorPipeline": "Stable Cascade",
    "StableUnCLIPImg2ImgPipeline": "Stable unCLIP", "MarigoldDepthPipeline": "Marigold", "FluxFillPipeline": "FLUX.1 Fill",
    "FluxControlPipeline": "FLUX.1 Canny or Depth", "FluxKontextPipeline": "FLUX.1 Kontext", "ChromaPipeline": "Chroma",
    "FluxControlNetPipeline": "ControlNet", "PixArtSigmaPipeline": "PixArt", "QwenImageEditPipeline": "Qwen-Image",
    "OmniGenPipeline": "OmniGenPipeline"}
RELATIVES = [row for row in relatives() if row["title"] != "FLUX.1 Kontext"]


def single_file(row: dict, tensors: Shapes) -> Shapes:
    """The denoiser beside the parts that stand in one file with it, as the original programs write it."""
    if row["graph"] == "flux-dev":
        return original("flux-dev", "", {name: shape for name, shape in tensors.items() if name not in row["more"]}) | row["more"]
    more = {f"model.diffusion_model.{name.replace('time_embedding', 'time_embed')}": shape for name, shape in row["more"].items()}
    known = {name: shape for name, shape in tensors.items() if name not in row["more"]}
    return (original(row["graph"], "model.diffusion_model.", known) | more | original_vae("sd", "first_stage_model.")
            | prefixed("cond_stage_model.transformer.", graph("clip-l")))


class Relatives(ImportTest):
    def named(self, title: str, *words: str, advice: str = "") -> str:
        """The advice of a refusal that names `title`; it must be `advice` where that is given."""
        text = self.refused(3, *words, says=(title,))
        for word in ("again", "damaged", "ownload", "--vae FILE"):
            self.assertNotIn(word, text)
        problem, found = text.removeprefix("error: ").strip().split("\n")
        self.assertTrue(problem.endswith((".", ")")), text)
        if advice:
            self.assertEqual(found, advice, text)
        return found

    def file(self, name: str, tensors: Shapes, dtype: str = "F16", metadata: dict[str, str] | None = None) -> str:
        write_sparse(self.folder / name, tensors, dtype, metadata)
        return name

    def test_every_form_of_every_relative_gets_one_answer(self) -> None:
        self.file("v1.safetensors", single_sd15())
        for number, row in some(enumerate(RELATIVES)):
            tensors = relative_tensors(row)
            title = f" is {row['title']}"
            with self.subTest(row["title"], number=number):
                bare = self.file(f"bare-{number}.safetensors", tensors)
                ours_but_for = row["title"] == "a latent consistency model"  # and one tensor more
                advice = self.named(row["title"] if ours_but_for else f"{bare}{title}", "import", bare)
                self.named(f"{bare}{title}", "inspect", bare, advice=advice)
                for option in ("--vae", "--clip-l"):
                    self.named(f"{bare}{title}", "import", "v1.safetensors", option, bare, advice=advice)
                folder = f"folder-{number}"
                flux = row["graph"] == "flux-dev"
                write_folder(self.folder / folder, PIPELINES[row["graph"]], {
                    "transformer" if flux else "unet": tensors, "vae": vae("flux" if flux else "sd"), "text_encoder": graph("clip-l")})
                part = f"{folder}/{'transformer' if flux else 'unet'}"
                self.named(row["title"] if ours_but_for else f"{part}{title}", "import", folder, advice=advice)
                if not flux:
                    self.named(f"{folder}/unet{title}", "import", "v1.safetensors", "--clip-l", f"{folder}/unet", advice=advice)

    def test_single_files_of_every_relative(self) -> None:
        for number, row in enumerate(RELATIVES):
            if row["title"] in ("Stable Diffusion's x4 upscaler", "KOALA") or "fewer blocks" in row["title"]:
                continue  # of other levels than the golden tells names for, or never written so
            with self.subTest(row["title"]):
                single = self.file(f"single-{number}.safetensors", single_file(row, relative_tensors(row)))
                if row["title"] == "a latent consistency model":
                    self.named(row["title"], "import", single)
                    continue
                advice = self.named(f" is {row['title']}", "import", single)
                self.named(f" is {row['title']}", "inspect", single, advice=advice)
                if row["title"].endswith("CosXL Edit"):
                    edit = single_file(row, relative_tensors(row)) | {"edm_vpred.sigma_max": [1], "edm_vpred.sigma_min": [1]}
                    self.named(" is CosXL Edit.", "import", self.file("edit.safetensors", edit), advice=advice)

    def test_a_folder_is_named_by_its_pipeline(self) -> None:
        for name, title in OWN_PIPELINES.items():
            with self.subTest(name):
                write_folder(self.folder / name, name, {"vae": vae("sd"), "text_encoder": graph("clip-l")})
                self.named(title, "import", name)
                write_folder(self.folder / f"{name}-unet", name, {"unet": relative_tensors(RELATIVES[2]), "vae": vae("sd")})
                self.named("InstructPix2Pix" if name.startswith("Omni") else title, "import", f"{name}-unet")
        (self.folder / "empty").mkdir()
        (self.folder / "empty" / "model_index.json").write_text('{"_class_name": "StableCascadePriorPipeline"}')
        self.named("empty is Stable Cascade", "import", "empty")
        # What such a pipeline does with a network of ours, an import can do without.
        write_folder(self.folder / "plain", "StableDiffusionInpaintPipeline", {
            "unet": graph("sd15-unet"), "vae": vae("sd"), "text_encoder": graph("clip-l")})
        self.done("import", "plain", "--dry-run")

    def test_kontext_is_told_by_words_alone(self) -> None:
        dev, folder = original("flux-dev"), "black-forest-labs"
        tail = ("--vae", "ae.safetensors", "--clip-l", "clip.safetensors", "--t5xxl", "t5.safetensors", "--tokenizer",
                str(SPIECE))
        for name, tensors in (("ae", original_vae("flux", "")), ("clip", graph("clip-l")), ("t5", graph("t5-xxl"))):
            self.file(f"{name}.safetensors", tensors)
        by_name = self.file("flux1-dev-Kontext_fp8.safetensors", dev, "F8_E4M3")
        self.named(f"{by_name} is FLUX.1 Kontext", "import", by_name, *tail)
        by_title = self.file("a.safetensors", dev, metadata={"modelspec.title": "FLUX.1 Kontext [dev]"})
        self.named("a.safetensors is FLUX.1 Kontext", "import", by_title, *tail)
        write_folder(self.folder / folder, "FluxKontextPipeline", {"transformer": graph("flux-dev")})
        self.named(f"{folder} is FLUX.1 Kontext", "import", folder)
        for name, metadata, undecided in (("b", {}, True), ("flux1-dev", {}, False), ("c", {"modelspec.title": "Flux Dev"}, False),
                                          ("d", {"ss_tag_frequency": "im Kontext"}, True)):
            self.file(f"{name}.safetensors", dev, metadata=metadata)
            notes = self.line("import", f"{name}.safetensors", *tail, "--dry-run")["notes"]
            self.assertEqual(any("FLUX.1 Kontext" in note for note in notes), undecided, (name, notes))

    def test_files_beside_a_checkpoint(self) -> None:
        for title, tensors in (
                ("a LoRA", {f"double_blocks.0.processor.{name}": [16, 3072] for name in (
                    "qkv_lora1.down.weight", "qkv_lora2.down.weight", "proj_lora1.down.weight")}),
                ("a LoRA", {"single_blocks.0.processor.qkv_lora.down.weight": [16, 3072]}),
                ("a LoRA", {"unet.mid_block.attentions.0.to_q.lora_linear_layer.down.weight": [4, 320]}),
                ("a checkpoint quantized by bitsandbytes", {
                    f"double_blocks.0.img_attn.qkv.weight{name}": [64] for name in (
                        "", ".absmax", ".nested_absmax", ".quant_map", ".quant_state.bitsandbytes__nf4")}),
                ("FLUX.1 Redux", {"redux_up.weight": [12288, 1152], "redux_down.weight": [4096, 12288]})):
            name = self.file("beside.safetensors", tensors, "U8")
            advice = self.named(f"{name} is {title}", "import", name)
            self.named(f"{name} is {title}", "inspect", name, advice=advice)

    def test_a_component_of_another_variant_or_framework_is_named(self) -> None:
        write_folder(self.folder / "model", "StableDiffusionPipeline", {"unet": {}, "vae": vae("sd"), "text_encoder": graph("clip-l")})
        unet = self.folder / "model" / "unet"
        (unet / "diffusion_pytorch_model.safetensors").rename(unet / "diffusion_pytorch_model.non_ema.safetensors")
        self.named('model/unet has weights of the variant "non_ema" alone', "import", "model")
        (unet / "diffusion_pytorch_model.non_ema.safetensors").rename(unet / "diffusion_flax_model.msgpack")
        self.named("diffusion_flax_model.msgpack is for another framework", "import", "model")

    def test_a_folder_that_says_how_it_is_quantized(self) -> None:
        scales = {f"{name.removesuffix('weight')}weight_scale_inv": [math.ceil(side / 128) for side in shape]
                  for name, shape in graph("flux-dev").items() if name.endswith("attn.to_q.weight")}
        parts = {"vae": vae("flux"), "text_encoder": graph("clip-l"), "text_encoder_2": graph("t5-xxl")}
        for number, (config, tensors, says) in enumerate((
                ({"quant_method": "bitsandbytes", "load_in_4bit": True}, {}, "quantized by bitsandbytes"),
                ({"load_in_8bit": True}, {}, "quantized by bitsandbytes"), ({"quant_method": "torchao"}, {}, "torchao"),
                ({"quant_method": "gguf"}, {}, "gguf"), ({"quant_method": "quanto"}, {}, "quanto"), ({}, {}, "without a name"),
                ({"quant_method": "fp8"}, {}, "and holds no scales"))):
            folder = f"quantized-{number}"
            write_folder(self.folder / folder, "FluxPipeline", {"transformer": graph("flux-dev") | tensors} | parts, "F8_E4M3")
            (self.folder / folder / "transformer" / "config.json").write_text(json.dumps({"quantization_config": config}))
            self.named(f"{folder}/transformer is quantized by", "import", folder)
            self.named(says, "import", folder)
        write_folder(self.folder / "fp8", "FluxPipeline", parts, "F8_E4M3")
        with_scales = graph("flux-dev") | scales
        (self.folder / "fp8" / "transformer").mkdir()
        write_sparse(self.folder / "fp8" / "transformer" / "diffusion_pytorch_model.safetensors", with_scales, "F8_E4M3",
                     others={name: "F32" for name in scales})
        (self.folder / "fp8" / "transformer" / "config.json").write_text('{"quantization_config": {"quant_method": "fp8"}}')
        line = self.line("import", "fp8", "--tokenizer", str(SPIECE), "--dry-run")
        self.assertEqual(line["parts"]["denoiser"]["dtype"], "F8_E4M3 with scales")

    def test_a_file_given_for_a_part_that_it_is_not(self) -> None:
        self.file("v1.safetensors", {name: shape for name, shape in single_sd15().items() if not name.startswith("cond_stage")})
        self.file("t5.safetensors", graph("t5-xxl"))
        self.named("t5.safetensors (--clip-l) holds no clip-l, which Stable Diffusion 1.x takes as its text_encoder. It "
                   "holds t5-xxl", "import", "v1.safetensors", "--clip-l", "t5.safetensors")
        more = self.line("import", self.file("f32.safetensors", single_sd15(), "F32"), "--vae",
                         self.file("f16.safetensors", single_sd15()), "--dry-run")
        self.assertEqual({part: facts["dtype"] for part, facts in more["parts"].items()},
                         {"denoiser": "F32", "text_encoder": "F32", "vae_decoder": "F16", "vae_encoder": "F16"})
        self.file("whole.safetensors", single_sd15())  # its own VAE is not what was asked for
        self.refused(4, "import", "whole.safetensors", "--vae", self.file("ae.safetensors", original_vae("flux", "")),
                     says=("ae.safetensors has the VAE of another family",))
        self.refused(2, "import", "whole.safetensors", "--t5xxl", "t5.safetensors", says=("has no part for --t5xxl",))

    def test_what_lost_a_tensor_is_no_relative(self) -> None:
        for name in ("sdxl-unet", "sd15-unet", "flux-dev"):
            tensors = dict(graph(name))
            lost = next(key for key in reversed(tensors) if key.endswith(".weight"))
            del tensors[lost]
            self.refused(3, "import", self.file("lost.safetensors", tensors), says=(f"is nearly {name}", lost, "is missing"))


if __name__ == "__main__":
    main(__doc__)
