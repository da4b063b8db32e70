#!/usr/bin/env python3
"""Reads the settings of lapis' pictures as other programs read them, and holds those against what lapis says it did.

Every kind of picture (negative prompt, LoRA, embedding, second pass, decoded latent ...) is drawn at a step or two and read by

- sd-parsers, from the file;
- AUTOMATIC1111's web UI: the last line, by the regular expression of modules/infotext_utils.py;
- ComfyUI: the line after the last line break that "Steps:" follows;
- Civitai: the first line that begins "Steps: ".

Twins, whose settings do not begin with the steps or are cut short, must not be read by the last two.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parents[1])  # imports begin at scripts/, as its README.md says

import peer_python
import program
from parity.pictures import conclude

SIZE = 64
Settings = dict[str, str]
A1111 = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
COMFY = re.compile(r'\s*([^:]+:\s*([^"{].*?|".*?"|\{.*?\}))\s*(,|$)')
PROMPT = "a red house on the left, lake at sunset"
HARD_PROMPT = "a house: red, (left)\nsecond line, \"quoted\", 3.5"
EXAMPLES = """examples:
  python scripts/parity/infotext.py models/tiny-sd15
  python scripts/parity/infotext.py models/tiny-* --json infotext.json
"""


@dataclasses.dataclass(frozen=True)
class Row:
    """What one reader made of one kind of picture."""

    model: str
    case: str
    reader: str
    must_read: bool
    difference: str  # empty: everything that the reader knows is as lapis says

    @property
    def passed(self) -> bool:
        return self.must_read == (self.difference == "")


def sd_parsers(picture: Path) -> Settings:
    """By the PyPI package, from the PNG."""
    from sd_parsers import ParserManager

    info = ParserManager().parse(picture)
    if info is None:
        return {}
    sampler = info.samplers[0]
    return {"prompt": "".join(prompt.value for prompt in sampler.prompts),
            "negative": "".join(prompt.value for prompt in sampler.negative_prompts),
            "Sampler": sampler.name, "Steps": sampler.parameters.get("steps"), "Seed": sampler.parameters.get("seed"),
            "CFG scale": sampler.parameters.get("cfg_scale"), "Size": info.metadata.get("Size"),
            "Model": sampler.model.name, "Model hash": sampler.model.hash}


def web_ui(text: str) -> Settings:
    """As parse_generation_parameters does it."""
    *lines, last = text.strip().split("\n")
    found = A1111.findall(last)
    if len(found) < 3:
        return {}
    prompts: dict[str, list[str]] = {"prompt": [], "negative": []}
    where = "prompt"
    for line in (line.strip() for line in lines):
        if line.startswith("Negative prompt:"):
            where, line = "negative", line[len("Negative prompt:"):].strip()
        prompts[where].append(line)
    unquoted = {key: json.loads(value) if value[:1] == value[-1:] == '"' else value for key, value in found}
    return {key: "\n".join(value) for key, value in prompts.items()} | unquoted


def comfy(text: str) -> Settings:
    """As importA1111 of the frontend's pnginfo.ts finds the settings; it passes over pictures with no negative prompt."""
    steps = text.rfind("\nSteps:")
    if steps < 0:
        return {}
    line = text[steps:].split("\n")[1]
    pairs = [match.group(0).rstrip(", ").split(":", 1) for match in COMFY.finditer(line)]
    settings = {key.strip(): value.strip().strip('"') for key, value in pairs}
    negative = text.rfind("\nNegative prompt:", 0, steps)
    if negative >= 0:
        settings |= {"prompt": text[:negative].strip(), "negative": text[negative + 18:steps].strip()}
    return settings


def civitai(text: str) -> Settings:
    """As automatic.metadata.ts finds the settings."""
    line = next((line for line in text.split("\n") if line.startswith("Steps: ")), "")
    return {key: value.strip('"') for key, value in A1111.findall(line)}


TEXT_READERS: dict[str, Callable[[str], Settings]] = {"A1111": web_ui, "ComfyUI": comfy, "Civitai": civitai}
LABELS = {"euler": "Euler", "dpmpp_2m": "DPM++ 2M"}


def expected_settings(line: dict[str, Any], model: Path) -> Settings:
    """What every reader must find, out of lapis' result line."""
    document = json.loads((model / "model.json").read_text("utf-8"))
    part, = document["parts"]["denoiser"]["weights"]
    scale = line.get("true_guidance", line["guidance"])
    return {"Steps": str(line["steps"]), "Sampler": LABELS[line["sampler"]], "CFG scale": f"{scale:g}",
            "Seed": str(line["seed"]), "Size": f"{line['width']}x{line['height']}", "Model": line["model"],
            "Model hash": document["files"][part]["sha256"][:10],
            "prompt": line["prompt"], "negative": line["negative_prompt"]}


def difference(found: Settings, expected: Settings, partly: bool) -> str:
    """The first setting that was read otherwise; with `partly`, of those that the reader speaks of."""
    if not found:
        return "nothing was read"
    for key, value in expected.items():
        if key in ("prompt", "negative") and (key not in found or partly):
            continue
        if str(found.get(key)) != value:
            return f"{key}: {found.get(key)!r} for {value!r}"
    return ""


def write_files(model: Path, folder: Path) -> None:
    """A LoRA and an embedding for the model, and a picture with a mask to start from."""
    from parity import loras
    import torch
    from PIL import Image
    from safetensors.torch import save_file

    loras.write(model, "kohya", folder / "style.safetensors")
    Image.linear_gradient("L").resize((SIZE, SIZE)).convert("RGB").save(folder / "start.png")
    Image.linear_gradient("L").resize((SIZE, SIZE)).point(lambda v: 255 if v > 127 else 0).save(folder / "mask.png")
    widths = {name: json.loads((model / f"text_encoder{end}" / "config.json").read_text("utf-8"))["hidden_size"]
              for name, end in (("clip_l", ""), ("clip_g", "_2")) if (model / "unet").is_dir()
              and (model / f"text_encoder{end}").is_dir()}
    if len(widths) == 1:
        save_file({"emb_params": torch.full((1, widths["clip_l"]), 0.01)}, folder / "glow.safetensors")
    elif widths:
        save_file({name: torch.full((1, width), 0.01) for name, width in widths.items()}, folder / "glow.safetensors")


def cases_of(model: Path, folder: Path) -> dict[str, list[str]]:
    """The options of `lapis generate` for every kind of picture."""
    lora, start, mask = (str(folder / name) for name in ("style.safetensors", "start.png", "mask.png"))
    cases = {
        "plain": [PROMPT],
        "a negative prompt": [PROMPT, "-n", "clouds, balloon: red"],
        "lines, quotes, colons": [HARD_PROMPT, "-n", "a\nb"],
        "a1111 syntax": ["a (red:1.3) house", "--prompt-syntax", "a1111", "-n", "clouds"],
        "comfy syntax": ["a (red:1.3) house", "--prompt-syntax", "comfy"],
        "sampler and schedule": [PROMPT, "--sampler", "dpmpp_2m", "--schedule", "karras", "-n", "clouds"],
        "a LoRA": [PROMPT, "--lora", f"{lora}:0.5"],
        "a LoRA by its tag": ["a house <lora:style:0.5>", "--prompt-syntax", "a1111", "--lora-dir", str(folder)],
        "from a picture": [PROMPT, "-i", start, "--strength", "0.9"],
        "a mask": [PROMPT, "-i", start, "--mask", mask, "--strength", "0.9", "-n", "clouds"],
        "a second pass": [PROMPT, "--hires", "2", "-n", "clouds"],
        "a picture and a second pass": [PROMPT, "-i", start, "--strength", "0.9", "--hires", "2"],
    }
    if (model / "unet").is_dir():
        cases["clip skip"] = [PROMPT, "--clip-skip", "2", "-n", "clouds"]
        cases["an embedding"] = ["a glow house", "--embedding", str(folder / "glow.safetensors"),
                                 "--prompt-syntax", "a1111"]
    else:  # no negative prompt without a second pass
        cases = {case: options[:options.index("-n")] + options[options.index("-n") + 2:] if "-n" in options else options
                 for case, options in cases.items()}
        cases["true guidance"] = [PROMPT, "--true-guidance", "2.5", "-n", "clouds"]
    return cases


def settings_text(picture: Path) -> str:
    """The `parameters` text of a PNG."""
    from PIL import Image

    with Image.open(picture) as image:
        return str(image.info.get("parameters", ""))


def render(binary: Path, model: Path, options: list[str], folder: Path) -> tuple[dict[str, Any], list[Path]]:
    """The result line, and the picture as it was drawn and as it comes out of its latent."""
    drawn, decoded, latent = folder / "drawn.png", folder / "decoded.png", folder / "latent.safetensors"
    common = ["--overwrite", "-t", "1"]
    lines = program.run([str(binary), "generate", *options, "-m", str(model), "-W", str(SIZE), "-H", str(SIZE), "-s", "7",
                         "--steps", "2", "-o", str(drawn), "--latent", str(latent), "--json", *common])
    program.run([str(binary), "decode", str(latent), "-m", str(model), "-o", str(decoded), *common])
    return json.loads(lines.splitlines()[0]), [drawn, decoded]


def read_all(name: str, case: str, picture: Path, expected: Settings) -> list[Row]:
    """A row for each reader."""
    text = settings_text(picture)
    rows = [Row(name, case, "sd-parsers", True, difference(sd_parsers(picture), expected, False))]
    for reader, read in TEXT_READERS.items():
        rows.append(Row(name, case, reader, True, difference(read(text), expected, reader == "Civitai")))
    return rows


def twins(name: str, text: str, expected: Settings) -> list[Row]:
    """Settings of which the steps are not the first, and settings that are cut off: the strict readers find none."""
    head, last = text.rsplit("\n", 1)
    moved = f"{head}\nPrompt syntax: a1111, {last}"
    return [Row(name, f"twin: {what}", reader, False, difference(TEXT_READERS[reader](spoilt), expected, True))
            for what, spoilt in (("another key first", moved), ("cut short", f"{head}\n{last[:9]}"))
            for reader in ("ComfyUI", "Civitai")]


def try_model(model: Path, binary: Path, folder: Path) -> list[Row]:
    model = model.resolve()
    write_files(model, folder)
    rows: list[Row] = []
    for case, options in cases_of(model, folder).items():
        program.progress(f"{model.name}: {case}")
        line, pictures = render(binary, model, options, folder)
        expected = expected_settings(line, model)
        if "--lora" in options:  # the web UI finds a LoRA by its tag
            expected["prompt"] += " <lora:style:0.5>"
        for picture in pictures:
            rows += read_all(model.name, f"{case}, {picture.stem}", picture, expected)
    return rows + twins(model.name, settings_text(pictures[0]), expected)


def parse_arguments() -> argparse.Namespace:
    parser = program.parser_of(__doc__, EXAMPLES)
    parser.add_argument("models", type=Path, nargs="+", metavar="MODEL", help="a model folder that is a diffusers one")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the rows to FILE too")
    return peer_python.arguments_of(parser)


@program.reported
def main() -> int:
    arguments = parse_arguments()
    rows: list[Row] = []
    for model in arguments.models:
        with tempfile.TemporaryDirectory() as folder:
            rows += try_model(model, arguments.program, Path(folder))
    program.print_table(["model", "picture", "reader", "must be read", "difference", ""],
                        ([row.model, row.case, row.reader, "yes" if row.must_read else "no", row.difference,
                          "ok" if row.passed else "FAILED"] for row in rows))
    return conclude(rows, arguments.json)


if __name__ == "__main__":
    sys.exit(main())
