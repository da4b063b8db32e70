#!/usr/bin/env python3
"""Drives `lapis compare`: verdicts, exit codes, thresholds at their borders, folders, the drawing, JSON and JUnit."""

from __future__ import annotations

import json
import math
import re
import shutil
import struct
import subprocess
import unittest
import zlib
from pathlib import Path
from xml.etree import ElementTree

from support import DATA, QUICK, CliTest, LatentTest, main, needs, needs_engine, png, read_png, run, smooth, unclean

WIDTH, HEIGHT = 40, 30
has_xmllint = needs(lambda: shutil.which("xmllint") is not None, "there is no xmllint here (libxml2-utils)")


def pixels_of(width: int, height: int) -> bytearray:
    """Grey values that change slowly, in red, green and blue."""
    return bytearray(100 + (x + 2 * y + 3 * c) % 60 for y in range(height) for x in range(width) for c in range(3))


class CompareTest(LatentTest):
    def picture(self, name: str, changes: dict[int, int] | None = None, size: tuple[int, int] = (WIDTH, HEIGHT)) -> Path:
        """A PNG; `changes` are added to values by their places."""
        values = pixels_of(*size)
        for place, change in (changes or {}).items():
            values[place] += change
        row = 3 * size[0]
        rows = b"".join(b"\0" + bytes(values[y * row:(y + 1) * row]) for y in range(size[1]))
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(png(pixels=zlib.compress(rows), width=size[0], height=size[1]))
        return path

    def compared(self, code: int, *words: str, **options) -> tuple[str, str]:
        """What a comparison that ends with this code says on stdout and stderr."""
        result = run("compare", *words, cwd=self.folder, **options)
        self.assertEqual(result.returncode, code, result.stdout.decode() + result.stderr.decode())
        self.assertEqual(unclean(result.stdout) + unclean(result.stderr), "")
        self.assertNotRegex(result.stdout.decode(), r"(?i)\bnan\b|\binf\b")
        return result.stdout.decode(), result.stderr.decode()

    def document(self, code: int, *words: str) -> dict:
        """The JSON of a comparison that ends with this code."""
        return json.loads(self.compared(code, *words, "--json")[0], parse_constant=self.fail)


class Files(CompareTest):
    def setUp(self) -> None:
        super().setUp()
        self.picture("a.png")

    def test_the_same_pixels(self) -> None:
        self.picture("b.png")
        self.assertEqual(self.compared(0, "a.png", "b.png"), ("equal: every pixel is the same\n", ""))
        pair, = self.document(0, "a.png", "b.png")["pairs"]
        self.assertEqual((pair["equal"], pair["identical"], pair["difference"]["psnr"]), (True, True, "infinite"))
        self.assertEqual(pair["a"]["pixels_sha256"], pair["b"]["pixels_sha256"])

    def test_one_level(self) -> None:
        self.picture("b.png", {300: 1})
        said, _ = self.compared(0, "a.png", "b.png")
        self.assertTrue(said.startswith("equal within the tolerance\n"), said)
        self.assertIn("1 level at x 20, y 2: red is ", said)
        self.picture("c.png", {300: 2})
        said, _ = self.compared(1, "a.png", "c.png")
        self.assertRegex(said.splitlines()[0],
                         r"^different: 2 levels, more than --hard-fail 1; worst at x 20, y 2: red is \d+ and \d+$")

    def test_more_values_than_a_thousandth(self) -> None:
        self.picture("b.png", {place: 1 for place in range(5)})  # of 3600
        said, _ = self.compared(1, "a.png", "b.png")
        self.assertIn("0.1389 % of values differ, more than --fail-percent 0.1", said.splitlines()[0])
        self.picture("c.png", {place: 1 for place in range(3)})
        self.compared(0, "a.png", "c.png")

    def test_thresholds_at_their_borders(self) -> None:
        """What equals a threshold passes; a little less does not."""
        self.picture("b.png", {300: 5, 900: 7, 901: 3})
        measured = self.document(1, "a.png", "b.png")["pairs"][0]["difference"]
        self.assertEqual((measured["largest"], measured["different"], measured["above_fail"]), (7, 3, 3))
        self.assertEqual((measured["worst"]["x"], measured["worst"]["y"], measured["worst"]["channel"]), (20, 7, 0))
        percent = 100 * 2 / 3600
        for words, code in ((("--hard-fail", "7"), 0), (("--hard-fail", "6.99"), 1),
                            (("--fail", "7", "--fail-percent", "0"), 0), (("--fail", "6.9", "--fail-percent", "0"), 1),
                            (("--fail", "3", "--fail-percent", repr(percent)), 0),
                            (("--fail", "3", "--fail-percent", repr(percent - 1e-9)), 1),
                            (("--fail", "255", "--min-psnr", repr(measured["psnr"])), 0),
                            (("--fail", "255", "--min-psnr", repr(measured["psnr"] + 1e-9)), 1),
                            (("--fail", "255", "--min-ssim", repr(measured["ssim"])), 0),
                            (("--fail", "255", "--min-ssim", repr(measured["ssim"] + 1e-9)), 1),
                            (("--fail", "255", "--max-flip", repr(measured["flip"])), 0),
                            (("--fail", "255", "--max-flip", repr(measured["flip"] - 1e-9)), 1)):
            with self.subTest(words=words):
                said, _ = self.compared(code, "a.png", "b.png", *words)
                if code:
                    self.assertIn(f"than {words[-2]} ", said.splitlines()[0])
                    self.assertIn("worst at x 20, y 7", said.splitlines()[0])

    def test_a_warning_is_no_failure(self) -> None:
        self.picture("b.png", {300: 1})
        said, told = self.compared(0, "a.png", "b.png", "--warn", "0.5")
        self.assertEqual(told, "warning: a.png: 0.02778 % of values differ by more than --warn 0.5, more than "
                               "--warn-percent 0; worst at x 20, y 2: red is 124 and 125\n")
        self.assertTrue(said.startswith("equal"))
        self.assertEqual(self.compared(0, "a.png", "b.png", "--warn", "1")[1], "")
        self.assertEqual(self.compared(0, "a.png", "b.png", "--warn", "0", "--warn-percent", "1")[1], "")

    def test_another_size(self) -> None:
        self.picture("b.png", size=(20, 30))
        self.assertEqual(self.compared(1, "a.png", "b.png")[0],
                         "different: 40 x 30 pixels and 20 x 30 pixels are of two sizes\n")
        self.compared(1, "a.png", "b.png", "--diff", "d.png")
        self.assertEqual(read_png(self.bytes_of("d.png"))[0], 2 * 256 + 3 * 12)

    def test_one_pixel(self) -> None:
        self.picture("b.png", size=(1, 1))
        self.picture("c.png", {0: 2}, size=(1, 1))
        said, _ = self.compared(1, "b.png", "c.png")
        self.assertIn("SSIM                not measured: a side is below 11 pixels\n", said)
        self.assertIsNone(self.document(1, "b.png", "c.png")["pairs"][0]["difference"]["ssim"])
        said, _ = self.compared(1, "b.png", "c.png", "--fail", "9", "--min-ssim", "0")
        self.assertIn("SSIM is not measured of sides below 11 pixels, and --min-ssim is 0", said)

    def test_other_formats_16_bits_and_alpha(self) -> None:
        self.put("a.ppm", b"P6\n%d %d\n255\n" % (WIDTH, HEIGHT) + pixels_of(WIDTH, HEIGHT))
        self.compared(0, "a.png", "a.ppm")
        rows = b"".join(b"\0" + b"".join(bytes((v, 77)) for v in pixels_of(WIDTH, HEIGHT)[120 * y:120 * y + 120])
                        for y in range(HEIGHT))
        self.put("deep.png", png(pixels=zlib.compress(rows), width=WIDTH, height=HEIGHT, bits=16))
        said, told = self.compared(0, "a.png", "deep.png")
        self.assertEqual(said, "equal: every pixel is the same in its upper 8 bits\n")
        self.assertIn("deep.png has 16 bits a value, of which the upper 8 are compared", told)
        clear = zlib.compress(b"\0" + bytes([255, 255, 255, 0]))
        self.put("clear.png", png(pixels=clear, width=1, height=1, colour=6))
        self.put("white.png", png(pixels=zlib.compress(b"\0\xff\xff\xff"), width=1, height=1))
        said, told = self.compared(1, "clear.png", "white.png")
        self.assertIn("255 levels at x 0, y 0: alpha is 0 and 255", said)
        self.assertIn("clear.png is transparent in places", told)

    def test_standard_input_once(self) -> None:
        self.compared(0, "-", "a.png", input=self.bytes_of("a.png"))
        self.assertIn("named more than once", self.refused(2, "compare", "-", "-"))

    def test_what_cannot_be_compared(self) -> None:
        self.picture("b.png", {0: 9})
        self.put("text.txt", b"nothing")
        self.refused(3, "compare", "a.png", "none.png", says=("none.png",))
        self.refused(3, "compare", "a.png", "text.txt", says=("text.txt",))
        self.refused(2, "compare", "a.png", says=("B",))
        self.refused(2, "compare", "a.png", ".", says=("is a folder", "two folders"))
        for value in ("-1", "nan", "inf", "x"):
            self.refused(2, "compare", "a.png", "b.png", f"--fail={value}", says=("--fail",))
        self.refused(2, "compare", "a.png", "b.png", "--warn-percent", "1", says=("--warn-percent is for --warn",))

    def test_quiet(self) -> None:
        rows = zlib.compress(b"\0" + bytes(6))
        self.put("deep.png", png(pixels=rows, width=1, height=1, bits=16))
        self.put("flat.png", png(pixels=zlib.compress(b"\0" + bytes(3)), width=1, height=1))
        self.assertNotEqual(self.compared(0, "deep.png", "flat.png", "--diff", "d.png")[1], "")
        self.assertEqual(self.compared(0, "deep.png", "flat.png", "-q", "--diff", "d.png", "--overwrite"),
                         ("equal: every pixel is the same in its upper 8 bits\n", ""))

    def test_what_is_equal_in_8_bits_alone_is_not_called_identical(self) -> None:
        for side, low in (("one", 0), ("two", 255)):
            self.picture(f"{side}/flat.png")
            self.put(f"{side}/deep.png", png(pixels=zlib.compress(b"\0" + bytes((16, low)) * 3), width=1, height=1, bits=16))
        self.assertIn("same in its upper 8 bits", self.compared(0, "one/deep.png", "two/deep.png")[0])
        self.assertEqual(self.compared(0, "one", "two")[1],
                         "1 pair has more than 8 bits a value, of which the upper 8 are compared\n")
        pairs = self.document(0, "one", "two")["pairs"]
        self.assertEqual([(pair["identical"], pair["a"]["bits"]) for pair in pairs], [(None, 16), (True, 8)])

    def test_names_of_strangers(self) -> None:
        self.picture("\x1b[31mFAKE\n.png", {0: 9})
        self.compared(1, "a.png", "\x1b[31mFAKE\n.png", "--diff", "d.png")
        self.compared(1, "\x1b[31mFAKE\n.png", "a.png", "--json")

    def test_no_engine_is_opened(self) -> None:
        self.assertNotIn("liblapis_engine", self.opened("compare", "a.png", "a.png"))


class Outputs(CompareTest):
    def setUp(self) -> None:
        super().setUp()
        self.picture("a.png")
        self.picture("b.png", {300: 40})

    def test_the_difference_as_a_picture(self) -> None:
        said, told = self.compared(1, "a.png", "b.png", "--diff", "d.png")
        self.assertTrue(said.startswith("different: "))
        self.assertEqual(told, "d.png is written\n")
        width, _, values = read_png(self.bytes_of("d.png"))
        self.assertEqual(width, 3 * 256 + 4 * 12)
        self.assertIn(bytes((60, 220, 120)), values)  # the frame
        self.compared(0, "a.png", "a.png", "--diff", "same.png")
        self.assertNotIn(bytes((60, 220, 120)), read_png(self.bytes_of("same.png"))[2])

    def test_outputs_that_are_there(self) -> None:
        self.put("d.png", b"mine")
        self.refused(8, "compare", "a.png", "b.png", "--diff", "d.png", says=("d.png",))
        _, told = self.compared(1, "a.png", "b.png", "--diff", "d.png", "--skip-existing")
        self.assertEqual((told, self.bytes_of("d.png")), ("d.png is there already: skipped\n", b"mine"))
        self.compared(1, "a.png", "b.png", "--diff", "d.png", "--overwrite")
        self.assertNotEqual(self.bytes_of("d.png"), b"mine")
        self.refused(2, "compare", "a.png", "b.png", "--overwrite", "--skip-existing", says=("--overwrite",))
        self.refused(2, "compare", "a.png", "b.png", "--diff", "b.png", "--overwrite", says=("--diff b.png",))
        self.refused(2, "compare", "a.png", "b.png", "--diff", "-", says=("--diff -",))
        self.refused(2, "compare", "a.png", "b.png", "--diff", "d.jpg", says=(".png",))
        self.refused(8, "compare", "a.png", "b.png", "--junit", "none/r.xml", says=("none",))

    @has_xmllint
    def test_junit(self) -> None:
        for side in ("one", "two"):
            self.picture(f"{side}/same.png")
            self.picture(f"{side}/far<&\"\x1b>.png", {0: 9 if side == "one" else 0})
            (self.folder / side / "broken.png").write_bytes(b"no picture")
        self.picture("one/lacking.png")
        self.compared(3, "one", "two", "--junit", "r.xml")
        valid = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", DATA / "junit.xsd", self.folder / "r.xml"],
                               capture_output=True, timeout=60)
        self.assertEqual(valid.returncode, 0, valid.stderr.decode())
        suite = ElementTree.fromstring(self.bytes_of("r.xml")).find("testsuite")
        self.assertEqual({key: suite.get(key) for key in ("tests", "failures", "errors", "skipped")},
                         {"tests": "4", "failures": "2", "errors": "1", "skipped": "0"})
        cases = {case.get("name"): case for case in suite}
        self.assertIsNone(cases["same.png"].find("failure"))
        self.assertEqual(cases["lacking.png"].find("failure").get("type"), "missing")
        far = cases['far<&"\\x1b>.png'].find("failure")
        self.assertEqual(far.get("type"), "hard_fail")
        self.assertIn("9 levels, more than --hard-fail 1", far.get("message"))
        self.assertIn("PSNR: ", far.text)
        self.assertIn("broken.png", cases["broken.png"].find("error").get("message"))

    @has_xmllint
    def test_the_schema_refuses_what_is_no_report(self) -> None:
        self.compared(0, "a.png", "a.png", "--junit", "r.xml")
        whole = self.bytes_of("r.xml").decode()
        for old, new in (("testsuites", "suites"), (' errors="0"', ""), (' name="a.png"', ""), ("0.", "0,")):
            with self.subTest(old=old):
                path = self.put("bad.xml", whole.replace(old, new).encode())
                done = subprocess.run(["xmllint", "--noout", "--nonet", "--schema", DATA / "junit.xsd", path],
                                      capture_output=True, timeout=60)
                self.assertNotEqual(done.returncode, 0)


class Folders(CompareTest):
    def test_files_by_name(self) -> None:
        for side in ("one", "two"):
            self.picture(f"{side}/same.png")
            self.picture(f"{side}/below/far.png", {0: 9 if side == "one" else 0})
            (self.folder / side / "notes.txt").write_bytes(b"nothing")
        self.picture("one/lacking.png")
        said, told = self.compared(1, "one", "two")
        lines = said.splitlines()
        self.assertRegex(lines[0], r"^file +result +largest +different +PSNR +SSIM +FLIP$")
        self.assertRegex(said, r"(?m)^same\.png +equal +0 levels +0 % +equal +1\.0000 +0\.0000$")
        self.assertRegex(said, r"(?m)^below/far\.png +different +9 levels +")
        self.assertIn("lacking.png: it is only in one\n", said)
        self.assertEqual(lines[-1], "1 equal, 2 different")
        self.assertEqual(told, "2 files are neither pictures nor latents by their names, and not compared\n")
        document = self.document(1, "one", "two")
        self.assertEqual([pair["name"] for pair in document["pairs"]], ["below/far.png", "lacking.png", "same.png"])
        self.assertEqual(document["counts"], {"equal": 1, "different": 2, "errors": 0})
        self.assertIsNone(document["pairs"][1]["b"])
        self.compared(0, "one", "one")

    def test_one_that_cannot_be_read_does_not_hide_the_others(self) -> None:
        for side in ("one", "two"):
            self.picture(f"{side}/same.png")
            (self.folder / side / "broken.png").write_bytes(b"no picture")
        said, _ = self.compared(3, "one", "two")
        self.assertRegex(said, r"(?m)^broken\.png +error *$")
        self.assertRegex(said, r"(?m)^broken\.png: .*no picture")
        self.assertTrue(said.endswith("1 equal, 0 different, 1 not compared\n"))

    def test_differences_go_into_a_folder(self) -> None:
        for side in ("one", "two"):
            self.picture(f"{side}/same.png")
            self.picture(f"{side}/below/far.png", {0: 9 if side == "one" else 0})
            self.latent(f"{side}/a.safetensors", values=[0.1 if side == "one" else 0.2] * 256)
        _, told = self.compared(1, "one", "two", "--diff", "d")
        self.assertEqual(told, "2 differences in d\n")
        written = sorted(str(path.relative_to(self.folder)) for path in (self.folder / "d").rglob("*.png"))
        self.assertEqual(written, ["d/a.safetensors.png", "d/below/far.png"])
        self.assertEqual(read_png(self.bytes_of("d/below/far.png"))[0], 3 * 256 + 4 * 12)
        self.refused(8, "compare", "one", "two", "--diff", "d", says=("d is there already", "--overwrite"))
        self.assertEqual(self.compared(1, "one", "two", "--diff", "d", "--skip-existing")[1], "")
        self.compared(1, "one", "two", "--diff", "d", "--overwrite")
        self.refused(2, "compare", "one", "two", "--diff", "one/d", says=("--diff one/d: that is in one",))
        self.compared(0, "one", "one", "--diff", "none")
        self.assertFalse((self.folder / "none").exists())

    def test_no_output_takes_the_place_of_what_is_compared(self) -> None:
        self.picture("one/x.png")
        self.picture("two/x.png", {0: 9})
        (self.folder / "link.xml").symlink_to("one/x.png")
        (self.folder / "linked").symlink_to("one")
        (self.folder / "out").mkdir()
        (self.folder / "out" / "x.png").symlink_to("../two/x.png")
        before = [self.bytes_of(f"{side}/x.png") for side in ("one", "two")]
        for option, path in (("--junit", "one/x.png"), ("--junit", "two/../two/x.png"), ("--junit", "link.xml"),
                             ("--junit", "linked/x.png"), ("--junit", f"{self.folder}/two/x.png"), ("--diff", "linked"),
                             ("--diff", "out")):
            for first in ("one", "linked"):
                with self.subTest(option=option, path=path, first=first):
                    self.refused(2, "compare", first, "two", option, path, "--overwrite", says=(f"{option} {path}",))
                    self.assertEqual([self.bytes_of(f"{side}/x.png") for side in ("one", "two")], before)
        self.compared(1, "one", "two", "--junit", "one/report.xml")

    def test_folders_without_pictures(self) -> None:
        (self.folder / "empty").mkdir()
        self.refused(3, "compare", "empty", "empty", says=("neither",))


class Latents(CompareTest):
    def test_numbers(self) -> None:
        values = smooth((1, 4, 8, 8))
        self.latent(values=values)
        self.assertEqual(self.compared(0, "a.safetensors", "a.safetensors")[0], "equal: every number is the same\n")
        values[70] += 0.5
        self.latent("b.safetensors", values=values)
        said, _ = self.compared(1, "a.safetensors", "b.safetensors")
        self.assertRegex(said.splitlines()[0], r"^different: 0\.5, more than --hard-fail 0\.0001; "
                                               r"worst at picture 0, channel 1, x 6, y 0: \S+ and \S+$")
        self.assertRegex(said, r"(?m)^relative difference +0\.\d+$")
        self.compared(0, "a.safetensors", "b.safetensors", "--hard-fail", "0.51")
        difference = self.document(1, "a.safetensors", "b.safetensors")["pairs"][0]["difference"]
        self.assertTrue(math.isfinite(difference["relative"]) and "psnr" not in difference)
        self.compared(1, "a.safetensors", "b.safetensors", "--diff", "d.png")
        width, _, drawn = read_png(self.bytes_of("d.png"))
        self.assertEqual(width, 4 * 256 + 5 * 12)
        self.assertIn(bytes((60, 220, 120)), drawn)

    def test_of_two_spaces_or_with_a_picture(self) -> None:
        self.latent()
        self.latent("b.safetensors", space="sdxl")
        self.latent("c.safetensors", lineage="other")
        self.latent("d.safetensors", cells=(8, 9))
        self.picture("p.png")
        self.refused(4, "compare", "a.safetensors", "b.safetensors", says=("sd15", "sdxl", "lapis convert b.safetensors"))
        self.refused(4, "compare", "a.safetensors", "c.safetensors", says=("lineage other",))
        self.assertIn("two sizes", self.compared(1, "a.safetensors", "d.safetensors")[0])
        self.refused(4, "compare", "a.safetensors", "p.png", says=("lapis decode a.safetensors",))
        self.refused(4, "compare", "p.png", "a.safetensors", says=("lapis decode a.safetensors",))
        self.refused(2, "compare", "a.safetensors", "a.safetensors", "--min-ssim", "1", says=("--min-ssim is for pictures",))
        _, told = self.compared(1, "a.safetensors", "d.safetensors", "--diff", "d.png")
        self.assertIn("no difference is drawn of latents of two sizes", told)
        self.assertFalse((self.folder / "d.png").exists())

    def test_what_a_file_does_not_say(self) -> None:
        self.latent()
        values = smooth((1, 4, 8, 8))
        header = str({"descr": "<f4", "fortran_order": False, "shape": (1, 4, 8, 8)}).encode()
        header += b" " * (-(len(header) + 11) % 64) + b"\n"
        self.put("a.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + struct.pack("<256f", *values))
        self.refused(2, "compare", "a.npy", "a.npy", says=("--space",))
        self.compared(0, "a.npy", "a.npy", "--space", "tiny-sd15", "--units", "model")


@needs_engine
class Drawn(CliTest):
    def test_19_steps_for_20(self) -> None:
        first, = self.render("a red house", *QUICK[2:], "--steps", "20", "-s", "7", "-o", "a.png")
        second, = self.render("a red house", *QUICK[2:], "--steps", "19", "-s", "7", "-o", "b.png")
        result = run("compare", "a.png", "b.png", cwd=self.folder)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stdout.decode(), r"(?m)^settings +steps 20 -> 19; models the same$")
        pairs = json.loads(run("compare", "a.png", "b.png", "--json", cwd=self.folder).stdout)["pairs"]
        self.assertEqual([pairs[0][side]["pixels_sha256"] for side in "ab"],
                         [line["pixels_sha256"] for line in (first, second)])

    def test_pixels_have_one_digest_whatever_the_png_says(self) -> None:
        one, = self.render("a red house", *QUICK, "-s", "7", "-o", "a.png", "--latent", "a.safetensors")
        two, = self.render("a red house", *QUICK, "-s", "7", "-o", "b.png", "--prompt-syntax", "comfy")
        decoded = self.line("decode", "a.safetensors", "-t", "1", "-o", "c.png")
        self.assertNotEqual(one["sha256"], two["sha256"])
        self.assertEqual(one["pixels_sha256"], two["pixels_sha256"])
        self.assertEqual(one["pixels_sha256"], decoded["pixels_sha256"])
        self.assertTrue(re.fullmatch(r"[0-9a-f]{64}", one["pixels_sha256"]))
        self.assertEqual(run("compare", "a.png", "c.png", cwd=self.folder).returncode, 0)


if __name__ == "__main__":
    main(__doc__)
