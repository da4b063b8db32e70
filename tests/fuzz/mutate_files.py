#!/usr/bin/env python3
"""Feeds the program mutated files of every kind that it reads, each to the cheapest command that reads that kind, and
demands of each: no signal, no exit 70, at most 10 s and 1 GB, and nothing on the terminal that it would obey.

    tests/fuzz/mutate_files.py BUILD_FOLDER [--count 150] [--seed 1] [--kind NAME] [--keep FOLDER]

The same seed and count give the same files. --keep keeps those that are found, each beside the line that was run.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import random
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "cli"))

from checkpoints import single_file  # noqa: E402
from loras import factors, kohya, lora_bytes, peft, weights  # noqa: E402
from support import DATA, FLUX, MODEL, f32, passport, png_chunk, png_chunks, safetensors, unclean  # noqa: E402

MOST_SECONDS = 10         # of CPU; of the clock, six times that
MOST_BYTES = 1 << 30

Chance = random.Random


# How files change

INTERESTING = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 40, (1 << 63) - 1)


def flip(data: bytearray, rng: Chance) -> None:
    for _ in range(rng.choice((1, 1, 2, 8))):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)


def place_bytes(data: bytearray, rng: Chance) -> None:
    for _ in range(rng.choice((1, 4, 16))):
        data[rng.randrange(len(data))] = rng.choice((0, 0xFF, rng.randrange(256)))


def place_number(data: bytearray, rng: Chance) -> None:
    width = rng.choice((2, 4, 8))
    at = rng.randrange(len(data))
    number = (rng.choice(INTERESTING) & ((1 << 8 * width) - 1)).to_bytes(width, rng.choice(("little", "big")))
    data[at:at + width] = number[:max(0, len(data) - at)]


def cut(data: bytearray, rng: Chance) -> None:
    del data[rng.randrange(len(data)):]


def drop(data: bytearray, rng: Chance) -> None:
    at = rng.randrange(len(data))
    del data[at:at + rng.randrange(1, 64)]


def repeat(data: bytearray, rng: Chance) -> None:
    at = rng.randrange(len(data))
    data[at:at] = data[at:at + rng.randrange(1, 64)] * rng.choice((1, 2, 50))


def insert(data: bytearray, rng: Chance) -> None:
    at = rng.randrange(len(data) + 1)
    data[at:at] = rng.randbytes(rng.randrange(1, 32))


def mutated(data: bytes, rng: Chance) -> bytes:
    result = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 3))):
        if result:
            rng.choice((flip, place_bytes, place_number, cut, drop, repeat, insert))(result, rng)
    return bytes(result)


WORDS = (b"0", b"1", b"2", b"64", b"0.5", b"-1", b"1e999", b"18446744073709551616", b"null", b"[]", b"{}", b'""', b"true", b"0.1", b'"\\u0000"',
         b"9" * 400, b"[" * 300, b'"\xff"', b'"' + b"a" * 5000 + b'"', b'"../../x"', b"1e-300")


def mutated_json(text: bytes, rng: Chance) -> bytes:
    """Half of the time by its values and keys, so that most of it is still read."""
    if rng.random() < 0.4:
        return mutated(text, rng)
    document = json.loads(text)
    places: list[tuple[dict | list, str | int]] = []

    def walk(value: object) -> None:
        for key, member in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
            places.append((value, key))
            walk(member)
    walk(document)
    marks = {}
    for _ in range(rng.choice((1, 1, 2))):
        holder, key = rng.choice(places)
        if isinstance(holder, dict) and rng.random() < 0.2 and key in holder:
            holder[rng.choice(("x", "", key + "x", key.upper()))] = holder.pop(key)
        elif (isinstance(holder, list) and key < len(holder)) or key in holder:
            marks[f"@{len(marks)}@"] = rng.choice(WORDS)
            holder[key] = f"@{len(marks) - 1}@"
    result = json.dumps(document).encode()
    for mark, word in marks.items():
        result = result.replace(b'"' + mark.encode() + b'"', word)
    return result


def mutated_safetensors(data: bytes, rng: Chance) -> bytes:
    """The file, its header with a length that is right, or its numbers, of as many bytes."""
    how = rng.choice(("file", "header", "header", "header's values", "header's values", "numbers", "numbers"))
    if how == "file":
        return mutated(data, rng)
    length, = struct.unpack("<Q", data[:8])
    header, body = data[8:8 + length], data[8 + length:]
    if how == "numbers" and body:
        body = mutated(body, rng)[:len(body)].ljust(len(body), b"\x7f")
    elif how == "header":
        header = mutated(header, rng)
    else:
        header = mutated_json(header, rng)
    return struct.pack("<Q", len(header)) + header + body


def mutated_png(data: bytes, rng: Chance) -> bytes:
    """Mostly one chunk, with a checksum that is right."""
    if rng.random() < 0.3:
        return mutated(data, rng)
    chunks = list(png_chunks(data))
    which = rng.randrange(len(chunks))
    kind, content = chunks[which]
    if rng.random() < 0.2:
        kind = rng.choice((b"IDAT", b"PLTE", b"tRNS", b"iTXt", b"zTXt", b"eXIf", b"IHDR", b"IEND", b"acTL"))
    if kind == b"IDAT" and rng.random() < 0.5:
        try:
            content = zlib.compress(mutated(zlib.decompress(content), rng))
        except zlib.error:
            pass
    chunks[which:which + 1] = [(kind, mutated(content, rng) if content else content)] * rng.choice((1, 1, 1, 2))
    return data[:8] + b"".join(png_chunk(*chunk) for chunk in chunks)


def mutated_zip(data: bytes, rng: Chance) -> bytes:
    """Mostly one entry, with a checksum that is right."""
    if rng.random() < 0.2:
        return mutated(data, rng)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = {name: archive.read(name) for name in archive.namelist()}
    for _ in range(rng.choice((1, 1, 2))):
        name = rng.choice([name for name in entries if entries[name]])
        entries[name] = mutated(entries[name], rng)
    if rng.random() < 0.1:
        entries.pop(rng.choice(list(entries)))
    output = io.BytesIO()
    with zipfile.ZipFile(output, "w", zipfile.ZIP_STORED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return output.getvalue()


# What is mutated and who reads it: a kind makes a file in a folder and says what to run there.

class Case(NamedTuple):
    words: list[str]


class Seeds:
    """The sound files, made once."""

    def __init__(self) -> None:
        pictures = {path.name: path.read_bytes() for path in sorted((DATA / "pictures").iterdir())
                    if path.is_file()}
        self.png = [data for name, data in pictures.items() if name.endswith(".png")]
        self.jpeg = [data for name, data in pictures.items() if name.endswith(".jpg")]
        self.gif = [data for name, data in pictures.items() if name.endswith(".gif")]
        self.plain = [(name[-4:], data) for name, data in pictures.items() if name[-4:] in (".bmp", ".tga", ".ppm", ".pgm")]
        numbers = {"latent": f32((1, 4, 8, 8), [0.1 * i % 3 - 1.5 for i in range(256)])}
        facts = passport("sd15", "tiny-sd15", (1, 4, 8, 8))
        job = json.dumps({"version": "0.1.0", "job": {"prompt": "a lake", "model": "tiny-sd15", "steps": 2, "sampler": "euler"},
                          "model": {"name": "tiny-sd15", "family": "sd15", "files": {}}})
        self.latents = [safetensors(numbers, facts), safetensors(numbers, facts | {
            "sigma": "1.5", "path": "variance_exploding", "step": "1", "draws": "1", "job": job})]
        latents = {path.name: path.read_bytes() for path in sorted((DATA / "latents").iterdir())}
        self.npy = [latents[name] for name in ("plain.npy", "plain_f16.npy", "version2.npy")]
        self.comfy = [data for name, data in latents.items() if name.endswith((".latent", ".safetensors"))]
        self.checkpoints = [safetensors(single_file(MODEL))]
        shapes = dict(list(weights("tiny-sd15", "unet").items())[:3])
        self.loras = [lora_bytes(kohya("lora_unet_", factors(shapes), 2.0)), lora_bytes(peft("unet.", factors(shapes)))]
        self.embeddings = [safetensors({name: f32([2, 128], [0.1] * 256)})
                           for name in ("emb_params", "clip_l", "<style>")]
        self.graph = (MODEL / "graphs" / "vae_decoder.pt").read_bytes()


def put(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)


DRY = ["-s", "1", "-t", "1", "--dry-run"]
ON_TINY = ["-m", str(MODEL), *DRY]


def model_in(folder: Path, file: str = "", content: bytes = b"", *, listed: bool = True) -> None:
    """The bundled model in `folder`/model, by links, with one other file."""
    for path in MODEL.rglob("*"):
        place = folder / "model" / path.relative_to(MODEL)
        if path.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        elif str(path.relative_to(MODEL)) != "model.json":
            os.link(path, place) if os.stat(path).st_dev == os.stat(folder).st_dev else shutil.copy(path, place)
    document = json.loads((MODEL / "model.json").read_text())
    if file:
        (folder / "model" / file).unlink()
        (folder / "model" / file).write_bytes(content)
    if file and listed:
        facts = document["files"][file]
        facts[next(key for key in facts if key != "sha256")] = len(content)
        facts["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "model" / "model.json").write_text(json.dumps(document))


def picture(seeds: Callable[[Seeds], list], how: Callable[[bytes, Chance], bytes], ending: str) -> Callable:
    def make(folder: Path, seed: Seeds, rng: Chance) -> Case:
        chosen = rng.choice(seeds(seed))
        kind, data = chosen if isinstance(chosen, tuple) else (ending, chosen)
        put(folder, f"a{kind}", how(data, rng))
        if ending == ".png" and rng.random() < 0.3:
            return Case(["inspect", "a.png"])
        return Case(["generate", "a", "-i", f"a{kind}", "-W", "64", "-H", "64", *ON_TINY])
    return make


def latent(folder: Path, seed: Seeds, rng: Chance) -> Case:
    put(folder, "a.safetensors", mutated_safetensors(rng.choice(seed.latents), rng))
    return Case(rng.choice((["inspect", "a.safetensors"], ["refine", "a.safetensors", "-p", "a", *ON_TINY],
                            ["generate", "--init-latent", "a.safetensors", *ON_TINY], ["check", "a.safetensors"],
                            ["decode", "a.safetensors", "--preview", "-o", "b.png"])))


def array(folder: Path, seed: Seeds, rng: Chance) -> Case:
    data = rng.choice(seed.npy)
    header = data.index(b"\n") + 1
    numbers = mutated(data[header:], rng)[:len(data) - header].ljust(len(data) - header, b"\x3f")
    put(folder, "a.npy", mutated(data, rng) if rng.random() < 0.6 else data[:header] + numbers)
    return Case(rng.choice((["inspect", "a.npy"], ["convert", "a.npy", "--space", "sd15", "--in-units", "vae", "--format", "lapis", "-o", "b"])))


def comfy(folder: Path, seed: Seeds, rng: Chance) -> Case:
    put(folder, "a.latent", mutated_safetensors(rng.choice(seed.comfy), rng))
    return Case(rng.choice((["inspect", "a.latent"], ["convert", "a.latent", "--space", "sd15", "--format", "lapis", "-o", "b"])))


def checkpoint(folder: Path, seed: Seeds, rng: Chance) -> Case:
    put(folder, "a.safetensors", mutated_safetensors(rng.choice(seed.checkpoints), rng))
    return Case(["import", "a.safetensors", "-o", "made"])


def lora(folder: Path, seed: Seeds, rng: Chance) -> Case:
    put(folder, "a.safetensors", mutated_safetensors(rng.choice(seed.loras), rng))
    return Case(["generate", "a", "--lora", "a.safetensors", *ON_TINY])


def embedding(folder: Path, seed: Seeds, rng: Chance) -> Case:
    put(folder, "style.safetensors", mutated_safetensors(rng.choice(seed.embeddings), rng))
    return Case(["generate", "a style", "--embedding", "style.safetensors", *ON_TINY])


def model_json(folder: Path, _: Seeds, rng: Chance) -> Case:
    model_in(folder)
    place = folder / "model" / "model.json"
    place.write_bytes(mutated_json(place.read_bytes(), rng))
    return Case(rng.choice((["inspect", "./model"], ["generate", "a", *DRY, "-m", "./model"])))


def graph(folder: Path, seed: Seeds, rng: Chance) -> Case:
    model_in(folder, "graphs/vae_decoder.pt", mutated_zip(seed.graph, rng))
    put(folder, "a.safetensors", seed.latents[0])
    return Case(["decode", "a.safetensors", "-m", "./model", "-o", "b.png", "-t", "1"])


def tokenizer(folder: Path, _: Seeds, rng: Chance) -> Case:
    if rng.random() < 0.3:
        spiece = mutated((FLUX / "tokenizer_2" / "spiece.model").read_bytes(), rng)
        put(folder, "spiece.model", spiece)
        put(folder, "a.safetensors", b"\x02\0\0\0\0\0\0\0{}")
        return Case(["import", "a.safetensors", "--tokenizer", "spiece.model", "-o", "made"])
    name = rng.choice(("vocab.json", "merges.txt"))
    data = (MODEL / "tokenizer" / name).read_bytes()
    model_in(folder, f"tokenizer/{name}", (mutated_json if name.endswith("json") and rng.random() < 0.5 else mutated)(data, rng))
    return Case(["inspect", "./model", "--tokens", "a serene lakeside at sunset, größe 人生"])


PROMPTS = ("a (red:1.3) house [at night:0.4], <lora:style:0.8> BREAK a lake", "((a [b|c] \\(d\\))) embedding:style, {x}",
           "a serene lakeside at sunset with birches, größe 人生 👩\u200d🚀", "[[[[((((a:1.1)))):2]]]]" * 8)


def prompt(folder: Path, _: Seeds, rng: Chance) -> Case:
    text = rng.choice(PROMPTS).encode()
    for _ in range(rng.randrange(4)):
        text = text + rng.choice((b"(", b")", b"[", b"]", b":", b"|", b"<lora:", b">", b"\\", b"1e9", b" AND ", b"\xc3")) * rng.choice((1, 3, 300))
    put(folder, "prompt.txt", mutated(text, rng))
    return Case(["generate", "@prompt.txt", "--prompt-syntax", rng.choice(("plain", "a1111", "comfy")), *ON_TINY])


def diffusers(folder: Path, _: Seeds, rng: Chance) -> Case:
    model_in(folder)
    (folder / "model" / "model.json").unlink()
    name = rng.choice(("model_index.json", "scheduler/scheduler_config.json", "vae/config.json", "unet/config.json",
                       "text_encoder/config.json"))
    place = folder / "model" / name
    content = mutated_json(place.read_bytes(), rng)
    place.unlink()
    place.write_bytes(content)
    return Case(rng.choice((["import", "model", "-o", "made"], ["check", str(MODEL), "--vae", "model"])))


KINDS: dict[str, Callable[[Path, Seeds, Chance], Case]] = {
    "PNG": picture(lambda seed: seed.png, mutated_png, ".png"),
    "JPEG": picture(lambda seed: seed.jpeg, mutated, ".jpg"),
    "GIF": picture(lambda seed: seed.gif, mutated, ".gif"),
    "BMP, TGA, PNM": picture(lambda seed: seed.plain, mutated, ""),
    "latents": latent,
    "arrays": array,
    "latents of others": comfy,
    "checkpoints": checkpoint,
    "LoRAs": lora,
    "embeddings": embedding,
    "model.json": model_json,
    "graphs": graph,
    "tokenizers": tokenizer,
    "prompts": prompt,
    "diffusers' configs": diffusers,
}


# Running

class Outcome(NamedTuple):
    code: int
    seconds: float  # of CPU
    bytes: int      # resident at most
    output: bytes
    late: bool

    def fault(self) -> str:
        if self.late or self.seconds > MOST_SECONDS:
            return f"took {self.seconds:.1f} s of CPU" + (" and was ended" if self.late else "")
        if self.code < 0:
            return f"signal {signal.Signals(-self.code).name}"
        if self.code == 70:
            return "exit 70"
        if self.bytes > MOST_BYTES:
            return f"{self.bytes / 1e6:.0f} MB"
        return unclean(self.output)


def outcome(program: Path, case: Case, folder: Path) -> Outcome:
    environment = {**os.environ, "XDG_DATA_HOME": str(folder / "home"), "COLUMNS": "80"}
    with subprocess.Popen([program, *case.words], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, env=environment) as process:
        timer = threading.Timer(6 * MOST_SECONDS, process.kill)
        timer.start()
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        late = not timer.is_alive()
        timer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
    return Outcome(process.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, output, late)


class Row:
    """What became of the files of one kind."""

    def __init__(self) -> None:
        self.codes: Counter[int] = Counter()
        self.seconds = 0.0
        self.bytes = 0
        self.faults = 0

    def add(self, found: Outcome) -> None:
        self.codes[found.code] += 1
        self.seconds = max(self.seconds, found.seconds)
        self.bytes = max(self.bytes, found.bytes)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n", maxsplit=1)[0])
    parser.add_argument("build", type=Path)
    parser.add_argument("--count", type=int, default=150, help="files, of all kinds together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", choices=KINDS, help="this one alone")
    parser.add_argument("--keep", type=Path, help="folder for what is found")
    options = parser.parse_args()
    program = (options.build / "lapis").resolve()
    kinds = [kind for kind in ([options.kind] if options.kind else KINDS)
             if kind != "graphs" or (options.build / "liblapis_engine.so").exists()]
    seeds, start = Seeds(), time.monotonic()
    rows = {kind: Row() for kind in kinds}
    for number in range(options.count):
        kind = kinds[number % len(kinds)]
        name = f"{options.seed}-{number}"
        with tempfile.TemporaryDirectory(prefix="lapis-mutated-") as place:
            folder = Path(place)
            case = KINDS[kind](folder, seeds, random.Random(f"{name} {kind}"))
            found = outcome(program, case, folder)
            rows[kind].add(found)
            if fault := found.fault():
                rows[kind].faults += 1
                print(f"{kind}, {name}: {fault}: lapis {shlex.join(case.words)}\n    {found.output[-300:]!r}", file=sys.stderr)
                if options.keep:
                    shutil.copytree(folder, options.keep / name, dirs_exist_ok=True)
                    (options.keep / name / "run").write_text(f"lapis {shlex.join(case.words)}  # {fault}\n")
    print(f"{'kind':<20}{'files':>7}{'found':>7}{'s':>7}{'MB':>6}  exit codes")
    for kind, row in rows.items():
        codes = ", ".join(f"{code}: {count}" for code, count in sorted(row.codes.items()))
        print(f"{kind:<20}{sum(row.codes.values()):>7}{row.faults:>7}{row.seconds:>7.1f}{row.bytes / 1e6:>6.0f}  {codes}")
    faults = sum(row.faults for row in rows.values())
    print(f"{options.count} files, seed {options.seed}: {faults} found, {time.monotonic() - start:.0f} s")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
