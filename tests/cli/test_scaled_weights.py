#!/usr/bin/env python3
"""Drives the real program with checkpoints and LoRAs whose weights are small numbers with scales beside them. What they
stand for is computed here, number by number, and written as a twin in fp32: both must draw the same picture, and one
without its scales another.
"""

from __future__ import annotations

import array
import bisect
import functools
import json
import math
import random
import re
import shutil
import struct
from collections.abc import Callable

from checkpoints import ImportTest
from loras import LoraTest, factors, weights
from support import FLUX, Tensor, floats, main, needs_engine, read_png, read_tensors, safetensors

WALK = ("a red house in snow", "--steps", "1", "-W", "64", "-H", "64", "-t", "1", "-s", "7", "-q")
Tensors = dict[str, Tensor]


def e4m3(byte: int) -> float:
    exponent, fraction = byte >> 3 & 15, byte & 7
    size = fraction / 8 * 2 ** -6 if exponent == 0 else (1 + fraction / 8) * 2.0 ** (exponent - 7)
    return math.copysign(size, -1 if byte & 128 else 1)


def e5m2(byte: int) -> float:
    return struct.unpack("<e", bytes((0, byte)))[0]


FORMATS: dict[str, tuple[Callable[[int], float], int]] = {"F8_E4M3": (e4m3, 0x7F), "F8_E5M2": (e5m2, 0x7C)}


def single(number: float) -> float:
    return struct.unpack("<f", struct.pack("<f", number))[0]


def quantized(tensor: Tensor, dtype: str, scale: float) -> bytes:
    """The weights in F16 over the scale, each as the nearest number of the type."""
    decode, count = FORMATS[dtype]
    ladder = [decode(byte) for byte in range(count)]
    code = {}
    for bits in set(array.array("H", tensor[2])):
        number, = struct.unpack("<e", struct.pack("<H", bits))
        at = min(bisect.bisect(ladder, abs(number) / scale), count - 1)
        nearest = at - (at > 0 and abs(number) / scale - ladder[at - 1] < ladder[at] - abs(number) / scale)
        code[bits] = nearest | (128 if number < 0 else 0)
    return bytes(map(code.__getitem__, array.array("H", tensor[2])))


def largest(tensor: Tensor) -> float:
    return max(abs(struct.unpack("<e", struct.pack("<H", bits))[0]) for bits in set(array.array("H", tensor[2])))


class Scheme:
    """A way of writing scales: blocks of some height and width, 0 for all of it, and the names and notes around them."""

    def __init__(self, dtype: str, key: str, height: int, width: int, *, trailing: bool = False, marker: bool = False,
                 note: str = "") -> None:
        self.dtype, self.key, self.height, self.width = dtype, key, height, width
        self.trailing, self.marker, self.note = trailing, marker, note

    def apply(self, tensors: Tensors, chosen: Callable[[str], bool]) -> tuple[Tensors, Tensors, Tensors]:
        """The checkpoint with scales, its twin in fp32, and the same without scales."""
        kept, twin, dropped = dict(tensors), dict(tensors), dict(tensors)
        for name in filter(chosen, tensors):
            stem = name.removesuffix(".weight")
            stored, whole, scale = self.split(tensors[name])
            kept[name] = dropped[name] = stored
            kept[f"{stem}.{self.key}"] = scale
            kept[f"{stem}.input_scale"] = ("F32", [], floats(0.25))
            twin[name] = whole
            if self.note:
                text = json.dumps({"format": self.note}).encode()
                kept[f"{stem}.comfy_quant"] = ("U8", [len(text)], text)
        if self.marker:
            kept["scaled_fp8"] = (self.dtype, [2], bytes(2))
        return kept, twin, dropped

    def split(self, tensor: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        rows, columns = tensor[1]
        height, width = self.height or rows, self.width or columns
        decode, _ = FORMATS[self.dtype]
        base = single(largest(tensor) / decode(0x7B))
        codes = quantized(tensor, self.dtype, base)
        grid = [[single(base * (0.8 + 0.05 * ((3 * row + column) % 7))) for column in range(-(-columns // width))]
                for row in range(-(-rows // height))]
        product = {scale: [floats(decode(byte) * scale) for byte in range(256)] for line in grid for scale in line}
        whole = bytearray()
        for row in range(rows):
            for block, scale in enumerate(grid[row // height]):
                first = row * columns + block * width
                piece = codes[first:min(first + width, (row + 1) * columns)]
                whole += b"".join(map(product[scale].__getitem__, piece))
        shape = [] if not self.height and not self.width else [len(grid), len(grid[0])]
        numbers = floats(*(scale for line in grid for scale in line))
        return ((self.dtype, [rows, columns], codes), ("F32", [rows, columns], bytes(whole)),
                ("F32", shape + [1] * self.trailing, numbers))


COMFY = Scheme("F8_E4M3", "scale_weight", 0, 0, marker=True)
SCHEMES = {
    "scaled-fp8": COMFY,
    "scaled-fp8-e5m2": Scheme("F8_E5M2", "scale_weight", 0, 0, marker=True),
    "comfy-quant": Scheme("F8_E4M3", "weight_scale", 0, 0, note="float8_e4m3fn"),
    "rows": Scheme("F8_E4M3", "weight_scale", 1, 0),
    "blocks": Scheme("F8_E4M3", "weight_scale_inv", 128, 128),
    "row-blocks": Scheme("F8_E4M3", "scale_weight", 1, 64, trailing=True),
}
DRAWN = ("scaled-fp8", "row-blocks")  # the products of all schemes are tests/engine/test_scaled.cpp's


def is_layer(tensors: Tensors) -> Callable[[str], bool]:
    """The weights that programs quantize: matrices, but no tables; of the second block alone where there are blocks."""
    return lambda name: len(tensors[name][1]) == 2 and name.endswith(".weight") and not re.search(
        r"embed|shared|relative|block\.0|blocks\.0", name)


@functools.cache
def t5_with_scales() -> Tensors:
    tensors = read_tensors(FLUX / "text_encoder_2" / "model.safetensors")
    return COMFY.apply(tensors, is_layer(tensors))[0]


class ScaledTest(ImportTest):
    def t5(self) -> Tensors:
        return read_tensors(FLUX / "text_encoder_2" / "model.safetensors")

    def write(self, name: str, tensors: Tensors, metadata: dict[str, str] | None = None) -> str:
        return self.put(f"{name}.safetensors", safetensors(tensors, metadata)).name

    def with_t5(self, name: str, tensors: Tensors, **options) -> dict:
        file = self.write(name, tensors)
        return self.line("import", str(FLUX), "--t5xxl", file, "--name", name, **options)

    def drawn(self, name: str, *words: str) -> tuple[int, int, bytes]:
        self.done("generate", *WALK, "-m", name, *words, "-o", "drawn.png", "--overwrite")
        return read_png((self.folder / "drawn.png").read_bytes())


@needs_engine
class Drawn(ScaledTest):
    def test_a_text_encoder_with_scales_draws_what_its_twin_draws(self) -> None:
        tensors = self.t5()
        for name, scheme in SCHEMES.items():
            with self.subTest(name):
                kept, twin, dropped = scheme.apply(tensors, is_layer(tensors))
                line = self.with_t5(name, kept)
                self.assertEqual(line["parts"]["text_encoder_2"]["dtype"], f"F16 and {scheme.dtype} with scales")
                self.assertFalse([note for note in line["notes"] if "nothing here needs" in note])
                if name not in DRAWN:
                    continue
                self.with_t5(f"{name}-twin", twin)
                self.with_t5(f"{name}-dropped", dropped)
                picture = self.drawn(name)
                self.assertEqual(picture, self.drawn(f"{name}-twin"))
                self.assertNotEqual(picture, self.drawn(f"{name}-dropped"))

    def test_in_bf16_they_are_the_twin_rounded_once(self) -> None:
        tensors = self.t5()
        kept, twin, _ = SCHEMES["rows"].apply(tensors, is_layer(tensors))
        self.with_t5("kept", kept)
        self.with_t5("twin", twin)
        self.assertEqual(self.drawn("kept", "--dtype", "bf16"), self.drawn("twin", "--dtype", "bf16"))

    def test_a_folder_whose_transformer_and_text_encoder_have_scales(self) -> None:
        names = {"transformer": "diffusion_pytorch_model", "text_encoder": "model"}
        twins = [self.folder / "kept", self.folder / "twin"]
        for folder in twins:
            shutil.copytree(FLUX, folder)
        for part, stem in names.items():
            tensors = read_tensors(FLUX / part / f"{stem}.safetensors")
            layers = is_layer(tensors)
            for folder, content in zip(twins, SCHEMES["rows"].apply(tensors, lambda n: "attn" in n and layers(n))):
                (folder / part / f"{stem}.safetensors").write_bytes(safetensors(content))
        for folder in twins:
            self.done("import", str(folder), "--name", f"of-{folder.name}")
        self.assertEqual(self.drawn("of-kept"), self.drawn("of-twin"))
        self.assertNotEqual(self.drawn("of-kept"), self.drawn(str(FLUX)))


class Refused(ScaledTest):
    LAYER = "encoder.block.1.layer.0.SelfAttention.k"

    def refuse(self, edit: Callable[[Tensors], object], *says: str, metadata: dict[str, str] | None = None) -> None:
        kept = dict(t5_with_scales())
        edit(kept)
        file = self.write("t5", kept, metadata)
        self.refused(3, "import", str(FLUX), "--t5xxl", file, "--name", "none", says=("t5.safetensors", *says))

    def test_what_is_half_there(self) -> None:
        weight, scale = f"{self.LAYER}.weight", f"{self.LAYER}.scale_weight"
        self.refuse(lambda kept: kept.pop(scale), weight, "its scale is not there")
        self.refuse(lambda kept: kept.pop(weight), scale, "is not there")
        self.refuse(lambda kept: kept.update({f"{self.LAYER}.weight_scale": kept[scale]}), "has two scales")

        def bare(kept: Tensors) -> None:
            for name in [name for name in kept if name.endswith(".scale_weight")]:
                del kept[name]

        self.refuse(bare, "scaled_fp8", "none has")

    def test_scales_that_are_no_scales(self) -> None:
        scale = f"{self.LAYER}.scale_weight"
        for number, says in ((math.nan, "NaN"), (math.inf, "infinite"), (-1.0, "negative"), (0.0, "is 0")):
            self.refuse(lambda kept, number=number: kept.update({scale: ("F32", [], floats(number))}), scale, says)
        self.refuse(lambda kept: kept.update({scale: ("F32", [3], floats(1, 1, 1))}), scale, "[3]", "[128, 128]")
        self.refuse(lambda kept: kept.update({scale: ("U8", [1], b"1")}), scale, "U8")

    def test_schemes_that_are_not_computed(self) -> None:
        for form in ("nvfp4", "mxfp8", "convrot_w4a4"):
            text = json.dumps({"format": form}).encode()
            note = {f"{self.LAYER}.comfy_quant": ("U8", [len(text)], text)}
            self.refuse(lambda kept, note=note: kept.update(note), f"{self.LAYER}.weight is quantized as {form}")
            self.refuse(lambda kept: None, f"{self.LAYER}.weight is quantized as {form}",
                        metadata={"_quantization_metadata": json.dumps({"layers": {self.LAYER: {"format": form}}})})
        for name, says in ((".weight_scale_2", "nvfp4"), (".wscales", "SVDQuant"), (".weight._data", "optimum-quanto")):
            self.refuse(lambda kept, name=name: kept.update({self.LAYER + name: ("F32", [], floats(1))}), says)

    def test_weights_of_integers(self) -> None:
        weight, scale = f"{self.LAYER}.weight", f"{self.LAYER}.scale_weight"

        def integers(kept: Tensors) -> None:
            kept[weight] = ("I8", kept[weight][1], kept[weight][2])

        self.refuse(integers, weight, "is I8 with a scale")
        self.refuse(lambda kept: (integers(kept), kept.pop(scale)), weight, "is I8", "expected F32")


@needs_engine
class Loras(LoraTest):
    def test_factors_in_fp8_with_scales_are_their_dequantized_twin(self) -> None:
        rng = random.Random(3)
        made = factors(weights("tiny-sd15", "unet"))
        def lora(down: str, up: str, lead: str, ending: str, by_row: bool) -> tuple[bytes, bytes]:
            small, twin = {}, {}
            for module, pair in made.items():
                key = lead + (module.replace(".", "_") if lead.startswith("lora_") else module)
                for name, (shape, _) in zip((key + down, key + up), pair):
                    scales = [single(rng.uniform(0.01, 0.2)) for _ in range(shape[0] if by_row else 1)]
                    stored = bytes(rng.randrange(0x40) | rng.randrange(2) << 7 for _ in range(math.prod(shape)))
                    width = len(stored) // len(scales)
                    small[name] = "F8_E4M3", shape, stored
                    small[name.removesuffix(".weight") + ending] = "F32", [len(scales), 1] if by_row else [], floats(*scales)
                    twin[name] = "F32", shape, floats(*(e4m3(byte) * scales[at // width] for at, byte in enumerate(stored)))
            return safetensors(small | {"scaled_fp8": ("F8_E4M3", [2], bytes(2))}), safetensors(twin)
        plain = self.drawn()
        for down, up, lead, ending, by_row in (
                (".lora_down.weight", ".lora_up.weight", "lora_unet_", ".scale_weight", False),
                (".lora_down.weight", ".lora_up.weight", "lora_unet_", ".weight_scale", True),
                (".lora_A.weight", ".lora_B.weight", "unet.", ".weight_scale", False),
                (".lora_A.weight", ".lora_B.weight", "unet.", ".scale_weight", True)):
            with self.subTest(down + ending):
                small, twin = lora(down, up, lead, ending, by_row)
                (self.folder / "small.safetensors").write_bytes(small)
                (self.folder / "twin.safetensors").write_bytes(twin)
                first = self.drawn("--lora", "twin.safetensors")
                self.assertNotEqual(first, plain)
                self.assertEqual(self.drawn("--lora", "small.safetensors"), first)
                self.assertNotIn("not added", self.said)

    def test_differences_in_fp8_with_scales_are_their_dequantized_twin(self) -> None:
        module, shape = next(iter(weights("tiny-sd15", "unet").items()))
        rng = random.Random(4)
        name = "lora_unet_" + module.replace(".", "_") + ".diff"
        stored = bytes(rng.randrange(0x40) for _ in range(math.prod(shape)))
        scale = single(0.3)
        (self.folder / "small.safetensors").write_bytes(safetensors({
            name: ("F8_E4M3", shape, stored), name + ".scale_weight": ("F32", [], floats(scale))}))
        (self.folder / "twin.safetensors").write_bytes(safetensors({
            name: ("F32", shape, floats(*(e4m3(byte) * scale for byte in stored)))}))
        self.assertEqual(self.drawn("--lora", "small.safetensors"), self.drawn("--lora", "twin.safetensors"))


if __name__ == "__main__":
    main(__doc__)
