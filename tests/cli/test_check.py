#!/usr/bin/env python3
"""Drives `check`, `list` and `inspect` of the real program on latents: verdicts, reasons, exit codes, time."""

from __future__ import annotations

import hashlib
import json
import os
import random
import resource
from pathlib import Path

from support import MODEL, ROOT, SDXL, LatentTest, build, f32, main, needs, npy, on_terminal, run, safetensors

LIMIT = 0.015  # seconds that a check or an inspect may take, beyond those of starting a program
needs_release = needs(lambda: "CMAKE_BUILD_TYPE:STRING=Release" in (build() / "CMakeCache.txt").read_text(),
                      "only a release is fast")


def numbers(count: int, spread: float = 1.0) -> list[float]:
    rng = random.Random(count)
    return [rng.gauss(0, spread) for _ in range(count)]


def vae_digest(model: Path) -> str:
    """The digest that latents of a model carry."""
    document = json.loads((model / "model.json").read_text())
    files = [name for part in ("vae_encoder", "vae_decoder") for name in document["parts"][part]["weights"]]
    return hashlib.sha256("".join(document["files"][name]["sha256"] + "\n" for name in files).encode()).hexdigest()


class CheckTest(LatentTest):
    cells = (16, 16)

    def npy(self, name: str, shape: tuple[int, ...], values: list[float]) -> Path:
        return self.put(name, npy(shape, values))

    def checked(self, code: int, *words: str, **options) -> dict:
        """The document of `check --json`, which must end with this code."""
        result = run("check", *words, "--json", cwd=self.folder, **options)
        self.assertEqual(result.returncode, code, result.stderr.decode() + result.stdout.decode())
        return json.loads(result.stdout)

    def verdicts(self, code: int, *words: str) -> list[str]:
        return [each["verdict"] for each in self.checked(code, *words)["checks"]]

    def vae(self, name: str, **config) -> Path:
        """The folder of a diffusers VAE, of which only the config is there."""
        folder = self.folder / name
        folder.mkdir()
        document = {"_class_name": "AutoencoderKL", "block_out_channels": [8, 8, 8, 8], **config}
        (folder / "config.json").write_text(json.dumps(document))
        return folder


class Unheeded(CheckTest):
    """What is said and means nothing is refused, and not dropped."""

    def test_hints_where_no_latent_is_named(self) -> None:
        for words in (("--space", "nosuch"), ("--units", "vae"), ("--in-size", "64x64")):
            with self.subTest(words):
                text = self.refused(2, "check", "tiny-sd15", *words)
                self.assertIn(f"{words[0]} says of a latent what its file does not", text)

    def test_standard_input_named_twice(self) -> None:
        for words in (("check", "-", "-"), ("matrix", "-", "-"), ("encode", "-", "-", "-m", "tiny-sd15")):
            with self.subTest(words):
                self.assertIn("named more than once", self.refused(2, *words))


class Verdicts(CheckTest):
    def test_the_same_space(self) -> None:
        self.latent(vae_sha256=vae_digest(MODEL))
        answer, = self.checked(0, "a.safetensors", "tiny-sd15")["checks"]
        self.assertEqual((answer["verdict"], answer["from"], answer["to"]), ("same", "sd15:tiny-sd15", "sd15:tiny-sd15"))
        self.assertEqual((answer["size"], answer["decodes"], answer["steps"]), ([128, 128], 0, []))

    def test_another_family_of_as_many_channels(self) -> None:
        self.latent(batch=3)
        answer, = self.checked(0, "a.safetensors", "--to", "tiny-sdxl")["checks"]
        self.assertEqual((answer["verdict"], answer["decodes"], answer["encodes"], answer["pictures"]), ("re-encode", 1, 1, 3))
        for part in ("0.18215", "0.13025", "lineage tiny-sd15", "lineage tiny-sdxl"):
            self.assertIn(part, answer["reason"])
        shown = run("check", "a.safetensors", "tiny-sdxl", cwd=self.folder).stdout.decode()
        self.assertIn("re-encode: a.safetensors -> tiny-sdxl\n", shown)
        self.assertIn("cost: 3 decodes and 3 encodes of 128 x 128 pixels", shown)

    def test_a_decoder_of_another_family_is_refused_with_the_line_to_type(self) -> None:
        self.latent()
        result = run("check", "a.safetensors", "--vae", "tiny-sdxl", cwd=self.folder)
        self.assertEqual(result.returncode, 4)
        self.assertIn("refuse: a.safetensors -> VAE of tiny-sdxl\n", result.stdout.decode())
        self.assertIn("Convert it: lapis convert a.safetensors --to tiny-sdxl -o b.safetensors", result.stdout.decode())

    def test_units_are_arithmetic(self) -> None:
        self.latent(units="vae")
        answer, = self.checked(0, "a.safetensors", "--vae", "tiny-sd15")["checks"]
        self.assertEqual((answer["verdict"], answer["steps"]),
                         ("rescale", ["to model units of sd15:tiny-sd15: m = v * 0.18215"]))

    def test_a_latent_alone_is_held_against_where_it_comes_from(self) -> None:
        self.latent("own.safetensors", vae_sha256=vae_digest(MODEL))
        self.assertEqual(self.checked(0, "own.safetensors")["checks"][0]["destination"], "tiny-sd15")
        self.latent("changed.safetensors", vae_sha256="0" * 64)
        answer, = self.checked(4, "changed.safetensors")["checks"]
        self.assertIn("one of the two is not what it was", answer["reason"])
        self.latent("stranger.safetensors", lineage="nobody")
        for words in ({}, {"units": "vae"}):
            self.latent("stranger.safetensors", lineage="nobody", **words)
            answer, = self.checked(4, "stranger.safetensors")["checks"]
            self.assertEqual((answer["verdict"], answer["from"], answer["to"]), ("refuse", "sd15:nobody", None))
            self.assertIn("no known model has its VAE", answer["reason"])
            self.assertIn("lapis check stranger.safetensors MODEL", answer["advice"])

    def test_a_lineage_whose_vae_is_not_at_hand(self) -> None:
        self.latent(lineage="nobody")
        answer, = self.checked(4, "a.safetensors", "tiny-sdxl")["checks"]
        self.assertIn("--from MODEL", answer["advice"])
        self.latent("b.safetensors")
        self.assertIn("no VAE encoder", self.checked(4, "b.safetensors", "--to", "sdxl")["checks"][0]["reason"])

    def test_step_state(self) -> None:
        self.latent(sigma="3.5", path="variance_exploding", step="4", draws="1")
        self.assertEqual(self.verdicts(0, "a.safetensors", "tiny-sd15"), ["same"])
        answer, = self.checked(4, "a.safetensors", "--vae", "tiny-sd15")["checks"]
        self.assertIn("partially denoised, at sigma 3.5 after 4 steps", answer["reason"])
        self.assertIn("lapis generate --init-latent a.safetensors --latent b.safetensors", answer["advice"])
        self.assertEqual(self.verdicts(4, "a.safetensors", "tiny-sdxl"), ["refuse"])

    def test_sizes(self) -> None:
        self.latent(cells=(16, 17))
        self.assertEqual(self.verdicts(0, "a.safetensors", "tiny-sd15"), ["same"])
        answer, = self.checked(0, "a.safetensors", "tiny-sd15", "--size", "256x128")["checks"]
        self.assertEqual((answer["verdict"], answer["size"]), ("re-encode", [256, 128]))
        answer, = self.checked(4, "a.safetensors", "tiny-sd15", "--size", "250x128")["checks"]
        self.assertIn("--size 248x128", answer["advice"])
        self.assertEqual(self.verdicts(4, "tiny-sd15", "--size", "250x128"), ["refuse"])
        self.assertEqual(self.verdicts(0, "tiny-sd15", "--size", "256x128"), ["same"])

    def test_several_things_at_once(self) -> None:
        self.latent("a.safetensors")
        self.latent("b.safetensors", "sdxl")
        document = self.checked(4, "a.safetensors", "b.safetensors", "tiny-sd15", "--to", "sdxl:tiny-sdxl", "--vae", "tiny-sd15")
        self.assertEqual(document["verdict"], "refuse")
        self.assertEqual([(each["latent"], each["destination"], each["verdict"]) for each in document["checks"]], [
            ("a.safetensors", "tiny-sd15", "same"), ("a.safetensors", "sdxl:tiny-sdxl", "re-encode"),
            ("a.safetensors", "VAE of tiny-sd15", "same"), ("b.safetensors", "tiny-sd15", "re-encode"),
            ("b.safetensors", "sdxl:tiny-sdxl", "same"), ("b.safetensors", "VAE of tiny-sd15", "refuse")])

    def test_models_without_a_latent(self) -> None:
        self.assertEqual(self.verdicts(0, "tiny-sd15"), ["same"])
        answer, = self.checked(0, "tiny-sd15", "tiny-sdxl")["checks"]
        self.assertEqual((answer["latent"], answer["verdict"], answer["size"]), ("latents of tiny-sd15", "re-encode", None))
        self.assertEqual(self.verdicts(4, "tiny-sd15", "tiny-sdxl", "--vae", "tiny-sdxl"), ["refuse", "same"])

    def test_a_latent_in_a_pipe(self) -> None:
        content = self.latent().read_bytes()
        answer, = self.checked(0, "-", "--to", "tiny-sdxl", input=content)["checks"]
        self.assertEqual(answer["latent"], "standard input")

    def test_every_pair_of_spaces_has_a_route_or_a_reason(self) -> None:
        rows = json.loads(run("list", "routes", "--json").stdout)
        names = {row["from"] for row in rows}
        self.assertEqual(len(rows), len(names) ** 2)
        verdict = {(row["from"], row["to"]): row["verdict"] for row in rows}
        for name in names:
            self.assertEqual(verdict[name, name], "same")
        self.assertEqual(verdict["sd15", "sd2:sd15"], "same")
        self.assertEqual(verdict["sdxl", "playground25:sdxl"], "rescale")
        self.assertEqual(verdict["sd3", "flux"], "re-encode")
        at_hand = {(row["from"], row["to"]): row["at hand"] for row in rows}
        self.assertEqual(at_hand["sd15:tiny-sd15", "sdxl:tiny-sdxl"], "yes")
        self.assertEqual(at_hand["sd15", "sdxl:tiny-sdxl"], "no decoder of sd15")
        self.assertIn("tiny-sdxl", {row["lineage"] for row in json.loads(run("list", "lineages", "--json").stdout)})


class BadInput(CheckTest):
    def test_words(self) -> None:
        self.latent()
        self.refused(2, "check", says=("nothing to check",))
        self.refused(2, "check", "a.safetensors", "--to", "tiny-sdlx", says=('Did you mean "tiny-sdxl"?',))
        self.refused(2, "check", "a.safetensors", "tiny-sd14", says=('Did you mean "tiny-sd15"?',))
        self.refused(2, "check", "a.safetensors", "--size", "big", says=("--size", "512x768"))

    def test_files(self) -> None:
        self.refused(3, "check", "nothing.safetensors", says=("nothing.safetensors",))
        (self.folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
        self.refused(3, "check", "a.png", "tiny-sd15", says=("a.png", "picture"))
        self.latent(scale="0.13025")
        self.refused(4, "check", "a.safetensors", says=("contradicts itself", "0.13025", "0.18215"))

    def test_a_model_whose_space_is_another_familys(self) -> None:
        model = self.model()
        (model / "model.json").write_text((model / "model.json").read_text().replace("0.18215", "0.13025"))
        self.refused(5, "check", str(model), says=("0.13025", "0.18215", 'numbers of "sdxl"'))

    def test_a_vae_that_contradicts_its_model(self) -> None:
        model = self.model()
        config = model / "vae" / "config.json"
        config.write_text(config.read_text().replace("0.18215", "0.13025"))
        answer = self.checked(4, str(model))["checks"][0]
        self.assertEqual(answer["verdict"], "refuse")
        for part in ("vae/config.json", "0.13025", "0.18215", 'numbers of "sdxl"'):
            self.assertIn(part, answer["reason"])


class Vaes(CheckTest):
    def test_a_bundled_one_by_its_folder(self) -> None:
        self.latent()
        recognized, judged = self.checked(0, "a.safetensors", "--vae", str(MODEL / "vae"))["checks"]
        self.assertIn('"sd15" and "sd2"', recognized["reason"])
        self.assertIn("tiny-sd15", recognized["reason"])
        self.assertEqual(judged["verdict"], "same")
        self.assertEqual(self.verdicts(4, "a.safetensors", "--vae", str(SDXL / "vae")), ["same", "refuse"])

    def test_a_strangers_numbers_are_no_training(self) -> None:
        self.latent()
        self.vae("vae", scaling_factor=0.18215)
        recognized, judged = self.checked(4, "a.safetensors", "--vae", "./vae")["checks"]
        self.assertEqual((recognized["verdict"], recognized["from"]), ("same", "sd15"))
        self.assertEqual(judged["verdict"], "refuse")
        self.assertIn("lineage not said", judged["reason"])

    def test_alone(self) -> None:
        self.vae("playground", scaling_factor=0.5, latents_mean=[-1.6574, 1.886, -1.383, 2.5155],
                 latents_std=[8.4927, 5.9022, 6.5498, 5.2299])
        answer, = self.checked(0, "--vae", "./playground")["checks"]
        self.assertEqual(answer["from"], "playground25")
        self.vae("nobody", scaling_factor=0.2)
        self.assertEqual(self.verdicts(4, "--vae", "./nobody"), ["refuse"])
        (self.folder / "empty").mkdir()
        self.refused(5, "check", "--vae", "./empty", says=("config.json",))


class Unplaced(CheckTest):
    def test_a_space_is_never_guessed(self) -> None:
        self.npy("a.npy", (1, 16, 16, 16), numbers(4096))
        answer, = self.checked(4, "a.npy", "--units", "model", "--to", "tiny-flux" if (ROOT / "models/tiny-flux").exists()
                               else "flux")["checks"]
        self.assertIn("does not say its space", answer["reason"])
        self.assertIn("--space", answer["advice"])
        self.assertIn("flux", {fit["space"] for fit in answer["fits"]})
        self.assertEqual({*answer["fits"][0]}, {"space", "units"})

    def test_told_it_is_judged(self) -> None:
        self.npy("a.npy", (1, 4, 16, 16), numbers(1024))
        answer, = self.checked(0, "a.npy", "--space", "tiny-sd15", "--units", "model", "--to", "tiny-sdxl")["checks"]
        self.assertEqual((answer["verdict"], answer["from"]), ("re-encode", "sd15:tiny-sd15"))


class Inspect(CheckTest):
    def inspected(self, *words: str, **options) -> dict:
        return self.line("inspect", *words, **options)

    def test_a_passport(self) -> None:
        history = [{"route": "re-encode", "from": "sdxl", "to": "sd15:tiny-sd15", "size": [128, 128], "psnr": 31.25}]
        self.latent(vae_sha256=vae_digest(MODEL), history=json.dumps(history), job='{"job":{"prompt":"a lake"}}')
        document = self.inspected("a.safetensors")
        self.assertEqual((document["form"], document["units"], document["dtype"], document["layout"]),
                         ("lapis", "model", "f32", "plain"))
        self.assertEqual((document["space"]["id"], document["space"]["lineage"]), ("sd15", "tiny-sd15"))
        self.assertEqual((document["shape"], document["size"], document["finished"]), ([1, 4, 16, 16], [128, 128], True))
        self.assertEqual(document["history"], history)
        self.assertEqual(document["job"]["job"]["prompt"], "a lake")
        self.assertNotIn("fits", document)
        shown = run("inspect", "a.safetensors", cwd=self.folder).stdout.decode()
        for part in ("sd15:tiny-sd15", "128 x 128 pixels", "PSNR 31.2 dB", "finished", vae_digest(MODEL), "a lake"):
            self.assertIn(part, shown)

    def test_statistics(self) -> None:
        values = [0.0] * 1024
        values[0], values[1], values[256] = 3.0, -1.0, float("nan")
        values[257] = float("inf")
        self.latent(values=values)
        channels = self.inspected("a.safetensors")["channels"]
        self.assertEqual((channels[0]["min"], channels[0]["max"], channels[0]["not_finite"]), (-1, 3, 0))
        self.assertAlmostEqual(channels[0]["mean"], 2 / 256)
        self.assertEqual([channel["not_finite"] for channel in channels], [0, 2, 0, 0])

    def test_a_partially_denoised_one(self) -> None:
        self.latent(sigma="3.5", path="variance_exploding", step="4", draws="1")
        document = self.inspected("a.safetensors")
        self.assertEqual([document[key] for key in ("finished", "sigma", "path", "step", "draws")],
                         [False, 3.5, "variance_exploding", 4, 1])
        self.assertIn("sigma 3.5 after 4 steps", run("inspect", "a.safetensors", cwd=self.folder).stdout.decode())

    def test_one_that_does_not_say_its_space(self) -> None:
        self.npy("a.npy", (2, 4, 16, 16), numbers(2048, 5.5))
        document = self.inspected("a.npy")
        self.assertEqual((document["space"], document["units"], document["size"]), (None, None, None))
        self.assertEqual(document["shape"], [2, 4, 16, 16])
        self.assertEqual(document["fits"][0]["units"], "vae")
        shown = run("inspect", "a.npy", cwd=self.folder).stdout.decode()
        self.assertIn("not said; its numbers fit", shown)

    def test_packed_tokens_without_a_size(self) -> None:
        self.put("flux.safetensors", safetensors({"latents": f32([1, 24, 64], numbers(1536))}))
        document = self.inspected("flux.safetensors")
        self.assertEqual((document["layout"], document["shape"], len(document["channels"])), ("packed", None, 16))
        document = self.inspected("flux.safetensors", "--space", "flux", "--size", "96x64")
        self.assertEqual((document["shape"], document["size"]), ([1, 16, 8, 12], [96, 64]))

    def test_a_pipe(self) -> None:
        self.assertEqual(self.inspected("-", input=self.latent().read_bytes())["latent"], "standard input")

    def test_a_preview_without_colour_is_characters(self) -> None:
        self.latent(cells=(16, 24))
        lines = run("inspect", "a.safetensors", "--preview", cwd=self.folder).stdout.decode().splitlines()
        self.assertEqual([len(line) for line in lines[-8:]], [24] * 8)
        self.assertLessEqual(set("".join(lines[-8:])), set(" .:-=+*#%@"))

    def test_a_preview_on_a_terminal_is_coloured(self) -> None:
        self.latent(cells=(4, 6))
        for environment, coloured in (({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
            plain = {key: value for key, value in os.environ.items() if key != "NO_COLOR"}
            result, output = on_terminal("inspect", "a.safetensors", "--preview", cwd=self.folder, env=plain | environment)
            self.assertEqual(result.returncode, 0, result.stderr.decode())
            shown = output.decode()
            self.assertEqual("\x1b[38;2;" in shown and "\u2580" in shown, coloured)

    def test_previews_that_cannot_be(self) -> None:
        self.latent(lineage="nobody")
        self.refused(4, "inspect", "a.safetensors", "--preview", says=("no colours", "nobody"))
        self.npy("a.npy", (1, 4, 16, 16), numbers(1024))
        self.refused(2, "inspect", "a.npy", "--preview", says=("--space",))
        self.refused(2, "inspect", "a.safetensors", "--preview", "--json", says=("--json",))
        self.refused(2, "inspect", "tiny-sd15", "--preview", says=("--preview", "tiny-sd15"))

    def test_files_that_are_no_latents(self) -> None:
        self.refused(3, "inspect", "nothing.safetensors", says=("nothing.safetensors",))
        self.refused(3, "inspect", str(MODEL / "vae" / "diffusion_pytorch_model.safetensors"), says=("safetensors",))


class Speed(CheckTest):
    def test_libtorch_stays_shut(self) -> None:
        self.latent()
        for words in (("check", "a.safetensors", "tiny-sdxl"), ("inspect", "a.safetensors"), ("list", "routes")):
            self.assertNotIn("libtorch", self.opened(*words))

    @needs_release
    def test_milliseconds(self) -> None:
        self.latent(cells=(64, 64))
        start = min(self.seconds("--version") for _ in range(10))
        for words in (("check", "a.safetensors", "tiny-sdxl"), ("inspect", "a.safetensors")):
            self.assertLess(min(self.seconds(*words) for _ in range(10)), start + LIMIT, words)

    def seconds(self, *words: str) -> float:
        """Of a processor: what else the machine does is not counted."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        run(*words, cwd=self.folder)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


if __name__ == "__main__":
    main(__doc__)
