#!/usr/bin/env python3
"""Write tests/golden/lora_names.json: where diffusers' own converters bring each module of a LoRA.

Modules are named as trainers name them (kohya's sd-scripts, XLabs, OneTrainer, diffusers of 2023), after the original
code's names in scripts/golden/checkpoint_names.py. Their up factors hold numbers that tell module and row; diffusers
converts them to today's names, and so says which parameter, and which rows of a fused one, each of them is for. Of
blocks that repeat, the first and the last are kept. OMI's names, which OneTrainer writes, are brought to diffusers' by the
Open Model Initiative's own code, of which InvokeAI's wheel has a copy.

Examples:
  scripts/golden/lora_names.py --invokeai unpacked/invokeai
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import types
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import torch
from diffusers.loaders import lora_conversion_utils as oracle
from diffusers.utils.state_dict_utils import (convert_state_dict_to_diffusers, convert_state_dict_to_peft,
                                              convert_unet_state_dict_to_peft)

from golden.checkpoint_names import GRAPHS, clip, flux, ldm_unet
from program import ROOT

GOLDEN = ROOT / "tests" / "golden" / "lora_names.json"
MODULE = 100_000  # a number is module * MODULE + row
Tensors = dict[str, torch.Tensor]
Heights = dict[str, int]  # module -> rows of its weight
REPEATED = re.compile(r"(?:transformer_blocks|double_blocks|single_blocks|layers)[._](\d+)[._]")
LAST = {"flux-dev": ("18", "37"), "clip-l": ("11",), "clip-g": ("31",), "sd15-unet": ("0",), "sdxl-unet": ("9",)}


def graph_tensors(graph: str) -> dict[str, list[int]]:
    return json.loads((GRAPHS / f"{graph}.json").read_text("utf-8"))["tensors"]


def modules_of(names: Iterator[str]) -> list[str]:
    """What has a weight and is no norm: the linear layers and convolutions."""
    found = [name.removesuffix(".weight") for name in names if name.endswith(".weight")]
    norm = re.compile(r"norm|\bln_|embedding$|in_layers\.0$|out_layers\.0$|^out\.0$")
    return [name for name in found if not norm.search(name)]


def graph_modules(graph: str) -> list[str]:
    return [name.removesuffix(".weight") for name, shape in graph_tensors(graph).items()
            if name.endswith(".weight") and len(shape) > 1 and "embedding." not in name[:-len("weight")][-11:]]


def kept(graph: str, modules: list[str]) -> list[str]:
    """The first and the last of blocks that repeat."""
    return [name for name in modules
            if all(number in ("0", *LAST[graph]) for number in REPEATED.findall(name))]


def factors(keys: list[str], heights: Heights, down: str, up: str) -> Tensors:
    """A LoRA of rank 1 of modules under the names `keys`."""
    made: Tensors = {}
    for number, key in enumerate(keys):
        made[key + down] = torch.ones(1, 1, dtype=torch.float64)
        made[key + up] = number * MODULE + torch.arange(heights.get(key, 1), dtype=torch.float64).view(-1, 1)
    return made


def targets(converted: Tensors, keys: list[str], graph: str) -> dict[str, list[list[Any]]]:
    """key -> [parameter's module, first row, rows], as the converted up factors tell."""
    wanted = graph_tensors(graph)
    found: dict[str, list[list[Any]]] = {}
    for name, value in converted.items():
        match = re.fullmatch(r"(?:(?:unet|transformer|text_encoder|text_encoder_2)\.)?(.*)\.lora_B\.weight", name)
        if not match or match[1] + ".weight" not in wanted:
            continue
        numbers = value.flatten()
        rows = (numbers % MODULE).long().tolist()
        starts = [at for at in range(len(rows)) if at == 0 or rows[at] != rows[at - 1] + 1]
        ranges = [[rows[at], end - at] for at, end in zip(starts, [*starts[1:], len(rows)])]
        found.setdefault(keys[int(numbers[0]) // MODULE], []).append([match[1], *ranges])
    return {key: sorted(found[key]) for key in keys if key in found}


def compact(found: dict[str, list[list[Any]]], heights: Heights) -> dict[str, Any]:
    """A module that is all of one parameter by its name alone."""
    whole = {key: places[0][0] for key, places in found.items()
             if len(places) == 1 and places[0][1:] == [[0, heights.get(key, 1)]]}
    return {key: whole.get(key, places) for key, places in found.items()}


def case(form: str, graph: str, part: str, keys: list[str], convert: Callable[[Tensors], Tensors],
         heights: Heights | None = None, ends: tuple[str, str] = (".lora_down.weight", ".lora_up.weight")) -> dict[str, Any]:
    heights = heights or {}
    made = targets(convert(factors(keys, heights, *ends)), keys, graph)
    print(f"{form}, {graph}: {len(made)} of {len(keys)} modules")
    return {"form": form, "graph": graph, "part": part, "ends": ends, "modules": compact(made, heights)}


def kohya(layers: int | None = None) -> Callable[[Tensors], Tensors]:
    """SD's and SDXL's way in; `layers`: of a level, where blocks have the original names."""
    def convert(tensors: Tensors) -> Tensors:
        if layers is not None:
            tensors = oracle._maybe_map_sgm_blocks_to_diffusers(tensors, types.SimpleNamespace(layers_per_block=layers))
        converted, _ = oracle._convert_non_diffusers_lora_to_diffusers(tensors)
        text = {name: value for name, value in converted.items() if name.startswith("text_encoder")}
        unet = {name: value for name, value in converted.items() if name.startswith("unet.")}
        return (convert_unet_state_dict_to_peft(unet) if unet else {}) | (
            convert_state_dict_to_peft(convert_state_dict_to_diffusers(text)) if text else {})
    return convert


def flux_cases() -> Iterator[dict[str, Any]]:
    shapes = {name.removesuffix(".weight"): shape[0] for name, shape in flux(19, 38, 3072, True)
              if name.endswith(".weight")}
    names = kept("flux-dev", list(shapes))
    for form, convert, key_of, ends in (
            ("kohya", oracle._convert_kohya_flux_lora_to_diffusers,
             lambda name: "lora_unet_" + name.replace(".", "_"), (".lora_down.weight", ".lora_up.weight")),
            ("BFL's names behind diffusion_model", oracle._convert_kohya_flux_lora_to_diffusers,
             lambda name: "diffusion_model." + name, (".lora_down.weight", ".lora_up.weight"))):
        keys = [key_of(name) for name in names]
        yield case(form, "flux-dev", "denoiser", keys, convert, dict(zip(keys, (shapes[name] for name in names))), ends)
    width = 3072
    xlabs = {f"double_blocks.{n}.processor.{kind}_lora{stream}": 3 * width if kind == "qkv" else width
             for n in (0, 18) for kind in ("qkv", "proj") for stream in (1, 2)}
    xlabs |= {f"single_blocks.{n}.processor.{kind}_lora": 3 * width if kind == "qkv" else width
              for n in (0, 37) for kind in ("qkv", "proj")}
    yield case("XLabs", "flux-dev", "denoiser", list(xlabs), oracle._convert_xlabs_flux_lora_to_diffusers, xlabs,
               (".down.weight", ".up.weight"))


def unet_cases() -> Iterator[dict[str, Any]]:
    diffusers = kept("sd15-unet", graph_modules("sd15-unet"))
    yield case("kohya", "sd15-unet", "denoiser", ["lora_unet_" + name.replace(".", "_") for name in diffusers], kohya())
    sgm = kept("sdxl-unet", modules_of(ldm_unet([320, 640, 1280], [0, 2, 10], 10, True)))
    yield case("kohya, the original names", "sdxl-unet", "denoiser",
               ["lora_unet_" + name.replace(".", "_") for name in sgm], kohya(2))
    attention = [name for name in diffusers if re.search(r"attn[12]\.to_", name)]
    old = [re.sub(r"(attn[12])\.(to_[a-z]+)(\.0)?$", r"\1.processor.\2_lora", "unet." + name) for name in attention]
    yield case("attention processors of 2023", "sd15-unet", "denoiser", old, convert_unet_state_dict_to_peft,
               ends=(".down.weight", ".up.weight"))


def text_cases() -> Iterator[dict[str, Any]]:
    names = modules_of(clip(12))
    small = ["lora_te_" + name.replace(".", "_") for name in kept("clip-l", names)]
    yield case("kohya", "clip-l", "text_encoder", small, kohya())
    large = ["lora_te2_" + name.replace(".", "_") for name in kept("clip-g", modules_of(clip(32)))]
    yield case("kohya", "clip-g", "text_encoder_2", large, kohya())


def omi(part: str) -> Callable[[Tensors], Tensors]:
    """The Open Model Initiative's way to diffusers' names, and those in peft's form."""
    def convert(tensors: Tensors) -> Tensors:
        from invokeai.backend.model_manager.omi.vendor.convert.lora import (convert_flux_lora, convert_lora_util,
                                                                            convert_sdxl_lora)

        keys = (convert_flux_lora.convert_flux_lora_key_sets() if part == "flux"
                else convert_sdxl_lora.convert_sdxl_lora_key_sets())
        made = convert_lora_util.convert_to_diffusers(tensors, keys)
        leads = {"lora_transformer.": "transformer.", "lora_unet.": "unet.", "lora_te1.": "text_encoder.",
                 "lora_te2.": "text_encoder_2."}
        renamed: Tensors = {}
        for name, value in made.items():
            lead = next(lead for lead in leads if name.startswith(lead))
            ending = name.removeprefix(lead).replace(".lora_down.", ".lora_A.").replace(".lora_up.", ".lora_B.")
            renamed[leads[lead] + ending] = value
        return renamed
    return convert


def omi_cases() -> Iterator[dict[str, Any]]:
    pieces = {"img_attn.qkv": 3, "txt_attn.qkv": 3, "linear1": 4}
    names: list[str] = []
    for name, _ in flux(19, 38, 3072, True):
        module = name.removesuffix(".weight")
        if module == name or "norm" in module:
            continue
        count = next((number for fused, number in pieces.items() if module.endswith("." + fused)), 0)
        names += [f"{module}.{piece}" for piece in range(count)] or ["img_in.proj" if module == "img_in" else module]
    shapes = {name.removesuffix(".weight"): shape[0] for name, shape in flux(19, 38, 3072, True)}
    keys = ["transformer." + name for name in kept("flux-dev", names)]
    heights = {key: shapes[key.removeprefix("transformer.")] for key in keys
               if key.removeprefix("transformer.") in shapes}
    heights |= {key: 3072 for key in keys if re.search(r"(qkv|linear1)\.[012]$|img_in\.proj$", key)}
    heights |= {key: 4 * 3072 for key in keys if key.endswith("linear1.3")}
    yield case("OMI", "flux-dev", "denoiser", keys, omi("flux"), heights)
    clip_names = [name for name in kept("clip-l", graph_modules("clip-l")) if ".layers." in name]
    yield case("OMI", "clip-l", "text_encoder", ["clip_l." + name for name in clip_names], omi("flux"))
    large = [name for name in kept("clip-g", graph_modules("clip-g")) if ".layers." in name]
    yield case("OMI", "clip-g", "text_encoder_2", ["clip_g." + name for name in large], omi("sdxl"))
    t5 = [name for name in graph_modules("t5-xxl") if re.search(r"block\.(0|23)\.layer\.\d\.(Self|Dense)", name)]
    yield case("OMI", "t5-xxl", "text_encoder_2", ["t5." + name for name in t5 if "relative" not in name], omi("flux"))
    sgm = kept("sdxl-unet", modules_of(ldm_unet([320, 640, 1280], [0, 2, 10], 10, True)))
    yield case("OMI", "sdxl-unet", "denoiser", ["unet." + name for name in sgm], omi("sdxl"))


def import_from(folder: Path) -> None:
    """Lets the copy in InvokeAI's wheel be imported, without the packages around it, which want all of InvokeAI."""
    place = folder / "invokeai"
    for name in ("invokeai", "invokeai.backend", "invokeai.backend.model_manager", "invokeai.backend.model_manager.omi"):
        module = types.ModuleType(name)
        module.__path__ = [str(place.joinpath(*name.split(".")[1:]))]
        sys.modules[name] = module


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=GOLDEN, metavar="FILE",
                        help="the golden (default: tests/golden/lora_names.json)")
    parser.add_argument("--invokeai", type=Path, required=True, metavar="FOLDER",
                        help="an unpacked wheel of InvokeAI (pip download --no-deps invokeai)")
    arguments = parser.parse_args()
    import_from(arguments.invokeai)
    cases = [*unet_cases(), *text_cases(), *flux_cases(), *omi_cases()]
    invokeai = next(arguments.invokeai.glob("invokeai-*.dist-info")).name.split("-")[1].removesuffix(".dist")
    head = {"made_by": "scripts/golden/lora_names.py",
            "versions": {"diffusers": version("diffusers"), "invokeai": invokeai}}
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in cases)
    arguments.out.write_text(f'{json.dumps(head)[:-1]}, "cases": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{arguments.out}: {len(cases)} cases, {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
