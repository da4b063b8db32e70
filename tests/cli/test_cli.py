#!/usr/bin/env python3
"""Drives the real program as a person or a script would: exit codes, messages, files, bytes.

Cases that render are left out of a build without an engine.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import unittest
from collections.abc import Callable
from pathlib import Path

from support import COMMANDS, DATA, MODEL, QUICK, ROOT, CliTest, f32, needs_engine, on_terminal, run, safetensors, start

HELP = ROOT / "tests" / "cli" / "help"


class Help(CliTest):
    def test_help_is_as_approved(self) -> None:
        for command in COMMANDS:
            with self.subTest(command=command or "lapis"):
                result = run(*filter(None, (command, "--help")))
                self.assertEqual(result.returncode, 0)
                self.assertEqual(result.stdout.decode(), (HELP / f"{command or 'lapis'}.txt").read_text())

    def test_help_by_its_other_names(self) -> None:
        for command in COMMANDS:
            self.assertEqual(run("help", *filter(None, (command,))).stdout.decode(),
                             (HELP / f"{command or 'lapis'}.txt").read_text())
        nothing = run()
        self.assertEqual((nothing.returncode, nothing.stdout.decode(), nothing.stderr),
                         (2, (HELP / "lapis.txt").read_text(), b""))

    def test_version(self) -> None:
        self.assertEqual(run("-V").stdout, run("--version").stdout)
        self.assertRegex(run("--version").stdout.decode(), r"^lapis \d+\.\d+\.\d+\n$")


class Usage(CliTest):
    def test_words_that_are_not_known(self) -> None:
        self.refused(2, "house", says=("there is no command", "generate"))
        self.refused(2, "generat", "a lake", says=('Did you mean "generate"?',))
        self.refused(2, "generate", "a lake", "--step", "3", says=('"--step"', 'Did you mean "--steps"?'))
        self.refused(2, "generate", says=("there is no prompt",))
        self.refused(2, "list", "sampler", says=('Did you mean "samplers"?',))

    def test_samplers_and_schedules_are_listed_for_programs(self) -> None:
        for what, count, name in (("samplers", 19, "sampler"), ("schedules", 13, "schedule")):
            rows = json.loads(run("list", what, "--json").stdout)
            self.assertEqual(len({row[name] for row in rows}), count)
            for row in rows:
                self.assertIn("sd15", row["families"])

    def test_numbers(self) -> None:
        self.refused(2, "generate", "a lake", "-W", "250", says=("250", "multiple of 8", "248", "256"))
        self.refused(2, "generate", "a lake", "-H", "8", says=("8", "64"))
        self.refused(2, "generate", "a lake", "--steps", "0", says=("--steps", "0", "1"))
        self.refused(2, "generate", "a lake", "--steps", "many", says=("many", "whole number"))
        self.refused(2, "generate", "a lake", "--guidance", "nan", says=("guidance",))
        self.refused(2, "generate", "a lake", "--cfg-scale=-1", says=("guidance",))
        self.refused(2, "generate", "a lake", "-b", "0", says=("batch",))
        self.refused(2, "generate", "a lake", "-s", "18446744073709551615", "-b", "2", says=("seed",))

    def test_names(self) -> None:
        self.refused(2, "generate", "a lake", "-m", "tiny-sd14", says=("tiny-sd14", 'Did you mean "tiny-sd15"?'))
        self.refused(2, "generate", "a lake", "--sampler", "eular", says=('Did you mean "euler"?',))
        self.refused(2, "generate", "a lake", "--spacing", "trailling", says=("trailing",))
        self.refused(2, "generate", "a lake", "--schedule", "karas", says=('Did you mean "karras"?',))
        self.refused(2, "generate", "a lake", "--shift", "3", says=("flow model", "tiny-sd15"))
        self.refused(2, "generate", "a lake", "--eta", "0.5", "--sampler", "heun", says=("heun", "euler_a"))
        self.refused(2, "generate", "a lake", "--sigmas", "3,4", says=("number 2", "fall"))
        self.refused(2, "generate", "a lake", "--guidance-interval", "0.9,0.1", says=("0.2,0.8",))
        self.refused(2, "generate", "a lake", "--dtype", "fp23", says=("fp32",))
        self.refused(2, "generate", "a lake", "--device", "gpu", says=("cuda",))

    def test_prompt_that_is_not_utf8(self) -> None:
        self.refused(2, "generate", b"a \xff lake", says=("UTF-8",))

    def test_outputs_that_make_no_sense(self) -> None:
        self.refused(2, "generate", "a lake", "-o", "a.jpg", says=(".png",))
        self.refused(2, "generate", "a lake", "-o", "{sed}.png", says=("{seed}",))
        self.refused(2, "generate", "a lake", "-o", "-", "-b", "2", says=("one picture",))
        self.refused(2, "generate", "a lake", "-o", "-", "--json", says=("standard output",))

    def test_a_png_never_goes_to_a_terminal(self) -> None:
        result, shown = on_terminal("generate", "a lake", "-o", "-")
        self.assertEqual((result.returncode, shown), (2, b""))


class Outputs(CliTest):
    def test_an_existing_file_stays(self) -> None:
        (self.folder / "a.png").write_text("mine")
        self.refused(8, "generate", "a lake", "-o", "a.png", says=("a.png", "--overwrite"))
        self.assertEqual((self.folder / "a.png").read_text(), "mine")

    def test_a_folder_that_is_not_there(self) -> None:
        self.refused(8, "generate", "a lake", "-o", "nowhere/a.png", says=("nowhere",))

    def test_a_folder_in_the_way(self) -> None:
        (self.folder / "a.png").mkdir()
        self.refused(8, "generate", "a lake", "-o", "a.png", "--overwrite", says=("a.png",))

    @needs_engine
    def test_a_full_disk(self) -> None:
        def small_files() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

        result = run("generate", "a lake", *QUICK, "-o", "a.png", cwd=self.folder, preexec_fn=small_files)
        self.assertEqual(result.returncode, 8, result.stderr.decode())
        self.assertIn("a.png", result.stderr.decode())
        self.assertEqual(list(self.folder.iterdir()), [])

    @needs_engine
    def test_a_pipe_nobody_reads(self) -> None:
        with open("/dev/full", "wb") as full:
            result = run("generate", "a lake", *QUICK, "-o", "-", stdout=full)
        self.assertEqual(result.returncode, 8, result.stderr.decode())


class Models(CliTest):
    def refused_model(self, edit: Callable[[str], str], says: tuple[str, ...]) -> None:
        """Changes the text of model.json and demands a refusal."""
        file = self.model() / "model.json"
        file.write_text(edit(file.read_text()))
        self.refused(5, "generate", "a lake", "-m", str(file.parent), says=says)

    def test_unknown_and_repeated_keys(self) -> None:
        self.refused_model(lambda text: text.replace('"licence"', '"license"', 1), ("license", "licence"))

    def test_a_repeated_key(self) -> None:
        self.refused_model(lambda text: text.replace('"version": 1,', '"version": 1, "version": 1,', 1), ("version",))

    def test_a_path_that_leaves_the_folder(self) -> None:
        self.refused_model(lambda text: text.replace('"graphs/denoiser.pt"', '"../denoiser.pt"'), ("../denoiser.pt",))

    def test_another_space(self) -> None:
        self.refused_model(lambda text: text.replace("0.18215", "0.13025"), ("0.13025", "0.18215"))

    def test_a_file_that_is_missing(self) -> None:
        model = self.model()
        (model / "graphs" / "denoiser.pt").unlink()
        self.refused(5, "generate", "a lake", "-m", str(model), says=("denoiser.pt",))

    def test_a_file_cut_short(self) -> None:
        model = self.model()
        with open(next((model / "unet").glob("*.safetensors")), "r+b") as file:
            file.truncate(1000)
        self.refused(5, "generate", "a lake", "-m", str(model), says=("safetensors", "1000"))

    def test_a_file_that_was_altered(self) -> None:
        model = self.model()
        with open(next((model / "vae").glob("*.safetensors")), "r+b") as file:
            file.seek(-1, os.SEEK_END)
            last = file.read(1)
            file.seek(-1, os.SEEK_END)
            file.write(bytes([last[0] ^ 1]))
        self.refused(5, "generate", "a lake", "-m", str(model), says=("safetensors", "sha256"))
        self.refused(5, "inspect", str(model), "--verify", says=("sha256",))

    def test_the_bundled_model_is_whole(self) -> None:
        self.assertEqual(run("inspect", "tiny-sd15", "--verify").returncode, 0)

    def test_tokens(self) -> None:
        tokens = json.loads(run("inspect", "tiny-sd15", "--tokens", "a lake", "--json").stdout)
        self.assertEqual((len(tokens["tokens"]), tokens["count"], tokens["cut"]), (77, 2, ""))
        self.assertEqual(tokens["syntax"], "plain")
        two = run("inspect", "tiny-sdxl", "--tokens", "a lake")
        self.assertEqual(two.stderr, b"tokenizer: 2 tokens in 1 chunk\ntokenizer_2: 2 tokens in 1 chunk\n")
        self.assertEqual(run("inspect", "tiny-sd15", "--tokens", "a lake").stderr, b"2 tokens in 1 chunk\n")
        chunks = json.loads(run("inspect", "tiny-sd15", "--tokens", "a (lake:1.3) BREAK fog", "--prompt-syntax", "a1111",
                                "--json").stdout)["chunks"]
        self.assertEqual([round(weight, 6) for weight in chunks[0]["weights"][:4]], [1, 1, 1.3, 1])
        self.assertEqual(len(chunks), 2)

    def test_an_embedding_of_another_width(self) -> None:
        self.put("glow.safetensors", safetensors({"emb_params": f32([1, 4], [0.0] * 4)}))
        self.refused(4, "generate", "a glow", "--embedding", "glow.safetensors", "-o", "a.png", says=("width 4", "width 128"))

    def test_bad_prompts(self) -> None:
        self.refused(2, "generate", "a [cat|dog]", "--prompt-syntax", "a1111", "-o", "a.png", says=("column 3", "[a|b]"))
        self.refused(2, "generate", "a lake", "--prompt-syntax", "a11", "-o", "a.png", says=("a1111",))
        self.refused(2, "generate", "a lake", "--clip-skip", "9", "-o", "a.png", says=("--clip-skip is 9", "3 layers"))
        self.refused(3, "generate", "@none.txt", "-o", "a.png", says=("--prompt", "none.txt"))
        self.refused(3, "generate", "a lake", "-n", "@none.txt", "-o", "a.png", says=("--negative-prompt", "none.txt"))
        self.refused(2, "generate", "-", "-n", "-", "-o", "a.png", says=("standard input",), input=b"a lake")
        for syntax, prompt in (("a1111", b"(a:1.1) " * 75_000), ("comfy", b")" * 100_000), ("plain", b"a" * 60_000)):
            self.refused(2, "generate", "-", "--prompt-syntax", syntax, "-o", "a.png", says=("50000",), input=prompt)
        self.refused(2, "generate", "-", "--prompt-syntax", "a1111", "-o", "a.png", says=("at most 100",), input=b"a, " * 16_000)


class Startup(CliTest):
    def test_libtorch_stays_shut(self) -> None:
        for words in (("--help",), ("--version",), ("list",), ("generate", "a lake", "--steps", "0"),
                      ("generate", "a lake", "-m", "nothing"), ("inspect", "tiny-sd15")):
            with self.subTest(words=words):
                self.assertNotIn("libtorch", self.opened(*words, code=None))

    @needs_engine
    def test_libtorch_opens_for_a_picture(self) -> None:
        self.assertIn("libtorch_cpu", self.opened("generate", "a lake", *QUICK, "-o", "a.png"))


@needs_engine
class Pictures(CliTest):
    def test_the_result_line(self) -> None:
        line, = self.render("a serene lakeside at sunset", *QUICK, "-s", "7", "-o", "a.png")
        self.assertEqual(line["path"], "a.png")
        self.assertEqual(line["sha256"], hashlib.sha256((self.folder / "a.png").read_bytes()).hexdigest())
        self.assertEqual([line[key] for key in ("seed", "width", "height", "steps", "sampler", "model")],
                         [7, 64, 64, 2, "euler", "tiny-sd15"])
        for part in ("read", "engine", "load", "text_encoder", "denoiser", "vae_decoder", "sampler", "png", "total"):
            self.assertGreaterEqual(line["timings"][part], 0)

    def test_the_same_twice(self) -> None:
        first, = self.render("a lake", *QUICK, "-s", "1", "-o", "a.png")
        second, = self.render("a lake", *QUICK, "-s", "1", "-o", "b.png")
        other, = self.render("a lake", *QUICK, "-s", "2", "-o", "c.png")
        self.assertEqual(first["sha256"], second["sha256"])
        self.assertNotEqual(first["sha256"], other["sha256"])

    def test_samplers_and_schedules_by_the_names_of_other_tools(self) -> None:
        first, = self.render("a lake", *QUICK, "-s", "1", "-b", "1", "--sampler", "DPM++ SDE", "--schedule", "Karras",
                             "--guidance-interval", "0,0.5", "--guidance-rescale", "0.7", "-o", "a.png")
        self.assertEqual([first.get(key) for key in ("sampler", "schedule", "eta", "sigmas", "guidance_interval")],
                         ["dpmpp_sde", "karras", 1, None, "0,0.5"])
        again, = self.render("a lake", *QUICK, "-s", "1", "--sampler", "dpmpp_sde_gpu", "--schedule", "karras",
                             "--guidance-interval", "0,0.5", "--guidance-rescale", "0.7", "-o", "b.png")
        self.assertEqual(first["sha256"], again["sha256"])
        plain, = self.render("a lake", *QUICK, "-s", "1", "--sampler", "DPM++ SDE", "--schedule", "Karras", "-o", "c.png")
        self.assertNotEqual(first["sha256"], plain["sha256"])

    def test_a_batch_is_its_pictures(self) -> None:
        batch = self.render("a lake", *QUICK, "-s", "5", "-b", "3", "-o", "batch.png")
        self.assertEqual([line["path"] for line in batch], ["batch-0.png", "batch-1.png", "batch-2.png"])
        self.assertEqual([line["seed"] for line in batch], [5, 6, 7])
        for line in batch:
            single, = self.render("a lake", *QUICK, "-s", str(line["seed"]), "-o", f"one-{line['seed']}.png")
            self.assertEqual(single["sha256"], line["sha256"])

    def test_names_with_words_in_braces(self) -> None:
        lines = self.render("a lake", *QUICK, "-s", "5", "-b", "2", "-o", "{index}-{seed}.png")
        self.assertEqual([line["path"] for line in lines], ["0-5.png", "1-6.png"])

    def test_settings_in_the_picture(self) -> None:
        self.render("a lake, día", *QUICK, "-n", "clouds", "-s", "7", "-o", "a.png")
        texts = self.texts("a.png")
        self.assertTrue(texts["parameters"].startswith("a lake, día\nNegative prompt: clouds\nSteps: 2, Sampler: Euler"))
        self.assertEqual(texts["lapis"]["job"]["seed"], 7)
        self.assertEqual(set(texts["lapis"]["model"]["files"]), set(json.loads((MODEL / "model.json").read_text())["files"]))

    def test_a_pipe_gets_the_same_bytes(self) -> None:
        self.render("a lake", *QUICK, "-s", "1", "-o", "a.png")
        piped = run("generate", "a lake", *QUICK, "-s", "1", "-o", "-")
        self.assertEqual(piped.stdout, (self.folder / "a.png").read_bytes())

    def test_guidance_of_one_does_without_the_negative_prompt(self) -> None:
        first, = self.render("a lake", *QUICK, "-s", "1", "--guidance", "1", "-o", "a.png", "--latent", "a.safetensors")
        self.render("a lake", *QUICK, "-s", "1", "--guidance", "1", "-n", "fog", "-o", "b.png", "--latent", "b.safetensors")
        self.assertEqual(self.values("a.safetensors"), self.values("b.safetensors"))

    def test_a_prompt_too_long_is_cut_and_said(self) -> None:
        line, = self.render("lake " * 80, *QUICK, "-s", "1", "-o", "a.png")
        self.assertIn("80 tokens", line["warnings"][0])
        self.assertIn("75", line["warnings"][0])

    def test_prompts_come_from_files_and_stdin(self) -> None:
        (self.folder / "prompt.txt").write_text("a lake\n")
        for number, words in enumerate((("@prompt.txt",), ("-p", "@prompt.txt"), ("-",), ("-p", "@-"))):
            line, = self.render(*words, *QUICK, "-s", "1", "-o", f"{number}.png", input=b"a lake\n")
            self.assertEqual(line["prompt"], "a lake")

    def test_weights_chunks_and_clip_skip_change_the_picture(self) -> None:
        seen = set()
        for number, words in enumerate(((), ("--prompt-syntax", "a1111"), ("--prompt-syntax", "comfy"), ("--clip-skip", "2"))):
            line, = self.render("a (lake:1.5) BREAK fog", *QUICK, "-s", "1", "-o", f"{number}.png", *words)
            seen.add(hashlib.sha256((self.folder / f"{number}.png").read_bytes()).hexdigest())
            self.assertEqual(line["clip_skip"], 2 if number == 3 else 1)
        self.assertEqual(len(seen), 4)

    def test_an_empty_prompt_is_a_prompt(self) -> None:
        line, = self.render("", *QUICK, "-s", "1", "-o", "a.png")
        self.assertEqual(line["prompt"], "")

    def test_too_little_memory(self) -> None:
        def small_memory() -> None:
            resource.setrlimit(resource.RLIMIT_AS, (2_560_000_000, 2_560_000_000))

        self.refused(6, "generate", "a lake", "-W", "16384", "-H", "16384", "--steps", "1", "-t", "1", "-o", "a.png",
                     "-q", says=("too little memory", "-W"), preexec_fn=small_memory)

    def test_a_missing_gpu(self) -> None:
        if Path("/dev/nvidiactl").exists():
            self.skipTest("this machine has a GPU")
        self.refused(6, "generate", "a lake", "--device", "cuda", "-o", "a.png", says=("cuda", "--device cpu"))

    def test_existing_file_and_overwrite(self) -> None:
        (self.folder / "a.png").write_text("mine")
        self.render("a lake", *QUICK, "-s", "1", "-o", "a.png", "--overwrite")
        self.assertTrue((self.folder / "a.png").read_bytes().startswith(b"\x89PNG"))

    def test_a_part_that_holds_its_weights(self) -> None:
        """A plain TorchScript file in the place of a bound graph gives a picture too."""
        model = self.model()
        plain = DATA / "plain_text_encoder.pt"
        (model / "graphs" / "text_encoder.pt").write_bytes(plain.read_bytes())
        document = json.loads((model / "model.json").read_text())
        for weights in document["parts"]["text_encoder"]["weights"]:
            del document["files"][weights]
        document["parts"]["text_encoder"]["weights"] = []
        document["files"]["graphs/text_encoder.pt"] = dict(sha256=hashlib.sha256(plain.read_bytes()).hexdigest(),
                                                           size=plain.stat().st_size)
        (model / "model.json").write_text(json.dumps(document))
        line, = self.render("a lake", *QUICK, "-m", str(model), "-s", "1", "-o", "a.png")
        bound, = self.render("a lake", *QUICK, "-s", "1", "-o", "b.png")
        self.assertNotEqual(line["sha256"], bound["sha256"])


def approve() -> None:
    for command in COMMANDS:
        (HELP / f"{command or 'lapis'}.txt").write_bytes(run(*filter(None, (command, "--help"))).stdout)


if __name__ == "__main__":
    options = start(__doc__, lambda parser: parser.add_argument(
        "--approve", action="store_true", help="write the help pages as they are now to tests/cli/help"))
    if options.approve:
        approve()
    else:
        unittest.main()
