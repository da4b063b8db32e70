"""The jobs that scripts/parity/pictures.py renders twice, by family, in the words of lapis."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

SAMPLERS = {  # of each path, those that diffusers has with the same sigmas; its Flux gives a sampler no generator
    "variance": ("euler_a", "heun", "dpmpp_2m", "dpmpp_2m_sde", "ddim", "unipc"),
    "flow": ("heun", "dpmpp_2m", "unipc"),
}
ZERO_SNR = ("euler_a", "dpmpp_2m", "unipc")  # those of diffusers with a stand-in for the sigma of noise alone
LORAS = {"kohya": 0.8, "peft": 1.0, "peft with an alpha": -0.5, "DoRA": 0.7}  # form -> weight
PICTURE_SAMPLERS = {"variance": ("euler_a", "dpmpp_2m", "ddim"), "flow": ("heun", "dpmpp_2m", "unipc")}
LONG = ", ".join(["a meadow at dawn with rolling hills", "a white tent on the right", "a peaceful lake by night"] * 5)
NOT_ASCII = "Ein ROTES Haus am Ünïcøde-See – ½ 夜の湖 🌙, it's  café №7"


@dataclasses.dataclass(frozen=True)
class Job:
    """One job. None: left to the model."""

    prompt: str = "a red house on the left, lake at sunset with mountains"
    negative_prompt: str | None = None
    width: int = 128
    height: int = 128
    steps: int = 10
    guidance: float | None = 5.0
    true_guidance: float | None = None  # Flux, beside a negative prompt
    seed: int = 1234
    batch: int = 1
    sampler: str = "euler"
    schedule: str | None = None
    spacing: str | None = None
    zero_snr: str | None = None  # "on": betas of zero terminal SNR
    clip_skip: int | None = None
    original_size: tuple[int, int] | None = None  # width, height
    crop: tuple[int, int] | None = None  # x, y
    strength: float | None = None  # of image to image, which starts from a drawn picture
    masked: bool = False  # draws only the left part of that picture anew
    hires: float | None = None  # how much a second pass enlarges
    hires_strength: float | None = None
    lora: str | None = None  # the form of a LoRA of scripts/parity/loras.py
    lora_weight: float = 1.0


@dataclasses.dataclass(frozen=True)
class Facts:
    """What a model's model.json says that the jobs depend on."""

    family: str
    flow: bool
    has_guidance: bool  # any at all: a Flux of the schnell type has none
    lengths: dict[str, int]  # tokenizer -> tokens of a prompt

    @property
    def path(self) -> str:
        return "flow" if self.flow else "variance"


def read_facts(model: Path) -> Facts:
    document = json.loads((model / "model.json").read_text(encoding="utf-8"))
    flow = document["sampling"]["prediction"] == "flow"
    inputs = {port["name"] for port in document["parts"]["denoiser"]["inputs"]}
    return Facts(document["family"], flow, not flow or "guidance" in inputs,
                 {name: facts["length"] for name, facts in document["tokenizers"].items()})


def mask_picture(width: int, height: int) -> Any:
    """White, to be drawn anew, left of a line through a latent cell's edge; black elsewhere."""
    from PIL import Image

    mask = Image.new("L", (width, height), 0)
    mask.paste(255, (0, 0, width // 16 * 8 + 8, height))
    return mask


def plain_job(facts: Facts) -> Job:
    guidance = (3.5 if facts.flow else 5.0) if facts.has_guidance else None
    return Job(guidance=guidance, spacing=None if facts.flow else "trailing")


def equal_cases(facts: Facts) -> dict[str, Job]:
    """Both sides must agree on these."""
    plain = plain_job(facts)
    change = dataclasses.replace
    negative = change(plain, negative_prompt="night, snow, a blue balloon", true_guidance=3.0 if facts.flow else None)
    pictures = change(plain, strength=0.6)
    cases = {
        "plain": plain,
        "negative prompt": negative,
        "not square": change(plain, width=192, height=128),
        "batch of 3": change(plain, prompt="a yellow star on a blue background", batch=3),
        "long prompt": change(plain, prompt=LONG),
        "not ASCII": change(plain, prompt=NOT_ASCII),
        **{f"sampler {name}": change(plain, sampler=name) for name in SAMPLERS[facts.path]},
        "image to image": pictures,
        "image to image, batch of 2": change(pictures, batch=2, strength=0.85),
        "image to image, not square": change(pictures, width=192, height=128),
        **{f"image to image, {name}": change(pictures, sampler=name) for name in PICTURE_SAMPLERS[facts.path]},
        "inpainting": change(pictures, masked=True),
        "second pass": change(plain, hires=1.5, hires_strength=0.5),
    }
    cases |= {f"LoRA, {form}": change(plain, lora=form, lora_weight=weight) for form, weight in LORAS.items()}
    cases["LoRA, image to image"] = change(pictures, lora="kohya")
    if facts.has_guidance:
        cases["guidance 1"] = change(plain, guidance=1.0)
    if not facts.flow:
        skip = 3 if facts.family == "sdxl" else 2
        cases |= {
            "linspace": change(plain, spacing="linspace"),
            "leading": change(plain, spacing="leading"),
            "zero terminal SNR": change(plain, zero_snr="on"),
            **{f"zero terminal SNR, {name}": change(plain, zero_snr="on", sampler=name) for name in ZERO_SNR},
            "karras": change(plain, spacing=None, schedule="karras"),
            "karras, heun": change(plain, spacing=None, schedule="karras", sampler="heun"),
            f"clip skip {skip}": change(plain, clip_skip=skip, guidance=1.0),  # diffusers skips none for a negative
        }
    if facts.family == "sdxl":
        cases |= {
            "blank negative": change(plain, negative_prompt=" "),
            "original size": change(plain, original_size=(512, 384)),
            "crop": change(plain, crop=(48, 16)),
        }
    return cases


def different_cases(facts: Facts) -> dict[str, tuple[str, Job]]:
    """Name -> a case of `equal_cases`, and a job that must not give what it gives."""
    equal = equal_cases(facts)
    plain, pictures = equal["plain"], equal["image to image"]
    change = dataclasses.replace
    cases = {
        "another seed": ("plain", change(plain, seed=plain.seed + 1)),
        "another sampler": ("plain", change(plain, sampler="dpmpp_2m")),
        "strength 0.7": ("image to image", change(pictures, strength=0.7)),
        "inpainting, against image to image": ("image to image", equal["inpainting"]),
        "second pass of strength 0.6": ("second pass", change(equal["second pass"], hires_strength=0.6)),
    }
    cases |= {f"LoRA, {form}, of weight {weight + 0.1:.1f}":
              (f"LoRA, {form}", change(plain, lora=form, lora_weight=weight + 0.1)) for form, weight in LORAS.items()}
    cases["LoRA, against plain"] = ("plain", equal["LoRA, kohya"])
    if plain.guidance is not None:
        cases["guidance + 0.1"] = ("plain", change(plain, guidance=plain.guidance + 0.1))
    for name in ("clip skip 2", "clip skip 3", "zero terminal SNR", "karras", "blank negative", "original size", "crop", "negative prompt"):
        if name in equal:
            other = "guidance 1" if name.startswith("clip skip") else "plain"
            cases[f"{name}, against {other}"] = (other, equal[name])
    return cases
