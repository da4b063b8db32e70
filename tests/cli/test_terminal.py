#!/usr/bin/env python3
"""Feeds the program strangers' texts that a terminal obeys, or shows other than they are, through every way in: names of
files and folders, words and values of the command line, the environment, and every text of every kind of file. Nothing
of them may come out as it went in, and none of their lines may begin a line.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import shutil
import struct
import subprocess
import unittest
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from checkpoints import single_file
from loras import factors, kohya, lora_bytes, weights
from support import (MODEL, QUICK, CliTest, f32, has_engine, main, needs_engine, on_terminal, options_of, passport, png, run,
                     safetensors, some, unclean)

# A window's title, colours, C1's two spellings of them, an override and an isolate of direction, what has no width, a
# tag, a character taken back, and a line that passes for one of ours.
HOSTILE = ("x\x1b]0;pwn\x07\x1b[31m\u009b31m\u009d0;pwn\u009c\u202eexe.png\u2066\u200b\ufeff\u2028\U000e0041\x7f\b\r\t"
           "\nFAKE: all is well")
NAME = HOSTILE.replace("/", "")                     # of a file
STRAY = os.fsencode(NAME) + b"\x9b31m\xff"          # of one that is no UTF-8 either
OURS = re.compile(rb"\x1b\[(31|33|0)m|\r?\x1b\[K|\r")  # what we ourselves send to a terminal


def spoiled(document: Any, seen: set | None = None, name: str = "") -> Iterator[tuple[str, Any]]:
    """The document with one text, or one key, made hostile: one copy for each key that there is a text or an object of."""
    seen = set() if seen is None else seen
    if isinstance(document, str) and name not in seen:
        seen.add(name)
        yield name, HOSTILE
        yield f"{name}, its end", document + HOSTILE
    if isinstance(document, list):
        for i, item in enumerate(document):
            for place, changed in spoiled(item, seen, name):
                yield place, [*document[:i], changed, *document[i + 1:]]
    if isinstance(document, dict):
        if f"key of {name}" not in seen and document:
            seen.add(f"key of {name}")
            first = next(iter(document))
            yield f"key of {name}", {(HOSTILE if key == first else key): member for key, member in document.items()}
            yield f"key more in {name}", document | {HOSTILE: document[first]}
        for key, member in document.items():
            for place, changed in spoiled(member, seen, key):
                yield f"{name}.{place}" if name else place, document | {key: changed}


class TerminalTest(CliTest):
    def clean(self, *words: str | bytes, code: int | None = None, **options) -> subprocess.CompletedProcess:
        result = run(*words, cwd=self.folder, **options)
        self.assertGreaterEqual(result.returncode, 0, "a signal")
        self.assertNotEqual(result.returncode, 70, result.stderr)
        for output in (result.stdout, result.stderr):
            self.assertEqual(unclean(output), "", words)
        if code is not None:
            self.assertEqual(result.returncode, code, result.stderr)
        return result


class TheCheckItself(unittest.TestCase):
    def test_finds_what_must_not_come_out(self) -> None:
        for hostile in ("a\x1b[31m", "\x9b", "a\u202eb", "\ufeff", "a\rb", "\a", "\x7f", "\u2028", "ok\nFAKE: a"):
            self.assertTrue(unclean(hostile.encode()), hostile)
        self.assertTrue(unclean(b"\x9b31m"))
        for harmless in ("grün 人生 👩\u200d🚀️\nnext", "x\\x1b FAKE"):
            self.assertEqual(unclean(harmless.encode()), "")


class Words(TerminalTest):
    def test_values_of_every_option(self) -> None:
        for command, words in {"generate": ("a lake", "--dry-run"), "refine": ("a.safetensors", "--dry-run"), "encode": ("a.png",),
                               "decode": ("a.safetensors",), "convert": ("a.safetensors", "-n"), "check": ("tiny-sd15",),
                               "matrix": (), "import": ("a.safetensors",), "inspect": ("tiny-sd15",), "list": ()}.items():
            for option in some(options_of(command)):
                with self.subTest(command=command, option=option):
                    self.clean(command, *words, option, HOSTILE)
                    self.clean(command, *words, os.fsencode(option) + b"=" + STRAY)

    def test_words_where_none_is_expected(self) -> None:
        commands = ("generate", "refine", "encode", "decode", "convert", "check", "matrix", "import", "inspect", "list")
        for command, word in itertools.product(commands, (HOSTILE, STRAY, b"--" + STRAY, b"-" + STRAY)):
            with self.subTest(command=command, word=word):
                self.clean(command, word)
                self.clean(command, "more", word)
        for word in (HOSTILE, STRAY, b"--" + STRAY):
            self.clean(word)

    def test_prompts(self) -> None:
        tags = ("<lora:{}:1>", "<{}:1>", "[a:b:{}]", "({}:1.2)", "(a:{})", "[{}|b]", "a AND {}", "embedding:{}", "a BREAK {}")
        for syntax, tag in itertools.product(("plain", "a1111", "comfy"), ("{}", *tags)):
            with self.subTest(syntax=syntax, tag=tag):
                self.clean("generate", tag.format(HOSTILE), "--prompt-syntax", syntax, "--dry-run", "-m", "tiny-sd15")
                self.clean("inspect", "tiny-sd15", "--prompt-syntax", syntax, "--tokens", tag.format(HOSTILE))
        long = self.clean("generate", "word " * 80 + HOSTILE, "--dry-run", "-m", "tiny-sd15", code=0 if has_engine() else 6)
        self.assertIn(b"fake : all is well", long.stderr.lower(), "the end that is cut off is said")
        self.clean("inspect", "tiny-sd15", "--tokens", "word " * 80 + HOSTILE, code=0)
        # Tokens end within characters; what is cut off is text all the same.
        for character in "\U0001d518", "ﷺ", "é":
            self.clean("inspect", "tiny-sd15", "--tokens", character * 90, code=0)

    def test_the_environment(self) -> None:
        self.put("a.safetensors", b"{}")
        model = self.folder / NAME / "mine"
        shutil.copytree(MODEL, model)
        (model / "model.json").write_text("{" + HOSTILE)
        names = ("LAPIS_MODELS", "LAPIS_LORAS", "XDG_DATA_HOME", "HOME", "TERM", "COLUMNS", "NO_COLOR", "TMPDIR", "LANG")
        for variable, value in itertools.product(names, (HOSTILE, str(self.folder / NAME))):
            for words in (("list",), ("generate", "a lake", "-m", HOSTILE, "--dry-run"),
                          ("generate", "a lake", "--lora", "none", "--dry-run"), ("import", "a.safetensors")):
                with self.subTest(variable=variable, value=value, words=words):
                    self.clean(*words, env={variable: value})


class Names(TerminalTest):
    """Of files and folders that are there and that are not."""

    def test_files_that_are_named(self) -> None:
        latent = safetensors({"latent": f32((1, 4, 8, 8), [0.5] * 256)}, passport("sd15", "tiny-sd15", (1, 4, 8, 8)))
        contents = {"nothing": None, "a latent": latent, "a PNG": png(), "text": HOSTILE.encode(), "empty": b"",
                    "a web page": b"<!DOCTYPE html>" + HOSTILE.encode(), "a pickle": b"\x80\x02c" + HOSTILE.encode(),
                    "no safetensors": struct.pack("<Q", 9000) + b"{" + HOSTILE.encode()}
        for what, content in contents.items():
            for name in (os.fsencode(NAME), STRAY) if content in (None, latent) else (STRAY,):
                file = name + b".safetensors"
                if content is not None:
                    self.put(file, content)
                for words in (("inspect", file), ("inspect", file, "--json"), ("check", file), ("decode", file), ("encode", file),
                              ("convert", file, "--to", "tiny-sdxl", "-n"), ("matrix", file, "tiny-sdxl"), ("import", file),
                              ("refine", file, "-p", "a", "--dry-run"), ("generate", "a", "-i", file, "--dry-run"),
                              ("generate", "a", "--mask", file, "-i", file, "--dry-run"),
                              ("generate", "--init-latent", file, "--dry-run"), ("generate", b"@" + file, "--dry-run"),
                              ("generate", "a", "--lora", file, "--dry-run"), ("generate", "a", "--lora-dir", file, "--lora", "b", "--dry-run"),
                              ("generate", "a", "--embedding", file, "--dry-run"), ("generate", "a", "-m", file, "--dry-run"),
                              ("generate", "a", "-o", file, "--dry-run"), ("generate", "a", "-o", file + b".png", "--dry-run"),
                              ("import", "--torchscript", b"denoiser=" + file, "--family", "sd15"), ("import", file, "--vae", file),
                              ("import", file, "--tokenizer", file)):
                    with self.subTest(what=what, words=words):
                        self.clean(*words)

    def test_folders(self) -> None:
        for name in (os.fsencode(NAME), STRAY):
            place = os.path.join(os.fsencode(self.folder), name)
            shutil.copytree(MODEL, os.fsdecode(place))
            self.clean("list", "models", env={"LAPIS_MODELS": str(self.folder)}, code=0)
            self.clean("list", "models", "--json", env={"LAPIS_MODELS": str(self.folder)}, code=0)
            for words in (("inspect", place), ("inspect", place, "--verify"), ("inspect", place, "--json"), ("check", place),
                          ("generate", "a", "-m", place, "--dry-run"), ("generate", "a", "-m", place, "--dry-run", "--json"),
                          ("import", place), ("import", place, "--json", "-o", place + b"/a"), ("check", place, "--vae", place)):
                with self.subTest(words=words):
                    self.clean(*words, env={"LAPIS_MODELS": str(self.folder)})
            os.unlink(place + b"/model.json")
            for words in (("inspect", place), ("import", place), ("list", "models")):
                self.clean(*words, env={"LAPIS_MODELS": str(self.folder)})


class Files(TerminalTest):
    """Every text of every kind of file."""

    def test_model_json(self) -> None:
        document = json.loads((MODEL / "model.json").read_text())
        model = self.model()
        for place, changed in spoiled(document):
            with self.subTest(place=place):
                (model / "model.json").write_text(json.dumps(changed))
                self.clean("inspect", str(model))
                self.clean("inspect", str(model), "--json")
                self.clean("generate", "a", "-m", str(model), "--dry-run")
        (model / "model.json").write_text('{"name": "' + HOSTILE.replace("\n", "") + '"')
        self.clean("inspect", str(model), code=5)

    def test_tokenizers(self) -> None:
        for file in sorted((MODEL / "tokenizer").iterdir()):
            lines = file.read_text().splitlines()
            for text in (HOSTILE, "\n".join([*lines[:5], HOSTILE, *lines[5:]]), "\n".join([*lines, HOSTILE.replace("\n", " ") + " b"])):
                model = self.model()
                (model / "tokenizer" / file.name).write_text(text)
                with self.subTest(file=file.name):
                    self.clean("inspect", str(model), "--tokens", "a lake")
                    self.clean("generate", "a", "-m", str(model), "--dry-run")
                shutil.rmtree(model)

    def test_a_diffusers_folder(self) -> None:
        source = Path(shutil.copytree(MODEL, self.folder / "source"))
        (source / "model.json").unlink()
        for file in ("model_index.json", "unet/config.json", "text_encoder/config.json"):  # of which lapis reads no text
            (source / file).write_text(re.sub(r'": "[^"]*"', lambda _: f'": {json.dumps(HOSTILE)}', (MODEL / file).read_text()))
        for file in ("scheduler/scheduler_config.json", "vae/config.json"):
            whole = (source / file).read_text()
            for place, changed in some(spoiled(json.loads(whole))):
                (source / file).write_text(json.dumps(changed))
                with self.subTest(file=file, place=place):
                    self.clean("import", "source", "-o", "made")
                    self.clean("check", "tiny-sd15", "--vae", "source")
                shutil.rmtree(self.folder / "made", ignore_errors=True)
            (source / file).write_text(whole)

    def test_tensors(self) -> None:
        tensors = single_file(MODEL)
        first = next(iter(tensors))
        kinds = {"one more": tensors | {NAME: tensors[first]}, "a LoRA's": {f"lora_unet_{HOSTILE}.lora_down.weight": tensors[first]},
                 "lone": {HOSTILE: tensors[first]}, "half": {f"first_stage_model.{HOSTILE}": tensors[first]}}
        for what, content in kinds.items():
            self.put("a.safetensors", safetensors(content))
            with self.subTest(what=what):
                for words in (("import", "a.safetensors", "-o", "made"), ("inspect", "a.safetensors"), ("check", "a.safetensors"),
                              ("generate", "a", "--lora", "a.safetensors", "--dry-run"), ("generate", "a", "--embedding", "a.safetensors", "--dry-run"),
                              ("import", "a.safetensors", "--vae", "a.safetensors"), ("generate", "a", "--init-latent", "a.safetensors", "--dry-run")):
                    self.clean(*words)
                shutil.rmtree(self.folder / "made", ignore_errors=True)
        names = {"lora_down": ("F32", [2, 4], bytes(32)), "lora_up": ("F32", [4, 2], bytes(32)), "alpha": ("F32", [], bytes(4)),
                 "oft_blocks": ("F32", [2, 2], bytes(16)), HOSTILE: ("F32", [1], bytes(4))}
        for module in ("unet.down", f"lora_unet_{HOSTILE}", HOSTILE):
            self.put("b.safetensors", safetensors({f"{module}.{name}.weight": tensor for name, tensor in names.items()}))
            self.clean("generate", "a", "--lora", "b.safetensors", "--dry-run")

    def test_metadata(self) -> None:
        words = passport("sd15", "tiny-sd15", (1, 4, 8, 8)) | {
            "history": json.dumps([{"route": "re-encode", "from": "sdxl", "to": "sd15", "size": [64, 64], "psnr": "infinite"}]),
            "job": json.dumps({"version": "0.1.0", "job": {"prompt": "a", "negative_prompt": "b", "model": "tiny-sd15", "sampler": "euler",
                               "loras": ["a:1"], "embeddings": ["e"], "schedule": "own"}, "model": {"name": "n", "family": "sd15", "files": {}}})}
        numbers = {"latent": f32((1, 4, 8, 8), [0.5] * 256)}

        def variants() -> Iterator[tuple[str, dict[str, str]]]:
            yield from spoiled(words)
            for key in ("history", "job"):
                for place, changed in spoiled(json.loads(words[key])):
                    yield f"{key}: {place}", words | {key: json.dumps(changed)}
            yield "x-key", words | {f"x-{HOSTILE}": HOSTILE, "x-comfy.prompt": HOSTILE}

        for place, metadata in some(variants()):
            self.put("a.safetensors", safetensors(numbers, metadata))
            with self.subTest(place=place):
                for asked in (("inspect", "a.safetensors"), ("inspect", "a.safetensors", "--json"), ("check", "a.safetensors"),
                              ("refine", "a.safetensors", "-m", "tiny-sd15", "--dry-run")):
                    self.clean(*asked)
        for key in ("format", "modelspec.title", "modelspec.architecture", "ss_base_model_version", "prediction_type", "lora_adapter_metadata",
                    "modelspec.prediction_type", HOSTILE):
            for value in (HOSTILE, json.dumps({"r": HOSTILE, HOSTILE: 1}), json.dumps({"unet.r": HOSTILE})):
                self.put("b.safetensors", safetensors({"a": f32((2, 2), [0.0] * 4)}, {key: value}))
                for asked in (("import", "b.safetensors"), ("generate", "a", "--lora", "b.safetensors", "--dry-run"),
                              ("generate", "a", "--embedding", "b.safetensors", "--dry-run"), ("inspect", "b.safetensors")):
                    self.clean(*asked)

    def test_texts_of_a_png(self) -> None:
        text = HOSTILE.encode()
        latin = HOSTILE.encode("latin-1", "replace")
        for name, chunks in {
            "tEXt": [(b"tEXt", b"parameters\0" + latin)], "zTXt": [(b"zTXt", b"parameters\0\0" + zlib.compress(latin))],
            "iTXt": [(b"iTXt", b"parameters\0\0\0\0\0" + text)], "lapis": [(b"iTXt", b"lapis\0\0\0\0\0" + text)],
            "a key": [(b"tEXt", b"k\x1b]0;pwn\x07\x9b31m\0a")], "a key in UTF-8": [(b"iTXt", text[:60] + b"\0\0\0\0\0a")],
            "a chunk": [(b"\x1b[3m", b"")], "settings": [(b"tEXt", b"parameters\0a\x1b[31m\nSteps: 2, Sampler: \x1b[31mx, Size: 64x64")],
            "a profile": [(b"iCCP", b"\x1b[31m\0\0a")],
        }.items():
            self.put("a.png", png(*chunks))
            with self.subTest(chunk=name):
                for asked in (("inspect", "a.png"), ("inspect", "a.png", "--json"), ("generate", "a", "-i", "a.png", "--dry-run"),
                              ("refine", "a.png", "-p", "a", "--dry-run"), ("decode", "a.png")):
                    self.clean(*asked)
        self.put("a.png", png((b"iTXt", b"parameters\0\0\0\0\0" + text)))
        exact = json.loads(self.clean("inspect", "a.png", "--json", code=0).stdout)
        self.assertEqual(exact["texts"], {"parameters": HOSTILE})

    def test_pictures_of_other_kinds(self) -> None:
        text = HOSTILE.encode()
        for name, content in {"a.ppm": b"P6\n#" + text + b"\n64 64\n255\n", "b.ppm": b"P6 " + text, "a.jpg": b"\xff\xd8\xff\xfe\0\x40" + text,
                              "a.gif": b"GIF89a" + text, "a.bmp": b"BM" + text, "a.tga": text, "a.webp": b"RIFF\0\0\0\0WEBP" + text,
                              "a.txt": text, "a.pam": b"P7\nWIDTH 1\nTUPLTYPE " + text + b"\nENDHDR\n"}.items():
            self.put(name, content)
            for words in (("encode", name), ("inspect", name), ("generate", "a", "-i", name, "--dry-run"), ("import", name)):
                with self.subTest(words=words):
                    self.clean(*words)

    def test_arrays(self) -> None:
        for header in (HOSTILE, "{'descr': '%s', 'fortran_order': False, 'shape': (1, 4, 8, 8), }" % HOSTILE,
                       "{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }" % HOSTILE,
                       "{'descr': '<f4', 'fortran_order': %s, 'shape': (1,), }" % HOSTILE, "{'%s': 1}" % HOSTILE):
            text = header.encode() + b" " * 64 + b"\n"
            self.put("a.npy", b"\x93NUMPY\x01\0" + struct.pack("<H", len(text)) + text)
            for words in (("inspect", "a.npy"), ("decode", "a.npy", "--space", "sd15", "--units", "vae")):
                self.clean(*words)

    def test_graphs(self) -> None:
        with zipfile.ZipFile(MODEL / "graphs" / "vae_decoder.pt") as archive:
            entries = {name: archive.read(name) for name in archive.namelist()}
        code = next(name for name in entries if name.endswith(".py"))
        pickle = next(name for name in entries if name.endswith("data.pkl"))

        def changes() -> Iterator[tuple[str, dict[str, bytes]]]:
            yield "a name", entries | {HOSTILE: b"a"}
            yield "a name in the folder", entries | {f"{code.split('/')[0]}/code/{NAME}.py": b"a"}
            for old, new in ((b"def forward", b"def forward" + HOSTILE.encode()), (b"aten::", b"aten::" + HOSTILE.encode()),
                             (b"class ", b"class " + HOSTILE.encode()), (b"return ", b"return ops.x." + HOSTILE.encode())):
                yield str(old), entries | {code: entries[code].replace(old, new, 1)}
            yield "a class", entries | {pickle: b"\x80\x02c" + HOSTILE.encode().replace(b"\n", b"") + b"\nx\n)\x81."}

        for what, changed in changes():
            model = self.model()
            with zipfile.ZipFile(model / "graphs" / "vae_decoder.pt", "w", zipfile.ZIP_STORED) as archive:
                for name, content in changed.items():
                    archive.writestr(name, content)
            document = json.loads((model / "model.json").read_text())
            document["files"]["graphs/vae_decoder.pt"] = {"bytes": (model / "graphs/vae_decoder.pt").stat().st_size}
            (model / "model.json").write_text(json.dumps(document))
            with self.subTest(what=what):
                self.clean("import", "--torchscript", f"vae_decoder={model}/graphs/vae_decoder.pt", "--family", "sd15", "-o", "made")
                self.clean("inspect", str(model), "--verify")
            shutil.rmtree(model)


def text_of(value: str | dict[str, str]) -> bytes:
    """A text of --json as the bytes that it stands for."""
    return base64.b64decode(value["bytes"], validate=True) if isinstance(value, dict) else value.encode()


class Exact(TerminalTest):
    """--json gives every name as it is, though it be no UTF-8, and what is written is read back as it was."""

    def answer(self, *words: str | bytes) -> dict:
        return json.loads(self.clean(*words, code=0).stdout.decode())

    def test_names(self) -> None:
        latent = safetensors({"latent": f32((1, 4, 8, 8), [0.5] * 256)}, passport("sd15", "tiny-sd15", (1, 4, 8, 8)))
        for name in (b"st\xffyle", STRAY, "größe \u202e".encode(), b"plain"):
            with self.subTest(name=name):
                self.put(name + b".safetensors", latent)
                found = self.answer("inspect", name + b".safetensors", "--json")
                self.assertEqual(text_of(found["latent"]), name + b".safetensors")
                checked = self.answer("check", name + b".safetensors", "--json")["checks"][0]
                self.assertEqual(text_of(checked["latent"]), name + b".safetensors")
                written_as = self.answer("convert", name + b".safetensors", "--format", "comfy", "-o", b"made " + name, "--json")
                self.assertEqual(text_of(written_as["path"]), b"made " + name)

    def test_models(self) -> None:
        checkpoint = safetensors(single_file(MODEL))
        for name in (b"st\xffyle", STRAY, b"plain"):
            self.put(name + b".safetensors", checkpoint)
            for copied in ((), ("--copy",)):
                with self.subTest(name=name, copied=copied):
                    place = b"./made " + name + b"-".join(word.encode() for word in copied)
                    made = self.answer("import", name + b".safetensors", "-o", place, "--json", *copied)
                    whole = os.path.join(os.path.realpath(os.fsencode(self.folder)), os.path.basename(place))
                    self.assertEqual(os.path.realpath(text_of(made["path"])), whole)
                    with open(whole + b"/model.json", encoding="utf-8") as document:
                        json.load(document)
                    shown = self.answer("inspect", place, "--json")
                    self.assertEqual(os.path.realpath(text_of(shown["folder"])) if "folder" in shown else whole, whole)
                    if has_engine():
                        self.answer("generate", "a", "-m", place, "--dry-run", "--json")

    @needs_engine
    def test_settings(self) -> None:
        self.put(b"st\xffyle.safetensors", lora_bytes(kohya("lora_unet_", factors(weights("tiny-sd15", "unet")))))
        words = ("generate", "a lake", "-m", "tiny-sd15", "--lora", b"st\xffyle.safetensors:0.5", "-t", "1", "-W", "64", "-H", "64",
                 "--steps", "2", "-s", "1", "--json")
        drawn = self.answer(*words, "-o", b"a\xff.png")
        self.assertEqual(text_of(drawn["path"]), b"a\xff.png")
        self.assertEqual([text_of(lora) for lora in drawn["loras"]], [b"st\xffyle:0.5"])
        texts = self.answer("inspect", b"a\xff.png", "--json")["texts"]
        self.assertIn("<lora:st\\xffyle:0.5>", texts["parameters"])
        self.assertEqual([text_of(lora) for lora in texts["lapis"]["job"]["loras"]], [b"st\xffyle:0.5"])
        kept = self.answer(*words, "--latent", "a.safetensors")
        self.assertEqual([text_of(lora) for lora in kept["loras"]], [b"st\xffyle:0.5"])
        # A latent's job finds the LoRA again by the name that it records.
        again = self.answer("refine", "a.safetensors", "--lora-dir", ".", "--strength", "0.5", "--dry-run", "--json")
        self.assertEqual([text_of(lora) for lora in again["job"]["loras"]], [b"st\xffyle:0.5"])


class OnATerminal(TerminalTest):
    """There our own colours and the bar are all that is sent."""

    def shown(self, *words: str | bytes) -> bytes:
        result, output = on_terminal(*words, streams=("stdout", "stderr"), cwd=self.folder, env={**os.environ, "TERM": "xterm"})
        self.assertGreaterEqual(result.returncode, 0)
        return output

    def test_errors_warnings_and_tables(self) -> None:
        self.put("a.png", png((b"iTXt", b"parameters\0\0\0\0\0" + HOSTILE.encode())))
        for words in (("generate", "a", "-m", HOSTILE), ("inspect", "a.png"), ("inspect", STRAY), (b"--" + STRAY,),
                      ("generate", "word " * 80 + HOSTILE, "--dry-run"), ("inspect", "tiny-sd15")):
            output = self.shown(*words)
            self.assertTrue(output)
            self.assertEqual(unclean(OURS.sub(b"", output)), "", words)
        self.assertIn(b"\x1b[31merror:\x1b[0m ", self.shown("generate", "a", "-m", HOSTILE))

    @needs_engine
    def test_a_dumb_one_gets_no_bar_whoever_asks_for_it(self) -> None:
        for term, has_bar in (("xterm", True), ("dumb", False)):
            _, output = on_terminal("generate", "a", "-o", f"{term}.png", *QUICK, "--progress", "bar", streams=("stderr",),
                                    cwd=self.folder, env={**os.environ, "TERM": term})
            self.assertEqual(b"[####" in output, has_bar, output)


if __name__ == "__main__":
    main(__doc__)
