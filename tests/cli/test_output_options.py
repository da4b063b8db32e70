#!/usr/bin/env python3
"""What the options of outputs do, which are the same in every command: --json, --overwrite, --skip-existing."""

from __future__ import annotations

import json
import shutil

from support import MODEL, QUICK, WARM, CliTest, HomeTest, LatentTest, main, needs_engine, on_terminal, run

DRAW = ("generate", "a lake", "-m", "tiny-sd15", *QUICK, "-s", "5")


def lines(output: bytes) -> list[dict]:
    """JSON lines."""
    return [json.loads(line) for line in output.splitlines()]


class SameEverywhere(LatentTest):
    def commands(self) -> dict[str, tuple[str, ...]]:
        """A line of each command that writes files."""
        self.ppm("p.ppm", 64, 64)
        self.latent()
        return {"generate": ("generate", "a lake"), "refine": ("refine", "a.safetensors", "-p", "a lake"),
                "encode": ("encode", "p.ppm", "-m", "tiny-sd15"), "decode": ("decode", "a.safetensors"),
                "convert": ("convert", "a.safetensors", "--dtype", "f16"), "matrix": ("matrix",),
                "import": ("import", str(MODEL))}

    def test_every_command_has_them(self) -> None:
        wanted = {"generate": "device threads", "refine": "device threads", "encode": "device threads",
                  "decode": "device threads", "convert": "device threads", "matrix": "device threads", "compare": "",
                  "import": ""}
        texts = set()
        for command, others in wanted.items():
            page = run(command, "--help").stdout.decode()
            output = page[page.index("\nOutput:"):]
            for option in ("--overwrite", "--skip-existing", "--json", "--quiet"):
                self.assertIn(option, output, command)
            for option in others.split():
                self.assertIn(f"--{option}", page, command)
            texts.add("".join(line for line in output.splitlines(keepends=True) if "--overwrite" in line or "--skip" in line))
        self.assertEqual(len(texts), 1, texts)
        for command in ("inspect", "check", "list"):
            page = run(command, "--help").stdout.decode()
            self.assertIn("--json", page[page.index("\nOutput:"):])

    def test_what_is_there_is_replaced_or_stays(self) -> None:
        for command, line in self.commands().items():
            with self.subTest(command=command):
                self.refused(2, *line, "--overwrite", "--skip-existing", says=("--overwrite", "--skip-existing"))

    def test_standard_output_is_no_file(self) -> None:
        for command, line in self.commands().items():
            if command in ("matrix", "import"):
                continue
            with self.subTest(command=command):
                self.refused(2, *line, "-o", "-", "--skip-existing", says=("--skip-existing", "-o -"))
        self.refused(2, "generate", "a lake", "--latent", "-", "--skip-existing", says=("--skip-existing", "--latent -"))

    def test_standard_output_has_another_name(self) -> None:
        for command, line in self.commands().items():
            if command in ("matrix", "import"):
                continue
            with self.subTest(command=command):
                self.refused(2, *line, "-o", "/dev/stdout", "--json", says=("--json and -o -",))
        self.refused(2, "generate", "a lake", "--latent", "/dev/stdout", "--json", says=("--json and --latent -",))
        self.assertEqual(self.output("convert", "a.safetensors", "--dtype", "f16", "-o", "/dev/stdout"),
                         self.output("convert", "a.safetensors", "--dtype", "f16", "-o", "-"))

    def test_a_model_in_use_is_no_output(self) -> None:
        self.commands()
        model = self.folder / "m"
        shutil.copytree(MODEL, model)
        (self.folder / "linked.safetensors").symlink_to(model / "vae/diffusion_pytorch_model.safetensors")
        before = {path: path.read_bytes() for path in model.rglob("*") if path.is_file()}
        weights = "m/unet/diffusion_pytorch_model.safetensors"
        (self.folder / "m.png").symlink_to(model / "model.json")
        job = {"command": "encode", "images": "p.ppm", "model": "./m", "output": weights, "overwrite": True}
        (self.folder / "jobs.jsonl").write_text(json.dumps(job) + "\n")
        for code, line in ((2, ("generate", "a lake", "-m", "./m", "--latent", weights)),
                           (2, ("refine", "a.safetensors", "-p", "a lake", "-m", "./m", "--latent", weights)),
                           (2, ("encode", "p.ppm", "-m", "./m", "-o", "linked.safetensors")),
                           (2, ("decode", "a.safetensors", "-m", "./m", "-o", "m.png")),
                           (2, ("convert", "a.safetensors", "--to", "./m", "-o", weights)),
                           (9, ("batch", "jobs.jsonl", "--dry-run", "-q"))):
            with self.subTest(line=line[0]):
                self.refused(code, *line, "--overwrite", says=("is a file of model tiny-sd15, which is in use",))
        self.assertEqual(before, {path: path.read_bytes() for path in before})


class Pictures(CliTest):
    def test_one_that_is_there_stays_and_no_engine_opens(self) -> None:
        self.put("a.png", b"mine")
        self.assertNotIn("liblapis_engine", self.opened(*DRAW, "-o", "a.png", "--skip-existing"))
        result = self.done(*DRAW, "-o", "a.png", "--skip-existing")
        self.assertEqual((result.stdout, result.stderr), (b"", b"a.png is there already: skipped\n"))
        quiet = self.done(*DRAW, "-o", "a.png", "--skip-existing", "-q")
        self.assertEqual((quiet.stdout, quiet.stderr), (b"", b""))
        line = self.line(*DRAW, "-o", "a.png", "--skip-existing")
        self.assertEqual((line["path"], line["skipped"], line["index"]), ("a.png", True, 0))
        self.assertEqual(self.bytes_of("a.png"), b"mine")

    def test_what_makes_no_sense_is_refused_all_the_same(self) -> None:
        self.put("a.png", b"mine")
        self.refused(2, *DRAW, "-o", "a.png", "--skip-existing", "--sampler", "eular", says=("euler",))
        (self.folder / "b.png").mkdir()
        self.refused(8, *DRAW, "-o", "b.png", "--skip-existing", says=("b.png",))

    @needs_engine
    def test_a_dry_run_says_it(self) -> None:
        self.put("a-1.png", b"mine")
        words = (*DRAW, "-b", "3", "-o", "a.png", "--skip-existing", "--dry-run")
        said = self.output(*words).decode().splitlines()
        self.assertEqual(said[0], "a-1.png is there already: it would be skipped")
        self.assertIn("2 pictures", said[1])
        self.assertEqual(self.line(*words)["skipped"], ["a-1.png"])
        self.assertNotIn("skipped", self.line(*DRAW, "--dry-run"))
        self.put("b.png", b"mine")
        self.assertEqual(self.output(*DRAW, "-o", "b.png", "--skip-existing", "--dry-run"),
                         b"b.png is there already: it would be skipped\n")

    @needs_engine
    def test_of_a_batch_the_missing_ones_are_drawn_with_the_same_bytes(self) -> None:
        batch = (*DRAW, "-b", "3", "-o", "a.png")
        for others in ((), ("-i", "p.ppm", "--strength", "0.5"), ("--then", "tiny-sdxl:0.5")):
            with self.subTest(others=others):
                self.ppm("p.ppm", 64, 64)
                self.done(*batch, *others, "--overwrite")
                drawn = self.bytes_of("a-1.png")
                (self.folder / "a-1.png").unlink()
                self.put("a-2.png", b"mine")
                made = lines(self.output(*batch, *others, "--skip-existing", "--json"))
                self.assertEqual([(line["index"], line.get("skipped", False)) for line in made],
                                 [(0, True), (2, True), (1, False)])
                self.assertEqual(self.bytes_of("a-1.png"), drawn)
                self.assertEqual(self.bytes_of("a-2.png"), b"mine")
                self.assertEqual(made[-1]["seed"], 6)

    @needs_engine
    def test_steps_are_those_of_the_missing_ones(self) -> None:
        self.put("a-0.png", b"mine")
        _, shown = on_terminal(*DRAW, "-b", "2", "-o", "a.png", "--skip-existing", streams=("stderr",), columns=80,
                               cwd=self.folder)
        self.assertIn(b"2/2", shown)
        self.assertNotIn(b"/4", shown)

    @needs_engine
    def test_latents_are_those_of_all_pictures(self) -> None:
        words = (*DRAW, "-b", "2", "-o", "a.png", "--latent", "a.safetensors")
        self.done(*words)
        latents = self.bytes_of("a.safetensors")
        (self.folder / "a-0.png").unlink()
        self.assertEqual(self.output(*words, "--skip-existing"), b"a-0.png\n")
        (self.folder / "a.safetensors").unlink()
        self.put("a-0.png", b"mine")
        made = lines(self.output(*words, "--skip-existing", "--json"))
        self.assertEqual([(line["path"], line.get("skipped", False)) for line in made],
                         [("a-0.png", True), ("a-1.png", True), ("a.safetensors", False)])
        self.assertEqual((self.bytes_of("a.safetensors"), self.bytes_of("a-0.png")), (latents, b"mine"))
        (self.folder / "a.safetensors").unlink()
        self.assertEqual(self.output(*words, "--skip-existing"), b"a.safetensors\n")
        alone = self.line(*DRAW, "--latent", "a.safetensors", "--skip-existing")
        self.assertEqual((alone["path"], alone["skipped"]), ("a.safetensors", True))
        self.assertNotIn("index", alone)


class Latents(LatentTest):
    @needs_engine
    def test_encode(self) -> None:
        for name, side in (("a", 64), ("b", 72), ("c", 80)):
            self.ppm(f"{name}.ppm", side, side)
        words = ("encode", "a.ppm", "b.ppm", "c.ppm", "-m", "tiny-sd15", "-s", "4", "-o", "{name}-{index}.safetensors", *WARM)
        self.done(*words)
        made = self.bytes_of("b-1.safetensors")
        (self.folder / "b-1.safetensors").unlink()
        again = lines(self.output(*words, "--skip-existing", "--json"))
        self.assertEqual([(line["path"], line.get("skipped", False)) for line in again],
                         [("a-0.safetensors", True), ("c-2.safetensors", True), ("b-1.safetensors", False)])
        self.assertEqual(self.bytes_of("b-1.safetensors"), made)
        self.assertEqual(self.output(*words, "--skip-existing"), b"")
        self.put("one.safetensors", b"mine")
        self.assertEqual(self.line("encode", "a.ppm", "-m", "tiny-sd15", "-o", "one.safetensors", "--skip-existing")["skipped"],
                         True)

    @needs_engine
    def test_decode(self) -> None:
        self.latent(batch=3)
        for way in ((), ("--preview",)):
            with self.subTest(way=way):
                words = ("decode", "a.safetensors", *way, *WARM)
                self.done(*words, "--overwrite")
                drawn = self.bytes_of("a-1.png")
                (self.folder / "a-1.png").unlink()
                again = lines(self.output(*words, "--skip-existing", "--json"))
                self.assertEqual([(line["index"], line.get("skipped", False)) for line in again],
                                 [(0, True), (2, True), (1, False)])
                self.assertEqual(self.bytes_of("a-1.png"), drawn)
                self.assertEqual(self.output(*words, "--skip-existing"), b"")

    def test_convert(self) -> None:
        self.latent()
        words = ("convert", "a.safetensors", "--dtype", "f16", "-o", "b.safetensors")
        self.put("b.safetensors", b"mine")
        self.assertEqual(self.done(*words, "--skip-existing").stderr, b"b.safetensors is there already: skipped\n")
        self.assertEqual(self.line(*words, "--skip-existing")["skipped"], True)
        self.assertEqual(self.output(*words, "--skip-existing", "--dry-run"),
                         b"b.safetensors is there already: it would be skipped\n")
        self.assertEqual(self.bytes_of("b.safetensors"), b"mine")
        (self.folder / "b.safetensors").unlink()
        self.assertEqual(self.output(*words, "--skip-existing"), b"b.safetensors\n")

    @needs_engine
    def test_matrix(self) -> None:
        self.latent("a.safetensors")
        self.latent("b.safetensors", "sdxl")
        words = ("matrix", "a.safetensors", "b.safetensors", "-o", "m", *WARM)
        self.done(*words)
        (self.folder / "m" / "matrix.html").unlink()
        self.put("m/matrix.png", b"mine")
        self.assertEqual(self.output(*words, "--skip-existing"), b"m/matrix.html\n")
        self.assertEqual(self.bytes_of("m/matrix.png"), b"mine")
        skipped = lines(self.output(*words, "--skip-existing", "--json"))
        self.assertEqual([(line["path"], line["skipped"]) for line in skipped],
                         [(f"m/matrix.{ending}", True) for ending in ("png", "json", "html")])


class Models(HomeTest):
    def test_import(self) -> None:
        words = ("import", str(MODEL), "--name", "mine", "--skip-existing")
        place = self.home / "lapis" / "models" / "mine"
        self.assertEqual(self.output(*words).decode(), f"{place}\n")
        before = (place / "model.json").stat().st_mtime_ns
        self.assertEqual(self.done(*words).stderr.decode(), f"{place} is there already: skipped\n")
        self.assertEqual(self.line(*words)["skipped"], True)
        self.assertIn(b"would be skipped", self.output(*words, "--dry-run"))
        self.assertEqual((place / "model.json").stat().st_mtime_ns, before)
        self.assertEqual(self.done("import", str(MODEL), "-o", str(place), "--skip-existing").stdout, b"")
        made = self.line("import", str(MODEL), "-o", "here", "--skip-existing")
        self.assertEqual(self.line("import", str(MODEL), "-o", "here", "--skip-existing")["path"], made["path"])

    def test_a_folder_that_is_no_model_is_in_the_way(self) -> None:
        (self.folder / "mine").mkdir()
        self.refused(8, "import", str(MODEL), "-o", "mine", "--skip-existing", says=("mine",))


if __name__ == "__main__":
    main(__doc__)
