#!/usr/bin/env python3
"""Drives `lapis matrix`: the numbers of right, wrong and crossed decodes, the sheet, the page, and what is refused."""

from __future__ import annotations

import base64
import json
import unittest
from html.parser import HTMLParser

from support import WARM, LatentTest, main, needs_engine, psnr, read_png

FILES = ("matrix.png", "matrix.json", "matrix.html")
VOID = {"meta", "img", "br", "link", "input", "hr"}
FARTHEST_FORCED = 18  # dB; the bundled models have 9.9 and 11.9
NEAREST_CONVERTED = 30  # dB; the bundled models have 33.2 to 38.3


class Page(HTMLParser):
    """A page's pictures as bytes by their alternative text, its words, and what is wrong with its tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.pictures: dict[str, bytes] = {}
        self.words: list[str] = []
        self.faults: list[str] = []
        self.links: list[str] = []
        self.open: list[str] = []
        self.feed(html)
        self.close()
        self.faults += [f"<{tag}> stays open" for tag in self.open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        values = dict(attrs)
        if len(values) != len(attrs):
            self.faults.append(f"<{tag}> has an attribute twice")
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data", "action")]
        if tag == "img":
            kind, _, text = (values["src"] or "").partition(",")
            if kind != "data:image/png;base64":
                self.faults.append(f"a picture is {kind[:40]}")
            self.pictures[values["alt"] or ""] = base64.b64decode(text, validate=True)
        if tag in ("script", "iframe", "object"):
            self.faults.append(f"<{tag}>")

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.faults.append(f"</{tag}> closes nothing")

    def handle_data(self, data: str) -> None:
        self.words.append(data)


class PageReader(unittest.TestCase):
    def test_it_finds_faults(self) -> None:
        self.assertEqual(Page("<p>a<br>b</p>").faults, [])
        for html in ("<p><b></p></b>", "<p>", "</p>", '<img src="a.png" alt="">', "<script></script>"):
            with self.subTest(html=html):
                self.assertTrue(Page(html).faults)


@needs_engine
class Bundled(LatentTest):
    """One run on the bundled models, looked at from all sides."""

    made: dict[str, bytes] = {}

    def setUp(self) -> None:
        super().setUp()
        if not self.made:
            result = self.done("matrix", *WARM)
            self.assertEqual(result.stdout.decode().split(), [f"matrix/{name}" for name in FILES])
            Bundled.made = {name: self.bytes_of(f"matrix/{name}") for name in FILES} | {"stderr": result.stderr}
        self.report = json.loads(self.made["matrix.json"])
        self.page = Page(self.made["matrix.html"].decode())

    def generated(self, model: str) -> None:
        """The latent of a row, as `generate` writes it."""
        self.done("generate", self.report["prompt"], "-m", model, "-s", str(self.report["seed"]), *WARM, "--latent",
                  f"{model}.safetensors")

    def test_wrong_is_far_from_right_and_converted_is_near(self) -> None:
        cells = self.report["cells"]
        self.assertEqual([cell["right"] for cell in cells], [i % 4 == 0 for i in range(9)])
        self.assertEqual([latent["space"] for latent in self.report["latents"]],
                         ["sd15:tiny-sd15", "sdxl:tiny-sdxl", "flux:tiny-flux"])
        forced = 0
        for cell in cells:
            if cell["right"]:
                self.assertEqual((cell["forced"], cell["converted"], cell["refusal"]), (None, None, None))
                continue
            self.assertGreater(cell["converted"]["psnr"], NEAREST_CONVERTED, cell)
            self.assertGreater(cell["converted"]["ssim"], 0.9, cell)
            self.assertIn("re-encode", cell["route"])
            if cell["forced"]:
                forced += 1
                self.assertLess(cell["forced"]["psnr"], FARTHEST_FORCED, cell)
                self.assertLess(cell["forced"]["ssim"], 0.75, cell)
        self.assertEqual(forced, 2)
        self.assertGreaterEqual(NEAREST_CONVERTED - FARTHEST_FORCED, 8)

    def test_other_counts_of_channels_cannot_be_forced(self) -> None:
        refused = {(cell["latent"], cell["decoder"]): cell["refusal"] for cell in self.report["cells"] if cell["refusal"]}
        up = "cannot be decoded: 4 channels into a decoder of 16"
        down = "cannot be decoded: 16 channels into a decoder of 4"
        self.assertEqual(refused, {("tiny-sd15", "tiny-flux"): up, ("tiny-sdxl", "tiny-flux"): up,
                                   ("tiny-flux", "tiny-sd15"): down, ("tiny-flux", "tiny-sdxl"): down})
        for text in (up, down):
            self.assertEqual(sum(text in words for words in self.page.words), 4)

    def test_pictures_are_those_of_the_other_commands(self) -> None:
        self.generated("tiny-sd15")
        self.done("decode", "tiny-sd15.safetensors", *WARM, "-o", "right.png")
        self.done("decode", "tiny-sd15.safetensors", "-m", "tiny-sdxl", "--force", *WARM, "-o", "forced.png")
        line = self.line("convert", "tiny-sd15.safetensors", "--to", "tiny-sdxl", *WARM, "-o", "b.safetensors")
        self.done("decode", "b.safetensors", *WARM, "-o", "converted.png")
        what = "tiny-sd15 through the decoder of tiny-sd"
        shown = {"right": what + "15", "forced": what + "xl, forced", "converted": what + "xl, converted"}
        for name, alternative in shown.items():
            with self.subTest(name=name):
                self.assertEqual(read_png(self.page.pictures[alternative]), read_png(self.bytes_of(f"{name}.png")))
        cell = self.report["cells"][1]
        self.assertEqual(cell["converted"]["psnr"], line["psnr"])
        for name in ("forced", "converted"):
            self.assertAlmostEqual(cell[name]["psnr"], psnr(self.bytes_of(f"{name}.png"), self.bytes_of("right.png")),
                                   delta=0.006)

    def test_the_diagonal_is_what_decode_gives(self) -> None:
        for model in ("tiny-sdxl", "tiny-flux"):
            with self.subTest(model=model):
                self.generated(model)
                self.done("decode", f"{model}.safetensors", *WARM, "-o", f"{model}.png")
                self.assertEqual(read_png(self.page.pictures[f"{model} through the decoder of {model}"]),
                                 read_png(self.bytes_of(f"{model}.png")))

    def test_the_page_is_whole_and_asks_for_nothing(self) -> None:
        html = self.made["matrix.html"].decode()
        self.assertTrue(html.startswith("<!doctype html>"))
        self.assertEqual(self.page.faults, [])
        self.assertEqual(len(self.page.pictures), 3 + 2 + 6)
        self.assertTrue(all(link.startswith("data:") for link in self.page.links))
        for word in ("http:", "https:", "@import", "url("):
            self.assertNotIn(word, html)
        text = " ".join(self.page.words)
        for said in ("lapis matrix", f"lapis {self.report['version']}", self.report["prompt"], "sd15:tiny-sd15"):
            self.assertIn(said, text)
        for cell in self.report["cells"]:
            for kind in ("forced", "converted"):
                if cell[kind]:
                    near = [f"SSIM {cell[kind]['ssim'] + error:.3f}" for error in (-0.0001, 0, 0.0001)]
                    self.assertTrue(any(number in text for number in near), cell)
        self.assertLess(len(html), 600_000)

    def test_the_sheet_is_as_large_as_it_says_and_holds_the_pictures(self) -> None:
        width, height, pixels = read_png(self.made["matrix.png"])
        self.assertEqual(len(pixels), 3 * width * height)
        rows = [pixels[3 * width * y:3 * width * (y + 1)] for y in range(height)]
        for name, png in self.page.pictures.items():
            side, tall, picture = read_png(png)
            with self.subTest(name=name):
                first = picture[:3 * side]
                self.assertTrue(any(first in row for row in rows))
                last = picture[3 * side * (tall - 1):]
                self.assertTrue(any(last in row for row in rows))
        self.assertLess(len(self.made["matrix.png"]), 0.42 * width * height)

    def test_every_crossing_is_announced(self) -> None:
        lines = self.made["stderr"].decode().splitlines()
        self.assertEqual(sum(" -> " in line and "PSNR" in line for line in lines), 6)
        self.assertEqual(sum("rendered" in line for line in lines), 3)


@needs_engine
class Files(LatentTest):
    """Latents that lie there already, small ones."""

    def setUp(self) -> None:
        super().setUp()
        self.latent("a.safetensors", batch=2)
        self.latent("b.safetensors", "sdxl", "tiny-sdxl", cells=(6, 9))

    def test_latents_stand_for_themselves(self) -> None:
        result = self.done("matrix", "a.safetensors", "b.safetensors", *WARM, "-o", "out/", "--json")
        report = json.loads(result.stdout)
        self.assertEqual(report, json.loads(self.bytes_of("out/matrix.json")))
        self.assertEqual([latent["latent"] for latent in report["latents"]], ["a.safetensors", "b.safetensors"])
        self.assertEqual([latent["size"] for latent in report["latents"]], [[64, 64], [72, 48]])
        self.assertEqual([latent["rendered"] for latent in report["latents"]], [False, False])
        self.assertEqual((report["prompt"], report["seed"]), (None, None))
        self.assertEqual(report["command"], "lapis matrix a.safetensors b.safetensors -t 1")
        self.assertIn("a.safetensors: the first of 2 pictures", result.stderr.decode())
        self.done("decode", "a.safetensors", *WARM)
        page = Page(self.bytes_of("out/matrix.html").decode())
        self.assertEqual(read_png(page.pictures["a.safetensors through the decoder of tiny-sd15"]),
                         read_png(self.bytes_of("a-0.png")))

    def test_a_file_and_a_model(self) -> None:
        report = self.line("matrix", "a.safetensors", "tiny-sdxl", "-p", "a <b>lake</b>", "-s", "3", *WARM)
        self.assertEqual([latent["rendered"] for latent in report["latents"]], [False, True])
        self.assertEqual((report["prompt"], report["seed"]), ("a <b>lake</b>", 3))
        self.assertEqual(report["command"], "lapis matrix a.safetensors tiny-sdxl -p 'a <b>lake</b>' -s 3 -t 1")
        page = Page(self.bytes_of("matrix/matrix.html").decode())
        self.assertEqual(page.faults, [])
        self.assertIn("a <b>lake</b>", page.words)

    def test_the_same_again_is_the_same(self) -> None:
        words = ("matrix", "a.safetensors", "b.safetensors", *WARM)
        self.done(*words)
        first = [self.bytes_of(f"matrix/{name}") for name in FILES]
        self.refused(8, *words, says=("matrix/matrix.png", "--overwrite"))
        self.done(*words, "--overwrite")
        self.assertEqual([self.bytes_of(f"matrix/{name}") for name in FILES], first)


class Refused(LatentTest):
    def setUp(self) -> None:
        super().setUp()
        self.latent("a.safetensors")
        self.latent("b.safetensors", "sdxl", "tiny-sdxl")

    def test_counts(self) -> None:
        self.refused(2, "matrix", "a.safetensors", says=("2 to 6", "here is 1"))
        self.refused(2, "matrix", *["a.safetensors"] * 7, says=("2 to 6", "are 7"))

    def test_two_of_one_space(self) -> None:
        self.refused(2, "matrix", "a.safetensors", "tiny-sd15", says=("a.safetensors and tiny-sd15", "sd15:tiny-sd15"))

    def test_files_that_are_there(self) -> None:
        (self.folder / "matrix").mkdir()
        for name in FILES:
            with self.subTest(name=name):
                (self.folder / "matrix" / name).write_text("mine")
                self.refused(8, "matrix", "a.safetensors", "b.safetensors", says=(f"matrix/{name}", "--overwrite"))
                (self.folder / "matrix" / name).unlink()

    def test_folders_that_cannot_be(self) -> None:
        (self.folder / "file").write_text("mine")
        self.refused(8, "matrix", "a.safetensors", "b.safetensors", "-o", "nowhere/out", says=("nowhere",))
        self.refused(8, "matrix", "a.safetensors", "b.safetensors", "-o", "file", says=("file",))
        self.refused(2, "matrix", "a.safetensors", "b.safetensors", "-o", "", says=("-o",))
        for name in ("-", "/dev/stdout"):
            self.refused(2, "matrix", "a.safetensors", "b.safetensors", "-o", name, says=(f"-o {name}", "Name a folder"))

    def test_words_that_are_no_latents(self) -> None:
        self.ppm("a.ppm", 64, 64)
        (self.folder / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
        self.refused(3, "matrix", "a.safetensors", "a.ppm", says=("a.ppm", "picture"))
        self.refused(3, "matrix", "a.png", "b.safetensors", says=("a.png", "picture"))
        self.refused(3, "matrix", "a.safetensors", "nothing.safetensors", says=("nothing.safetensors",))
        self.refused(2, "matrix", "a.safetensors", "tiny-sdlx", says=('Did you mean "tiny-sdxl"?',))

    def test_latents_that_cannot_cross(self) -> None:
        self.latent("u.safetensors", sigma="2.5", path="variance_exploding", step="3", draws="0")
        self.refused(4, "matrix", "u.safetensors", "b.safetensors", says=("u.safetensors is partially denoised", "2.5"))
        self.latent("c.safetensors", lineage="elsewhere")
        self.refused(4, "matrix", "c.safetensors", "b.safetensors", says=("sd15:elsewhere", "no known model"))
        self.done("convert", "a.safetensors", "--format", "diffusers", "-o", "d.safetensors")
        self.refused(2, "matrix", "d.safetensors", "b.safetensors", says=("d.safetensors", "lapis convert", "--space"))

    def test_a_prompt_that_nothing_reads(self) -> None:
        for words in (("-p", "a lake"), ("-s", "3")):
            self.refused(2, "matrix", "a.safetensors", "b.safetensors", *words, says=("only latents", "-p"))
        self.refused(2, "matrix", "a.safetensors", "b.safetensors", "--vae-dtype", "fp23", says=("--vae-dtype",))


if __name__ == "__main__":
    main(__doc__)
