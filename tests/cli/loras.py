"""LoRAs with seeded factors for the bundled models, in the forms that trainers write."""

from __future__ import annotations

import math
import os
import random
import re
from unittest import mock

from support import ROOT, WALK, HomeTest, Tensor, f32, read_tensors, safetensors

RANK = 3
ATTENTION = re.compile(r"(attn\d?\.(to_[qkv]|to_out\.0|add_[qkv]_proj)|self_attn\.[qkv]_proj)\.weight$")
Numbers = dict[str, tuple[list[int], list[float]]]  # name -> shape, values


def weights(model: str, part: str) -> dict[str, list[int]]:
    """Shapes of the attention weights of a bundled model's part, by module."""
    folder = ROOT / "models" / model / part
    return {name.removesuffix(".weight"): shape for file in sorted(folder.glob("*.safetensors"))
            for name, (_, shape, _) in sorted(read_tensors(file).items()) if ATTENTION.search(name)}


def factors(shapes: dict[str, list[int]]) -> dict[str, tuple[tuple, tuple]]:
    """module -> down [RANK, in] and up [out, RANK]."""
    rng = random.Random(5)
    def draw(*shape: int) -> tuple[list[int], list[float]]:
        return list(shape), [rng.gauss(0, 0.2) for _ in range(math.prod(shape))]
    return {module: (draw(RANK, shape[1]), draw(shape[0], RANK)) for module, shape in shapes.items()}


def kohya(prefix: str, made: dict[str, tuple[tuple, tuple]], alpha: float | None = None) -> Numbers:
    """A LoRA as kohya's trainers name it."""
    lora: Numbers = {}
    for module, (down, up) in made.items():
        key = prefix + module.replace(".", "_")
        lora |= {f"{key}.lora_down.weight": down, f"{key}.lora_up.weight": up}
        if alpha is not None:
            lora[f"{key}.alpha"] = ([], [alpha])
    return lora


def peft(prefix: str, made: dict[str, tuple[tuple, tuple]]) -> Numbers:
    """A LoRA as peft names it."""
    return {f"{prefix}{module}.lora_{letter}.weight": pair
            for module, pairs in made.items() for letter, pair in zip("AB", pairs)}


def tensors_of(numbers: Numbers) -> dict[str, Tensor]:
    """Those numbers in F32."""
    return {name: f32(shape, values) for name, (shape, values) in numbers.items()}


def lora_bytes(numbers: Numbers) -> bytes:
    """The LoRA as a file."""
    return safetensors(tensors_of(numbers))


class LoraTest(HomeTest):
    """A test that writes LoRAs and draws with them."""

    def setUp(self) -> None:
        super().setUp()
        self.enterContext(mock.patch.dict(os.environ, LAPIS_LORAS=""))

    def write(self, name: str, numbers: Numbers) -> str:
        (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
        self.put(name, lora_bytes(numbers))
        return name

    def style(self, name: str = "style.safetensors") -> str:
        return self.write(name, kohya("lora_unet_", factors(weights("tiny-sd15", "unet"))))

    def drawn(self, *words: str, walk: tuple[str, ...] = WALK, **options) -> bytes:
        """The latent's numbers."""
        result = self.done("generate", *walk, *words, "--latent", "a.safetensors", "--overwrite", **options)
        self.said = result.stderr.decode()
        return self.values("a.safetensors")
