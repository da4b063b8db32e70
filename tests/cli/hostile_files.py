"""The hostile files of tests/cli/test_hostile.py: how each is made, what is run on it, and what must be said."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import struct
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from checkpoints import single_file
from support import DATA, FLUX, MODEL, safetensors

GRAPH = "graphs/vae_decoder.pt"  # of a model; the first that is loaded is as good as any
Make = Callable[[Path], None]    # writes the file into a folder


@dataclass
class Case:
    what: str                      # for people
    make: Make                     # writes it, into the folder where the program runs
    words: tuple[str, ...]         # that the program is run with
    code: int = 3
    says: tuple[str, ...] = ()     # beside the file's name
    engine: bool = False           # met by libtorch's room alone
    powerless: bool = False        # run by a user that owns nothing
    group: str = field(default="", init=False)


def put(name: str, content: bytes) -> Make:
    return lambda folder: (folder / name).write_bytes(content) and None


def sparse(name: str, begin: bytes, size: int) -> Make:
    def make(folder: Path) -> None:
        with open(folder / name, "wb") as file:
            file.write(begin)
            file.truncate(size)
    return make


# safetensors

def tensors_text(header: bytes | str | dict, data: bytes = b"", length: int | None = None) -> bytes:
    text = json.dumps(header) if isinstance(header, dict) else header
    text = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(text) if length is None else length) + text + data


def entry(begin: int, end: int, shape: list[int] | None = None, dtype: str = "U8") -> dict:
    return {"dtype": dtype, "shape": [end - begin] if shape is None else shape, "data_offsets": [begin, end]}


def row(what: str, content: bytes, *says: str) -> Case:
    return Case(what, put("a.safetensors", content), ("import", "a.safetensors"), 3, says)


def one(tensor: dict, data: int = 16) -> bytes:
    return tensors_text({"a": tensor}, bytes(data))


FOUR_GB = 4 << 30
SAFETENSORS = [
    row("an empty file", b"", "is empty"),
    row("shorter than the length of a header", bytes(7), "fewer than the 8"),
    row("a header longer than the file", tensors_text({"a": entry(0, 16)}, bytes(16), 1000), "cut short"),
    row("a header longer than any", tensors_text({"a": entry(0, 16)}, bytes(16), 1 << 63), "the format allows"),
    Case("a header of more than 100 MB, and a file as long", sparse("a.safetensors", tensors_text("{", b"",
         100_000_001), 120_000_000),
         ("import", "a.safetensors"), 3, ("100000000",)),
    row("a header that is not UTF-8", tensors_text(b'{"\xff\xfe":1}'), "no JSON"),
    row("a header that is no JSON", tensors_text(b'{"a": tensor}'), "no JSON"),
    row("a header that ends early", tensors_text(b'{"a":{"dtype":"U8","shape":[16],"data_offsets":[0,16]}',
        bytes(16)), "no JSON"),
    row("a header that begins with blanks", tensors_text("  " + json.dumps({"a": entry(0, 16)}), bytes(16)),
        "no safetensors"),
    row("a header that is a list", tensors_text("[1, 2, 3]"), "no safetensors"),
    row("a header with a NUL", tensors_text(b'{}\0{}'), "NUL"),
    row("a tensor twice", tensors_text('{"a":%s,"a":%s}' % (json.dumps(entry(0, 8)), json.dumps(entry(8, 16))),
        bytes(16)),
        '"a" appears twice'),
    row("a key of the metadata twice", tensors_text('{"__metadata__":{"k":"1","k":"2"}}'), '"k" appears twice'),
    row("a field of a tensor twice",
        tensors_text('{"a":{"dtype":"U8","dtype":"I8","shape":[1],"data_offsets":[0,1]}}', bytes(1)),
        "dtype twice"),
    row("metadata that are no texts", tensors_text('{"__metadata__":{"k":1}}'), "metadata"),
    row("an unknown dtype", one(entry(0, 16, dtype="F7")), "F7"),
    row("an unknown field", one(entry(0, 16) | {"more": "x"}), "more"),
    row("a field that is missing", tensors_text('{"a":{"dtype":"U8","shape":[16]}}', bytes(16)), "data_offsets"),
    row("ten tensors on the same bytes", tensors_text({f"t{i}": entry(0, 16) for i in range(10)}, bytes(16)),
        "overlap"),
    row("100,000 tensors on the same bytes", tensors_text({f"t{i}": entry(0, 16) for i in range(100_000)}, bytes(16)),
        "overlap"),
    row("tensors that overlap by a byte", tensors_text({"a": entry(0, 9), "b": entry(8, 16)}, bytes(16)), "overlap"),
    row("a hole between tensors", tensors_text({"a": entry(0, 4), "b": entry(8, 16)}, bytes(16)), "hole"),
    row("bytes behind the last tensor", one(entry(0, 16), 21), "5 bytes"),
    row("fewer bytes than the tensors have", one(entry(0, 16), 15), "cut short"),
    row("a shape whose product wraps to 4", one(entry(0, 16, [2, 18446744073709551614])), "too large"),
    row("a shape of twice the largest number", one(entry(0, 16, [2, 9223372036854775807])), "too large"),
    row("a shape of more bytes than its offsets", one(entry(0, 16, [17])), "17"),
    row("offsets that go backwards", one({"dtype": "U8", "shape": [16], "data_offsets": [16, 0]})),
    row("a negative offset", one({"dtype": "U8", "shape": [16], "data_offsets": [-1, 15]}), "negative"),
    row("three numbers of four bits", one(entry(0, 2, [3], "F4"), 2), "whole number of bytes"),
    row("a shape of 100 dimensions", one(entry(0, 1, [1] * 100)), "more than 8"),
    row("lists within lists, 100,000 deep", tensors_text('{"a":' + "[" * 100_000 + "]" * 100_000 + "}")),
    row("objects within objects, 100,000 deep", tensors_text('{"a":' * 100_000 + "1" + "}" * 100_000)),
    Case("4 GB that the header speaks of and that are not there",
         put("a.safetensors", tensors_text({"a": entry(0, FOUR_GB, [FOUR_GB])}, bytes(16))), ("import",
         "a.safetensors"), 3,
         ("cut short",)),
    Case("4 GB that the header does not speak of", sparse("a.safetensors", one(entry(0, 16)), FOUR_GB),
         ("import", "a.safetensors"), 3, ("bytes",)),
    Case("a latent that claims 4 GB", put("a.safetensors", tensors_text({"latents": entry(0, FOUR_GB, [1, 4, 16384,
         16384], "F32")})),
         ("decode", "a.safetensors"), 3, ("cut short",)),
    Case("a folder by the name of a file", lambda folder: (folder / "a.safetensors").mkdir(), ("import",
         "a.safetensors"), 3,
         ("model_index.json",)),
    Case("a device", lambda folder: (folder / "a.safetensors").symlink_to("/dev/zero"), ("import", "a.safetensors"), 3),
    Case("a pipe that nobody writes to", lambda folder: os.mkfifo(folder / "a.safetensors"), ("import",
         "a.safetensors"), 3),
    Case("a link to itself", lambda folder: (folder / "a.safetensors").symlink_to("a.safetensors"), ("import",
         "a.safetensors"), 3),
    Case("a file that may not be read", lambda folder: (folder / "a.safetensors").write_bytes(one(entry(0, 16))) and
         (folder / "a.safetensors").chmod(0), ("import", "a.safetensors"), 3, ("ermission", "chmod"), powerless=True),
]


# TorchScript

def zipped(entries: dict[str, bytes], method: int = zipfile.ZIP_STORED) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return target.getvalue()


def graph() -> dict[str, bytes]:
    """The entries of an honest graph."""
    with zipfile.ZipFile(DATA / "line_plain.pt") as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def model_with(path: str, content: bytes) -> Make:
    """A model whose file at `path` is `content`, with its own sha256: nothing but the file itself can tell."""
    def make(folder: Path) -> None:
        model = Path(shutil.copytree(MODEL, folder / "model"))
        (model / path).write_bytes(content)
        document = json.loads((model / "model.json").read_text())
        document["files"][path] = {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
        (model / "model.json").write_text(json.dumps(document))
    return make


def part(what: str, content: bytes, *says: str) -> Case:
    words = ("generate", "a lake", "-m", "./model", "--steps", "1", "-W", "64", "-H", "64", "-o", "a.png", "-q")
    return Case(what, model_with(GRAPH, content), words, 5, says, engine=True)


def damaged(content: bytes, old: bytes, new: bytes) -> bytes:
    assert old in content and len(old) == len(new)
    return content.replace(old, new, 1)


def huge_size() -> bytes:
    """An entry that says it unpacks to 4 GB."""
    content = zipped(graph() | {"line_plain/data/9": bytes(1000)}, zipfile.ZIP_DEFLATED)
    place = content.rindex(b"PK\1\2")
    return content[:place + 24] + struct.pack("<I", 0xFFFFFFF0) + content[place + 28:]


HONEST = zipped(graph())
COMMAND = b"cposix\nsystem\nX\x0c\0\0\0touch hackedq\0\x85q\1Rq\2."
TORCHSCRIPT = [
    part("a zip archive cut short", HONEST[:-100], "end of a zip archive is missing"),
    part("code with another checksum", damaged(HONEST, b"__parameters__", b"__parameterz__"), "checksum"),
    part("an entry that claims 4 GB", huge_size(), "4294967280"),
    part("a bomb: 100 MB of zeros in 100 kB", zipped(graph() | {"line_plain/data/9": bytes(100 << 20)},
         zipfile.ZIP_DEFLATED), "unpacks"),
    part("a name with ..", zipped(graph() | {"line_plain/../../evil": b"x"}), "forbidden name"),
    part("an absolute name", zipped(graph() | {"/etc/evil": b"x"}), "forbidden name"),
    part("two names that differ in capitals", zipped(graph() | {"line_plain/DATA.pkl": b"x"}), "twice"),
    part("no constants.pkl", zipped({name: content for name,
         content in graph().items() if "constants.pkl" not in name}), "constants.pkl"),
    part("a plain zip archive", zipped({"readme.txt": b"hello"}), "another zip archive"),
    part("a file of torch.save", (DATA / "not_a_graph.pt").read_bytes(), "torch.jit.save"),
    part("a pickle", b"\x80\x02" + COMMAND, "a pickle of torch.save"),
    part("a GGUF file", b"GGUF" + bytes(100), "a GGUF file"),
    part("safetensors", one(entry(0, 16)), "a safetensors file"),
    part("an empty file", b"", "too short"),
    part("aten::save, which writes a file", (DATA / "hostile_save.pt").read_bytes(), "aten::save", "writes a file"),
    part("aten::save under another name", (DATA / "hostile_save_alias.pt").read_bytes(), "torch"),
    part("aten::save in __setstate__, which runs on loading", (DATA / "hostile_save_on_load.pt").read_bytes(),
         "__setstate__"),
    part("aten::from_file, which maps a file", (DATA / "hostile_from_file.pt").read_bytes(), "aten::from_file"),
    part("a storage that claims 200 numbers of 1", (DATA / "hostile_storage.pt").read_bytes(), "claims 200"),
    part("os.system in its pickle", zipped(graph() | {"line_plain/data.pkl": b"\x80\x02" + COMMAND}), "posix.system"),
    part("a memory of its pickle of 2^31 places",
         zipped(graph() | {"line_plain/data.pkl": b"\x80\x02Nr\xff\xff\xff\x7f."}), "counts its values"),
    part("code with brackets 10,000 deep", zipped(graph() | {
         "line_plain/code/deep.py": b"def f(x: Tensor) -> Tensor:\n  return " + b"(" * 10_000}), "nested deeper"),
    part("a graph of another network", (DATA / "echo.pt").read_bytes(), "takes 3 inputs"),
]


# Other files that people try

ZIP = zipped({"archive/data.pkl": b"\x80\x02" + COMMAND, "archive/version": b"3\n"})
FOREIGN = [
    Case("a .ckpt whose pickle runs a command", put("a.ckpt", b"\x80\x02" + COMMAND), ("import", "a.ckpt"), 3,
         ("save_file",)),
    Case("a .ckpt of today, a zip archive with such a pickle", put("a.ckpt", ZIP), ("import", "a.ckpt"), 3,
         ("save_file",)),
    Case("the same, named .safetensors", put("a.safetensors", ZIP), ("import", "a.safetensors"), 3, ("save_file",)),
    Case("the same as a latent", put("a.pt", ZIP), ("decode", "a.pt"), 3, ("PyTorch",)),
    Case("the same as an embedding", put("style.pt", ZIP), ("generate", "a style lake", "--embedding", "style.pt"), 3,
         ("style.pt",)),
    Case("a GGUF checkpoint", put("a.gguf", b"GGUF" + bytes(100)), ("import", "a.gguf"), 3, ("GGUF",)),
    Case("a plain zip archive", put("a.zip", zipped({"readme.txt": b"hello"})), ("import", "a.zip"), 3, ("a.zip",
         "Unpack it")),
    Case("a web page that was saved for a checkpoint", put("a.safetensors",
         b"<!DOCTYPE html><html><body>404</body></html>"),
         ("import", "a.safetensors"), 3, ("a web page",)),
    Case("a pointer of Git LFS", put("a.safetensors",
         b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4\n"),
         ("import", "a.safetensors"), 3, ("Git LFS",)),
]


# Model folders

def edited(edit: Callable[[str], str], files: Make = lambda folder: None) -> Make:
    def make(folder: Path) -> None:
        model = Path(shutil.copytree(MODEL, folder / "model"))
        document = model / "model.json"
        document.write_text(edit(document.read_text()))
        files(folder)
    return make


def folder_row(what: str, edit: Callable[[str], str], *says: str, files: Make = lambda folder: None) -> Case:
    return Case(what, edited(edit, files), ("inspect", "./model"), 5, says)


def moved(path: str) -> Callable[[str], str]:
    """Another path for the denoiser's graph."""
    return lambda text: text.replace("graphs/denoiser.pt", path)


def same(text: str) -> str:
    return text


def link_out(folder: Path) -> None:
    file = folder / "model" / "graphs" / "denoiser.pt"
    file.rename(folder / "outside.pt")
    file.symlink_to(folder / "outside.pt")


def cut(folder: Path) -> None:
    file = folder / "model" / "graphs" / "denoiser.pt"
    file.write_bytes(file.read_bytes()[:-1])


def altered(folder: Path) -> None:
    model = Path(shutil.copytree(MODEL, folder / "model"))
    file = model / "graphs" / "denoiser.pt"
    content = bytearray(file.read_bytes())
    content[1000] ^= 1
    file.write_bytes(content)


FOLDERS = [
    folder_row("a path with ..", moved("../model/graphs/denoiser.pt"), "leaves the model's folder"),
    folder_row("an absolute path", moved("/etc/passwd"), "is absolute"),
    folder_row("a path with a control character", moved("graphs/\\u001b[31mdenoiser.pt"), "control character"),
    folder_row("a link that leads out of the folder", same, "symbolic link that leads out", files=link_out),
    folder_row("a key twice", lambda text: text.replace('"family"', '"name": "again", "family"'), "twice"),
    folder_row("nested 100,000 deep", lambda text: '{"version":' + "[" * 100_000 + "]" * 100_000 + "}"),
    folder_row("2 MB of blanks", lambda text: text + " " * (2 << 20), "at most"),
    folder_row("no JSON", lambda text: text[:-100], "no JSON"),
    folder_row("an unknown key", lambda text: text.replace('"licence"', '"license"'), 'Did you mean "licence"?'),
    folder_row("a word it was taught that clears the screen",
               lambda text: text.replace('"words": [', '"words": ["\\u001b[2J",'),
               "one word in lower case"),
    folder_row("another version", lambda text: text.replace('"version": 1', '"version": 2'), "version"),
    folder_row("a file cut short", same, "truncated", files=cut),
    folder_row("a file that is a folder", same, files=lambda folder: (
        (folder / "model" / "graphs" / "denoiser.pt").unlink(), (folder / "model" / "graphs" / "denoiser.pt").mkdir(),
        None)[-1]),
    Case("a file that was altered", altered, ("inspect", "./model", "--verify"), 5, ("has been altered",)),
    Case("a folder that may not be entered", lambda folder: Path(shutil.copytree(MODEL, folder / "model")).chmod(0),
         ("inspect", "./model"), 5, ("ermission",), powerless=True),
    Case("a folder that may not be written to", lambda folder: shutil.copytree(MODEL, folder / "model") and None,
         ("import", "./model", "-o", "./mine"), 8, ("-o FOLDER",), powerless=True),
]


# Checkpoints

def checkpoint(edit: Callable[[dict], dict]) -> Make:
    return lambda folder: (folder / "a.safetensors").write_bytes(safetensors(edit(single_file(MODEL)))) and None


def made_of(*names: str, shape: tuple[int, ...] = (2, 2)) -> Make:
    count = 2
    for size in shape:
        count *= size
    return put("a.safetensors", safetensors({name: ("F16", list(shape), bytes(count)) for name in names}))


def flux_transformer(folder: Path) -> None:
    shutil.copytree(FLUX / "transformer", folder / "transformer")


GONE = "model.diffusion_model.out.2.weight"
IMPORT = ("import", "a.safetensors")
CHECKPOINTS = [
    Case("a tensor is missing", checkpoint(lambda tensors: {n: t for n, t in tensors.items() if n != GONE}), IMPORT,
         3, (GONE, "missing")),
    Case("a tensor has another shape", checkpoint(lambda tensors: tensors | {
        GONE: (tensors[GONE][0], [tensors[GONE][1][1], tensors[GONE][1][0], 3, 3], tensors[GONE][2])}), IMPORT, 3,
        (GONE, "shape")),
    Case("a tensor is NaN all over", checkpoint(lambda tensors: tensors | {
        GONE: (*tensors[GONE][:2], b"\xff" * len(tensors[GONE][2]))}), IMPORT, 3, (GONE, "not finite")),
    Case("no text encoder, no VAE", checkpoint(lambda tensors: {n: t for n,
         t in tensors.items() if n.startswith("model.")}), IMPORT, 2,
         ("text_encoder", "--vae FILE")),
    Case("no denoiser", checkpoint(lambda tensors: {n: t for n, t in tensors.items() if n.startswith("first")}),
         IMPORT, 3, ("no denoiser",)),
    Case("the VAE of another family", checkpoint(lambda tensors: {n: t for n,
         t in tensors.items() if "first_stage" not in n}),
         (*IMPORT, "--vae", str(FLUX / "vae")), 4, ("another family",)),
    Case("Flux without T5", flux_transformer,
         ("import", "transformer/diffusion_pytorch_model.safetensors", "--vae", str(FLUX / "vae"), "--clip-l",
         str(FLUX / "text_encoder")),
         2, ("text_encoder_2", "--t5xxl FILE")),
    Case("Stable Diffusion 3", made_of("model.diffusion_model.joint_blocks.0.context_block.adaLN_modulation.1.bias"),
         IMPORT, 3,
         ("Stable Diffusion 3",)),
    Case("Stable Cascade", made_of("clip_txt_mapper.weight"), IMPORT, 3, ("Stable Cascade",)),
    Case("PixArt", made_of("adaln_single.linear.weight"), IMPORT, 3, ("PixArt",)),
    Case("Stable Diffusion 2", made_of("cond_stage_model.model.transformer.resblocks.0.ln_1.weight"), IMPORT, 3,
         ("Stable Diffusion 2",)),
    Case("a LoRA", made_of("lora_unet_down.lora_down.weight", "lora_unet_down.lora_up.weight"), IMPORT, 3, ("LoRA",)),
    Case("a LoRA of another architecture", made_of("lora_unet_down.lora_down.weight", "lora_unet_down.lora_up.weight"),
         ("generate", "a lake", "--lora", "a.safetensors", "-o", "a.png"), 4, ("a.safetensors", "none of its")),
    Case("tensors that nobody knows", made_of("some.tensor", "another.tensor"), IMPORT, 3, ("does not know",)),
]

GROUPS = {"Safetensors": SAFETENSORS, "TorchScript": TORCHSCRIPT, "What people try": FOREIGN, "Model folders": FOLDERS,
          "Checkpoints": CHECKPOINTS}
