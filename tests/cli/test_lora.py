#!/usr/bin/env python3
"""Drives the real program with LoRAs: seeded factors for the bundled models, in the forms that trainers write."""

from __future__ import annotations

import json
import math
import re
import struct

from checkpoints import single_file, unet_name
from loras import RANK, LoraTest, Numbers, factors, kohya, peft, tensors_of, weights
from support import ROOT, WALK, main, needs_engine, read_tensors, run, safetensors


class Refused(LoraTest):
    def test_arguments_that_make_no_sense(self) -> None:
        self.style()
        self.refused(2, "generate", *WALK, "--lora", "style.safetensors:nan", says=("--lora", "finite number"))
        self.refused(2, "generate", *WALK, "--lora", "style.safetensors:inf", says=("--lora", "finite number"))
        self.refused(2, "generate", *WALK, "--lora", "", says=("--lora is empty", "FILE[:WEIGHT]"))
        self.refused(2, "generate", *WALK, "--lora", "stile", "--lora-dir", ".", says=('Did you mean "style"',))
        self.refused(2, "generate", *WALK, "--lora", "nothing", says=("nothing", str(self.home), "--lora-dir"))
        a1111 = ("generate", "a house <lora:style:much>", "--prompt-syntax", "a1111")
        self.refused(2, *a1111, says=("column 9", "much"))
        self.refused(2, "generate", "a house <lora:stile>", "--prompt-syntax", "a1111", "--lora-dir", ".",
                     says=("the prompt", "<lora:stile:1>", 'Did you mean "style"'))

    def test_files_that_are_no_loras(self) -> None:
        whole = (self.folder / self.style()).read_bytes()
        (self.folder / "cut.safetensors").write_bytes(whole[:-8])
        self.refused(3, "generate", *WALK, "--lora", "cut.safetensors", says=("cut.safetensors",))
        (self.folder / "a.pt").write_bytes(b"PK\x03\x04" + bytes(26) + b"archive/data.pkl" + bytes(60))
        self.refused(3, "generate", *WALK, "--lora", "a.pt", says=("a.pt", "PyTorch"))
        (self.folder / "empty.safetensors").write_bytes(b"")
        self.refused(3, "generate", *WALK, "--lora", "empty.safetensors", says=("empty",))
        model = ROOT / "models" / "tiny-sd15" / "unet" / "diffusion_pytorch_model.safetensors"
        self.refused(3, "generate", *WALK, "--lora", str(model), says=("is no LoRA",))

    def test_kinds_that_are_not_applied(self) -> None:
        kinds = {"oft_blocks": "OFT", "a1.weight": "GLoRA", "on_input": "IA3", "vera_lambda_b": "VeRA", "hra_u": "HRA",
                 "fourierft_spectrum": "FourierFT", "boft_R": "BOFT"}
        for ending, kind in kinds.items():
            for lead in ("lora_unet_down_blocks_0_x", "transformer.single_transformer_blocks.0.attn.to_q"):
                lora = self.write("kind.safetensors", {f"{lead}.{ending}": ([1], [1.0]), f"{lead}.alpha": ([], [1.0])})
                said = self.refused(3, "generate", *WALK, "--lora", lora, says=(lora, f"of the kind {kind},"))
                self.assertNotIn("family", said)
        blocks = self.write("kind.safetensors", {"lora_unet_x.oft_blocks": ([1, 1, 1, 1], [1.0])})
        self.refused(3, "generate", *WALK, "--lora", blocks, says=("of the kind BOFT",))

    def test_a_control_lora(self) -> None:
        width, reads = 3072, 128
        def zeros(*shape: int) -> tuple[list[int], list[float]]:
            return list(shape), [0.0] * math.prod(shape)
        made: Numbers = {"img_in.lora_A.weight": zeros(1, reads), "img_in.lora_B.weight": zeros(width, 1),
                         "img_in.lora_B.bias": zeros(width)}
        for block in ("double_blocks.0.img_attn", "single_blocks.0"):
            made[f"{block}.norm.key_norm.scale"] = zeros(128)
            made |= {f"{block}.proj.lora_A.weight": zeros(1, 4), f"{block}.proj.lora_B.weight": zeros(8, 1),
                     f"{block}.proj.lora_B.bias": zeros(8)}
        depth = self.write("depth.safetensors", made)
        for model in ("tiny-flux", "tiny-sd15"):
            self.refused(4, "generate", *WALK, "-m", model, "--lora", depth,
                         says=("control LoRA for FLUX.1", "img_in", "128", "64", "second picture"))

    def test_whole_weights_beside_factors(self) -> None:
        numbers = kohya("lora_unet_", factors(weights("tiny-sd15", "unet")))
        lora = self.write("a.safetensors", numbers | {"unet.conv_in.bias": ([80], [0.0] * 80)})
        self.refused(3, "generate", *WALK, "--lora", lora,
                     says=("whole weights", "unet.conv_in.bias", "modules_to_save"))
        wrapped = [f"base_model.model.conv_out.{level}.weight" for level in
                   ("modules_to_save", "modules_to_save.default", "base_layer", "original_module")]
        for name in ("lora_unet_conv_out.weight", "lycoris_conv_out.bias", *wrapped):
            lora = self.write("a.safetensors", numbers | {name: ([4], [0.0] * 4)})
            self.refused(3, "generate", *WALK, "--lora", lora, says=("whole weights", name))

    def test_configurations_of_peft_that_are_not_applied(self) -> None:
        numbers = tensors_of(peft("unet.", factors(weights("tiny-sd15", "unet"))))
        refusals = (("init_lora_weights", "pissa", "PiSSA"), ("modules_to_save", ["conv_in"], "whole layers"),
                    ("bias", "all", "biases"), ("use_dora", True, "no lora_magnitude_vector"),
                    ("lora_bias", True, "no lora_B.bias"), ("alpha_pattern", {"(to_q": 2}, "alpha_pattern"),
                    ("peft_type", "VERA", "VeRA"), ("rank_pattern", {"to_q": 99}, "says 99"))
        for key, value, says in refusals:
            config = json.dumps({"unet.r": RANK, "unet.lora_alpha": 2, f"unet.{key}": value})
            (self.folder / "a.safetensors").write_bytes(safetensors(numbers, {"lora_adapter_metadata": config}))
            self.refused(3, "generate", *WALK, "--lora", "a.safetensors", says=("a.safetensors", says))

    def test_no_model_is_made_of_one(self) -> None:
        self.refused(3, "import", self.style(), says=("is a LoRA", "--lora style.safetensors"))

    def test_loras_of_other_models(self) -> None:
        self.style()
        sdxl = self.write("sdxl.safetensors", kohya("lora_unet_", factors(weights("tiny-sdxl", "unet"))))
        flux = self.write("flux.safetensors", peft("transformer.", factors(weights("tiny-flux", "transformer"))))
        self.refused(4, "generate", *WALK, "--lora", sdxl, says=("sdxl.safetensors", "family sd15", "attn1_to_k"))
        self.refused(4, "generate", *WALK, "--lora", flux, says=("FLUX.1", "tiny-sd15 is of family sd15"))
        self.refused(4, "generate", *WALK, "-m", "tiny-flux", "--lora", "style.safetensors",
                     says=("family flux", "none of its"))
        # one that fits stands first: nothing of it is made
        self.refused(4, "generate", *WALK, "--lora", "style.safetensors", "--lora", sdxl, says=("sdxl.safetensors",))

    def test_factors_that_disagree(self) -> None:
        numbers = kohya("lora_unet_", factors(weights("tiny-sd15", "unet")))
        name = next(name for name in numbers if name.endswith("up.weight"))
        shape, values = numbers[name]
        self.write("rank.safetensors", numbers | {name: ([shape[0], RANK - 1], values[:shape[0] * (RANK - 1)])})
        self.refused(3, "generate", *WALK, "--lora", "rank.safetensors", says=(name.split(".")[0], "rank 2", "rank 3"))
        self.write("half.safetensors", {key: value for key, value in numbers.items() if key != name})
        self.refused(3, "generate", *WALK, "--lora", "half.safetensors", says=(name.split(".")[0], '"up"'))

    @needs_engine
    def test_numbers_that_are_none(self) -> None:
        for number in (math.nan, math.inf):
            numbers = kohya("lora_unet_", factors(weights("tiny-sd15", "unet")))
            name = list(numbers)[10]
            numbers[name][1][5] = number
            self.write("nan.safetensors", numbers)
            self.refused(3, "generate", *WALK, "--lora", "nan.safetensors", says=("nan.safetensors", name, "NaN"))


@needs_engine
class Drawing(LoraTest):
    def test_forms_of_the_same_numbers_give_the_same_numbers(self) -> None:
        unet, text = (factors(weights("tiny-sd15", part)) for part in ("unet", "text_encoder"))
        level = {f"text_model.{module.removeprefix('text_model.')}": pair for module, pair in text.items()}
        config = json.loads((ROOT / "models" / "tiny-sd15" / "unet" / "config.json").read_text())
        original = {unet_name(module + ".weight", config).removesuffix(".weight"): pair for module, pair in unet.items()}
        forms = {
            "kohya": kohya("lora_unet_", unet, RANK) | kohya("lora_te_", level, RANK),
            "kohya without alpha": kohya("lora_unet_", unet) | kohya("lora_te1_", level),
            "the original names": kohya("lora_unet_", original) | kohya("lora_te_", level),
            "peft": peft("unet.", unet) | peft("text_encoder.", text),
            "peft of one part": peft("base_model.model.", unet) | peft("text_encoder.", level),
            "ComfyUI": peft("diffusion_model.", original) | peft("text_encoders.clip_l.transformer.", level),
        }
        plain, first = self.drawn(), None
        for form, numbers in forms.items():
            with self.subTest(form):
                found = self.drawn("--lora", self.write("a.lora.safetensors", numbers))
                self.assertEqual(self.said, "")
                self.assertNotEqual(found, plain)
                first = first or found
                self.assertEqual(found, first)
        half = kohya("lora_unet_", unet, RANK / 2) | kohya("lora_te_", level, RANK / 2)
        self.assertEqual(self.drawn("--lora", self.write("half.safetensors", half) + ":2"), first)

    def alpha(self, name: str, kind: str, raw: bytes) -> str:
        """A LoRA of halves whose alphas, of 2, are of this type."""
        made = kohya("lora_unet_", factors(weights("tiny-sd15", "unet")))
        alphas = {key.replace(".lora_up.weight", ".alpha"): (kind, [], raw) for key in made if ".lora_up" in key}
        (self.folder / name).write_bytes(safetensors(tensors_of(made) | alphas))
        return name

    def test_alphas_of_other_types(self) -> None:
        first = self.drawn("--lora", self.alpha("a.safetensors", "F32", struct.pack("<f", 2)))
        twos = {"F8_E4M3": b"\x40", "BF16": b"\0\x40", "I64": struct.pack("<q", 2)}  # test_tensor_numbers.cpp has all
        for kind, raw in twos.items():
            with self.subTest(kind):
                self.assertEqual(self.drawn("--lora", self.alpha("a.safetensors", kind, raw)), first)
        self.assertNotEqual(self.drawn("--lora", self.alpha("a.safetensors", "U8", b"\3")), first)

    def test_patterns_of_peft_are_expressions(self) -> None:
        made = factors(weights("tiny-sd15", "unet"))
        halved = {module: (down, (up[0], [value / 2 for value in up[1]])) if module.endswith("attn1.to_q") else (down, up)
                  for module, (down, up) in made.items()}
        first = self.drawn("--lora", self.write("a.safetensors", peft("unet.", halved)))
        numbers = tensors_of(peft("unet.", made))
        def drawn(pattern: dict[str, float]) -> bytes:
            config = json.dumps({"unet.r": RANK, "unet.lora_alpha": RANK, "unet.alpha_pattern": pattern})
            (self.folder / "a.safetensors").write_bytes(safetensors(numbers, {"lora_adapter_metadata": config}))
            return self.drawn("--lora", "a.safetensors")
        for key in ("attn1.to_q", r"^(down|mid|up)_block.*\.attn[1]\.to_q$"):  # test_peft_patterns.cpp has more
            with self.subTest(key):
                self.assertEqual(drawn({key: RANK / 2}), first)
        self.assertNotEqual(drawn({"^attn1.to_q": RANK / 2}), first)

    def test_biases_and_norms_are_differences(self) -> None:
        made = {name: pair for name, pair in factors(weights("tiny-flux", "transformer")).items()
                if name.endswith("to_q")}
        flux = (*WALK, "-m", "tiny-flux")
        rows = {name: up[0][0] for name, (_, up) in made.items()}
        bias = {f"transformer.{name}.lora_B.bias": ([count], [0.5] * count) for name, count in rows.items()}
        named = {name.replace(".lora_B.bias", ".diff_b"): value for name, value in bias.items()}
        plain = self.drawn("--lora", self.write("a.safetensors", peft("transformer.", made)), walk=flux)
        first = self.drawn("--lora", self.write("b.safetensors", peft("transformer.", made) | named), walk=flux)
        same = self.write("c.safetensors", peft("transformer.", made) | bias)
        self.assertEqual(self.drawn("--lora", same, walk=flux), first)
        self.assertEqual(self.said, "")
        self.assertNotEqual(first, plain)
        norm = "lora_unet_mid_block_attentions_0_norm"
        count = read_tensors(ROOT / "models" / "tiny-sd15" / "unet" / "diffusion_pytorch_model.safetensors"
                     )["mid_block.attentions.0.norm.weight"][1][0]
        drawn = [self.drawn("--lora", self.write("n.safetensors", {f"{norm}.{weight}": ([count], [0.5] * count),
                                                                   f"{norm}.{shift}": ([count], [0.25] * count)}))
                 for weight, shift in (("diff", "diff_b"), ("w_norm", "b_norm"))]
        self.assertEqual(drawn[0], drawn[1])
        self.assertNotEqual(drawn[0], self.drawn())

    def test_flux_under_both_names(self) -> None:
        made = factors({module: shape for module, shape in weights("tiny-flux", "transformer").items()
                        if "to_out" not in module})
        down: dict[str, tuple] = {}
        fused: dict[str, list] = {}
        for module, pair in made.items():
            block, name = re.match(r"(.*transformer_blocks\.\d+)\.attn\.(.*)", module).groups()
            key = (block, "txt" if name.startswith("add_") else "img")
            down.setdefault(key, pair[0])
            fused.setdefault(key, []).append((name.replace("add_", "to_")[:4], pair[1]))
        shared: dict[str, tuple] = {}
        original: dict[str, tuple] = {}
        for (block, stream), ups in fused.items():
            single = block.startswith("single")
            number = block.rsplit(".", 1)[1]
            for name, up in ups:
                spelled = f"add_{name[3]}_proj" if stream == "txt" else name
                shared[f"{block}.attn.{spelled}"] = (down[block, stream], up)
            joined = [value for _, up in sorted(ups, key=lambda each: "qkv".index(each[0][3])) for value in up[1]]
            height, width = len(joined) // RANK, len(joined) // RANK // 3
            if single:  # the MLP's rows, to which nothing is added
                joined += [0.0] * (4 * width * RANK)
                height += 4 * width
            place = f"single_blocks.{number}.linear1" if single else f"double_blocks.{number}.{stream}_attn.qkv"
            original[place] = (down[block, stream], ([height, RANK], joined))
        flux = (*WALK, "-m", "tiny-flux")
        plain = self.drawn(walk=flux)
        one = self.drawn("--lora", self.write("p.safetensors", peft("transformer.", shared)), walk=flux)
        self.assertNotEqual(one, plain)
        order = {"q": 0, "k": 1, "v": 2}
        omi: dict[str, tuple] = {}
        for module, pair in shared.items():
            block, name = re.match(r"(.*transformer_blocks\.\d+)\.attn\.(.*)", module).groups()
            number, stream = block.rsplit(".", 1)[1], "txt" if name.startswith("add_") else "img"
            fused = (f"single_blocks.{number}.linear1" if block.startswith("single")
                     else f"double_blocks.{number}.{stream}_attn.qkv")
            omi[f"{fused}.{order[re.search('_([qkv])', name)[1]]}"] = pair
        for numbers in (kohya("lora_unet_", original), peft("diffusion_model.", original), peft("transformer.", omi)):
            self.assertEqual(self.drawn("--lora", self.write("k.safetensors", numbers), walk=flux), one)

    def test_weights(self) -> None:
        style = self.style()
        plain, whole, half = self.drawn(), self.drawn("--lora", style), self.drawn("--lora", style + ":0.5")
        self.assertEqual(len({plain, whole, half, self.drawn("--lora", style + ":-1")}), 4)
        self.assertEqual(self.drawn("--lora", style + ":0"), plain)
        self.assertEqual(self.drawn("--lora", style + ":1"), whole)
        twice = self.drawn("--lora", style, "--lora", style)
        self.assertNotIn(twice, (plain, whole))
        self.assertEqual(self.drawn("--lora", style, "--lora", style + ":0"), whole)

    def test_a_batch_and_a_second_pass_keep_it(self) -> None:
        style = self.style()
        second = self.drawn("--hires", "2", "--lora", style)
        self.assertNotEqual(second, self.drawn("--hires", "2"))
        batch = self.drawn("-b", "2", "--lora", style)
        self.assertEqual(batch[:len(batch) // 2], self.drawn("--lora", style))

    def test_prompts_call_it(self) -> None:
        self.style("loras/style.safetensors")
        a1111 = ("--prompt-syntax", "a1111", "--lora-dir", "loras")
        asked = self.drawn(*a1111, "--lora", "style:0.5")
        called = self.drawn(*a1111, walk=("a red house<lora:style:0.5> in snow", *WALK[1:]))
        self.assertEqual(called, asked)
        self.assertEqual(self.drawn(*a1111, walk=("a red house in snow<lora:style:7:0.5>", *WALK[1:])), asked)
        plain = self.drawn(*a1111)
        self.assertEqual(self.drawn(*a1111, "-n", "<lora:style:1>"), plain)
        self.assertIn("the negative prompt calls <lora:style:1>", self.said)
        self.drawn(walk=("a red house in snow<lora:style:0.5>", *WALK[1:]))
        self.assertIn("--prompt-syntax a1111 applies it", self.said)

    def test_where_names_are_looked_up(self) -> None:
        style = self.drawn("--lora", self.style("loras/deep/style.safetensors"
                                                ).replace("style.safetensors", "style.safetensors:1"))
        self.assertEqual(self.drawn("--lora", "style", env={"LAPIS_LORAS": f"nowhere:{self.folder / 'loras'}"}), style)
        own = self.home / "lapis" / "loras"
        own.parent.mkdir()
        (self.folder / "loras").rename(own)
        self.assertEqual(self.drawn("--lora", "style"), style)
        self.assertEqual(self.drawn("--lora", "deep/style.safetensors:1"), style)

    def test_tensors_for_nothing_are_counted_and_named(self) -> None:
        numbers = kohya("lora_unet_", factors(weights("tiny-sd15", "unet")))
        strange = {f"lora_unet_strange_{i}.lora_down.weight": ([1, 1], [1.0]) for i in range(7)}
        lora = self.write("a.lora.safetensors", numbers | strange)
        line, = self.render(*WALK, "--lora", lora, "-o", "a.png")
        self.assertEqual(len(line["warnings"]), 1)
        self.assertIn("7 tensors are for nothing in this model", line["warnings"][0])
        self.assertIn("lora_unet_strange_0", line["warnings"][0])
        others = {"odd": ([1], [1.0]), "bundle_emb.glow.clip_l": ([1], [1.0])}
        lora = self.write("a.lora.safetensors", numbers | others)
        line, = self.render(*WALK, "--lora", lora, "-o", "b.png")
        said = "\n".join(line["warnings"])
        self.assertIn("1 tensor is of a name that lapis does not know in a LoRA, and left out: odd", said)
        self.assertIn("of an embedding, which --embedding reads", said)
        self.assertNotIn("for nothing", said)
        self.assertEqual(line["loras"], ["a.lora:1"])

    def test_settings_tell_of_it(self) -> None:
        self.style()
        self.render(*WALK, "--lora", "style.safetensors:0.5", "-o", "a.png")
        texts = self.texts("a.png")
        self.assertIn("a red house in snow <lora:style:0.5>\n", texts["parameters"])
        lora, = texts["lapis"]["loras"]
        self.assertIn(f'Lora hashes: "style: {lora["data_sha256"][:12]}"', texts["parameters"])
        self.assertEqual((lora["name"], lora["denoiser"], texts["lapis"]["job"]["loras"]), ("style", 0.5, ["style:0.5"]))
        self.assertNotIn(str(self.folder), json.dumps(texts))

    def test_an_partial_latent_remembers_it(self) -> None:
        self.style("loras/style.safetensors")
        found = ("--lora-dir", "loras")
        whole = self.drawn(*found, "--lora", "style:0.5")
        part = (*WALK, "--stop-at", "1", "--latent", "part.safetensors", *found)
        self.assertEqual(run("generate", *part, "--lora", "style:0.5", cwd=self.folder).returncode, 0)
        on = ("--init-latent", "part.safetensors", "-q")
        self.assertEqual(self.drawn(*found, walk=on), whole)
        self.assertEqual(self.drawn("--lora", "loras/style.safetensors:0.5", walk=on), whole)
        self.assertNotEqual(self.drawn(*found, "--lora", "style:0", walk=on), whole)
        self.refused(2, "generate", *on, "--latent", "b", says=("part.safetensors records", "style:0.5", "--lora-dir"))
        self.write("loras/style.safetensors", kohya("lora_unet_", factors(weights("tiny-sd15", "unet")), 1.0))
        self.refused(2, "generate", *on, *found, "--latent", "b", says=("is not the file", "--lora"))

    def test_a_second_model(self) -> None:
        style = self.style()
        then = ("--then", "tiny-sd15:0.5")
        self.assertNotEqual(self.drawn(*then, "--lora", style), self.drawn(*then))
        self.drawn("--then", "tiny-sdxl:0.5", "--lora", style, walk=tuple(word for word in WALK if word != "-q"))
        self.assertIn("tiny-sdxl is of another family: the LoRAs are tiny-sd15's alone", self.said)

    def test_an_imported_checkpoint(self) -> None:
        style = self.style()
        (self.folder / "one.safetensors").write_bytes(safetensors(single_file(ROOT / "models" / "tiny-sd15")))
        made = run("import", "one.safetensors", "--name", "mine", cwd=self.folder)
        self.assertEqual(made.returncode, 0, made.stderr.decode())
        settings = ("--sampler", "euler", "--schedule", "own", "--spacing", "trailing", "--guidance", "3")
        self.assertEqual(self.drawn(*settings, "-m", "mine", "--lora", style), self.drawn(*settings, "--lora", style))

    def test_a_model_that_keeps_its_weights_in_its_graph(self) -> None:
        mini = ROOT / "tests" / "data" / "mini_sdxl"
        style = self.style()
        self.refused(4, "generate", "ab", "-m", str(mini), "--lora", style, says=("in its graph", "no LoRA"))


if __name__ == "__main__":
    main(__doc__)
