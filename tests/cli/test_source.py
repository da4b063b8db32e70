#!/usr/bin/env python3
"""Drives the real program from pictures: what it takes, what it refuses, what it says."""

from __future__ import annotations

import hashlib
import json
import struct
import subprocess
import sys
import time
from pathlib import Path

from support import DATA, QUICK, ROOT, CliTest, build, main, needs_engine, on_terminal, png, program, run

sys.path.insert(0, str(ROOT / "tests" / "fuzz"))

import mutate_pictures  # noqa: E402

PICTURES = DATA / "pictures"
FROM = ("generate", "a lake", "-i", "a.ppm")


class SourceTest(CliTest):
    def mask(self, name: str, width: int, height: int, white) -> Path:
        """A mask that is white where white(x, y)."""
        pixels = bytes(255 if white(x, y) else 0 for y in range(height) for x in range(width))
        return self.put(name, b"P5 %d %d 255\n" % (width, height) + pixels)


class Refused(SourceTest):
    def setUp(self) -> None:
        super().setUp()
        self.ppm("a.ppm", 100, 80)

    def test_options_of_a_picture_that_is_not_there(self) -> None:
        for words in (("--strength", "0.5"), ("--fit", "crop"), ("--mask", "a.ppm"), ("--mask-paste", "off")):
            self.refused(2, "generate", "a lake", *words, says=(words[0], "--image"))
        self.refused(2, *FROM, "--mask-paste", "off", says=("--mask-paste", "give it with --mask"))
        self.refused(2, "generate", "a lake", "--hires-strength", "0.5", says=("--hires-strength", "--hires"))

    def test_numbers_and_names(self) -> None:
        self.refused(2, *FROM, "--strength", "1.5", says=("--strength is 1.5", "0 to 1"))
        self.refused(2, *FROM, "--strength", "0", says=("leaves the picture as it is",))
        self.refused(2, *FROM, "--strength", "0.04", "--steps", "20", says=("no step to do", "0.05"))
        self.refused(2, *FROM, "--fit", "croop", says=('Did you mean "crop"?',))
        self.refused(2, "generate", "a lake", "--hires", "9", says=("--hires is 9", "1 to 8"))
        self.refused(2, "generate", "a lake", "--hires", "1.01", "-W", "64", "-H", "64", says=("enlarges nothing",))
        self.refused(2, "generate", "a lake", "--hires", "8", "-W", "4096", "-H", "64", says=("32768", "16384"))
        self.refused(2, "generate", "a lake", "--vae-tiling", "offf", says=('Did you mean "off"?',))

    def test_sizes(self) -> None:
        self.ppm("small.ppm", 100, 40)
        self.refused(2, "generate", "a lake", "-i", "small.ppm", says=("100 x 40", "-W", "-H"))
        self.ppm("large.ppm", 2800, 1400)
        self.refused(2, "generate", "a lake", "-i", "large.ppm", says=("2800 x 1400", "-W", "2800"))

    def test_files_that_are_no_pictures(self) -> None:
        self.refused(3, "generate", "a lake", "-i", "nothing.png", says=("nothing.png", "does not exist"))
        self.refused(3, "generate", "a lake", "-i", str(PICTURES / "no.webp"), says=("no.webp", "WebP", "JPEG"))
        (self.folder / "cut.png").write_bytes((PICTURES / "rgb.png").read_bytes()[:60])
        self.refused(3, "generate", "a lake", "-W", "64", "-H", "64", "-i", "cut.png", says=("cut.png", "cut short"))
        (self.folder / "huge.ppm").write_bytes(b"P6 30000 30000 255\n")
        self.refused(3, "generate", "a lake", "-i", "huge.ppm", says=("30000 x 30000", "at most 600 MB"))
        self.refused(3, "generate", "a lake", "-i", "-", input=b"no picture", says=("standard input", "no pictu"))
        self.refused(3, "generate", "a lake", "-i", "-", input=b"", says=("standard input", "empty"))

    def test_a_picture_is_not_typed(self) -> None:
        result, _ = on_terminal("generate", "a lake", "-i", "-", streams=("stdin",))
        self.assertEqual(result.returncode, 2)

    def test_masks(self) -> None:
        self.mask("other.pgm", 90, 80, lambda x, y: True)
        self.refused(3, *FROM, "--mask", "other.pgm", says=("90 x 80", "100 x 80", "other.pgm"))
        self.mask("black.pgm", 100, 80, lambda x, y: False)
        self.refused(3, *FROM, "--mask", "black.pgm", says=("black.pgm", "all black", "White marks"))
        self.mask("thin.pgm", 100, 80, lambda x, y: x == 52)
        self.refused(3, *FROM, "-W", "96", "-H", "80", "--mask", "thin.pgm", says=("thin.pgm", "too thin"))
        self.mask("good.pgm", 100, 80, lambda x, y: x < 50)
        self.refused(2, *FROM, "--mask", "good.pgm", "--hires", "2", says=("--hires", "--mask"))
        for words in (("generate", "a lake", "-i", "-", "--mask", "-"), ("generate", "-p", "-", "-i", "a.ppm", "--mask", "-"),
                      ("refine", "-", "-p", "-"), ("refine", "-p", "@-", "-"), ("refine", "-", "-p", "a lake", "--mask", "-"),
                      ("generate", "-p", "-", "-n", "-")):
            with self.subTest(words=words):
                self.refused(2, *words, input=b"a lake", says=("both want standard input",))
        self.refused(3, *FROM, "--mask", "-", input=b"no picture", says=("standard input", "no picture"))


def with_exif(jpeg: bytes, comment: bytes) -> bytes:
    """A JPEG whose Exif data hold a comment, as the web UI writes its settings."""
    tiff = (b"MM\0*\0\0\0\x08" + struct.pack(">HHHIII", 1, 0x8769, 4, 1, 26, 0)
            + struct.pack(">HHHIII", 1, 0x9286, 7, len(comment), 44, 0) + comment)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(tiff) + 8) + b"Exif\0\0" + tiff + jpeg[2:]


class Inspected(SourceTest):
    def test_settings_in_a_jpeg(self) -> None:
        jpeg = (PICTURES / "smooth.jpg").read_bytes()
        settings = "a red höuse\nSteps: 20, Sampler: Euler a"
        (self.folder / "a.jpg").write_bytes(with_exif(jpeg, b"UNICODE\0" + settings.encode("utf-16-be")))
        said = run("inspect", "a.jpg", cwd=self.folder).stdout.decode()
        indented = settings.replace("\n", "\n  ")
        self.assertEqual(said, f"a.jpg: JPEG, 40x24, 8 bit\n\n[parameters]\n  {indented}\n")
        texts = json.loads(run("inspect", "a.jpg", "--json", cwd=self.folder).stdout)["texts"]
        self.assertEqual(texts, {"parameters": settings})

    def test_a_picture_without_settings_says_so(self) -> None:
        for name in ("smooth.jpg", "rgb.bmp", "grey.gif", "rgb.ppm"):
            result = run("inspect", str(PICTURES / name))
            self.assertEqual(result.returncode, 0, name)
            self.assertIn("no settings in it", result.stderr.decode())
        self.refused(3, "inspect", str(PICTURES / "no.webp"), says=("WebP",))


class Strangers(SourceTest):
    def test_a_small_file_that_unfolds_to_gigabytes_is_refused_from_its_header(self) -> None:
        size = struct.pack("<HH", 13000, 13000)
        gif = b"GIF89a" + size + b"\x80\0\0" + bytes(6) + b",\0\0\0\0" + size + b"\0\2\1\x04\0;"
        bombs = {"a.gif": gif, "a.png": png(pixels=b"", width=13000, height=13000, bits=16, colour=6), "a.pam": b"P7\nWIDTH 60000\nHEIGHT 60000\nDEPTH 4\n"
                 b"MAXVAL 255\nENDHDR\n", "a.pbm": b"P4 60000 60000\n"}
        for name, content in bombs.items():
            (self.folder / name).write_bytes(content)
            before = time.monotonic()
            self.refused(3, "encode", name, "-m", "tiny-sd15", "-W", "64", "-H", "64", says=(name, "at most 600 MB"))
            self.assertLess(time.monotonic() - before, 10)

    def test_mutated_jpegs_are_read_or_refused(self) -> None:
        wrong, codes = mutate_pictures.failures(build(), ["jpeg"], 100)
        self.assertEqual(wrong, [])
        self.assertGreater(min(codes[mutate_pictures.REFUSED], codes[mutate_pictures.NO_ENGINE]), 5)

    def test_other_mutated_pictures_are_read_or_refused(self) -> None:
        wrong, codes = mutate_pictures.failures(build(), ["png", "gif", "bmp", "tga", "pnm", "pam"], 60)
        self.assertEqual(wrong, [])
        self.assertGreater(min(codes[mutate_pictures.REFUSED], codes[mutate_pictures.NO_ENGINE]), 5)


@needs_engine
class Pictures(SourceTest):
    def test_a_picture_gives_size_digest_and_notes(self) -> None:
        source = self.ppm("a.ppm", 100, 80)
        line, = self.render("a lake", "-i", "a.ppm", "--steps", "2", "--strength", "0.5", "-t", "1", "-o", "a.png")
        self.assertEqual((line["width"], line["height"], line["size"]), (96, 80, [96, 80]))
        self.assertEqual(line["image"], "sha256:" + hashlib.sha256(source.read_bytes()).hexdigest())
        self.assertEqual(line["notes"], ["a.ppm is 100 x 80 pixels: scaled to 96 x 80"])
        self.assertGreater(line["timings"]["vae_encoder"], 0)
        texts = self.texts("a.png")
        self.assertIn("Denoising strength: 0.5", texts["parameters"])
        self.assertNotIn("a.ppm", texts["parameters"] + json.dumps(texts["lapis"]))
        self.assertEqual(texts["lapis"]["job"]["strength"], 0.5)

    def test_a_pipe_is_a_file(self) -> None:
        source = self.ppm("a.ppm", 64, 64)
        file, = self.render("a lake", "-i", "a.ppm", *QUICK, "-s", "1", "-o", "a.png")
        pipe, = self.render("a lake", "-i", "-", *QUICK, "-s", "1", "-o", "b.png", input=source.read_bytes())
        self.assertEqual(file["sha256"], pipe["sha256"])
        self.mask("m.pgm", 64, 64, lambda x, y: x < 32)
        words = ("a lake", *QUICK, "-s", "1", "--strength", "1")
        plain, = self.render(*words, "-i", "a.ppm", "--mask", "m.pgm", "-o", "c.png")
        mask, = self.render(*words, "-i", "a.ppm", "--mask", "-", "-o", "d.png", input=(self.folder / "m.pgm").read_bytes())
        self.assertEqual(plain["sha256"], mask["sha256"])
        line = f"{program()} generate 'a lake' {' '.join(QUICK)} -s 1 --strength 1 -i <(cat a.ppm) --mask <(cat m.pgm) -o e.png --json"
        result = subprocess.run(["bash", "-c", line], cwd=self.folder, capture_output=True, timeout=60)
        self.assertEqual(json.loads(result.stdout)["sha256"], plain["sha256"])

    def test_exif_alpha_and_shape_are_said(self) -> None:
        line, = self.render("a lake", "-i", str(PICTURES / "turned.jpg"), "-W", "64", *QUICK[:2], "-t", "1", "-o", "a.png")
        self.assertEqual(line["size"], [64, 104])  # 24 x 40 as it is to be seen
        self.assertIn("turned by 90 degrees clockwise", line["notes"][0])
        line, = self.render("a lake", "-i", str(PICTURES / "rgba.png"), *QUICK, "-o", "b.png")
        self.assertIn("laid over white", line["notes"][0])
        self.assertIn("stretched", line["notes"][1])

    def test_pixels_outside_a_mask_stay(self) -> None:
        self.render("a lake", *QUICK, "-s", "1", "-o", "a.png")
        self.mask("left.pgm", 64, 64, lambda x, y: x < 32)
        self.mask("all.pgm", 64, 64, lambda x, y: True)
        words = ("a lake", "-i", "a.png", *QUICK, "-s", "2")
        free, = self.render(*words, "--mask", "left.pgm", "--mask-paste", "off", "-o", "b.png")
        kept, = self.render(*words, "--mask", "left.pgm", "-o", "c.png")
        plain, = self.render(*words, "-o", "d.png")
        whole, = self.render(*words, "--mask", "all.pgm", "-o", "e.png")
        self.assertEqual(len({free["sha256"], kept["sha256"], plain["sha256"]}), 3)
        self.assertEqual(kept["mask"], "sha256:" + hashlib.sha256((self.folder / "left.pgm").read_bytes()).hexdigest())
        same = [self.render("a lake", "-i", name, *QUICK, "-s", "3", "-o", f"x-{name}", "--latent", f"{name}.safetensors",
                            "--overwrite") for name in ("d.png", "e.png")]
        self.assertEqual(self.values("d.png.safetensors"), self.values("e.png.safetensors"), (plain, whole, same))

    def test_a_second_pass(self) -> None:
        line, = self.render("a lake", *QUICK, "-s", "1", "--hires", "1.5", "-o", "a.png")
        self.assertEqual((line["width"], line["size"], line["hires"], line["hires_steps"]), (64, [96, 96], 1.5, 2))
        texts = json.loads(run("inspect", "a.png", "--json", cwd=self.folder).stdout)
        self.assertEqual(texts["width"], 96)
        self.assertIn("Hires upscale: 1.5, Hires steps: 2, ", texts["texts"]["parameters"])
        self.assertIn("Denoising strength: 0.5, ", texts["texts"]["parameters"])

    def test_tiles_give_nearly_the_same(self) -> None:
        words = ("a lake", "-W", "640", "-H", "64", "--steps", "1", "-t", "1", "-s", "1")
        whole, = self.render(*words, "--vae-tiling", "off", "-o", "a.png", "--latent", "a.safetensors")
        tiled, = self.render(*words, "--vae-tiling", "on", "-o", "b.png", "--latent", "b.safetensors")
        auto, = self.render(*words, "-o", "c.png")
        self.assertEqual(self.values("a.safetensors"), self.values("b.safetensors"))
        self.assertNotEqual(whole["sha256"], tiled["sha256"])
        self.assertNotEqual(whole["sha256"], auto["sha256"])  # its settings differ, not its pixels


if __name__ == "__main__":
    main(__doc__)
