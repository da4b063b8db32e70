#!/usr/bin/env python3
"""Write tests/golden/checkpoint_names.json: where diffusers' own converters find each tensor of models/graphs.

The tensors of a checkpoint are listed as the original code makes them (below, from the parameters of its own
configuration files), filled with numbers that tell tensor, row and column, and converted by diffusers. A tensor of a
graph that no converted one answers to, or the other way, is an error.

Examples:
  scripts/golden/checkpoint_names.py
"""

from __future__ import annotations

import argparse
import json
import sys
import types
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import torch
from diffusers.loaders import single_file_utils as oracle

from export.checkpoints.forms import looked_up
from program import ROOT

GRAPHS = ROOT / "models" / "graphs"
GOLDEN = ROOT / "tests" / "golden" / "checkpoint_names.json"
ROW, TENSOR = 10_000, 1_000_000_000  # a number is tensor * TENSOR + row * ROW + column
Checkpoint = dict[str, torch.Tensor]
WEIGHT_AND_BIAS = ("weight", "bias")


# ---- the names of the original code ----


def linears(*names: str) -> Iterator[str]:
    return (f"{name}.{kind}" for name in names for kind in WEIGHT_AND_BIAS)


def ldm_transformer(place: str, depth: int) -> Iterator[str]:
    """SpatialTransformer of ldm/modules/attention.py."""
    yield from linears(f"{place}.norm", f"{place}.proj_in", f"{place}.proj_out")
    for number in range(depth):
        block = f"{place}.transformer_blocks.{number}"
        for attention in ("attn1", "attn2"):
            yield from (f"{block}.{attention}.to_{letter}.weight" for letter in "qkv")
            yield from linears(f"{block}.{attention}.to_out.0")
        yield from linears(f"{block}.ff.net.0.proj", f"{block}.ff.net.2",
                           *(f"{block}.norm{norm}" for norm in (1, 2, 3)))


def ldm_resblock(place: str, changes_width: bool) -> Iterator[str]:
    """ResBlock of ldm/modules/diffusionmodules/openaimodel.py."""
    yield from linears(*(f"{place}.{name}" for name in ("in_layers.0", "in_layers.2", "emb_layers.1", "out_layers.0",
                                                        "out_layers.3")))
    if changes_width:
        yield from linears(f"{place}.skip_connection")


def ldm_unet(widths: list[int], depths: list[int], middle: int, added: bool) -> Iterator[str]:
    """UNetModel of openaimodel.py with two ResBlocks a level; `depths`: transformer blocks of each level, 0: none."""
    yield from linears("time_embed.0", "time_embed.2", *(("label_emb.0.0", "label_emb.0.2") if added else ()),
                       "input_blocks.0.0")
    number, width, carried = 0, widths[0], [widths[0]]
    for level, (wide, depth) in enumerate(zip(widths, depths)):
        for _ in range(2):
            number += 1
            yield from ldm_resblock(f"input_blocks.{number}.0", wide != width)
            width = wide
            yield from ldm_transformer(f"input_blocks.{number}.1", depth) if depth else ()
            carried.append(width)
        if level < len(widths) - 1:
            number += 1
            yield from linears(f"input_blocks.{number}.0.op")
            carried.append(width)
    yield from ldm_resblock("middle_block.0", False)
    yield from ldm_transformer("middle_block.1", middle)
    yield from ldm_resblock("middle_block.2", False)
    number = 0
    for level in reversed(range(len(widths))):
        for last in (False, False, True):
            yield from ldm_resblock(f"output_blocks.{number}.0", carried.pop() + width != widths[level])
            width = widths[level]
            yield from ldm_transformer(f"output_blocks.{number}.1", depths[level]) if depths[level] else ()
            if last and level:
                yield from linears(f"output_blocks.{number}.{2 if depths[level] else 1}.conv")
            number += 1
    yield from linears("out.0", "out.2")


def ldm_vae_block(place: str, changes_width: bool) -> Iterator[str]:
    """ResnetBlock of ldm/modules/diffusionmodules/model.py."""
    yield from linears(*(f"{place}.{name}" for name in ("norm1", "conv1", "norm2", "conv2")))
    if changes_width:
        yield from linears(f"{place}.nin_shortcut")


def ldm_vae(quantized: bool) -> Iterator[str]:
    """AutoencoderKL with ch_mult 1, 2, 4, 4 and two blocks a level."""
    levels = (1, 2, 4, 4)
    for side in ("encoder", "decoder"):
        yield from linears(*(f"{side}.{name}" for name in ("conv_in", "norm_out", "conv_out")))
        yield from ldm_vae_block(f"{side}.mid.block_1", False)
        yield from ldm_vae_block(f"{side}.mid.block_2", False)
        yield from linears(*(f"{side}.mid.attn_1.{name}" for name in ("norm", "q", "k", "v", "proj_out")))
    for level, wide in enumerate(levels):
        finer, coarser = levels[max(level - 1, 0)], levels[min(level + 1, 3)]
        for block in range(2):
            yield from ldm_vae_block(f"encoder.down.{level}.block.{block}", not block and wide != finer)
        for block in range(3):
            yield from ldm_vae_block(f"decoder.up.{level}.block.{block}", not block and wide != coarser)
        yield from linears(f"encoder.down.{level}.downsample.conv") if level < 3 else ()
        yield from linears(f"decoder.up.{level}.upsample.conv") if level else ()
    yield from linears("quant_conv", "post_quant_conv") if quantized else ()


def clip(layers: int) -> Iterator[str]:
    """CLIPTextModel of transformers 4."""
    yield from (f"text_model.embeddings.{name}_embedding.weight" for name in ("position", "token"))
    for number in range(layers):
        layer = f"text_model.encoder.layers.{number}"
        yield from linears(*(f"{layer}.self_attn.{name}_proj" for name in ("k", "v", "q", "out")),
                           f"{layer}.layer_norm1", f"{layer}.mlp.fc1", f"{layer}.mlp.fc2", f"{layer}.layer_norm2")
    yield from linears("text_model.final_layer_norm")


def open_clip(layers: int, width: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    """The text half of CLIP in open_clip/model.py, with the sizes that its converter reads."""
    yield from (("positional_embedding", (1,)), ("text_projection", (width, width)), ("token_embedding.weight", (1,)))
    for number in range(layers):
        block = f"transformer.resblocks.{number}"
        yield f"{block}.attn.in_proj_weight", (3 * width, 1)
        yield f"{block}.attn.in_proj_bias", (3 * width,)
        yield from ((name, (1,)) for name in linears(f"{block}.ln_1", f"{block}.attn.out_proj", f"{block}.ln_2",
                                                     f"{block}.mlp.c_fc", f"{block}.mlp.c_proj"))
    yield from ((name, (1,)) for name in linears("ln_final"))


def flux(blocks: int, singles: int, width: int, guidance: bool) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Flux of flux/model.py of Black Forest Labs, with the heights that its converter reads."""
    def tall(name: str, height: int = 1) -> Iterator[tuple[str, tuple[int, ...]]]:
        return ((f"{name}.{kind}", (height, 1) if kind == "weight" else (height,)) for kind in WEIGHT_AND_BIAS)

    for name in ("time_in", "vector_in", *(("guidance_in",) if guidance else ())):
        yield from (*tall(f"{name}.in_layer"), *tall(f"{name}.out_layer"))
    yield from (*tall("img_in"), *tall("txt_in"), *tall("final_layer.linear"))
    yield from tall("final_layer.adaLN_modulation.1", 2 * width)
    for number in range(blocks):
        for stream in ("img", "txt"):
            place = f"double_blocks.{number}.{stream}"
            yield from (*tall(f"{place}_mod.lin"), *tall(f"{place}_attn.qkv", 3 * width), *tall(f"{place}_attn.proj"),
                        *tall(f"{place}_mlp.0"), *tall(f"{place}_mlp.2"))
            yield from ((f"{place}_attn.norm.{name}_norm.scale", (1,)) for name in ("query", "key"))
    for number in range(singles):
        place = f"single_blocks.{number}"
        yield from (*tall(f"{place}.linear1", 7 * width), *tall(f"{place}.linear2"), *tall(f"{place}.modulation.lin"))
        yield from ((f"{place}.norm.{name}_norm.scale", (1,)) for name in ("query", "key"))


# ---- the oracle ----


def numbered(tensors: list[tuple[str, tuple[int, ...]]], prefix: str = "") -> Checkpoint:
    """Tensors whose numbers tell where they come from."""
    checkpoint = {}
    for number, (name, shape) in enumerate(tensors):
        rows = torch.arange(shape[0]).view(-1, *[1] * (len(shape) - 1)) * ROW
        columns = torch.arange(shape[1]).view(1, -1) if len(shape) > 1 else 0
        checkpoint[prefix + name] = number * TENSOR + rows + columns
    return checkpoint


def place_of(value: torch.Tensor, names: list[str]) -> tuple[str, list[list[int]], bool]:
    """Tensor, ranges of rows [first, count] and transposition that a converted tensor's numbers tell."""
    name = names[int(value.flatten()[0]) // TENSOR]
    assert bool((value // TENSOR == value.flatten()[0] // TENSOR).all()), name
    transposed = value.dim() == 2 and value.shape[1] > 1 and int(value[0, 1] - value[0, 0]) == ROW
    rows = ((value.T if transposed else value).reshape(len(value), -1)[:, 0] % TENSOR // ROW).tolist()
    starts = [at for at in range(len(rows)) if at == 0 or rows[at] != rows[at - 1] + 1]
    return name, [[rows[at], end - at] for at, end in zip(starts, [*starts[1:], len(rows)])], transposed


def shared_suffix(one: str, other: str) -> tuple[str, str]:
    """Both names without the components that end them alike."""
    left, right = one.split("."), other.split(".")
    while left and right and left[-1] == right[-1]:
        left.pop()
        right.pop()
    return ".".join(left), ".".join(right)


def case(graph: str, naming: str, checkpoint: Checkpoint, prefix: str, converted: Checkpoint) -> dict[str, Any]:
    """The golden of one graph: `whole` maps beginnings of names (the longest that fits counts), `parts` names the
    tensors that are rows or a transpose of another."""
    wanted = json.loads((GRAPHS / f"{graph}.json").read_text("utf-8"))["tensors"]
    names = list(checkpoint)
    whole, parts = {}, {}
    for name in wanted:
        source, rows, transposed = place_of(converted[name], names)
        source = source.removeprefix(prefix)
        height = len(checkpoint[prefix + source])
        if rows != [[0, height]] or transposed:
            assert sum(count for _, count in rows) == wanted[name][0], name
            parts[name] = [source, [] if transposed else rows, transposed]
        else:
            whole[name] = source
    prefixes = {}
    for name, source in whole.items():
        left, right = shared_suffix(name, source)
        if prefixes.setdefault(left, right) != right:
            prefixes[name] = source
    prefixes |= {name: source for name, source in whole.items() if looked_up(name, prefixes) != source}
    assert all(looked_up(name, prefixes) == source for name, source in whole.items()), graph
    return {"graph": graph, "naming": naming, "tensors": len(wanted), "whole": prefixes, "parts": parts}


def plain(names: Iterator[str], prefix: str) -> Checkpoint:
    return numbered([(name, (1,)) for name in names], prefix)


def unet_case(graph: str, widths: list[int], depths: list[int], middle: int, added: bool) -> dict[str, Any]:
    checkpoint = plain(ldm_unet(widths, depths, middle, added), oracle.LDM_UNET_KEY)
    config = {"layers_per_block": 2, "addition_embed_type": "text_time" if added else None}
    converted = oracle.convert_ldm_unet_checkpoint(dict(checkpoint), config)
    assert len(converted) == len(checkpoint)
    return case(graph, "ldm-unet", checkpoint, oracle.LDM_UNET_KEY, converted)


def vae_cases(kind: str, quantized: bool) -> list[dict[str, Any]]:
    checkpoint = plain(ldm_vae(quantized), "first_stage_model.")
    config = {"down_block_types": [""] * 4, "up_block_types": [""] * 4}
    converted = oracle.convert_ldm_vae_checkpoint(dict(checkpoint), config)
    assert len(converted) == len(checkpoint)
    return [case(f"{kind}-vae-{half}", "ldm-vae", checkpoint, "first_stage_model.", converted)
            for half in ("decoder", "encoder")]


def clip_case() -> dict[str, Any]:
    prefix = "cond_stage_model.transformer."
    checkpoint = plain(clip(12), prefix)
    return case("clip-l", "clip", checkpoint, prefix, oracle.convert_ldm_clip_checkpoint(dict(checkpoint)))


def open_clip_case() -> dict[str, Any]:
    prefix = "conditioner.embedders.1.model."
    checkpoint = numbered(list(open_clip(32, 1280)), prefix)
    model = types.SimpleNamespace(config=types.SimpleNamespace(hidden_size=1280))
    return case("clip-g", "open-clip", checkpoint, prefix,
                oracle.convert_open_clip_checkpoint(model, dict(checkpoint), prefix))


def flux_case(graph: str, guidance: bool) -> dict[str, Any]:
    checkpoint = numbered(list(flux(19, 38, 3072, guidance)))
    left = dict(checkpoint)
    converted = oracle.convert_flux_transformer_checkpoint_to_diffusers(left)
    assert not left  # it takes out what it converts
    return case(graph, "flux", checkpoint, "", converted)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=GOLDEN, metavar="FILE",
                        help="the golden (default: tests/golden/checkpoint_names.json)")
    arguments = parser.parse_args()
    sd15 = [320, 640, 1280, 1280], [1, 1, 1, 0], 1, False
    cases = [unet_case("sd15-unet", *sd15), unet_case("sd15-inpaint-unet", *sd15),
             unet_case("sdxl-unet", [320, 640, 1280], [0, 2, 10], 10, True),
             unet_case("sdxl-refiner-unet", [384, 768, 1536, 1536], [0, 4, 4, 0], 4, True),
             *vae_cases("sd", True), *vae_cases("flux", False), clip_case(), open_clip_case(),
             flux_case("flux-dev", True), flux_case("flux-schnell", False)]
    head = {"made_by": "scripts/golden/checkpoint_names.py", "versions": {"diffusers": version("diffusers")}}
    lines = ",\n".join(json.dumps(row, separators=(",", ":")) for row in cases)
    arguments.out.write_text(f'{json.dumps(head)[:-1]}, "cases": [\n{lines}\n]}}\n', encoding="utf-8")
    print(f"{arguments.out}: {len(cases)} cases, {arguments.out.stat().st_size} bytes")


if __name__ == "__main__":
    main()
